/** What happens when, and why: neighbouring slots that do the same are told as one, with the first one's reason. */
import { Card } from "../components/card.tsx";
import { Pill } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { AskedBy, Plan, PlanReport, PlanSlot } from "../contract.ts";
import { amount, clock, day, money, price } from "../format.ts";
import { t } from "../i18n.ts";
import { askerTold, modeTold, termsTold } from "../modes.ts";

interface Stretch {
  start: string;
  end: string;
  mode: string;
  reason: string;
  by: AskedBy;
  who: string;
  slots: PlanSlot[];
  cost: number | null;
}

export function ReasonsCard({ report, plan }: { report: PlanReport; plan: Plan }) {
  return (
    <Card title={t("plan.reasons")} wide>
      <Table
        caption={t("plan.reasons")}
        rows={stretches(report, plan)}
        keyOf={(one) => one.start}
        columns={[
          { head: t("column.when"), cell: (one) => <When stretch={one} /> },
          {
            head: t("column.mode"),
            cell: (one) => (
              <>
                {one.mode}{" "}
                {one.by !== "plan" && <Pill tone="info">{one.who}</Pill>}
              </>
            ),
          },
          { head: t("column.battery"), cell: (one) => amount(meanPower(one), "W"), isNumber: true },
          {
            head: t("signal.soc_pct"),
            cell: (one) => amount(one.slots.at(-1)?.soc_end_pct, "%"),
            isNumber: true,
          },
          { head: t("column.cost"), cell: (one) => money(one.cost), isNumber: true },
          { head: t("column.reason"), cell: (one) => one.reason },
        ]}
      />
      <details>
        <summary>{t("plan.all_slots")}</summary>
        <Slots plan={plan} />
      </details>
    </Card>
  );
}

function When({ stretch }: { stretch: Stretch }) {
  return (
    <span class="figure">
      {day(stretch.start)} {clock(stretch.start)}–{clock(stretch.end)}
    </span>
  );
}

function Slots({ plan }: { plan: Plan }) {
  return (
    <Table
      caption={t("plan.all_slots")}
      rows={plan.slots}
      keyOf={(slot) => slot.start}
      columns={[
        { head: t("column.when"), cell: (slot) => `${day(slot.start)} ${clock(slot.start)}` },
        { head: t("column.mode"), cell: modeTold },
        { head: t("column.battery"), cell: (slot) => amount(slot.battery_power_w, "W"), isNumber: true },
        { head: t("node.grid"), cell: (slot) => amount(slot.grid_power_w, "W"), isNumber: true },
        { head: t("signal.soc_pct"), cell: (slot) => amount(slot.soc_end_pct, "%"), isNumber: true },
        { head: t("now.price"), cell: (slot) => price(slot.import_price_per_kwh), isNumber: true },
        { head: t("column.kept"), cell: (slot) => termsTold([slot]) },
        { head: t("column.reason"), cell: (slot) => slot.reason },
      ]}
    />
  );
}

function stretches(report: PlanReport, plan: Plan): Stretch[] {
  const found: Stretch[] = [];
  plan.slots.forEach((slot, index) => {
    const { by } = slot;
    const [who, mode] = [askerTold(by, report.asked[index] ?? []), modeTold(slot)];
    const cost = report.slot_costs[index]?.cost ?? null;
    const last = found.at(-1);
    if (last && last.mode === mode && last.who === who) {
      last.end = slot.end;
      last.slots.push(slot);
      last.cost = last.cost === null || cost === null ? null : last.cost + cost;
    } else {
      const { start, end, reason } = slot;
      found.push({ start, end, mode, reason, by, who, slots: [slot], cost });
    }
  });
  return found;
}

function meanPower({ slots }: Stretch): number {
  return slots.reduce((total, slot) => total + slot.battery_power_w, 0) / slots.length;
}
