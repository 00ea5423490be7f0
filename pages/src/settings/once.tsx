/** A secret that is shown once, with a way to take it along. */
import { useRef, useState } from "preact/hooks";
import { named, t } from "../i18n.ts";

type Taken = "not_yet" | "copied" | "selected";

export function Once({ label, secret }: { label: string; secret: string }) {
  const [taken, setTaken] = useState<Taken>("not_yet");
  const text = useRef<HTMLTextAreaElement>(null);
  const copy = async () => {
    text.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setTaken("copied");
    } catch {
      setTaken("selected"); // browsers lend the clipboard to pages with TLS only
    }
  };
  return (
    <div class="once">
      <textarea
        ref={text}
        class="code"
        readOnly
        rows={secret.split("\n").length}
        aria-label={label}
        value={secret}
      />
      <button type="button" onClick={() => void copy()}>
        {t("once.copy")}
      </button>
      <p class="hint" role="status">
        {named("once", taken)}
      </p>
    </div>
  );
}
