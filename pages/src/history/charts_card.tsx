/** The chosen signals as charts below each other, one for each unit, at one moment. */
import { useMemo, useState } from "preact/hooks";
import type { Mark, Span } from "../chart/series.ts";
import { Card } from "../components/card.tsx";
import { Chart, MomentSlider } from "../components/chart.tsx";
import type { History, PastFinding } from "../contract.ts";
import { dateAndClock, span as spanText } from "../format.ts";
import { language, t } from "../i18n.ts";
import { toneOfFinding } from "../limits.ts";
import { ExportButtons } from "./export_buttons.tsx";
import { chartsOf, timesOf } from "./lines.ts";

interface Props {
  answer: History;
  keys: readonly string[];
  span: Span;
  findings: readonly PastFinding[];
  isOld: boolean;
  onSpan: (span: Span) => void;
}

const ONE_PX = 300;
const MANY_PX = 210;

export function ChartsCard({ answer, keys, span, findings, isOld, onSpan }: Props) {
  const lang = language.value;
  const [at_ms, onAt] = useState<number | null>(null);
  const times_ms = useMemo(() => timesOf(answer), [answer]);
  const charts = useMemo(
    () => chartsOf(answer, keys, times_ms.length), [answer, keys.join(), times_ms, lang],
  );
  const marks = useMemo(() => findings.map(markOf), [findings]);
  const series = charts.flatMap((chart) => chart.series);
  const isEmpty = series.every((one) => one.values.every((value) => value === null));
  return (
    <Card title={title(span)} aside={<ExportButtons keys={keys} span={span} />} wide>
      <p class="muted" aria-live="polite">
        {isOld ? t("answer.waiting") : t("history.step", { step: spanText(answer.step_s) })}
      </p>
      {isEmpty && !isOld && <p>{t("history.nothing_then")}</p>}
      {charts.map((chart) => (
        <Chart
          key={chart.unit}
          label={chart.series.map((one) => one.label).join(", ")}
          times_ms={times_ms}
          series={chart.series}
          span={span}
          marks={marks}
          onSpan={onSpan}
          moment={{ at_ms, onAt }}
          height_px={charts.length > 1 ? MANY_PX : ONE_PX}
        />
      ))}
      <MomentSlider
        times_ms={times_ms} series={series} span={span} at_ms={at_ms} onAt={onAt}
        isBelowTwoAxes={false}
      />
      <p class="hint">{t("history.how")}</p>
    </Card>
  );
}

const title = ({ start_ms, end_ms }: Span): string =>
  t("history.title", { start: dateAndClock(start_ms), end: dateAndClock(end_ms) });

const markOf = (found: PastFinding): Mark => ({
  start_ms: Date.parse(found.start),
  end_ms: found.end === null ? null : Date.parse(found.end),
  colour: `--${toneOfFinding(found)}`,
  place: "head",
});
