/** Today, this week, this month, this year: what each cost and saved; one of them is looked into. */
import type { MoneyRow } from "../contract.ts";
import type { DateText } from "../dates.ts";
import { money } from "../format.ts";
import { named, t } from "../i18n.ts";
import { type PeriodName, periodOf, PERIODS, rowsIn } from "./periods.ts";
import { compare, total } from "./sums.ts";

interface Props {
  rows: readonly MoneyRow[];
  today: DateText;
  chosen: PeriodName | null;
  onChoose: (name: PeriodName) => void;
}

export function PeriodTiles({ rows, today, chosen, onChoose }: Props) {
  return (
    <div class="tiles wide" role="group" aria-label={t("money.period")}>
      {PERIODS.map((name) => {
        const mine = rowsIn(rows, periodOf(name, today));
        return (
          <button
            key={name}
            type="button"
            class="tile"
            aria-pressed={name === chosen}
            onClick={() => onChoose(name)}
          >
            <span class="tile-name">{named("period", name)}</span>
            <Cost rows={mine} />
            <Saved rows={mine} />
          </button>
        );
      })}
    </div>
  );
}

function Cost({ rows }: { rows: readonly MoneyRow[] }) {
  const cost = total(rows, (row) => row.cost);
  if (cost === null) return <span class="tile-figure muted">{t("money.not_known")}</span>;
  return (
    <span class="tile-figure figure">
      {money(Math.abs(cost))} <small>{t(cost < 0 ? "money.earned" : "money.paid")}</small>
    </span>
  );
}

function Saved({ rows }: { rows: readonly MoneyRow[] }) {
  const found = compare(rows, "no_battery");
  if (!found) return <span class="tile-saved muted">{t("money.saved_not_known")}</span>;
  const key = found.saved < 0 ? "money.lost_so_much" : "money.saved_so_much";
  return (
    <span class={`tile-saved ${found.saved < 0 ? "lost" : "won"}`}>
      {t(key, { amount: money(Math.abs(found.saved)) })}
    </span>
  );
}
