/** Devices: what each tells, how well it answers, and what was proven on it. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Page } from "../components/page.tsx";
import { Table } from "../components/table.tsx";
import type { Devices } from "../contract.ts";
import { named, t } from "../i18n.ts";
import { DeviceCard } from "./device_card.tsx";

const EVERY_S = 2;

export function DevicesPage() {
  const answer = useAnswer<Devices>("devices", EVERY_S);
  return (
    <Page title={t("nav.devices")} lead={t("devices.lead")}>
      <div class="cards inner">
        <Answered answer={answer}>
          {({ devices, left_out }) => (
            <>
              {devices.map((device) => <DeviceCard key={device.path} device={device} />)}
              {left_out.length > 0 && <LeftOut rows={left_out} />}
            </>
          )}
        </Answered>
      </div>
    </Page>
  );
}

function LeftOut({ rows }: { rows: Devices["left_out"] }) {
  return (
    <Card title={t("devices.left_out")} wide>
      <Table
        caption={t("devices.left_out")}
        rows={rows}
        keyOf={(one) => one.path}
        columns={[
          { head: t("column.device"), cell: (one) => one.path },
          { head: t("column.role"), cell: (one) => named("device_role", one.role) },
          { head: t("column.reason"), cell: (one) => one.reason },
        ]}
      />
    </Card>
  );
}
