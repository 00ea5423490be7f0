/** How the values of each unit read: on an axis, and in words. */
import type { State } from "../contract.ts";
import { amount, number, UNKNOWN } from "../format.ts";
import { named, t } from "../i18n.ts";
import type { ChartSeries } from "./series.ts";

/** The site's state is told by its number in this order, the most serious last. */
export const STATES: readonly State[] = ["boot", "idle", "running", "error", "stopped"];
export const STATE_UNIT = "state";
export const ON_OFF = "0/1";
/** These are seen against nothing, and their axis reaches so far at least; a voltage's does not. */
const LEAST: Record<string, number> = { W: 100, Wh: 100, "ct/kWh": 10 };
const IN_KILO: readonly string[] = ["W", "Wh"];

/** Returns what an axis with these series is marked with; from 1,000 on it is in kilo. */
export function axisUnit(unit: string, series: readonly ChartSeries[]): string {
  if (unit === STATE_UNIT || unit === ON_OFF) return "";
  const isLarge = (value: number | null | undefined) => Math.abs(value ?? 0) >= 1000;
  const all = series
    .filter((one) => one.unit === unit)
    .flatMap((one) => [one.values, one.low ?? [], one.high ?? []]);
  return IN_KILO.includes(unit) && all.some((values) => values.some(isLarge)) ? `k${unit}` : unit;
}

/** Returns from where to where an axis goes, given the lowest and highest value. */
export function axisRange(unit: string, low: number | null, high: number | null): [number, number] {
  if (unit === STATE_UNIT) return [-0.4, STATES.length - 0.6];
  if (unit === ON_OFF) return [-0.15, 1.15];
  if (low === null || high === null) return [0, LEAST[unit] ?? 1];
  if (unit === "%" && low >= 0 && high <= 100) return [0, 100];
  const least = LEAST[unit];
  const [from, to] = least ? [Math.min(0, low), Math.max(least, high)] : [low, high];
  const air = (to - from || Math.abs(to) || 1) * 0.08;
  return [from === 0 ? 0 : from - air, to === 0 ? 0 : to + air];
}

/** Returns where an axis has its marks, if it is not one of plain numbers. */
export function fixedTicks(unit: string): number[] | null {
  if (unit === STATE_UNIT) return [...STATES.keys()];
  return unit === ON_OFF ? [0, 1] : null;
}

/** Returns the texts at the marks of an axis, `step` apart. */
export function tickTexts(
  ticks: readonly number[], step: number, unit: string, shown: string,
): string[] {
  if (fixedTicks(unit)) return ticks.map((tick) => tellValue(tick, unit));
  const scale = shown === unit ? 1 : 1000;
  const decimals = [0, 1, 2].find((count) => isWhole((step / scale) * 10 ** count)) ?? 3;
  return ticks.map((tick) => number(tick / scale, decimals));
}

const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-6;

/** Returns a value in words, or with its unit. */
export function tellValue(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (unit === STATE_UNIT) return named("state", STATES[Math.round(value)] ?? UNKNOWN);
  if (unit !== ON_OFF) return amount(value, unit);
  if (value === 0 || value === 1) return t(value ? "value.on" : "value.off");
  return t("chart.part_on", { share: amount(value * 100, "%") });
}
