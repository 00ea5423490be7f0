/** Numbers with their units, and times in the site's zone, as the language writes them. */
import { language } from "./i18n.ts";
import { currency, timezone } from "./site.ts";

/** Stands where a value is not known: absent is not zero. */
export const UNKNOWN = "–";
const NARROW = "\u202f";
const LOCALES = { en: "en-GB", de: "de-DE" } as const;
const DECIMALS: Record<string, number> = {
  W: 0, Wh: 0, V: 1, A: 1, "%": 0, "°C": 1, K: 1, Hz: 2, s: 1, kW: 2, kWh: 1,
};
/** A cell's voltage needs the millivolt. */
const CELL_V = 5;

const isKnown = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);

const locale = (): string => LOCALES[language.value];

export function number(value: number | null | undefined, decimals: number): string {
  if (!isKnown(value)) return UNKNOWN;
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
    .format(Math.abs(value) < 0.5 * 10 ** -decimals ? 0 : value)
    .replace("-", "−");
}

function decimalsOf(value: number, unit: string): number {
  if (unit === "V" && Math.abs(value) < CELL_V) return 3;
  return DECIMALS[unit] ?? 2;
}

/** A value with its unit; power and energy from 1,000 on in kilo. */
export function amount(value: number | null | undefined, unit: string): string {
  if (!isKnown(value)) return UNKNOWN;
  if ((unit === "W" || unit === "Wh") && Math.abs(value) >= 1000) {
    return amount(value / 1000, `k${unit}`);
  }
  return `${number(value, decimalsOf(value, unit))}${NARROW}${unit}`;
}

/** A value without its unit, for a column that names the unit. */
export const bare = (value: number | null | undefined, unit: string): string =>
  isKnown(value) ? number(value, decimalsOf(value, unit)) : UNKNOWN;

export function money(value: number | null | undefined): string {
  if (!isKnown(value)) return UNKNOWN;
  return new Intl.NumberFormat(locale(), { style: "currency", currency: currency.value })
    .format(value)
    .replace("-", "−");
}

/** Prices of energy are told in hundredths of the currency. */
export const priceUnit = (): string =>
  currency.value === "EUR" ? "ct/kWh" : `${currency.value}/100/kWh`;

export const price = (per_kwh: number | null | undefined): string =>
  isKnown(per_kwh) ? `${number(per_kwh * 100, 1)}${NARROW}${priceUnit()}` : UNKNOWN;

/** A time in the site's zone, in a style of one's own. */
export function moment(
  when: string | number | null | undefined,
  style: Intl.DateTimeFormatOptions,
): string {
  if (when === null || when === undefined) return UNKNOWN;
  return new Intl.DateTimeFormat(locale(), { timeZone: timezone.value, ...style }).format(
    new Date(when),
  );
}

export const clock = (when: string | number | null | undefined): string =>
  moment(when, { hour: "2-digit", minute: "2-digit" });

export const clockSeconds = (when: string | number | null | undefined): string =>
  moment(when, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const day = (when: string | number | null | undefined): string =>
  moment(when, { weekday: "short", day: "2-digit", month: "2-digit" });

export const dayInFull = (when: string | number): string =>
  moment(when, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export const dayAndClock = (when: string | number | null | undefined): string =>
  when === null || when === undefined ? UNKNOWN : `${day(when)} ${clock(when)}`;

export const date = (when: string | number | null | undefined): string =>
  moment(when, { year: "numeric", month: "2-digit", day: "2-digit" });

export const dateAndClock = (when: string | number | null | undefined): string =>
  moment(when, {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  });

export const month = (when: string | number): string =>
  moment(when, { month: "long", year: "numeric" });

export const year = (when: string | number): string => moment(when, { year: "numeric" });

/** The name of a month of the calendar; January is 1. */
export const monthOf = (year: number, month: number): string =>
  new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric", timeZone: "UTC" }).format(
    Date.UTC(year, month - 1, 1),
  );

/** The name of a day of the week; 0 is Monday. */
export const weekday = (index: number): string =>
  new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" }).format(
    Date.UTC(2024, 0, 1 + index), // that year began with a Monday
  );

const SPANS = [
  [86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"],
] as const;

/** A span of time in its largest unit: 5 min, 2 h. */
export function span(seconds: number | null | undefined): string {
  if (!isKnown(seconds)) return UNKNOWN;
  const [size, unit] = SPANS.find(([size]) => Math.abs(seconds) >= size) ?? [1, "second"];
  const count = seconds / size;
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: size === 1 && count < 10 ? 1 : 0,
  }).format(count);
}
