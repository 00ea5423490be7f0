/** How a time reads on an axis and in a table: as exact as its neighbours are apart. */
import { clock, clockSeconds, dateAndClock, day, moment } from "../format.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MONTH_MS = 28 * DAY_MS;

/** Returns the texts at the marks of a time axis, `step_ms` apart; a day is named where it begins. */
export function timeTicks(ticks_ms: readonly number[], step_ms: number): string[] {
  if (step_ms >= MONTH_MS) return ticks_ms.map(monthAndYear);
  if (step_ms >= DAY_MS) return ticks_ms.map(dayAndMonth);
  return ticks_ms.map((tick, index) => {
    const text = step_ms < MINUTE_MS ? clockSeconds(tick) : clock(tick);
    const before = ticks_ms[index - 1];
    const isNewDay = before === undefined || day(before) !== day(tick);
    return isNewDay ? `${text}\n${dayAndMonth(tick)}` : text;
  });
}

const monthAndYear = (when_ms: number): string =>
  moment(when_ms, { month: "short", year: "2-digit" });

const dayAndMonth = (when_ms: number): string =>
  moment(when_ms, { day: "numeric", month: "short" });

const date = (when_ms: number): string =>
  moment(when_ms, { year: "numeric", month: "2-digit", day: "2-digit" });

/** Returns a time by itself. */
export function timeText(when_ms: number, step_ms: number): string {
  if (step_ms >= DAY_MS) return date(when_ms);
  return step_ms < MINUTE_MS ? `${day(when_ms)} ${clockSeconds(when_ms)}` : dateAndClock(when_ms);
}
