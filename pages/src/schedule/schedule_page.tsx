/** Schedule: what people ask of the batteries for a while, beside the plan. */
import { useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Failure } from "../components/answered.tsx";
import { Note } from "../components/note.tsx";
import { Page } from "../components/page.tsx";
import type { ManualSlot, PlanAnswer } from "../contract.ts";
import { t } from "../i18n.ts";
import { may } from "../session.ts";
import { useNow } from "./clock.ts";
import { HoldsCard } from "./holds_card.tsx";
import type { Manual } from "./manual.ts";
import { SlotForm } from "./slot_form.tsx";
import { SlotActions, SlotsCard } from "./slots_card.tsx";
import { TimelineCard } from "./timeline_card.tsx";
import "../style/schedule.css";

const EVERY_S = 5;

export function SchedulePage() {
  const now_ms = useNow();
  const answer = useAnswer<Manual>("manual", EVERY_S);
  const plan = useAnswer<PlanAnswer>("plan", EVERY_S);
  const [edited, setEdited] = useState<ManualSlot | null>(null);
  const manual = answer.value;
  const again = () => {
    setEdited(null);
    answer.again();
    plan.again();
  };
  return (
    <Page title={t("nav.schedule")} lead={t("schedule.lead")}>
      {answer.error && <Failure error={answer.error} />}
      {manual?.problem && <Note tone="attention">{manual.problem}</Note>}
      {manual ? (
        <>
          <HoldsCard manual={current(manual, now_ms)} plan={plan.value} now_ms={now_ms} again={again} />
          <TimelineCard manual={current(manual, now_ms)} plan={plan.value} now_ms={now_ms} />
          <SlotForm
            key={edited?.id ?? "new"}
            manual={manual}
            edited={edited}
            now_ms={now_ms}
            onDone={again}
            onCancel={() => setEdited(null)}
          />
          <SlotsCard
            slots={current(manual, now_ms)}
            now_ms={now_ms}
            actionsOf={(slot) =>
              may("plan.override") && <SlotActions slot={slot} onEdit={setEdited} again={again} />}
          />
        </>
      ) : (
        !answer.error && <p class="muted">{t("answer.waiting")}</p>
      )}
    </Page>
  );
}

/** What is not over, in the order of time. */
const current = (manual: Manual, now_ms: number): ManualSlot[] =>
  manual.slots
    .filter((slot) => Date.parse(slot.end) > now_ms)
    .sort((one, other) => Date.parse(one.start) - Date.parse(other.start));
