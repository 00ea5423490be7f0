/** The next 48 hours: what was asked for by hand, and what is planned. */
import { Card } from "../components/card.tsx";
import type { ManualMode, ManualSlot, PlanAnswer, PlanSlot } from "../contract.ts";
import { clock, day } from "../format.ts";
import { named, t } from "../i18n.ts";
import { addDays, dateOf, localOf, startOf } from "../dates.ts";
import { fromTo, MODES, told } from "./manual.ts";

const HOURS = 48;
const HOUR_MS = 3_600_000;
/** A clock is written at each of these hours of the day. */
const TICKS_H = [6, 12, 18];

interface Span {
  mode: ManualMode;
  start_ms: number;
  end_ms: number;
  title: string;
}

interface Props {
  manual: ManualSlot[];
  plan: PlanAnswer | null;
  now_ms: number;
}

export function TimelineCard({ manual, plan, now_ms }: Props) {
  const planned = plan?.report?.plan?.slots ?? [];
  return (
    <Card title={t("schedule.next_48h")} wide>
      <div class="timeline" role="img" aria-label={t("schedule.timeline_told")}>
        <Lane name={t("schedule.lane_manual")} spans={manual.map(ofManual)} from_ms={now_ms} />
        <Lane name={t("schedule.lane_plan")} spans={merged(planned)} from_ms={now_ms} />
        <Axis from_ms={now_ms} />
      </div>
      {planned.length === 0 && <p class="muted">{t("schedule.no_plan")}</p>}
      <ul class="modes">
        {MODES.map((mode) => (
          <li key={mode}>
            <span class={`swatch ${mode}`} aria-hidden="true" />
            {named("mode", mode)}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const ofManual = (slot: ManualSlot): Span => ({
  mode: slot.mode,
  start_ms: Date.parse(slot.start),
  end_ms: Date.parse(slot.end),
  title: `${told(slot.mode, slot.power_w)}, ${fromTo(slot.start, slot.end)}`,
});

function modeOf(slot: PlanSlot): ManualMode {
  if (slot.mode !== "power") return slot.mode === "hold" ? "hold" : "self_consumption";
  if (slot.battery_power_w === 0) return "rest";
  return slot.battery_power_w > 0 ? "charge" : "discharge";
}

/** Slots of the plan that do the same one after the other are one span. */
function merged(slots: PlanSlot[]): Span[] {
  const spans: Span[] = [];
  for (const slot of slots) {
    const [mode, start_ms, end_ms] = [modeOf(slot), Date.parse(slot.start), Date.parse(slot.end)];
    const last = spans.at(-1);
    if (last?.mode === mode && last.end_ms === start_ms) last.end_ms = end_ms;
    else spans.push({ mode, start_ms, end_ms, title: "" });
  }
  return spans.map((span) => ({
    ...span,
    title: `${named("mode", span.mode)}, ${fromTo(span.start_ms, span.end_ms)}`,
  }));
}

const percent = (at_ms: number, from_ms: number): number =>
  Math.max(0, Math.min(100, ((at_ms - from_ms) / (HOURS * HOUR_MS)) * 100));

function Lane({ name, spans, from_ms }: { name: string; spans: Span[]; from_ms: number }) {
  return (
    <div class="lane">
      <span class="lane-name">{name}</span>
      <div class="lane-bed">
        {spans.map((span) => {
          const left = percent(span.start_ms, from_ms);
          const width = percent(span.end_ms, from_ms) - left;
          return width <= 0 ? null : (
            <span
              key={span.start_ms}
              class={`span ${span.mode}`}
              title={span.title}
              style={{ left: `${left}%`, width: `${width}%` }}
            />
          );
        })}
      </div>
    </div>
  );
}

function Axis({ from_ms }: { from_ms: number }) {
  return (
    <div class="lane axis">
      <span class="lane-name" />
      <div class="lane-bed">
        {ticks(from_ms).map(({ at_ms, text, isMidnight }) => (
          <span
            key={at_ms}
            class={isMidnight ? "tick midnight" : "tick"}
            style={{ left: `${percent(at_ms, from_ms)}%` }}
          >
            {text}
          </span>
        ))}
      </div>
    </div>
  );
}

interface Tick {
  at_ms: number;
  text: string;
  isMidnight: boolean;
}

/** Midnights and the hours between, of the site's clock. */
function ticks(from_ms: number): Tick[] {
  const found: Tick[] = [];
  for (let date = dateOf(from_ms); found.length < 20; date = addDays(date, 1)) {
    const midnight_ms = Date.parse(startOf(date));
    if (midnight_ms > from_ms + HOURS * HOUR_MS) break;
    found.push({ at_ms: midnight_ms, text: day(midnight_ms), isMidnight: true });
    for (let at_ms = midnight_ms; dateOf(at_ms) === date; at_ms += HOUR_MS) {
      if (!TICKS_H.includes(Number(localOf(at_ms).slice(11, 13)))) continue;
      found.push({ at_ms, text: clock(at_ms), isMidnight: false });
    }
  }
  return found.filter(({ at_ms }) => at_ms >= from_ms && at_ms < from_ms + HOURS * HOUR_MS);
}
