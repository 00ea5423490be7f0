/** A button that asks the API for something, and says what went wrong.
 *
 * With a `question` it asks twice: for what cannot be taken back.
 */
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { Failure } from "./answered.tsx";
import { useSending } from "./sending.ts";

interface Props {
  label: string;
  onAct: () => Promise<void>;
  /** Says what would happen. */
  question?: string;
  /** Tells the button from others of its kind, for who hears it. */
  of?: string;
  /** Why it does nothing now. */
  why_not?: string | undefined;
  primary?: boolean;
}

const CONFIRM_WITHIN_MS = 15_000;
const focus = (element: HTMLElement | null) => element?.focus();

export function ActionButton({ label, onAct, question, of, why_not, primary = false }: Props) {
  const [isAsking, setAsking] = useState(false);
  const { isBusy, error, send } = useSending(onAct);

  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setAsking(false), CONFIRM_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);

  const act = () => {
    setAsking(false);
    void send();
  };
  return (
    <div class="action">
      {isAsking ? (
        <div class="confirm" role="group" aria-label={question}>
          <p>{question}</p>
          <button type="button" class="primary" ref={focus} onClick={act}>
            {label}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            {t("command.cancel")}
          </button>
        </div>
      ) : (
        <button
          type="button"
          class={primary ? "primary" : undefined}
          disabled={isBusy || why_not !== undefined}
          aria-label={of === undefined ? undefined : `${label}: ${of}`}
          onClick={() => (question === undefined ? act() : setAsking(true))}
        >
          {isBusy ? t("form.busy") : label}
        </button>
      )}
      {why_not && <p class="hint">{why_not}</p>}
      <div role="alert">{error && <Failure error={error} />}</div>
    </div>
  );
}
