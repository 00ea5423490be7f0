/** Money: what the site cost, what it would have cost otherwise, and what was saved by that. */
import { useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Failure } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Page } from "../components/page.tsx";
import type { Money } from "../contract.ts";
import { addDays, type DateText, dateOf } from "../dates.ts";
import { t } from "../i18n.ts";
import { timezone } from "../site.ts";
import { CalendarCard } from "./calendar_card.tsx";
import { ComparisonCard } from "./comparison_card.tsx";
import { EnergyCard } from "./energy_card.tsx";
import { PeriodTiles } from "./period_tiles.tsx";
import { dayPeriod, firstDay, type PeriodName, periodOf, rowsIn } from "./periods.ts";
import "../style/money.css";

const EVERY_S = 300;

export function MoneyPage() {
  const [chosen, setChosen] = useState<PeriodName>("month");
  const [chosenDay, setChosenDay] = useState<DateText | null>(null);
  const today = timezone.value && dateOf(Date.now());
  const asked = `money?start=${firstDay(today)}&end=${addDays(today, 1)}&step=day`;
  const answer = useAnswer<Money>(asked, EVERY_S);
  const period = chosenDay === null ? periodOf(chosen, today) : dayPeriod(chosenDay);
  const ofDay = useAnswer<Money>(
    chosenDay === null ? null : `money?start=${period.start}&end=${period.end}&step=day`,
  );
  const rows = answer.value?.rows;
  return (
    <Page title={t("nav.money")} lead={t("money.lead")}>
      {answer.error && <Failure error={answer.error} />}
      {!rows && !answer.error && <p class="muted">{t("answer.waiting")}</p>}
      {rows && (
        <PeriodTiles
          rows={rows}
          today={today}
          chosen={chosenDay === null ? chosen : null}
          onChoose={(name) => {
            setChosen(name);
            setChosenDay(null);
          }}
        />
      )}
      {rows && (
        <ComparisonCard
          period={period}
          rows={chosenDay === null ? rowsIn(rows, period) : (ofDay.value?.rows ?? null)}
        />
      )}
      <Card title={t("money.energy")}>
        <EnergyCard period={period} />
      </Card>
      <CalendarCard today={today} chosen={chosenDay} onChoose={setChosenDay} />
    </Page>
  );
}
