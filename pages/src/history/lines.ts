/** From what the API answers to charts: one for each unit, all over the same times. */
import type { ChartSeries, Values } from "../chart/series.ts";
import { ON_OFF, STATE_UNIT } from "../chart/values.ts";
import type { History } from "../contract.ts";
import { coloursOf, labelOf } from "./signals.ts";

export interface UnitChart {
  unit: string;
  series: ChartSeries[];
}

/** Units in which a value holds until it changes. */
const STEPPED: readonly string[] = [STATE_UNIT, ON_OFF, "mode"];

/** Returns the times of the answer's steps; what is not in it is a gap. */
export function timesOf({ start, end, step_s }: History): number[] {
  const start_ms = Date.parse(start);
  const count = Math.round((Date.parse(end) - start_ms) / (step_s * 1000));
  return Array.from({ length: Math.max(0, count) }, (_, index) => start_ms + index * step_s * 1000);
}

/** Returns a chart for each unit, in the order of `keys`. */
export function chartsOf(answer: History, keys: readonly string[], count: number): UnitChart[] {
  const there = keys.filter((key) => key in answer.series);
  const unitOf = (key: string) => answer.series[key]?.unit ?? "";
  const colours = coloursOf(there, unitOf);
  const units = [...new Set(there.map(unitOf))];
  return units.map((unit) => ({
    unit,
    series: there
      .filter((key) => unitOf(key) === unit)
      .map((key) => lineOf(answer, key, colours.get(key) ?? "--accent", count)),
  }));
}

function lineOf(answer: History, key: string, colour: string, count: number): ChartSeries {
  const { unit, t = [], mean = [], min = [], max = [] } = answer.series[key] ?? { unit: "" };
  const onTimes = (values: Values) => spread(values, t, answer.step_s, count);
  const line = { key, label: labelOf(key), unit, colour };
  // A mean of states is none: the most serious one has the largest number.
  if (unit === STATE_UNIT) return { ...line, values: onTimes(max), shape: "steps" };
  if (STEPPED.includes(unit)) return { ...line, values: onTimes(mean), shape: "steps" };
  const isMean = answer.step_s > 1;
  return {
    ...line,
    values: onTimes(mean),
    ...(isMean ? { low: onTimes(min), high: onTimes(max) } : {}),
  };
}

function spread(values: Values, t: readonly number[], step_s: number, count: number): Values {
  const row = new Array<number | null>(count).fill(null);
  t.forEach((at_s, index) => (row[Math.round(at_s / step_s)] = values[index] ?? null));
  return row;
}
