/** Series with times of their own, on one row of times. */
import type { ChartSeries, Values } from "./series.ts";

export interface OwnTimes extends ChartSeries {
  times_ms: readonly number[];
}

/** Returns the times of all, ascending, and each series with a value where it has that time. */
export function joined(lines: readonly OwnTimes[]): { times_ms: number[]; series: ChartSeries[] } {
  const times_ms = [...new Set(lines.flatMap((line) => line.times_ms))];
  times_ms.sort((one, other) => one - other);
  const place = new Map(times_ms.map((time, index) => [time, index]));
  const spread = (own_ms: readonly number[], values: Values): Values => {
    const row = new Array<number | null | undefined>(times_ms.length).fill(undefined);
    own_ms.forEach((time, index) => (row[place.get(time) as number] = values[index] ?? null));
    return row;
  };
  const series = lines.map(({ times_ms: own_ms, values, low, high, ...rest }) => ({
    ...rest,
    values: spread(own_ms, values),
    ...(low && high ? { low: spread(own_ms, low), high: spread(own_ms, high) } : {}),
  }));
  return { times_ms, series };
}
