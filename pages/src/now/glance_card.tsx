/** The answer to the first question: is the site safe? */
import { Pill, Sign, type Tone } from "../components/pill.tsx";
import { clockSeconds } from "../format.ts";
import { toneOf } from "../glance.ts";
import { named, t } from "../i18n.ts";
import { lastSnapshot, snapshot } from "../live.ts";

export function GlanceCard() {
  const now = snapshot.value;
  const tone: Tone = now ? toneOf(now.glance) : "unknown";
  return (
    <section class={`card wide glance ${tone}`} aria-labelledby="glance">
      <Sign tone={tone} />
      <div class="glance-text">
        <h2 id="glance">{now ? now.glance.headline : t("link.no_data")}</h2>
        {now?.glance.lines.map((line) => <p key={line}>{line}</p>)}
        {!now && <p>{t("glance.unknown")}</p>}
      </div>
      <dl class="facts">
        <div>
          <dt>{t("now.state")}</dt>
          <dd>
            <Pill tone={tone}>{now ? named("state", now.state) : t("link.no_data")}</Pill>
          </dd>
        </div>
        <div>
          <dt>{t("now.stage")}</dt>
          <dd>{now ? named("authority", now.authority) : t("value.unknown")}</dd>
        </div>
        <div>
          <dt>{t("now.seen")}</dt>
          <dd class="figure">{clockSeconds(lastSnapshot.value?.utc)}</dd>
        </div>
      </dl>
    </section>
  );
}
