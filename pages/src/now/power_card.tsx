/** Where power comes from and goes to, as a picture and as a sentence. */
import { Card } from "../components/card.tsx";
import { Table } from "../components/table.tsx";
import type { Quantity } from "../contract.ts";
import { amount } from "../format.ts";
import { named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { type Battery, powers } from "../power.ts";
import { PowerPicture } from "./power_picture.tsx";

export function PowerCard() {
  const now = snapshot.value;
  const flows = powers(now);
  const loads = (now?.quantities ?? []).filter((one) => one.name === "load");
  return (
    <Card title={t("now.power")}>
      <PowerPicture flows={flows} />
      {flows.batteries.length > 1 && <Batteries batteries={flows.batteries} />}
      {loads.length > 0 && <Loads loads={loads} />}
    </Card>
  );
}

function Batteries({ batteries }: { batteries: Battery[] }) {
  return (
    <Table
      caption={t("now.batteries")}
      rows={batteries}
      keyOf={(one) => one.name}
      columns={[
        { head: t("column.battery"), cell: (one) => one.name },
        { head: t("signal.soc_pct"), cell: (one) => amount(one.soc_pct, "%"), isNumber: true },
        { head: t("column.power"), cell: (one) => amount(one.power_w, "W"), isNumber: true },
      ]}
    />
  );
}

function Loads({ loads }: { loads: Quantity[] }) {
  return (
    <Table
      caption={t("now.loads")}
      rows={loads}
      keyOf={(one) => one.owner}
      columns={[
        { head: t("column.load"), cell: (one) => one.owner },
        { head: t("column.is"), cell: (one) => onOff(one.measured ?? one.read_back) },
        { head: t("column.decided_by"), cell: (one) => named("source", one.source) },
        { head: t("column.reason"), cell: (one) => one.reason },
      ]}
    />
  );
}

const onOff = (value: number | null): string =>
  t(value === null ? "value.unknown" : value > 0 ? "value.on" : "value.off");
