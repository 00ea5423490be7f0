/** The record of all that happened, and whether it is as it was written. */
import { useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { ApiError, read } from "../api.ts";
import { Answered, Failure } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Note } from "../components/note.tsx";
import { Table } from "../components/table.tsx";
import type { AuditLine, AuditVerified } from "../contract.ts";
import { dateAndClock, number } from "../format.ts";
import { t } from "../i18n.ts";

const EVERY_S = 10;
const LAST = 50;

export function AuditCard() {
  const answer = useAnswer<AuditLine[]>(`audit?last=${LAST}`, EVERY_S);
  return (
    <Card title={t("audit.title")} aside={<Verify />} wide>
      <Answered answer={answer}>
        {(lines) => (
          <Table
            caption={t("audit.title")}
            rows={lines}
            keyOf={(line) => String(line.sequence)}
            columns={[
              { head: t("column.number"), cell: (line) => number(line.sequence, 0), isNumber: true },
              { head: t("column.time"), cell: (line) => <span class="figure">{dateAndClock(line.utc)}</span> },
              { head: t("column.words"), cell: (line) => line.text },
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}

type Found = AuditVerified | ApiError | "asking" | null;

function Verify() {
  const [found, setFound] = useState<Found>(null);
  const verify = async () => {
    setFound("asking");
    try {
      setFound(await read<AuditVerified>("audit/verify"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFound(error);
    }
  };
  return (
    <div class="verify">
      <button type="button" class="small" disabled={found === "asking"} onClick={() => void verify()}>
        {t("audit.verify")}
      </button>
      <div aria-live="polite">
        {found === "asking" && t("answer.waiting")}
        {found instanceof ApiError && <Failure error={found} />}
        {found !== null && found !== "asking" && !(found instanceof ApiError) && (
          <Note tone={found.ok ? "ok" : "fault"}>
            {found.ok
              ? t("audit.whole", { lines: number(found.lines, 0), files: found.files })
              : (found.problem?.text ?? t("audit.broken"))}
          </Note>
        )}
      </div>
    </div>
  );
}
