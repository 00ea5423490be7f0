/** The cost of a period beside what it would have been in other ways. */
import { Card } from "../components/card.tsx";
import type { MoneyRow } from "../contract.ts";
import { money } from "../format.ts";
import { type Key, named, t } from "../i18n.ts";
import { type Period, span } from "./periods.ts";
import { compare, type Comparison, type Way, WAYS } from "./sums.ts";

interface Props {
  period: Period;
  /** Null: they are on their way. */
  rows: readonly MoneyRow[] | null;
}

export function ComparisonCard({ period, rows }: Props) {
  return (
    <Card title={period.name} aside={<span class="muted">{span(period)}</span>}>
      {rows ? <Comparisons rows={rows} /> : <p class="muted">{t("answer.waiting")}</p>}
    </Card>
  );
}

/** What is told of each comparison: when it cost less than that way, and when more. */
const WORDS: Record<Way, { less: Key; more: Key }> = {
  no_battery: { less: "money.less_than_no_battery", more: "money.more_than_no_battery" },
  self_consumption: {
    less: "money.less_than_self_consumption", more: "money.more_than_self_consumption",
  },
  perfect_foresight: {
    less: "money.less_than_foresight", more: "money.more_than_foresight",
  },
};

function Comparisons({ rows }: { rows: readonly MoneyRow[] }) {
  return (
    <>
      <dl class="comparisons">
        {WAYS.map((way) => <Told key={way} way={way} found={compare(rows, way)} of={rows.length} />)}
      </dl>
      <Bars rows={rows} />
    </>
  );
}

function Told({ way, found, of }: { way: Way; found: Comparison | null; of: number }) {
  if (!found) {
    return (
      <div>
        <dt>{t(WORDS[way].less)}</dt>
        <dd class="muted">{t("money.not_known_yet")}</dd>
      </div>
    );
  }
  const isWorse = found.saved < 0;
  const tone = way === "perfect_foresight" ? "" : isWorse ? "lost" : "won";
  return (
    <div>
      <dt>{t(isWorse ? WORDS[way].more : WORDS[way].less)}</dt>
      <dd>
        <span class={`figure ${tone}`}>{money(Math.abs(found.saved))}</span>
        {found.days < of && (
          <span class="known">{t("money.known_days", { known: found.days, of })}</span>
        )}
      </dd>
    </div>
  );
}

const BARS: readonly ("cost" | Way)[] = ["no_battery", "self_consumption", "cost", "perfect_foresight"];

/** Bars can be compared only over the same days: those of which all that is drawn is known. */
function Bars({ rows }: { rows: readonly MoneyRow[] }) {
  const drawn = BARS.filter((way) => rows.some((row) => row[way] !== null));
  const known = rows.filter((row) => drawn.every((way) => row[way] !== null));
  const costs = drawn.map((way) => known.reduce((sum, row) => sum + (row[way] ?? 0), 0));
  const largest = Math.max(...costs.map(Math.abs), 0.01);
  if (known.length === 0) return null;
  return (
    <>
      <h3>
        {known.length < rows.length
          ? t("money.bars_over", { known: known.length, of: rows.length })
          : t("money.bars")}
      </h3>
      <ul class="cost-bars">
        {BARS.map((way) => {
          const cost = costs[drawn.indexOf(way)];
          return (
            <li key={way} class={way === "cost" ? "is-ours" : undefined}>
              <span>{named("way", way)}</span>
              <span class="figure">{cost === undefined ? t("money.not_known_yet") : money(cost)}</span>
              <div class="cost-bar">
                {cost !== undefined && (
                  <div
                    class={cost < 0 ? "earned" : undefined}
                    style={{ width: `${(Math.abs(cost) / largest) * 100}%` }}
                  />
                )}
              </div>
            </li>
          );
        })}
      </ul>
    </>
  );
}
