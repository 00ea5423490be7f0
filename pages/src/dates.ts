/** Dates of the site's clock, such as 2026-11-29, and the instants at which they begin. */
import { timezone } from "./site.ts";
import { fromInput, toInput } from "./zone.ts";

export type DateText = string;

const DAY_MS = 86_400_000;

/** What the site's clock shows at an instant, as fields for times have it. */
export const localOf = (instant: number | string): string =>
  toInput(new Date(instant), timezone.value);

export const dateOf = (instant: number | string): DateText => localOf(instant).slice(0, 10);

/** The instant in ms at which the site's clock shows this; NaN if it never does. */
export const instantOf = (local: string): number =>
  fromInput(local, timezone.value)?.getTime() ?? Number.NaN;

/** When a date begins, as the API takes it. Where clocks leave out midnight, that is an hour later. */
export function startOf(date: DateText): string {
  const at = fromInput(`${date}T00:00`, timezone.value) ?? fromInput(`${date}T01:00`, timezone.value);
  return asText(at?.getTime() ?? Date.parse(`${date}T00:00Z`));
}

export const asText = (at_ms: number): string =>
  new Date(at_ms).toISOString().replace(".000Z", "Z");

export const addDays = (date: DateText, days: number): DateText =>
  new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** The first day of the month that lies so many months from that of `date`. */
export function addMonths(date: DateText, months: number): DateText {
  const [year = 0, month = 1] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

/** Counts from 0, a Monday. */
export const weekday = (date: DateText): number =>
  (new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7;
