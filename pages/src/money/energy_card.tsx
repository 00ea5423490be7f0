/** Where energy came from and went to. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import type { EnergyRow } from "../contract.ts";
import { amount, number } from "../format.ts";
import { type Key, t } from "../i18n.ts";
import type { Period } from "./periods.ts";
import { total } from "./sums.ts";

const PARTS: readonly { name: Key; valueOf: (row: EnergyRow) => number | null }[] = [
  { name: "money.import", valueOf: (row) => row.import_wh },
  { name: "money.export", valueOf: (row) => row.export_wh },
  { name: "node.pv", valueOf: (row) => row.pv_wh },
  { name: "node.load", valueOf: (row) => row.load_wh },
  { name: "money.charged", valueOf: (row) => row.charge_wh },
  { name: "money.discharged", valueOf: (row) => row.discharge_wh },
];

export function EnergyCard({ period }: { period: Period }) {
  const asked = `energy?start=${period.start}&end=${period.end}&step=day`;
  const answer = useAnswer<{ rows: EnergyRow[] }>(asked);
  return <Answered answer={answer}>{({ rows }) => <Energies rows={rows} />}</Answered>;
}

export function Energies({ rows }: { rows: readonly EnergyRow[] }) {
  const complete = (total(rows, (row) => row.complete) ?? 0) / Math.max(1, rows.length);
  return (
    <>
      <dl class="facts list">
        {PARTS.map(({ name, valueOf }) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd class="figure">{amount(total(rows, valueOf), "Wh")}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">{t("money.complete", { share: number(complete * 100, 0) })}</p>
    </>
  );
}
