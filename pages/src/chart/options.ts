/** Turns what a chart is told into what uPlot wants. */
import type uPlot from "uplot";
import { t } from "../i18n.ts";
import type { ChartSeries, Mark, Span, Values } from "./series.ts";
import { unitsOf } from "./series.ts";
import { timeTicks } from "./times.ts";
import { axisRange, axisUnit, fixedTicks, tickTexts } from "./values.ts";

export interface Drawing {
  times_ms: readonly number[];
  series: readonly ChartSeries[];
  span: Span;
  marks: readonly Mark[];
  /** Where past and future meet; null if all is past. */
  now_ms: number | null;
  /** A chart above has a right axis: the same times are to stand below each other. */
  isBelowTwoAxes: boolean;
  zone: string;
  height_px: number;
}

export interface Listener {
  onAt: (at_ms: number) => void;
  /** Null: a part cannot be chosen. */
  onSpan: ((span: Span) => void) | null;
}

/** Returns the value of a CSS variable, a colour as #rrggbb. */
export type Palette = (name: string) => string;

const BAND_ALPHA = "30";
const FILL_ALPHA = "22";
const MARK_ALPHA = "1e";
/** Left there is room for a word. */
const LEFT_PX = 62;
const RIGHT_PX = 46;
const LEAST_DRAG_PX = 6;
const LINE_PX = 1.75;
const HEAD_PX = 5;
const FOOT_PX = 9;

interface Row {
  options: uPlot.Series;
  values: Values;
  isLine: boolean;
}

/** Returns the options and the data of one chart, in the order that uPlot has them. */
export function uplotOf(
  drawing: Drawing, palette: Palette, UPlot: typeof uPlot, listener: Listener, width_px: number,
): { options: uPlot.Options; data: uPlot.AlignedData } {
  const bands: uPlot.Band[] = [];
  const rows: Row[] = [];
  for (const one of drawing.series) {
    const paths = pathsOf(one, UPlot);
    if (one.low && one.high) {
      const first = rows.length + 1;
      bands.push({ series: [first, first + 1], fill: palette(one.colour) + BAND_ALPHA });
      rows.push(edge(one, one.high, paths), edge(one, one.low, paths));
    }
    rows.push(line(one, palette(one.colour), paths));
  }
  const options: uPlot.Options = {
    width: width_px,
    height: drawing.height_px,
    ms: 1,
    tzDate: (at_ms) => UPlot.tzDate(new Date(at_ms), drawing.zone),
    legend: { show: false },
    padding: [12, rightPadding(drawing), 0, 0],
    cursor: cursor(listener, rows, palette),
    scales: scales(drawing),
    axes: axes(drawing, palette),
    series: [{}, ...rows.map((row) => row.options)],
    bands,
    hooks: {
      setCursor: [(plot) => tellCursor(plot, listener)],
      setSelect: [(plot) => tellSelection(plot, listener)],
      drawClear: [(plot) => drawMarks(plot, drawing, palette)],
      draw: [(plot) => drawNow(plot, drawing.now_ms, palette)],
    },
  };
  const data = [drawing.times_ms, ...rows.map((row) => row.values)] as uPlot.AlignedData;
  return { options, data };
}

function rightPadding({ series, isBelowTwoAxes }: Drawing): number {
  if (unitsOf(series).length > 1) return 0;
  return isBelowTwoAxes ? RIGHT_PX : 14;
}

type Paths = Pick<uPlot.Series, "paths">;

function pathsOf({ shape }: ChartSeries, UPlot: typeof uPlot): Paths {
  const stepped = shape === "steps" && UPlot.paths.stepped;
  return stepped ? { paths: stepped({ align: 1 }) } : {};
}

function edge({ unit }: ChartSeries, values: Values, paths: Paths): Row {
  const options: uPlot.Series = { scale: unit, width: 0, points: { show: false }, ...paths };
  return { values, isLine: false, options };
}

function line(one: ChartSeries, colour: string, paths: Paths): Row {
  const options: uPlot.Series = {
    scale: one.unit,
    stroke: colour,
    width: one.isFilled ? 1 : LINE_PX,
    points: one.isExpected ? { show: false } : { size: 4, fill: colour },
    ...(one.isFilled ? { fill: colour + FILL_ALPHA } : {}),
    ...(one.isExpected ? { dash: [6, 5] } : {}),
    ...paths,
  };
  return { values: one.values, isLine: true, options };
}

function cursor(listener: Listener, rows: readonly Row[], palette: Palette): uPlot.Cursor {
  return {
    y: false,
    drag: { x: listener.onSpan !== null, y: false, setScale: false },
    points: {
      size: (_, index) => (rows[index - 1]?.isLine ? 9 : 0),
      width: 2,
      stroke: (_, index) => (rows[index - 1]?.isLine ? palette("--surface") : "transparent"),
    },
    bind: { mouseleave: () => null, dblclick: () => null }, // what was read stays to be read
  };
}

function scales({ series, span }: Drawing): uPlot.Scales {
  const ofUnits = unitsOf(series).map((unit): [string, uPlot.Scale] => [
    unit, { range: (_, low, high) => axisRange(unit, low, high) },
  ]);
  return {
    x: { time: true, range: () => [span.start_ms, span.end_ms] },
    ...Object.fromEntries(ofUnits),
  };
}

function axes({ series }: Drawing, palette: Palette): uPlot.Axis[] {
  const look = {
    stroke: palette("--muted"),
    font: `12px ${palette("--font")}`,
    ticks: { stroke: palette("--line"), width: 1, size: 5 },
  };
  const grid = { stroke: palette("--line"), width: 1 };
  const time: uPlot.Axis = {
    ...look,
    grid: { show: false },
    space: 74,
    size: 46,
    values: (_, ticks, __, ___, step) => timeTicks(ticks, step),
  };
  const ofUnits = unitsOf(series).map((unit, index): uPlot.Axis => {
    const shown = axisUnit(unit, series);
    const fixed = fixedTicks(unit);
    return {
      ...look,
      scale: unit,
      side: index === 0 ? 3 : 1,
      grid: index === 0 ? grid : { show: false },
      size: index === 0 ? LEFT_PX : RIGHT_PX,
      space: 34,
      values: (_, ticks, __, ___, step) => tickTexts(ticks, step, unit, shown),
      ...(fixed ? { splits: () => fixed } : {}),
    };
  });
  return [time, ...ofUnits];
}

function tellCursor(plot: uPlot, listener: Listener): void {
  const at_ms = plot.cursor.idx == null ? undefined : plot.data[0][plot.cursor.idx];
  if (at_ms !== undefined) listener.onAt(at_ms);
}

function tellSelection(plot: uPlot, listener: Listener): void {
  const { left, width } = plot.select;
  if (width < LEAST_DRAG_PX || listener.onSpan === null) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const [start_ms, end_ms] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  listener.onSpan({ start_ms, end_ms });
}

function drawMarks(plot: uPlot, { marks }: Drawing, palette: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const mark of marks) drawMark(plot, mark, palette);
  ctx.restore();
}

function drawMark(plot: uPlot, mark: Mark, palette: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const left = plot.valToPos(mark.start_ms, "x", true);
  const right = mark.end_ms ? plot.valToPos(mark.end_ms, "x", true) : bbox.left + bbox.width;
  const width = Math.max(3 * ratio, right - left - ratio);
  ctx.fillStyle = palette(mark.colour);
  if (mark.place === "foot") {
    ctx.fillRect(left, bbox.top + bbox.height - FOOT_PX * ratio, width, FOOT_PX * ratio);
  } else {
    ctx.fillRect(left, bbox.top, width, HEAD_PX * ratio);
    ctx.fillStyle += MARK_ALPHA;
    ctx.fillRect(left, bbox.top, width, bbox.height);
  }
  if (!mark.isFramed) return;
  ctx.strokeStyle = palette("--accent");
  ctx.lineWidth = 2 * ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.strokeRect(left + ratio, bbox.top + ratio, width - 2 * ratio, bbox.height - 2 * ratio);
}

function drawNow(plot: uPlot, now_ms: number | null, palette: Palette): void {
  const { min, max } = plot.scales["x"] ?? {};
  if (now_ms === null || now_ms < (min ?? Infinity) || now_ms > (max ?? -Infinity)) return;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const x = Math.round(plot.valToPos(now_ms, "x", true));
  ctx.save();
  ctx.fillStyle = palette("--ink");
  ctx.fillRect(x, bbox.top, ratio, bbox.height);
  ctx.font = `600 ${12 * ratio}px ${palette("--font")}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(t("chart.now"), x + 5 * ratio, bbox.top + 4 * ratio);
  ctx.restore();
}
