/** Why the site does what it does, in sentences, and how long it will. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import type { Explanation, Snapshot } from "../contract.ts";
import { amount, clock, price, span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { href } from "../router.ts";

const EVERY_S = 5;

export function WhyCard() {
  const now = snapshot.value;
  const answer = useAnswer<Explanation>(now ? "explain" : null, EVERY_S);
  return (
    <Card title={t("now.why")} aside={<a href={href("plan")}>{t("now.to_plan")}</a>}>
      {now ? (
        <Answered answer={answer}>
          {(why) => why.sentences.map((sentence) => <p key={sentence}>{sentence}</p>)}
        </Answered>
      ) : (
        <p class="muted">{t("link.no_data")}</p>
      )}
      {now && <Decision now={now} />}
    </Card>
  );
}

/** Who decides now, and what it decided. */
function Decision({ now }: { now: Snapshot }) {
  const slot = now.plan?.slot;
  return (
    <dl class="facts list">
      <div>
        <dt>{t("now.decides")}</dt>
        <dd>{named("source", now.request_source)}</dd>
      </div>
      <div>
        <dt>{t("now.asked")}</dt>
        <dd class="figure">{amount(now.request_w, "W")}</dd>
      </div>
      {slot && (
        <div>
          <dt>{t("now.slot")}</dt>
          <dd>{t("now.slot_until", { mode: named("mode", slot.mode), time: clock(slot.end) })}</dd>
        </div>
      )}
      {slot && (
        <div>
          <dt>{t("now.price")}</dt>
          <dd class="figure">{price(slot.import_price_per_kwh)}</dd>
        </div>
      )}
      {now.plan && (
        <div>
          <dt>{t("now.plan")}</dt>
          <dd>
            {t("now.plan_age", {
              status: named("plan_status", now.plan.status),
              age: span(now.plan.age_s),
            })}
          </dd>
        </div>
      )}
    </dl>
  );
}
