/** All limits with how far each is from acting; what is only met or not stands apart. */
import { Card } from "../components/card.tsx";
import { MarginBar } from "../components/margin_bar.tsx";
import { Sign } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { Limit, Snapshot } from "../contract.ts";
import { amount } from "../format.ts";
import { named, t } from "../i18n.ts";
import { marginOf, toneOfLimit } from "../limits.ts";

const keyOf = (limit: Limit): string => `${limit.owner}/${limit.row}`;

export function LimitsCard({ now }: { now: Snapshot }) {
  const owners = [...new Set(now.limits.map((limit) => limit.owner))];
  return (
    <Card title={t("safety.limits")} wide>
      {owners.map((owner) => (
        <LimitsOf key={owner} owner={owner} now={now} />
      ))}
      <details>
        <summary>{t("safety.limits_table")}</summary>
        <LimitsTable now={now} />
      </details>
    </Card>
  );
}

function LimitsOf({ owner, now }: { owner: string; now: Snapshot }) {
  const limits = now.limits.filter((limit) => limit.owner === owner);
  const flags = limits.filter((limit) => limit.unit === "0/1");
  return (
    <section aria-label={owner}>
      <h3>{owner}</h3>
      <div class="margins">
        {limits
          .filter((limit) => limit.unit !== "0/1")
          .map((limit) => <MarginBar key={keyOf(limit)} limit={limit} now={now} />)}
      </div>
      <ul class="checks flags">
        {flags.map((limit) => <Flag key={keyOf(limit)} limit={limit} now={now} />)}
      </ul>
    </section>
  );
}

/** What is only met or not: said as it is good, until it is not. */
function Flag({ limit, now }: { limit: Limit; now: Snapshot }) {
  const tone = toneOfLimit(limit, null, now);
  return (
    <li>
      <Sign tone={tone} />
      {named(tone === "ok" ? "met" : "limit", limit.row)}
    </li>
  );
}

function LimitsTable({ now }: { now: Snapshot }) {
  const level = (name: string) => ({
    head: named("level", name),
    cell: (limit: Limit) => amount(limit.levels[name], limit.unit),
    isNumber: true,
  });
  return (
    <Table
      caption={t("safety.limits")}
      rows={now.limits}
      keyOf={keyOf}
      columns={[
        { head: t("column.limit"), cell: (limit) => named("limit", limit.row) },
        { head: t("column.owner"), cell: (limit) => limit.owner },
        {
          head: t("column.value"),
          cell: (limit) => amount(marginOf(limit, now)?.value, limit.unit),
          isNumber: true,
        },
        level("warning"),
        level("alarm"),
        level("trip"),
        {
          head: t("column.margin"),
          cell: (limit) => amount(limit.margin, limit.unit),
          isNumber: true,
        },
      ]}
    />
  );
}
