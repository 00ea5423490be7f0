/** Buttons that move along time, for who does not drag. */
import type { Span } from "../chart/series.ts";
import { moved, stretched, within } from "../chart/span.ts";
import { type Key, t } from "../i18n.ts";

interface Props {
  span: Span;
  onSpan: (span: Span) => void;
  /** Further than this it does not go. */
  whole: Span;
}

const STEPS: readonly { name: Key; sign: string; apply: (span: Span) => Span }[] = [
  { name: "zoom.earlier", sign: "‹", apply: (span) => moved(span, -0.5) },
  { name: "zoom.later", sign: "›", apply: (span) => moved(span, 0.5) },
  { name: "zoom.in", sign: "+", apply: (span) => stretched(span, 0.5) },
  { name: "zoom.out", sign: "−", apply: (span) => stretched(span, 2) },
];

export function ZoomBar({ span, onSpan, whole }: Props) {
  return (
    <div class="zoom" role="group" aria-label={t("zoom.name")}>
      {STEPS.map(({ name, sign, apply }) => {
        const next = within(apply(span), whole);
        const isSame = next.start_ms === span.start_ms && next.end_ms === span.end_ms;
        return (
          <button
            key={name} type="button" aria-label={t(name)} title={t(name)}
            disabled={isSame} onClick={() => onSpan(next)}
          >
            {sign}
          </button>
        );
      })}
    </div>
  );
}
