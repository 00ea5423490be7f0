/** What a check found, each at the line that it is about. */
import { Note } from "../../components/note.tsx";
import type { Tone } from "../../components/pill.tsx";
import type { ConfigChecked } from "../../contract.ts";
import { type Key, t } from "../../i18n.ts";
import type { Mark } from "./editor.tsx";
import { lineOf } from "./places.ts";

type Kind = "problems" | "doubts" | "warnings";

const KINDS: readonly { kind: Kind; tone: Tone; title: Key }[] = [
  { kind: "problems", tone: "fault", title: "config.problems" },
  { kind: "doubts", tone: "attention", title: "config.doubts" },
  { kind: "warnings", tone: "info", title: "config.warnings" },
];

export const marksOf = (check: ConfigChecked | null, yaml: string): Mark[] =>
  KINDS.flatMap(({ kind, tone }) =>
    (check?.[kind] ?? []).flatMap((sentence) => {
      const line = lineOf(sentence, yaml);
      return line === null ? [] : [{ line, tone }];
    }),
  );

interface Props {
  check: ConfigChecked;
  yaml: string;
  onLine: (line: number) => void;
}

export function Findings({ check, yaml, onLine }: Props) {
  return (
    <>
      {KINDS.filter(({ kind }) => check[kind].length > 0).map(({ kind, tone, title }) => (
        <Note key={kind} tone={tone}>
          <strong>{t(title, { count: check[kind].length })}</strong>
          <ul>
            {check[kind].map((sentence) => (
              <li key={sentence}>
                <At line={lineOf(sentence, yaml)} onLine={onLine} />
                {sentence}
              </li>
            ))}
          </ul>
        </Note>
      ))}
    </>
  );
}

function At({ line, onLine }: { line: number | null; onLine: (line: number) => void }) {
  return line === null ? null : (
    <>
      <button type="button" class="link" onClick={() => onLine(line)}>
        {t("config.line", { line })}
      </button>{" "}
    </>
  );
}
