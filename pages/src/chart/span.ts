/** Moving along time: nearer, further, earlier, later. */
import type { Span } from "./series.ts";

const LEAST_MS = 10_000;

export const length_ms = ({ start_ms, end_ms }: Span): number => end_ms - start_ms;

/** Returns the span made `factor` times as long around its middle. */
export function stretched(span: Span, factor: number): Span {
  const half_ms = Math.max(LEAST_MS, length_ms(span) * factor) / 2;
  const middle_ms = (span.start_ms + span.end_ms) / 2;
  return { start_ms: middle_ms - half_ms, end_ms: middle_ms + half_ms };
}

/** Returns the span moved by a share of its length: + is later. */
export function moved(span: Span, share: number): Span {
  const by_ms = length_ms(span) * share;
  return { start_ms: span.start_ms + by_ms, end_ms: span.end_ms + by_ms };
}

/** Returns the span, or as much of it as lies within `whole`. */
export function within(span: Span, whole: Span): Span {
  const long_ms = Math.min(length_ms(span), length_ms(whole));
  const start_ms = Math.min(Math.max(span.start_ms, whole.start_ms), whole.end_ms - long_ms);
  return { start_ms, end_ms: start_ms + long_ms };
}
