/** What holds now: who asked for it, until when, whether it is done, and how to end it. */
import { ActionButton } from "../components/action_button.tsx";
import { Card } from "../components/card.tsx";
import { Fact } from "../components/fact.tsx";
import { Leader } from "../components/leader.tsx";
import { Note } from "../components/note.tsx";
import { Pill, type Tone } from "../components/pill.tsx";
import type { ManualSlot, PlanAnswer, Snapshot } from "../contract.ts";
import { clock, dayAndClock } from "../format.ts";
import { type Key, named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { may } from "../session.ts";
import { holds, remove, slotTold } from "./manual.ts";
import { takeOver } from "./take_over.ts";

interface Props {
  manual: ManualSlot[];
  plan: PlanAnswer | null;
  now_ms: number;
  again: () => void;
}

export function HoldsCard({ manual, plan, now_ms, again }: Props) {
  const now = snapshot.value;
  const held = manual.find((slot) => holds(slot, now_ms));
  return (
    <Card title={t("schedule.holds_now")} wide>
      {held ? (
        <Asked held={held} plan={plan} now={now} now_ms={now_ms} again={again} />
      ) : (
        <p class="holds">
          <strong>{now ? named("source", now.request_source) : t("value.unknown")}</strong>
          <span class="muted">{t("schedule.nobody_asked")}</span>
        </p>
      )}
      {now && <Now now={now} />}
      <p class="hint take-over">{takeOver(now, held)}</p>
    </Card>
  );
}

type Effect = "in_effect" | "waits_for_planner" | "not_running" | "not_known" | "observes";

const EFFECTS: Record<Effect, { tone: Tone; text: Key }> = {
  in_effect: { tone: "ok", text: "schedule.in_effect" },
  waits_for_planner: { tone: "attention", text: "schedule.waits_for_planner" },
  not_running: { tone: "attention", text: "schedule.not_running" },
  not_known: { tone: "unknown", text: "schedule.not_known" },
  observes: { tone: "info", text: "schedule.observes" },
};

/** A slot that was taken is not yet done: the plan that the controller follows has to have it. */
function effectOf(held: ManualSlot, plan: PlanAnswer | null, now: Snapshot | null, now_ms: number): Effect {
  if (!now || !plan) return "not_known";
  if (now.authority === "observe") return "observes";
  if (now.state !== "running") return "not_running";
  const slots = plan.report?.plan?.slots ?? [];
  const place = slots.findIndex((slot) => holds(slot, now_ms));
  const isIn = plan.report?.accepted === true && plan.report.manual[place] === held.id;
  return isIn && now.request_source === "operator" ? "in_effect" : "waits_for_planner";
}

function Asked({ held, plan, now, now_ms, again }: Omit<Props, "manual"> & { held: ManualSlot; now: Snapshot | null }) {
  const effect = effectOf(held, plan, now, now_ms);
  const end = async () => {
    await remove(held.id);
    again();
  };
  return (
    <>
      <div class="holds">
        <strong>{slotTold(held)}</strong>
        <Pill tone="info">{t("schedule.until", { time: dayAndClock(held.end) })}</Pill>
        <span class="muted">{t("schedule.asked_by", { name: held.by, time: clock(held.made) })}</span>
      </div>
      <Note tone={EFFECTS[effect].tone} role="status">
        {t(EFFECTS[effect].text)}
      </Note>
      <ActionButton
        label={t("schedule.end_now")}
        onAct={end}
        why_not={may("plan.override") ? undefined : t("schedule.not_allowed")}
      />
    </>
  );
}

/** What the site does at this moment, whoever wanted it. */
function Now({ now }: { now: Snapshot }) {
  return (
    <dl class="facts">
      <Fact name={t("now.state")}>{named("state", now.state)}</Fact>
      <Leader now={now} />
      <div class="reason">
        <dt>{t("column.reason")}</dt>
        <dd>{now.request_reason}</dd>
      </div>
    </dl>
  );
}
