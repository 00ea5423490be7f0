/** Safety at a glance: what is nearest to its limit, and what is not as it should be. */
import type { ComponentChildren } from "preact";
import { Card } from "../components/card.tsx";
import { MarginBar } from "../components/margin_bar.tsx";
import { Sign, type Tone } from "../components/pill.tsx";
import type { Snapshot } from "../contract.ts";
import { t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { nearest, toneOfFindings } from "../limits.ts";
import { href } from "../router.ts";

const SHOWN = 3;

export function SafetyCard() {
  const now = snapshot.value;
  return (
    <Card title={t("nav.safety")} aside={<a href={href("safety")}>{t("now.to_safety")}</a>}>
      {now ? <Summary now={now} /> : <p class="muted">{t("link.no_data")}</p>}
    </Card>
  );
}

function Summary({ now }: { now: Snapshot }) {
  const devices = Object.values(now.comms);
  const talking = devices.filter((one) => one.why_silent === "").length;
  return (
    <>
      <ul class="checks">
        <Check tone={toneOfFindings(now.findings)}>
          {now.findings.length === 0
            ? t("safety.no_findings")
            : t(now.findings.length === 1 ? "safety.one_finding" : "safety.count_findings", {
                count: now.findings.length,
              })}
        </Check>
        <Check tone={now.latched_faults.length || now.emergency_stop_latched ? "fault" : "ok"}>
          {now.latched_faults.length || now.emergency_stop_latched
            ? t("safety.latched")
            : t("safety.not_latched")}
        </Check>
        <Check tone={talking === devices.length ? "ok" : "fault"}>
          {t("safety.devices", { talking, count: devices.length })}
        </Check>
      </ul>
      <h3>{t("safety.nearest")}</h3>
      {nearest(now, SHOWN).map((limit) => (
        <MarginBar key={`${limit.owner}/${limit.row}`} limit={limit} now={now} withOwner />
      ))}
    </>
  );
}

function Check({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <li>
      <Sign tone={tone} />
      {children}
    </li>
  );
}
