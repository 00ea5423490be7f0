/** Safety: what is not as it should be, how far all else is from that, and who guards what. */
import { useAnswer } from "../answer.ts";
import { LinkedPage } from "../components/linked_page.tsx";
import type { SiteState } from "../contract.ts";
import { t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { AssuranceCard } from "./assurance_card.tsx";
import { CommunicationCard } from "./communication_card.tsx";
import { FindingsCard } from "./findings_card.tsx";
import { LimitsCard } from "./limits_card.tsx";
import { SetpointsCard } from "./setpoints_card.tsx";

const STATE_EVERY_S = 5;

export function SafetyPage() {
  const state = useAnswer<SiteState>(snapshot.value ? "state" : null, STATE_EVERY_S);
  return (
    <LinkedPage title={t("nav.safety")} lead={t("safety.lead")}>
      {(now) => (
        <>
          <FindingsCard now={now} latched={state.value?.latched ?? []} />
          <SetpointsCard now={now} />
          <LimitsCard now={now} />
          <CommunicationCard now={now} />
          <AssuranceCard />
        </>
      )}
    </LinkedPage>
  );
}
