/** Why the site did what it did then. It is asked for when the record changes: with each event. */
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import type { Span } from "../chart/series.ts";
import { Failure } from "../components/answered.tsx";
import type { AuditLine, Explanation } from "../contract.ts";
import { t } from "../i18n.ts";
import { eventAt } from "./moments.ts";

interface Props {
  events: readonly AuditLine[];
  span: Span;
  at_ms: number;
}

const NONE: string[] = [];
/** Who moves fast along the times does not ask for each of them. */
const SETTLED_MS = 150;

export function Explained({ events, span, at_ms }: Props) {
  const event = events[eventAt(events, at_ms)];
  const at = useSettled(event?.utc ?? new Date(span.start_ms).toISOString());
  const answer = useAnswer<Explanation>(`explain?at=${encodeURIComponent(at)}`);
  const [last, setLast] = useState(NONE);
  useEffect(() => {
    if (answer.value) setLast(answer.value.sentences);
  }, [answer.value]);
  const sentences = answer.value?.sentences ?? (answer.error ? NONE : last);
  return (
    <div class="replay-why">
      <h3>{t("now.why")}</h3>
      {answer.error && <Failure error={answer.error} />}
      <div aria-live="polite">
        {sentences.map((sentence) => <p key={sentence}>{sentence}</p>)}
      </div>
    </div>
  );
}

/** The value, once it has not changed for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
