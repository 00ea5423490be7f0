/** The emergency stop, on every page: one step, and never "stopped" before the site says so. */
import { isDone, progress, send } from "../commands.ts";
import { type Key, t } from "../i18n.ts";
import { mayRead } from "../session.ts";
import { plainPages } from "../site.ts";

type Look = "ready" | "sending" | "sent" | "late" | "refused" | "stopped";

const WORDS: Record<Look, { label: Key; hint: Key }> = {
  ready: { label: "stop.ready", hint: "stop.ready_hint" },
  sending: { label: "stop.sending", hint: "stop.sending_hint" },
  sent: { label: "stop.sent", hint: "stop.sent_hint" },
  late: { label: "stop.late", hint: "stop.late_hint" },
  refused: { label: "stop.refused", hint: "stop.refused_hint" },
  stopped: { label: "stop.stopped", hint: "stop.stopped_hint" },
};

/** It is never disabled: whoever is in doubt may press it again. */
export function EmergencyStop() {
  const now = progress("estop");
  const look: Look = isDone("estop") ? "stopped" : now.step;
  return (
    <div class={`stop ${look}`}>
      <button type="button" class="stop-button" onClick={() => void send("estop")}>
        <span class="stop-label">{t(WORDS[look].label)}</span>
        <span class="stop-hint">{t(hintOf(look))}</span>
      </button>
      <div role="alert">
        {(look === "refused" || look === "late") && (
          <OtherWays why={now.step === "refused" ? now.why : ""} />
        )}
      </div>
    </div>
  );
}

/** Who may not look is told that it was accepted, and no more. */
const hintOf = (look: Look): Key =>
  look === "sent" && !mayRead.value ? "stop.sent_unseen_hint" : WORDS[look].hint;

/** What to do when the stop did not get through. */
function OtherWays({ why }: { why: string }) {
  return (
    <div class="other-ways">
      <strong>{t(why ? "stop.not_delivered" : "stop.not_confirmed")}</strong>
      {why && <p>{why}</p>}
      <ol>
        <li>{t("stop.way_button")}</li>
        {plainPages.value && (
          <li>
            <a href={plainPages.value}>{t("stop.way_plain")}</a>
          </li>
        )}
        <li>
          {t("stop.way_command")} <code>holdfast estop</code>
        </li>
      </ol>
    </div>
  );
}
