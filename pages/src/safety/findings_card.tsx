/** What is not as it should be: findings, what is latched, what is blocked. */
import { Card } from "../components/card.tsx";
import { LatchedList } from "../components/latched_list.tsx";
import { Note } from "../components/note.tsx";
import { Pill } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { Block, Finding, Latched, Snapshot } from "../contract.ts";
import { span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { rowName, toneOfFinding } from "../limits.ts";

export function FindingsCard({ now, latched }: { now: Snapshot; latched: Latched[] }) {
  const isClear = now.findings.length + latched.length + now.blocks.length === 0;
  return (
    <Card title={t("safety.findings")} wide>
      {isClear && <Note tone="ok">{t("safety.all_clear")}</Note>}
      {now.waits_for.length > 0 && (
        <Note tone="info">
          {t("now.waits_for")}
          <ul>
            {now.waits_for.map((reason) => <li key={reason}>{reason}</li>)}
          </ul>
        </Note>
      )}
      <LatchedList latched={latched} />
      {!now.latches_on_disk && <Note tone="fault">{t("safety.latches_not_on_disk")}</Note>}
      {now.findings.length > 0 && <Findings findings={now.findings} />}
      {now.blocks.length > 0 && <Blocks blocks={now.blocks} />}
    </Card>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  return (
    <Table
      caption={t("safety.findings")}
      rows={findings}
      keyOf={(one) => `${one.owner}/${one.row}`}
      columns={[
        { head: t("column.what"), cell: (one) => rowName(one.row) },
        { head: t("column.owner"), cell: (one) => one.owner },
        {
          head: t("column.level"),
          cell: (one) => (
            <Pill tone={toneOfFinding(one)}>{named("level", one.level)}</Pill>
          ),
        },
        { head: t("column.reaction"), cell: (one) => named("reaction", one.reaction) },
        { head: t("column.since"), cell: (one) => span(one.for_s), isNumber: true },
        { head: t("column.words"), cell: (one) => one.text },
      ]}
    />
  );
}

function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <>
      <h3>{t("safety.blocks")}</h3>
      <Table
        caption={t("safety.blocks")}
        rows={blocks}
        keyOf={(one) => `${one.owner}/${one.row}/${one.action}`}
        columns={[
          { head: t("column.action"), cell: (one) => named("action", one.action) },
          { head: t("column.owner"), cell: (one) => one.owner },
          { head: t("column.waits_for"), cell: (one) => one.text },
        ]}
      />
    </>
  );
}
