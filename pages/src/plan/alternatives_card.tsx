/** What was rejected, and what it would have cost. */
import { Card } from "../components/card.tsx";
import { Table } from "../components/table.tsx";
import type { Alternative, Plan } from "../contract.ts";
import { amount, money } from "../format.ts";
import { named, t } from "../i18n.ts";

export function AlternativesCard({ plan, alternatives }: { plan: Plan; alternatives: Alternative[] }) {
  return (
    <Card title={t("plan.alternatives")} wide>
      <p class="muted">{t("plan.alternatives_lead", { cost: money(plan.expected_cost) })}</p>
      <Table
        caption={t("plan.alternatives")}
        rows={alternatives}
        keyOf={(one) => one.name}
        empty={t("plan.no_alternatives")}
        columns={[
          { head: t("column.instead"), cell: (one) => named("alternative", one.name) },
          { head: t("column.cost"), cell: (one) => money(one.expected_cost), isNumber: true },
          { head: t("column.costs_more"), cell: (one) => money(one.costs_more), isNumber: true },
          { head: t("column.left_stored"), cell: (one) => amount(one.soc_end_pct, "%"), isNumber: true },
          { head: t("column.words"), cell: (one) => one.why },
        ]}
      />
    </Card>
  );
}
