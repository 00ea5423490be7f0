/** The next 48 hours: what is asked for and planned, in a lane for each who decides. */
import { Card } from "../components/card.tsx";
import { type Column, Table } from "../components/table.tsx";
import type { AskedBy, ManualSlot, PlanAnswer, PlanReport, PlanSlot } from "../contract.ts";
import { clock, day } from "../format.ts";
import { named, t } from "../i18n.ts";
import { addDays, dateOf, localOf, startOf } from "../dates.ts";
import { ASKERS, askerTold, keptKind, type Look, lookOf, LOOKS, termsTold } from "../modes.ts";
import { fromTo, slotTold, told } from "./manual.ts";

const HOURS = 48;
const HOUR_MS = 3_600_000;
/** A clock is written at each of these hours of the day. */
const TICKS_H = [6, 12, 18];
/** These have a lane though nothing is in it. */
const ALWAYS: readonly AskedBy[] = ["operator", "plan"];

interface Span {
  by: AskedBy;
  look: Look;
  start_ms: number;
  end_ms: number;
  who: string;
  what: string;
  kept: string;
}

interface Props {
  manual: ManualSlot[];
  plan: PlanAnswer | null;
  now_ms: number;
}

export function TimelineCard({ manual, plan, now_ms }: Props) {
  const planned = plan?.report ? merged(plan.report) : [];
  const spans = [...manual.map(ofManual), ...planned.filter(({ by }) => by !== "operator")]
    .filter(({ start_ms, end_ms }) => end_ms > now_ms && start_ms < now_ms + HOURS * HOUR_MS)
    .sort((one, other) => one.start_ms - other.start_ms);
  const lanes = ASKERS.filter(
    (by) => ALWAYS.includes(by) || spans.some((span) => span.by === by),
  );
  return (
    <Card title={t("schedule.next_48h")} wide>
      <div class="timeline" role="img" aria-label={t("schedule.timeline_told")}>
        {lanes.map((by) => (
          <Lane
            key={by} name={named("lane", by)} from_ms={now_ms}
            spans={spans.filter((span) => span.by === by)}
          />
        ))}
        <Axis from_ms={now_ms} />
      </div>
      {planned.length === 0 && <p class="muted">{t("schedule.no_plan")}</p>}
      <Legend looks={LOOKS.filter((look) => spans.some((span) => span.look === look))} />
      <details>
        <summary>{t("schedule.in_words")}</summary>
        <Table
          caption={t("schedule.in_words")} columns={COLUMNS()} rows={spans}
          keyOf={(span) => `${span.by} ${span.start_ms}`}
        />
      </details>
    </Card>
  );
}

const COLUMNS = (): Column<Span>[] => [
  { head: t("column.when"), cell: (span) => fromTo(span.start_ms, span.end_ms) },
  { head: t("column.who"), cell: (span) => span.who },
  { head: t("column.mode"), cell: (span) => span.what },
  { head: t("column.kept"), cell: (span) => span.kept },
];

function Legend({ looks }: { looks: readonly Look[] }) {
  return (
    <ul class="modes">
      {looks.map((look) => (
        <li key={look}>
          <span class={`swatch ${look}`} aria-hidden="true" />
          {named("mode", look)}
        </li>
      ))}
    </ul>
  );
}

const ofManual = (slot: ManualSlot): Span => ({
  by: "operator",
  look: slot.mode,
  start_ms: Date.parse(slot.start),
  end_ms: Date.parse(slot.end),
  who: `${named("source", "operator")}: ${slot.by}`,
  what: slotTold(slot),
  kept: "",
});

/** Slots that say the same one after the other are one span. */
function merged({ plan, asked }: PlanReport): Span[] {
  const spans: (Span & { kind: string; slots: PlanSlot[] })[] = [];
  (plan?.slots ?? []).forEach((slot, index) => {
    const [look, start_ms, end_ms] = [lookOf(slot), Date.parse(slot.start), Date.parse(slot.end)];
    const power_w = slot.by === "plan" ? null : Math.abs(slot.battery_power_w);
    const what = power_w === null || slot.mode !== "power" ? named("mode", look) : told(look, power_w);
    const who = askerTold(slot.by, asked[index] ?? []);
    const kind = keptKind(slot);
    const last = spans.at(-1);
    const isSame = last && last.who === who && last.what === what && last.kind === kind;
    if (isSame && last.end_ms === start_ms) {
      last.end_ms = end_ms;
      last.slots.push(slot);
    } else {
      spans.push({ by: slot.by, look, start_ms, end_ms, who, what, kept: "", kind, slots: [slot] });
    }
  });
  return spans.map(({ kind: _, slots, ...span }) => ({ ...span, kept: termsTold(slots) }));
}

const titleOf = ({ who, what, kept, start_ms, end_ms }: Span): string =>
  [who, what, kept, fromTo(start_ms, end_ms)].filter(Boolean).join(", ");

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
              class={`span ${span.look}`}
              title={titleOf(span)}
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
