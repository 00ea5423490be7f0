/** A word with a colour that says how bad it is; the word says it too. */
import type { ComponentChildren } from "preact";

export type Tone = "ok" | "info" | "attention" | "fault" | "unknown";

const SIGNS: Record<Tone, string> = { ok: "✓", info: "i", attention: "!", fault: "×", unknown: "?" };

export function Sign({ tone }: { tone: Tone }) {
  return (
    <span class={`sign ${tone}`} aria-hidden="true">
      {SIGNS[tone]}
    </span>
  );
}

export function Pill({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`pill ${tone}`}>{children}</span>;
}
