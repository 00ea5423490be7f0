/** From plan, prices, forecasts and history to the lines of the plan's charts. */
import type { OwnTimes } from "../chart/joined.ts";
import type { Mark } from "../chart/series.ts";
import type { Forecasts, History, Plan, PlanSlot, Prices, SlotMode } from "../contract.ts";
import { type Key, t } from "../i18n.ts";
import { lastSnapshot } from "../live.ts";
import { powers } from "../power.ts";

export const GRID = "site/grid_power_w";
export const PV = "site/pv_power_w";
export const LOAD = "site/load_power_w";
const PAST_MS = 8 * 3600 * 1000;

export const pastStart = (now: Date): Date => new Date(now.getTime() - PAST_MS);

/** Colours of the modes, on the strip at the foot of the chart and in lists. */
export const MODE_COLOURS: Record<SlotMode, string> = {
  self_consumption: "--battery",
  hold: "--load",
  power: "--price",
  passive: "--muted",
  charge_only: "--price",
  soc: "--price",
  full_charge: "--price",
  pv_optimizer: "--pv",
  peak_shaving: "--grid",
  load_balancer: "--grid",
  commercial: "--grid",
  stored_value: "--battery",
};

/** Neighbouring slots that look the same are one stretch. */
export function marksOf(plan: Plan, manual: readonly (string | null)[]): Mark[] {
  const found: Mark[] = [];
  plan.slots.forEach((slot, index) => {
    const colour = MODE_COLOURS[slot.mode];
    const isFramed = (manual[index] ?? null) !== null;
    const [start_ms, end_ms] = [Date.parse(slot.start), Date.parse(slot.end)];
    const last = found.at(-1);
    if (last && last.colour === colour && last.isFramed === isFramed) last.end_ms = end_ms;
    else found.push({ start_ms, end_ms, colour, isFramed, place: "foot" });
  });
  return found;
}

type Points = Pick<OwnTimes, "times_ms" | "values" | "low" | "high" | "shape">;
type ValueOf<Slot> = (slot: Slot) => number | null;

/** Each slot's value holds until the next slot; the last one's to its end. */
function overSlots<Slot extends { start: string; end: string }>(
  slots: readonly Slot[],
  valueOf: ValueOf<Slot>,
  band?: { low: ValueOf<Slot>; high: ValueOf<Slot> },
): Points {
  const last = slots.at(-1);
  const ends = last ? [last] : [];
  const times = [...slots.map((slot) => slot.start), ...ends.map((slot) => slot.end)];
  const all = (of: ValueOf<Slot>) => [...slots, ...ends].map(of);
  return {
    times_ms: times.map((time) => Date.parse(time)),
    values: all(valueOf),
    shape: "steps",
    ...(band ? { low: all(band.low), high: all(band.high) } : {}),
  };
}

function fromHistory(past: History | null, key: string): Points {
  const series = past?.series[key];
  if (!past || !series) return { times_ms: [], values: [] };
  const start_ms = Date.parse(past.start);
  return { times_ms: series.t.map((offset_s) => start_ms + offset_s * 1000), values: series.mean };
}

export function powerLines(
  plan: Plan, past: History | null, forecasts: Forecasts | null,
): OwnTimes[] {
  const slots = forecasts?.slots ?? [];
  const power = (key: string, name: Key, colour: string, expected: Points): OwnTimes[] => [
    { key, label: t(name), unit: "W", colour, ...fromHistory(past, key) },
    { key: `${key}_expected`, label: t(name), unit: "W", colour, isExpected: true, ...expected },
  ];
  const pv = overSlots(slots, (slot) => slot.pv_w, {
    low: (slot) => slot.pv_low_w, high: (slot) => slot.pv_high_w,
  });
  const load = overSlots(slots, (slot) => slot.load_w, {
    low: (slot) => slot.load_low_w, high: (slot) => slot.load_high_w,
  });
  const grid = overSlots(plan.slots, (slot) => slot.grid_power_w);
  const battery = overSlots(plan.slots, (slot) => slot.battery_power_w);
  return [
    ...socLines(plan, past),
    ...power(PV, "node.pv", "--pv", pv),
    ...power(LOAD, "node.load", "--load", load),
    ...power(GRID, "node.grid", "--grid", grid),
    ...power(batteryKey("battery_power_w"), "node.battery", "--battery", battery),
  ];
}

/** What is stored stands behind all else. */
function socLines(plan: Plan, past: History | null): OwnTimes[] {
  const soc = { label: t("signal.soc_pct"), unit: "%", colour: "--battery", isFilled: true };
  const planned = plan.slots.filter((slot: PlanSlot) => slot.soc_end_pct !== null);
  return [
    { key: "soc", ...soc, ...fromHistory(past, batteryKey("soc_pct")) },
    {
      key: "soc_expected",
      ...soc,
      isExpected: true,
      times_ms: planned.map((slot) => Date.parse(slot.end)),
      values: planned.map((slot) => slot.soc_end_pct),
    },
  ];
}

/** What is asked of history. */
export const pastSeries = (): string[] => [
  GRID, PV, LOAD, batteryKey("battery_power_w"), batteryKey("soc_pct"),
];

/** The first battery's: a site with several has them in History one by one. */
export function batteryKey(signal: string): string {
  const [battery] = powers(lastSnapshot.value).batteries;
  return `${battery?.name ?? "battery"}/${signal}`;
}

/** Prices are told in hundredths of the currency. */
export function priceLines(prices: Prices | null, unit: string): OwnTimes[] {
  const slots = prices?.prices ?? [];
  const hundredths = (value: number | null) => (value === null ? null : value * 100);
  return [
    {
      key: "purchase", label: t("plan.purchase"), unit, colour: "--price",
      ...overSlots(slots, (slot) => hundredths(slot.purchase_per_kwh)),
    },
    {
      key: "feed_in", label: t("plan.feed_in"), unit, colour: "--pv",
      ...overSlots(slots, (slot) => hundredths(slot.feed_in_per_kwh)),
    },
  ];
}
