/** What was not as it should be in this time, as the charts mark it. */
import type { Answer } from "../answer.ts";
import type { Span } from "../chart/series.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Pill } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { PastFinding, Spells } from "../contract.ts";
import { dateAndClock, span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { rowName, toneOfFinding } from "../limits.ts";
import { href } from "../router.ts";
import { ownerName } from "./signals.ts";

interface Props {
  /** Null: the time is too long to list them. */
  answer: Answer<Spells> | null;
  onSpan: (span: Span) => void;
}

const MOST = 100;
const AROUND_MS = 120_000;

export function FindingsCard({ answer, onSpan }: Props) {
  return (
    <Card
      title={t("history.findings")} wide
      aside={<a href={href("incidents")}>{t("history.to_incidents")}</a>}
    >
      {answer ? (
        <Answered answer={answer}>
          {({ findings }) => (
            <>
              <Findings findings={findings.slice(-MOST).reverse()} onSpan={onSpan} />
              {findings.length > MOST && (
                <p class="muted">{t("history.more", { count: findings.length - MOST })}</p>
              )}
            </>
          )}
        </Answered>
      ) : (
        <p class="muted">{t("history.too_long")}</p>
      )}
    </Card>
  );
}

function Findings({ findings, onSpan }: { findings: PastFinding[]; onSpan: Props["onSpan"] }) {
  return (
    <Table
      caption={t("history.findings")}
      empty={t("history.no_findings")}
      rows={findings}
      keyOf={(one) => `${one.start} ${one.owner}/${one.row}`}
      columns={[
        {
          head: t("column.when"),
          cell: (one) => (
            <button type="button" class="link figure" onClick={() => onSpan(around(one))}>
              {dateAndClock(one.start)}
            </button>
          ),
        },
        {
          head: t("column.level"),
          cell: (one) => <Pill tone={toneOfFinding(one)}>{named("level", one.level)}</Pill>,
        },
        { head: t("column.what"), cell: (one) => `${rowName(one.row)} · ${ownerName(one.owner)}` },
        { head: t("column.words"), cell: (one) => one.text },
        { head: t("history.lasted"), cell: lasted, isNumber: true },
      ]}
    />
  );
}

function lasted({ start, end, times }: PastFinding): string {
  if (end === null) return t("history.lasts");
  const text = span((Date.parse(end) - Date.parse(start)) / 1000);
  return times > 1 ? t("history.times", { span: text, count: times }) : text;
}

const around = ({ start, end }: PastFinding): Span => ({
  start_ms: Date.parse(start) - AROUND_MS,
  end_ms: (end === null ? Date.now() : Date.parse(end)) + AROUND_MS,
});
