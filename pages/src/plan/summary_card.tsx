/** What the planner last did, in short; a doubt of it is news, and no fault of the site. */
import { Card } from "../components/card.tsx";
import { Note } from "../components/note.tsx";
import { Pill } from "../components/pill.tsx";
import type { PlanAnswer } from "../contract.ts";
import { clock, money, span } from "../format.ts";
import { named, t } from "../i18n.ts";

export function SummaryCard({ answer }: { answer: PlanAnswer }) {
  const { report, age_s } = answer;
  const plan = report?.plan;
  return (
    <Card title={t("plan.summary")} wide>
      <dl class="facts">
        <div>
          <dt>{t("plan.status")}</dt>
          <dd>
            <Pill tone={plan ? "ok" : "info"}>
              {plan ? named("plan_status", plan.status) : t("plan.none_short")}
            </Pill>
          </dd>
        </div>
        <div>
          <dt>{t("plan.made")}</dt>
          <dd class="figure">{t("plan.ago", { span: span(age_s) })}</dd>
        </div>
        {plan && (
          <>
            <div>
              <dt>{t("plan.expires")}</dt>
              <dd class="figure">{clock(plan.expires)}</dd>
            </div>
            <div>
              <dt>{t("plan.cost")}</dt>
              <dd class="figure">{money(plan.expected_cost)}</dd>
            </div>
          </>
        )}
        <div>
          <dt>{t("plan.followed")}</dt>
          <dd>{t(report?.accepted ? "value.yes" : "value.no")}</dd>
        </div>
      </dl>
      {[plan?.note, report?.problem, report?.manual_problem]
        .filter((text) => text)
        .map((text) => (
          <Note key={text} tone="info">
            {text}
          </Note>
        ))}
    </Card>
  );
}
