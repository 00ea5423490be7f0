/** The incident once more: powers, state, setpoints and reasons at each of its moments. */
import { useMemo } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import type { ChartSeries, Span } from "../chart/series.ts";
import { Failure } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Chart, MomentSlider } from "../components/chart.tsx";
import { Note } from "../components/note.tsx";
import type { AuditLine, History, IncidentInFull, SeriesInfo } from "../contract.ts";
import { clockSeconds } from "../format.ts";
import { chartsOf, timesOf } from "../history/lines.ts";
import { ownerOf } from "../history/signals.ts";
import { language, named, t } from "../i18n.ts";
import { PowerPicture } from "../now/power_picture.tsx";
import { powersOf } from "../power.ts";
import { Way } from "../safety/setpoints_card.tsx";
import { Explained } from "./explained.tsx";
import { eventText } from "./event_text.ts";
import { eventAt, isLayer, keysOf, readingsAt, setpointsAt, stateAt } from "./moments.ts";
import { Player } from "./player.tsx";
import { StatePill } from "./words.tsx";

interface Props {
  full: IncidentInFull;
  /** Those worth a stop. */
  events: readonly AuditLine[];
  span: Span;
  at_ms: number;
  onAt: (at_ms: number) => void;
}

/** A second each, even of the longest that is told. */
const POINTS = 4000;
const POWER_PX = 230;
const SETPOINT_PX = 190;

export function ReplayCard({ full, events, span, at_ms, onAt }: Props) {
  const known = useAnswer<SeriesInfo[]>("history/series");
  const keys = useMemo(() => keysOf(known.value ?? []), [known.value]);
  const path = useMemo(() => asked(keys, span), [keys, span]);
  const answer = useAnswer<History>(path);
  const history = answer.value;
  const { times_ms, measured, layers } = useLines(history, keys, full, span);
  const error = known.error ?? answer.error;
  const time = { times_ms, span, moment: { at_ms, onAt } };
  return (
    <Card title={t("incidents.replay")} wide>
      <div class="replay-controls">
        <Player events={events} span={span} at_ms={at_ms} onAt={onAt} />
        <MomentSlider
          times_ms={times_ms} series={measured} span={span} at_ms={at_ms} onAt={onAt} isBelowTwoAxes
        />
      </div>
      <Moment full={full} events={events} history={history} span={span} at_ms={at_ms} />
      <h3 class="unseen">{t("incidents.setpoints")}</h3>
      {setpointsAt(full, history, at_ms).map((one) => (
        <Way key={`${one.owner}/${one.name}`} quantity={one} />
      ))}
      {error && (
        <>
          <Failure error={error} />
          <Note tone="info">{t("incidents.no_history")}</Note>
        </>
      )}
      {measured.length > 0 && (
        <Chart label={t("incidents.measured")} series={measured} height_px={POWER_PX} {...time} />
      )}
      {layers.length > 0 && (
        <>
          <h3>{t("incidents.layers")}</h3>
          <Chart
            label={t("incidents.layers")} series={layers} height_px={SETPOINT_PX} isBelowTwoAxes
            {...time}
          />
        </>
      )}
    </Card>
  );
}

interface MomentProps {
  full: IncidentInFull;
  events: readonly AuditLine[];
  history: History | null;
  span: Span;
  at_ms: number;
}

/** What flowed then, which state the site was in, what had just happened, and why. */
function Moment({ full, events, history, span, at_ms }: MomentProps) {
  const event = events[eventAt(events, at_ms)];
  return (
    <div class="replay">
      <PowerPicture flows={powersOf(readingsAt(history, at_ms))} />
      <div class="replay-words">
        <p class="replay-time">
          <strong class="figure">{clockSeconds(at_ms)}</strong>
          <StatePill state={stateAt(full.events, at_ms)} />
        </p>
        <p class="replay-event">{event ? eventText(event) : t("incidents.nothing_yet")}</p>
        <Explained events={full.events} span={span} at_ms={at_ms} />
      </div>
    </div>
  );
}

function asked(keys: readonly string[], { start_ms, end_ms }: Span): string | null {
  if (keys.length === 0) return null;
  const [start, end] = [start_ms, end_ms].map((at_ms) => new Date(at_ms).toISOString());
  const query = new URLSearchParams({ start: start ?? "", end: end ?? "", points: String(POINTS) });
  for (const key of keys) query.append("series", key);
  return `history?${query}`;
}

interface Lines {
  times_ms: number[];
  measured: ChartSeries[];
  layers: ChartSeries[];
}

/** What was measured, and how the setpoints went through their layers, over the same times. */
function useLines(
  history: History | null, keys: readonly string[], full: IncidentInFull, span: Span,
): Lines {
  const lang = language.value;
  return useMemo(() => {
    if (!history) {
      const events_ms = full.events.map((line) => Date.parse(line.utc));
      return { times_ms: [span.start_ms, ...events_ms, span.end_ms], measured: [], layers: [] };
    }
    const times_ms = timesOf(history);
    const draw = (wanted: readonly string[]) =>
      chartsOf(history, wanted, times_ms.length).flatMap((chart) => chart.series);
    const layers = keys.filter(isLayer);
    const owners = new Set(layers.map(ownerOf));
    return {
      times_ms,
      measured: behind(draw(keys.filter((key) => !isLayer(key)))),
      layers: draw(layers).map((one) => ({ ...one, ...asLayer(one.key, owners.size > 1) })),
    };
  }, [history, keys, full, span, lang]);
}

/** A setpoint holds until the next one; whose it is, is told where there are several. */
function asLayer(key: string, isOneOfMany: boolean): Pick<ChartSeries, "label" | "shape"> {
  const name = named("layer", key.split("/").at(-1) ?? "");
  return { label: isOneOfMany ? `${name} · ${ownerOf(key)}` : name, shape: "steps" };
}

/** What is stored stands behind the powers. */
function behind(series: ChartSeries[]): ChartSeries[] {
  const isStored = (one: ChartSeries) => one.unit === "%";
  return [
    ...series.filter(isStored).map((one) => ({ ...one, isFilled: true })),
    ...series.filter((one) => !isStored(one)),
  ];
}
