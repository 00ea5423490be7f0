/** Who watches over the controller, how its loop runs, and whether devices answer. */
import { Card } from "../components/card.tsx";
import { Pill } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { Comms, Snapshot } from "../contract.ts";
import { number, span } from "../format.ts";
import { t } from "../i18n.ts";
import { good } from "../power.ts";

const MS = 1000;
const milliseconds = (seconds: number): string => `${number(seconds * MS, 2)} ms`;

export function CommunicationCard({ now }: { now: Snapshot }) {
  const armed = good(now.readings["site"]?.["watchdog_armed"]);
  return (
    <Card title={t("safety.communication")} wide>
      <dl class="facts">
        <div>
          <dt>{t("signal.watchdog_armed")}</dt>
          <dd>
            <Pill tone={armed === null ? "unknown" : armed > 0 ? "ok" : "fault"}>
              {t(armed === null ? "value.unknown" : armed > 0 ? "value.yes" : "value.no")}
            </Pill>
          </dd>
        </div>
        <Fact name={t("loop.period")} value={milliseconds(now.loop.period_s)} />
        <Fact name={t("loop.missed")} value={`${number(now.loop.missed, 0)} / ${number(now.loop.cycles, 0)}`} />
        <Fact name={t("loop.longest")} value={milliseconds(now.loop.cycle.max_s)} />
        <Fact name={t("loop.latest")} value={milliseconds(now.loop.lateness.max_s)} />
        <Fact name={t("loop.audit")} value={audit(now)} />
      </dl>
      <CommsTable comms={now.comms} />
    </Card>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
    </div>
  );
}

function audit(now: Snapshot): string {
  if (now.audit === null) return t("value.unknown");
  if (now.audit.problem) return now.audit.problem;
  return now.audit.lost > 0
    ? t("loop.audit_lost", { count: now.audit.lost })
    : t("loop.audit_whole");
}

function CommsTable({ comms }: { comms: Record<string, Comms> }) {
  return (
    <Table
      caption={t("safety.communication")}
      rows={Object.entries(comms)}
      keyOf={([name]) => name}
      columns={[
        { head: t("column.device"), cell: ([name]) => name },
        {
          head: t("column.answers"),
          cell: ([, one]) => (
            <Pill tone={one.why_silent ? "fault" : "ok"}>
              {one.why_silent || t("value.yes")}
            </Pill>
          ),
        },
        { head: t("column.heard"), cell: ([, one]) => span(one.heard_s_ago), isNumber: true },
        { head: t("column.failed"), cell: ([, one]) => number(one.failed_of_last_100, 0), isNumber: true },
        { head: t("column.where"), cell: ([, one]) => one.where },
      ]}
    />
  );
}
