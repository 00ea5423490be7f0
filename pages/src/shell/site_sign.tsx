/** The state of the site in one word, beside its name on every page. */
import { Pill } from "../components/pill.tsx";
import { toneOf } from "../glance.ts";
import { named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";

export function SiteSign() {
  const now = snapshot.value;
  return (
    <span class="site-sign" data-state={now?.state ?? "unknown"}>
      <Pill tone={now ? toneOf(now.glance) : "unknown"}>
        {now ? named("state", now.state) : t("link.no_data")}
      </Pill>
    </span>
  );
}
