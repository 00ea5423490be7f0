/** A command of the site as a button: what it would do, why it cannot, how far it is.
 *
 * What brings power asks twice; what takes it away does not.
 */
import { useEffect, useState } from "preact/hooks";
import { progress, send } from "../commands.ts";
import type { CommandOffer } from "../contract.ts";
import { named, namedOr, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { may } from "../session.ts";
import { Note } from "./note.tsx";

const ASKS_TWICE: readonly CommandOffer["command"][] = ["start", "reset", "service_reset"];
const CONFIRM_WITHIN_MS = 10_000;

/** What a state alone excludes is told in words; all else as the site says it. */
const whyOff = ({ command, why_not }: CommandOffer): string =>
  namedOr("why_off", `${command}_${snapshot.value?.state}`, why_not);

export function CommandButton({ offer }: { offer: CommandOffer }) {
  const { command } = offer;
  const [isAsking, setAsking] = useState(false);
  const now = progress(command);
  const isOnItsWay = now.step === "sending" || now.step === "sent";
  const isAllowed = offer.right === "site.stop" || may(offer.right);
  const isEnabled = offer.enabled && isAllowed && !isOnItsWay;

  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setAsking(false), CONFIRM_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  useEffect(() => {
    if (!isEnabled) setAsking(false);
  }, [isEnabled]);

  const press = () => {
    if (ASKS_TWICE.includes(command)) setAsking(true);
    else void send(command);
  };
  const confirm = () => {
    setAsking(false);
    void send(command);
  };
  return (
    <div class="command" data-command={command}>
      {isAsking ? (
        <div class="confirm" role="group" aria-label={named("confirm", command)}>
          <p>{named("confirm", command)}</p>
          <button type="button" class="primary" autofocus onClick={confirm}>
            {t("command.confirm", { command: named("command", command) })}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            {t("command.cancel")}
          </button>
        </div>
      ) : (
        <button type="button" disabled={!isEnabled} onClick={press}>
          {named("command", command)}
        </button>
      )}
      <div class="command-told" aria-live="polite">
        {now.step === "sending" && t("command.sending")}
        {now.step === "sent" && t("command.sent")}
        {now.step === "late" && <Note tone="attention">{t("command.late")}</Note>}
        {now.step === "refused" && <Note tone="attention">{now.why}</Note>}
        {now.step === "ready" && !isAllowed && t("command.not_allowed")}
        {now.step === "ready" && isAllowed && !offer.enabled && whyOff(offer)}
      </div>
    </div>
  );
}
