/** Now: in two seconds, is the site safe, what does it do, and why. */
import { Page } from "../components/page.tsx";
import { t } from "../i18n.ts";
import { CommandsCard } from "./commands_card.tsx";
import { GlanceCard } from "./glance_card.tsx";
import { PowerCard } from "./power_card.tsx";
import { SafetyCard } from "./safety_card.tsx";
import { WhyCard } from "./why_card.tsx";

export function NowPage() {
  return (
    <Page title={t("nav.now")}>
      <GlanceCard />
      <div class="column">
        <PowerCard />
        <CommandsCard />
      </div>
      <div class="column">
        <WhyCard />
        <SafetyCard />
      </div>
    </Page>
  );
}
