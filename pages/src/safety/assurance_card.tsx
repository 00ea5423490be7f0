/** For every goal of protection: who guards it, and what authority that permits. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Pill, type Tone } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { Assurance } from "../contract.ts";
import { named, t } from "../i18n.ts";

const TONES: Record<Assurance["guard"], Tone> = {
  watched: "ok",
  device: "ok",
  accepted: "info",
  nobody: "attention",
};

export function AssuranceCard() {
  const answer = useAnswer<Assurance[]>("assurance");
  return (
    <Card title={t("safety.assurance")} wide>
      <p class="muted">{t("safety.assurance_lead")}</p>
      <Answered answer={answer}>
        {(goals) => (
          <Table
            caption={t("safety.assurance")}
            rows={goals}
            keyOf={(one) => `${one.owner}/${one.goal}`}
            columns={[
              { head: t("column.goal"), cell: (one) => named("goal", one.goal) },
              { head: t("column.owner"), cell: (one) => one.owner },
              {
                head: t("column.guard"),
                cell: (one) => <Pill tone={TONES[one.guard]}>{named("guard", one.guard)}</Pill>,
              },
              { head: t("column.permits"), cell: (one) => named("stage", one.authority) },
              { head: t("column.rests_on"), cell: (one) => one.rests_on },
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}
