/** A chart over time: lines with their values at one moment, and the same numbers as a table.
 *
 * Times are ms since 1970 and shown in the site's zone. Arrays are compared by identity: who draws
 * often keeps them.
 */
import { useState } from "preact/hooks";
import { Plot } from "../chart/plot.tsx";
import {
  type ChartSeries, indicesIn, lastKnown, type Mark, nearestIndex, type Span, unitsOf, valueAt,
} from "../chart/series.ts";
import { timeText } from "../chart/times.ts";
import { axisUnit, tellValue } from "../chart/values.ts";
import { t } from "../i18n.ts";
import { timezone } from "../site.ts";
import { type Column, Table } from "./table.tsx";

interface Props {
  /** What the chart shows, in a few words. */
  label: string;
  times_ms: readonly number[];
  /** Of at most two units: one stands left, one right. They are drawn in their order. */
  series: readonly ChartSeries[];
  /** What is shown of the times; all of them if it is left out. */
  span?: Span;
  marks?: readonly Mark[];
  /** Where past and future meet. */
  now_ms?: number | null;
  isBelowTwoAxes?: boolean;
  /** Is told of a part that somebody chose by dragging; without it, nothing can be chosen. */
  onSpan?: (span: Span) => void;
  /** The moment whose values are told, if it belongs to the page; else the chart has its own. */
  moment?: { at_ms: number | null; onAt: (at_ms: number) => void };
  height_px?: number;
}

const NO_MARKS: readonly Mark[] = [];

export function Chart({
  label, times_ms, series, span, marks = NO_MARKS, now_ms = null, isBelowTwoAxes = false, onSpan,
  moment, height_px = 260,
}: Props) {
  const [own_ms, setOwn] = useState<number | null>(null);
  const at_ms = moment ? moment.at_ms : own_ms;
  const onAt = moment ? moment.onAt : setOwn;
  const whole: Span = { start_ms: times_ms[0] ?? 0, end_ms: times_ms.at(-1) ?? 1 };
  const shown = span ?? whole;
  const index = indexAt(times_ms, series, shown, at_ms ?? now_ms);
  const hasTwoAxes = isBelowTwoAxes || unitsOf(series).length > 1;
  return (
    <figure class="chart">
      <Legend times_ms={times_ms} series={series} index={index} />
      <Units series={series} />
      <Plot
        label={sentence(label, series, times_ms, shown)}
        times_ms={times_ms}
        series={series}
        span={shown}
        marks={marks}
        now_ms={now_ms}
        isBelowTwoAxes={isBelowTwoAxes}
        zone={timezone.value}
        height_px={height_px}
        at_ms={at_ms}
        onAt={onAt}
        onSpan={onSpan ?? null}
      />
      {!moment && (
        <MomentSlider
          times_ms={times_ms} series={series} span={shown} at_ms={at_ms} onAt={onAt}
          isBelowTwoAxes={hasTwoAxes}
        />
      )}
      <Numbers label={label} times_ms={times_ms} series={series} span={shown} />
    </figure>
  );
}

/** How far most neighbours are apart. */
const stepOf = (times_ms: readonly number[]): number =>
  ((times_ms.at(-1) ?? 0) - (times_ms[0] ?? 0)) / Math.max(1, times_ms.length - 1);

/** The moment that is told: the one that was chosen, or the last of which anything is known. */
function indexAt(
  times_ms: readonly number[], series: readonly ChartSeries[], span: Span, at_ms: number | null,
): number {
  const [first, last] = indicesIn(times_ms, span);
  if (at_ms === null) return lastKnown(series, first, last);
  return Math.min(last, Math.max(first, nearestIndex(times_ms, at_ms)));
}

interface LegendProps {
  times_ms: readonly number[];
  series: readonly ChartSeries[];
  index: number;
}

/** Series of one name are one entry: the one that tells of this moment. */
function Legend({ times_ms, series, index }: LegendProps) {
  const at_ms = times_ms[index];
  return (
    <figcaption class="legend">
      <span class="legend-time figure">
        {at_ms !== undefined && timeText(at_ms, stepOf(times_ms))}
      </span>
      <ul>
        {telling(series, index).map((one) => <Entry key={one.key} one={one} index={index} />)}
      </ul>
    </figcaption>
  );
}

function telling(series: readonly ChartSeries[], index: number): ChartSeries[] {
  const found = new Map<string, ChartSeries>();
  for (const one of series) {
    if (!found.has(one.label) || valueAt(one.values, index) !== null) found.set(one.label, one);
  }
  return [...found.values()];
}

function Entry({ one, index }: { one: ChartSeries; index: number }) {
  const value = valueAt(one.values, index);
  const [low, high] = [one.low, one.high].map((values) => values && valueAt(values, index));
  return (
    <li>
      <span
        class={one.isExpected ? "line-key expected" : "line-key"}
        style={{ color: `var(${one.colour})` }}
        aria-hidden="true"
      />
      {one.label} <strong class="figure">{tellValue(value, one.unit)}</strong>
      {one.isExpected && value !== null && <span class="muted">{t("chart.expected")}</span>}
      {low != null && high != null && low !== high && (
        <span class="muted figure">
          {t("chart.spread", { low: tellValue(low, one.unit), high: tellValue(high, one.unit) })}
        </span>
      )}
    </li>
  );
}

function Units({ series }: { series: readonly ChartSeries[] }) {
  return (
    <div class="chart-units" aria-hidden="true">
      {unitsOf(series).map((unit) => <span key={unit}>{axisUnit(unit, series)}</span>)}
    </div>
  );
}

interface SliderProps {
  times_ms: readonly number[];
  series: readonly ChartSeries[];
  span: Span;
  at_ms: number | null;
  onAt: (at_ms: number) => void;
  isBelowTwoAxes: boolean;
}

/** Moves along the times by mouse, finger or keyboard, and says what was then. */
export function MomentSlider(props: SliderProps) {
  const { times_ms, series, span, at_ms, onAt, isBelowTwoAxes } = props;
  const index = indexAt(times_ms, series, span, at_ms);
  const values = telling(series, index).map(
    (one) => `${one.label} ${tellValue(valueAt(one.values, index), one.unit)}`,
  );
  const time = timeText(times_ms[index] ?? 0, stepOf(times_ms));
  return (
    <input
      type="range"
      class={isBelowTwoAxes ? "moment two-axes" : "moment"}
      aria-label={t("chart.moment")}
      aria-valuetext={`${time}: ${values.join(", ")}`}
      min={span.start_ms}
      max={span.end_ms}
      step={Math.max(1, stepOf(times_ms))}
      value={at_ms ?? times_ms[index] ?? span.end_ms}
      onInput={(event) => onAt(event.currentTarget.valueAsNumber)}
    />
  );
}

interface NumbersProps {
  label: string;
  times_ms: readonly number[];
  series: readonly ChartSeries[];
  span: Span;
}

/** The same numbers as a table, made once somebody opens it. */
function Numbers({ label, times_ms, series, span }: NumbersProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("chart.as_table")}</summary>
      {isOpen && (
        <Table
          caption={label}
          columns={columns(times_ms, series)}
          rows={[...times_ms.keys()].filter((index) => isIn(times_ms[index], span))}
          keyOf={String}
        />
      )}
    </details>
  );
}

const isIn = (time_ms: number | undefined, { start_ms, end_ms }: Span): boolean =>
  time_ms !== undefined && time_ms >= start_ms && time_ms <= end_ms;

function columns(times_ms: readonly number[], series: readonly ChartSeries[]): Column<number>[] {
  const step_ms = stepOf(times_ms);
  const time: Column<number> = {
    head: t("column.time"),
    cell: (index) => timeText(times_ms[index] ?? 0, step_ms),
  };
  const ofSeries = series.flatMap((one) =>
    [
      {
        head: one.isExpected ? t("chart.expected_of", { name: one.label }) : one.label,
        values: one.values,
      },
      { head: t("chart.lowest", { name: one.label }), values: one.low },
      { head: t("chart.highest", { name: one.label }), values: one.high },
    ].flatMap(({ head, values }) =>
      values
        ? [{ head, cell: (index: number) => tellValue(values[index], one.unit), isNumber: true }]
        : [],
    ),
  );
  return [time, ...ofSeries];
}

/** The chart for who cannot see it: from when to when, and how far each series went. */
function sentence(
  label: string, series: readonly ChartSeries[], times_ms: readonly number[], span: Span,
): string {
  const step_ms = stepOf(times_ms);
  const parts = series.map((one) => {
    const known = one.values.filter((value, index) => value != null && isIn(times_ms[index], span));
    if (known.length === 0) return `${one.label}: ${t("value.unknown")}`;
    const [low, high] = known.reduce(
      ([low, high], value) => [Math.min(low, value as number), Math.max(high, value as number)],
      [Infinity, -Infinity] as [number, number],
    );
    const [from, to] = [tellValue(low, one.unit), tellValue(high, one.unit)];
    return t("chart.goes", { name: one.label, low: from, high: to });
  });
  const [start, end] = [timeText(span.start_ms, step_ms), timeText(span.end_ms, step_ms)];
  return [`${label}, ${t("chart.from_to", { start, end })}`, ...parts].join(". ");
}
