/** A text with numbers before its lines, and marks at those that something is said of. */
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import type { Tone } from "../../components/pill.tsx";
import { t } from "../../i18n.ts";

export interface Mark {
  line: number;
  tone: Tone;
}

interface Props {
  value: string;
  onValue: (value: string) => void;
  marks: readonly Mark[];
  readOnly: boolean;
  field: RefObject<HTMLTextAreaElement | null>;
}

export function Editor({ value, onValue, marks, readOnly, field }: Props) {
  const numbers = useRef<HTMLDivElement>(null);
  const count = value.split("\n").length;
  const toneOf = (line: number) => marks.find((mark) => mark.line === line)?.tone;
  return (
    <div class="editor">
      <div class="line-numbers" ref={numbers} aria-hidden="true">
        {Array.from({ length: count }, (_, index) => (
          <span key={index} class={toneOf(index + 1)}>
            {index + 1}
          </span>
        ))}
      </div>
      <textarea
        ref={field}
        class="code"
        wrap="off"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-label={t("config.text")}
        readOnly={readOnly}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
        }}
      />
    </div>
  );
}

/** Shows a line, and selects it. */
export function showLine(field: HTMLTextAreaElement | null, line: number): void {
  if (!field) return;
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  field.scrollTop = ((line - 1) / lines.length) * field.scrollHeight - field.clientHeight / 3;
  field.scrollIntoView({ block: "nearest" });
}
