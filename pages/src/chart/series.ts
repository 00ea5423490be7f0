/** What a chart is told: series over one row of times, and the time that it shows. */

/** One for each time; null is a gap, and stays one. Undefined: this series has no such time. */
export type Values = readonly (number | null | undefined)[];

export interface ChartSeries {
  key: string;
  label: string;
  unit: string;
  /** The name of a colour, such as "--grid". */
  colour: string;
  values: Values;
  /** The lowest and highest, drawn as a band behind the line. */
  low?: Values;
  high?: Values;
  /** Steps hold until the next value, as prices and setpoints do. */
  shape?: "line" | "steps";
  /** Filled down to zero, such as what stands behind the others. */
  isFilled?: boolean;
  /** What has not happened yet is dashed. One with the same label may tell what has. */
  isExpected?: boolean;
}

/** A part of time, in ms since 1970. */
export interface Span {
  start_ms: number;
  end_ms: number;
}

/** Something that was so for a while; without an end it lasts. */
export interface Mark {
  start_ms: number;
  end_ms: number | null;
  /** The name of a colour, such as "--fault". */
  colour: string;
  /** A strip along the head with a light field below it, or one at the foot. */
  place: "head" | "foot";
  /** A frame over the whole height, for what stands out. */
  isFramed?: boolean;
}

/** The units: the first stands left, the second right, where what is only behind the lines is. */
export function unitsOf(series: readonly ChartSeries[]): string[] {
  const inFront = series.filter((one) => !one.isFilled);
  return [...new Set([...inFront, ...series].map((one) => one.unit))];
}

/** Returns the index of the time nearest to `at_ms`; `times_ms` ascend and are not none. */
export function nearestIndex(times_ms: readonly number[], at_ms: number): number {
  let [low, high] = [0, times_ms.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((times_ms[middle] as number) <= at_ms) low = middle;
    else high = middle;
  }
  const isHighNearer =
    Math.abs((times_ms[high] as number) - at_ms) < Math.abs((times_ms[low] as number) - at_ms);
  return isHighNearer ? high : low;
}

/** Returns the first and last index whose times lie in `span`. */
export function indicesIn(times_ms: readonly number[], span: Span): [number, number] {
  const first = times_ms.findIndex((time) => time >= span.start_ms);
  const last = times_ms.findLastIndex((time) => time <= span.end_ms);
  return first < 0 || last < first ? [0, Math.max(0, times_ms.length - 1)] : [first, last];
}

/** Returns the last index from `first` to `last` at which anything is known, or `last`. */
export function lastKnown(series: readonly ChartSeries[], first: number, last: number): number {
  for (let index = last; index >= first; index--) {
    if (series.some((one) => one.values[index] != null)) return index;
  }
  return last;
}

/** Returns the value at an index: of a series that has no such time, the one before it. */
export function valueAt(values: Values, index: number): number | null {
  if (values[index] !== undefined) return values[index];
  const before = values.findLastIndex((value, place) => place < index && value !== undefined);
  const isOver = !values.some((value, place) => place > index && value !== undefined);
  return isOver ? null : (values[before] ?? null);
}
