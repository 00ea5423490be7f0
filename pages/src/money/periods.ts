/** The periods that people ask about, in days of the site's clock. */
import type { MoneyRow } from "../contract.ts";
import { addDays, addMonths, type DateText, dateOf, startOf, weekday } from "../dates.ts";
import { date, day, month } from "../format.ts";
import { named, t } from "../i18n.ts";

export const PERIODS = ["today", "week", "month", "year"] as const;
export type PeriodName = (typeof PERIODS)[number];

export interface Period {
  name: string;
  start: DateText;
  /** The day after the last one. */
  end: DateText;
}

export function periodOf(name: PeriodName, today: DateText): Period {
  const starts: Record<PeriodName, DateText> = {
    today,
    week: addDays(today, -weekday(today)),
    month: addMonths(today, 0),
    year: `${today.slice(0, 4)}-01-01`,
  };
  return { name: named("period", name), start: starts[name], end: addDays(today, 1) };
}

/** A day of the calendar, as a period. */
export const dayPeriod = (start: DateText): Period => ({
  name: date(startOf(start)),
  start,
  end: addDays(start, 1),
});

/** From when on all periods are covered. */
export const firstDay = (today: DateText): DateText => {
  const [week, year] = [periodOf("week", today).start, periodOf("year", today).start];
  return week < year ? week : year;
};

export const rowsIn = (rows: readonly MoneyRow[], period: Period): MoneyRow[] =>
  rows.filter((row) => {
    const at = dateOf(row.start);
    return period.start <= at && at < period.end;
  });

/** The days of a period, in words. */
export function span({ start, end }: Period): string {
  const last = addDays(end, -1);
  return start === last
    ? day(startOf(start))
    : t("schedule.from_to", { start: day(startOf(start)), end: day(startOf(last)) });
}

export const monthName = (first: DateText): string => month(startOf(first));
