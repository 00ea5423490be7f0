/** Plays the incident, and leads from event to event. */
import { useEffect, useState } from "preact/hooks";
import type { Span } from "../chart/series.ts";
import { length_ms } from "../chart/span.ts";
import { Segments } from "../components/segments.tsx";
import type { AuditLine } from "../contract.ts";
import { t } from "../i18n.ts";

interface Props {
  events: readonly AuditLine[];
  span: Span;
  at_ms: number;
  onAt: (at_ms: number) => void;
}

const SPEEDS = ["1", "10", "60"] as const;
type Speed = (typeof SPEEDS)[number];
const TICK_MS = 100;
/** Most of it is to be seen within a minute or so. */
const GOOD_MS = 60_000;

export function Player({ events, span, at_ms, onAt }: Props) {
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<Speed>(() => usual(span));
  const isOver = at_ms >= span.end_ms;

  useEffect(() => {
    if (!isPlaying) return;
    if (isOver) {
      setPlaying(false);
      return;
    }
    const next_ms = Math.min(span.end_ms, at_ms + TICK_MS * Number(speed));
    const timer = setTimeout(() => onAt(next_ms), TICK_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at_ms, speed, isOver]);

  const times_ms = events.map((line) => Date.parse(line.utc));
  const earlier_ms = times_ms.findLast((time) => time < at_ms);
  const later_ms = times_ms.find((time) => time > at_ms);
  const play = () => {
    if (isOver) onAt(span.start_ms);
    setPlaying(!isPlaying);
  };
  const goTo = (time_ms: number) => {
    setPlaying(false);
    onAt(time_ms);
  };
  return (
    <div class="player" role="group" aria-label={t("incidents.player")}>
      <Jump name={t("player.earlier")} sign="‹" to_ms={earlier_ms} onJump={goTo} />
      <button type="button" class="primary" onClick={play}>
        {t(isPlaying ? "player.pause" : "player.play")}
      </button>
      <Jump name={t("player.later")} sign="›" to_ms={later_ms} onJump={goTo} />
      <Segments
        label={t("player.speed")}
        value={speed}
        choices={SPEEDS}
        textOf={(choice) => `${choice}×`}
        onChoose={setSpeed}
      />
    </div>
  );
}

interface JumpProps {
  name: string;
  sign: string;
  to_ms: number | undefined;
  onJump: (to_ms: number) => void;
}

function Jump({ name, sign, to_ms, onJump }: JumpProps) {
  return (
    <button
      type="button" aria-label={name} title={name} disabled={to_ms === undefined}
      onClick={() => to_ms !== undefined && onJump(to_ms)}
    >
      {sign}
    </button>
  );
}

const usual = (span: Span): Speed =>
  SPEEDS.find((speed) => length_ms(span) / Number(speed) <= GOOD_MS) ?? "60";
