/** What of the history is looked at. It stands in the address, so that others can be shown it. */
import type { Span } from "../chart/series.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** These end now, and go on with it. */
export const RANGES = {
  hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS,
};
export type Range = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as Range[];
const AT_FIRST: Range = "day";

export interface View {
  /** Null: nobody has chosen yet. */
  keys: string[] | null;
  /** Null: from one time to another. */
  range: Range | null;
  span: Span;
}

const isRange = (text: string | null): text is Range => text !== null && text in RANGES;

/** Returns what `query` asks for; of what it does not say, the usual. */
export function viewOf(query: URLSearchParams, now_ms: number): View {
  const keys = query.get("series");
  const [start_ms, end_ms] = ["from", "to"].map((name) => Date.parse(query.get(name) ?? ""));
  const chosen = query.get("range");
  const range = isRange(chosen) ? chosen : AT_FIRST;
  const isFixed = start_ms !== undefined && end_ms !== undefined && start_ms < end_ms;
  return {
    keys: keys === null ? null : keys.split(",").filter(Boolean),
    range: isFixed ? null : range,
    span: isFixed ? { start_ms, end_ms } : { start_ms: now_ms - RANGES[range], end_ms: now_ms },
  };
}

export function queryOf({ keys, range, span }: View): URLSearchParams {
  const query = new URLSearchParams();
  if (keys) query.set("series", keys.join(","));
  if (range) query.set("range", range);
  else {
    query.set("from", utc(span.start_ms));
    query.set("to", utc(span.end_ms));
  }
  return query;
}

/** Returns the time as the API takes it, to the second. */
export const utc = (at_ms: number): string =>
  new Date(at_ms).toISOString().replace(/\.\d+Z$/, "Z");

/** How often what goes on with the time is asked for anew: no oftener than it would change. */
export const refresh_ms = (range: Range | null): number =>
  range === null ? 0 : Math.max(10_000, RANGES[range] / 800);
