/** The plan as a picture: powers with what is stored behind, and prices, on one axis of time. */
import { useMemo, useState } from "preact/hooks";
import { joined } from "../chart/joined.ts";
import type { Span } from "../chart/series.ts";
import { Card } from "../components/card.tsx";
import { Chart, MomentSlider } from "../components/chart.tsx";
import type { Forecasts, History, Plan, Prices } from "../contract.ts";
import { priceUnit } from "../format.ts";
import { language, named, t } from "../i18n.ts";
import { MODE_COLOURS, marksOf, pastStart, powerLines, priceLines } from "./plan_lines.ts";

interface Props {
  plan: Plan;
  manual: readonly (string | null)[];
  prices: Prices | null;
  forecasts: Forecasts | null;
  past: History | null;
}

const POWER_PX = 320;
const PRICE_PX = 170;
const AHEAD_MS = 36 * 3_600_000;
const MINUTE_MS = 60_000;

export function PlanChartCard({ plan, manual, prices, forecasts, past }: Props) {
  const lang = language.value;
  const [at_ms, onAt] = useState<number | null>(null);
  const now_ms = Math.round(Date.now() / MINUTE_MS) * MINUTE_MS;
  const planned_ms = Date.parse(plan.slots.at(-1)?.end ?? plan.expires);
  const span: Span = {
    start_ms: pastStart(new Date(now_ms)).getTime(),
    end_ms: Math.min(planned_ms, now_ms + AHEAD_MS),
  };
  const power = useMemo(
    () => joined(powerLines(plan, past, forecasts)), [plan, past, forecasts, lang],
  );
  const price = useMemo(() => joined(priceLines(prices, priceUnit())), [prices, lang]);
  const marks = useMemo(() => marksOf(plan, manual), [plan, manual]);
  const time = { span, now_ms, moment: { at_ms, onAt } };
  return (
    <Card title={t("plan.picture")} wide>
      <Chart
        label={t("plan.picture_label")} height_px={POWER_PX} marks={marks} {...power} {...time}
      />
      <ModeLegend plan={plan} />
      <h3>{t("plan.prices")}</h3>
      <Chart
        label={t("plan.prices_label")} height_px={PRICE_PX} isBelowTwoAxes {...price} {...time}
      />
      <MomentSlider {...power} span={span} at_ms={at_ms ?? now_ms} onAt={onAt} isBelowTwoAxes />
    </Card>
  );
}

/** Names the modes that the plan has. */
function ModeLegend({ plan }: { plan: Plan }) {
  const modes = [...new Set(plan.slots.map((slot) => slot.mode))];
  return (
    <ul class="mode-legend">
      {modes.map((mode) => (
        <li key={mode}>
          <svg width="14" height="10" aria-hidden="true">
            <rect width="14" height="10" fill={`var(${MODE_COLOURS[mode]})`} />
          </svg>
          {named("mode", mode)}
        </li>
      ))}
      <li>
        <svg width="14" height="12" aria-hidden="true">
          <rect
            x="1" y="1" width="12" height="10" fill="none"
            stroke="var(--accent)" stroke-width="2" stroke-dasharray="3 2"
          />
        </svg>
        {t("plan.manual")}
      </li>
    </ul>
  );
}
