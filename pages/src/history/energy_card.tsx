/** Energies by day, over long times by month, as bars with their numbers. */
import { useAnswer } from "../answer.ts";
import type { Span } from "../chart/series.ts";
import { length_ms } from "../chart/span.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { type Column, Table } from "../components/table.tsx";
import type { Energies, EnergyRow } from "../contract.ts";
import { amount, day, moment, number, UNKNOWN } from "../format.ts";
import { type Key, t } from "../i18n.ts";
import { utc } from "./view.ts";

type Energy = "pv_wh" | "load_wh" | "import_wh" | "export_wh" | "charge_wh" | "discharge_wh";
type Step = "day" | "month";

const ENERGIES: readonly { energy: Energy; name: Key; colour: string }[] = [
  { energy: "pv_wh", name: "node.pv", colour: "--pv" },
  { energy: "load_wh", name: "node.load", colour: "--load" },
  { energy: "import_wh", name: "energy.import", colour: "--grid" },
  { energy: "export_wh", name: "energy.export", colour: "--grid" },
  { energy: "charge_wh", name: "energy.charge", colour: "--battery" },
  { energy: "discharge_wh", name: "energy.discharge", colour: "--battery" },
];
const DAYS_UP_TO_MS = 62 * 86_400_000;
/** What is missing of a day is told from here on. */
const COMPLETE = 0.995;

export function EnergyCard({ span }: { span: Span }) {
  const step: Step = length_ms(span) > DAYS_UP_TO_MS ? "month" : "day";
  const query = new URLSearchParams({ start: utc(span.start_ms), end: utc(span.end_ms), step });
  const answer = useAnswer<Energies>(`energy?${query}`);
  const name = t(step === "day" ? "energy.by_day" : "energy.by_month");
  return (
    <Card title={name} wide>
      <Answered answer={answer}>
        {({ rows }) => (
          <Table
            caption={name}
            columns={columns(rows, step)}
            rows={[...rows].reverse()}
            keyOf={(row) => row.start}
          />
        )}
      </Answered>
    </Card>
  );
}

function columns(rows: readonly EnergyRow[], step: Step): Column<EnergyRow>[] {
  const energies = ENERGIES.filter(({ energy }) => rows.some((row) => row[energy] !== null));
  const all_wh = energies.flatMap(({ energy }) => rows.map((row) => row[energy] ?? 0));
  const most_wh = Math.max(...all_wh, 1);
  return [
    {
      head: t(step === "day" ? "energy.day" : "energy.month"),
      cell: (row) => <When row={row} step={step} />,
    },
    ...energies.map(({ energy, name, colour }) => ({
      head: t(name),
      cell: (row: EnergyRow) => <Bar value_wh={row[energy]} most_wh={most_wh} colour={colour} />,
      isNumber: true,
    })),
  ];
}

function When({ row, step }: { row: EnergyRow; step: Step }) {
  return (
    <>
      {step === "day" ? day(row.start) : moment(row.start, { month: "long", year: "numeric" })}
      {row.complete < COMPLETE && (
        <span class="muted incomplete">
          {t("energy.incomplete", { share: `${number(row.complete * 100, 1)} %` })}
        </span>
      )}
    </>
  );
}

interface BarProps {
  value_wh: number | null;
  most_wh: number;
  colour: string;
}

function Bar({ value_wh, most_wh, colour }: BarProps) {
  if (value_wh === null) return <>{UNKNOWN}</>;
  const width = `${(100 * value_wh) / most_wh}%`;
  return (
    <span class="energy">
      {amount(value_wh, "Wh")}
      <span class="energy-bar" style={{ width, background: `var(${colour})` }} />
    </span>
  );
}
