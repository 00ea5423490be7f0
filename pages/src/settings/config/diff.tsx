/** What changes, line by line. */
import { t } from "../../i18n.ts";

export function Diff({ diff, label }: { diff: string; label: string }) {
  if (diff === "") return <p class="muted">{t("config.no_change")}</p>;
  return (
    <pre class="diff" tabIndex={0} role="group" aria-label={label}>
      {diff.trimEnd().split("\n").filter(isLine).map(line)}
    </pre>
  );
}

/** The names of the two texts say nothing to who reads. */
const isLine = (text: string): boolean => !/^(---|\+\+\+) /.test(text);

function line(text: string, index: number) {
  if (text.startsWith("+")) return <ins key={index}>{text}</ins>;
  if (text.startsWith("-")) return <del key={index}>{text}</del>;
  return (
    <span key={index} class={text.startsWith("@@") ? "hunk" : undefined}>
      {text}
    </span>
  );
}
