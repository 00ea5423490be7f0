/** Why the site does what it does, in sentences, and how long it will. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Fact } from "../components/fact.tsx";
import { Leader } from "../components/leader.tsx";
import type { Explanation, Snapshot } from "../contract.ts";
import { clock, price, span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { lookOf } from "../modes.ts";
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

/** Who decides now, by which mode, and how to decide oneself. */
function Decision({ now }: { now: Snapshot }) {
  const slot = now.plan?.slot;
  return (
    <>
      <dl class="facts list">
        <Leader now={now} />
        {slot && (
          <Fact name={t("now.slot")}>
            {t("now.slot_until", { mode: named("mode", lookOf(slot)), time: clock(slot.end) })}
          </Fact>
        )}
        {slot && (
          <Fact name={t("now.price")} isFigure>
            {price(slot.import_price_per_kwh)}
          </Fact>
        )}
        {now.plan && (
          <Fact name={t("now.plan")}>
            {t("now.plan_age", {
              status: named("plan_status", now.plan.status),
              age: span(now.plan.age_s),
            })}
          </Fact>
        )}
      </dl>
      <p class="hint">
        <a href={href("schedule")}>{t("take_over.here")}</a>
      </p>
    </>
  );
}
