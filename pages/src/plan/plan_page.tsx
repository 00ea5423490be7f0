/** Plan: what was, what is meant to come and why, what was rejected, and what people ask for. */
import { useMemo } from "preact/hooks";
import { useAnswer, useKept } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Note } from "../components/note.tsx";
import { Page } from "../components/page.tsx";
import type { Forecasts, History, PlanAnswer, Prices, SeriesInfo } from "../contract.ts";
import { t } from "../i18n.ts";
import { href } from "../router.ts";
import { SlotsCard } from "../schedule/slots_card.tsx";
import { AlternativesCard } from "./alternatives_card.tsx";
import { pastSeries, pastStart } from "./plan_lines.ts";
import { PlanChartCard } from "./plan_chart_card.tsx";
import { ReasonsCard } from "./reasons_card.tsx";
import { SummaryCard } from "./summary_card.tsx";

const EVERY_S = 30;
const POINTS = 300;
const MINUTE_MS = 60_000;

export function PlanPage() {
  const plan = useAnswer<PlanAnswer>("plan", EVERY_S);
  const prices = useAnswer<Prices>("prices?hours=36", EVERY_S);
  const forecasts = useAnswer<Forecasts>("forecasts", EVERY_S);
  const minute = Math.floor(Date.now() / MINUTE_MS);
  const recorded = useAnswer<SeriesInfo[]>("history/series", EVERY_S);
  const keys = pastSeries().filter((key) => recorded.value?.some((one) => one.key === key));
  const past = useAnswer<History>(useMemo(() => pastPath(keys), [minute, keys.join()]));
  const keptPast = useKept(past.value);
  return (
    <Page title={t("nav.plan")} lead={t("plan.lead")}>
      <div class="cards inner">
        <Answered answer={plan}>
          {(answer) => (
            <>
              <SummaryCard answer={answer} />
              {answer.report?.plan ? (
                <>
                  <PlanChartCard
                    plan={answer.report.plan}
                    manual={answer.report.manual}
                    prices={prices.value}
                    forecasts={forecasts.value}
                    past={keptPast}
                  />
                  <ReasonsCard report={answer.report} plan={answer.report.plan} />
                  <AlternativesCard
                    plan={answer.report.plan}
                    alternatives={answer.report.alternatives}
                  />
                </>
              ) : (
                <Note tone="info">{t("plan.none")}</Note>
              )}
              <SlotsCard
                slots={answer.manual}
                now_ms={Date.now()}
                aside={<a href={href("schedule")}>{t("plan.to_schedule")}</a>}
              />
            </>
          )}
        </Answered>
      </div>
    </Page>
  );
}

/** Without a meter of its own, say, PV was never recorded: what was is asked for. */
function pastPath(keys: string[]): string | null {
  if (keys.length === 0) return null;
  const now = new Date();
  const asked = new URLSearchParams({
    start: pastStart(now).toISOString(),
    end: now.toISOString(),
    points: String(POINTS),
  });
  for (const key of keys) asked.append("series", key);
  return `history?${asked}`;
}
