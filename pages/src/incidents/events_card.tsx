/** What happened, in its order and in words; a press leads to that moment. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Card } from "../components/card.tsx";
import type { AuditLine, IncidentInFull } from "../contract.ts";
import { clockSeconds } from "../format.ts";
import { t } from "../i18n.ts";
import { toneOfFinding } from "../limits.ts";
import { eventText } from "./event_text.ts";
import { eventAt } from "./moments.ts";

interface Props {
  full: IncidentInFull;
  /** Those worth a stop: without each step of a ramp. */
  events: readonly AuditLine[];
  at_ms: number;
  onAt: (at_ms: number) => void;
}

export function EventsCard({ full, events, at_ms, onAt }: Props) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? full.events : events;
  const current = eventAt(shown, at_ms);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const item = list.current?.children[current] as HTMLElement | undefined;
    if (!list.current || !item) return;
    // Only the list moves: the page stays where somebody looks.
    const middle = item.offsetTop - list.current.offsetTop - list.current.clientHeight / 2;
    list.current.scrollTop = middle;
  }, [current]);
  return (
    <Card
      title={t("incidents.events")} wide
      aside={
        <label class="every-step">
          <input
            type="checkbox" checked={isWhole}
            onChange={(event) => setWhole(event.currentTarget.checked)}
          />
          {t("incidents.every_step")}
        </label>
      }
    >
      <ol class="events" ref={list}>
        {shown.map((line, index) => (
          <li key={line.sequence} class={classOf(line, index, current)}>
            <button
              type="button" class="link figure"
              {...(index === current ? { "aria-current": "step" as const } : {})}
              onClick={() => onAt(Date.parse(line.utc))}
            >
              {clockSeconds(line.utc)}
            </button>
            <span>{eventText(line)}</span>
          </li>
        ))}
      </ol>
      {full.left_out > 0 && (
        <p class="muted">{t("incidents.left_out", { count: full.left_out })}</p>
      )}
    </Card>
  );
}

function classOf({ event }: AuditLine, index: number, current: number): string {
  const time = index > current ? "later" : index === current ? "current" : "";
  return `${time} ${tone(event)}`.trim();
}

function tone(event: AuditLine["event"]): string {
  if (event?.kind === "finding_raised") return toneOfFinding(event);
  if (event?.kind === "state") return event.target === "running" ? "ok" : "info";
  return "unknown";
}
