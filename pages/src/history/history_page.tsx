/** History: any signal over any time, with what was found, to look at and to take along. */
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Failure } from "../components/answered.tsx";
import type { Span } from "../chart/series.ts";
import { length_ms } from "../chart/span.ts";
import { Card } from "../components/card.tsx";
import { Note } from "../components/note.tsx";
import { Page } from "../components/page.tsx";
import type { History, PastFinding, SeriesInfo, Spells } from "../contract.ts";
import { dateAndClock } from "../format.ts";
import { t } from "../i18n.ts";
import { href, route } from "../router.ts";
import { ChartsCard } from "./charts_card.tsx";
import { EnergyCard } from "./energy_card.tsx";
import { FindingsCard } from "./findings_card.tsx";
import { SignalPicker } from "./signal_picker.tsx";
import { usual } from "./signals.ts";
import { SpanPicker } from "./span_picker.tsx";
import { queryOf, refresh_ms, utc, type View, viewOf } from "./view.ts";

const POINTS = 800;
const LIST_EVERY_S = 60;
/** What is recorded is on the disk within a minute or two. */
const LATE_MS = 10 * 60_000;
/** Those of a longer time are not told. */
const FINDINGS_UP_TO_MS = 32 * 86_400_000;

export function HistoryPage() {
  const known = useAnswer<SeriesInfo[]>("history/series", LIST_EVERY_S);
  return (
    <Page title={t("nav.history")} lead={t("history.lead")}>
      <div class="cards inner">
        {known.error && <NoHistory why={known.error.message} isNobody={known.error.status === 0} />}
        {known.value?.length === 0 && <Note tone="info">{t("history.empty")}</Note>}
        {known.value && known.value.length > 0 && <Past known={known.value} />}
        {!known.value && !known.error && <p class="muted">{t("answer.waiting")}</p>}
      </div>
    </Page>
  );
}

function NoHistory({ why, isNobody }: { why: string; isNobody: boolean }) {
  return (
    <Card title={t("history.not_there")} wide>
      <Note tone="attention">{isNobody ? t("answer.nobody") : why}</Note>
      <p>{t("history.goes_on")}</p>
    </Card>
  );
}

function Past({ known }: { known: SeriesInfo[] }) {
  const { query } = route.value;
  const now_ms = useNow(refresh_ms(viewOf(query, 0).range));
  const view = viewOf(query, now_ms);
  const keys = view.keys ?? usual(known);
  const { span } = view;
  const show = (change: Partial<View>) => {
    location.hash = href("history", undefined, queryOf({ ...view, keys, ...change }));
  };
  const onSpan = (chosen: Span) => show({ range: null, span: chosen });
  const whole: Span = {
    start_ms: Math.min(...known.map((one) => Date.parse(one.first)), span.start_ms),
    end_ms: Math.max(Date.now(), span.end_ms),
  };
  const time = `start=${utc(span.start_ms)}&end=${utc(span.end_ms)}`;
  const isShort = length_ms(span) <= FINDINGS_UP_TO_MS;
  const spells = useAnswer<Spells>(isShort ? `history/spells?${time}` : null);
  return (
    <>
      <Late known={known} />
      <Card title={t("history.what")} wide>
        <SpanPicker
          range={view.range} span={span} whole={whole} onSpan={onSpan}
          onRange={(range) => show({ range })}
        />
        <SignalPicker known={known} keys={keys} onKeys={(chosen) => show({ keys: chosen })} />
      </Card>
      <Charts
        keys={keys} time={time} span={span} findings={spells.value?.findings} onSpan={onSpan}
      />
      <FindingsCard answer={isShort ? spells : null} onSpan={onSpan} />
      <EnergyCard span={span} />
    </>
  );
}

interface ChartsProps {
  keys: string[];
  time: string;
  span: Span;
  findings: PastFinding[] | undefined;
  onSpan: (span: Span) => void;
}

const NO_FINDINGS: PastFinding[] = [];

/** What was drawn last stays, at the time that is wanted now, until the finer values are there. */
function Charts({ keys, time, span, findings, onSpan }: ChartsProps) {
  const asked = keys.map((key) => `&series=${encodeURIComponent(key)}`).join("");
  const path = keys.length > 0 ? `history?${time}&points=${POINTS}${asked}` : null;
  const answer = useAnswer<History>(path);
  const [last, setLast] = useState<History | null>(null);
  useEffect(() => {
    if (answer.value) setLast(answer.value);
  }, [answer.value]);
  const shown = answer.value ?? last;
  return (
    <>
      {answer.error && <Failure error={answer.error} />}
      {keys.length > 0 && shown && (
        <ChartsCard
          answer={shown} keys={keys} span={span} findings={findings ?? NO_FINDINGS}
          isOld={answer.value === null} onSpan={onSpan}
        />
      )}
    </>
  );
}

/** Says that nothing more is recorded, which a chart of last week would not show. */
function Late({ known }: { known: SeriesInfo[] }) {
  const last_ms = Math.max(...known.map((one) => Date.parse(one.last)));
  if (Date.now() - last_ms <= LATE_MS) return null;
  return (
    <Note tone="attention">
      <strong>{t("history.late", { time: dateAndClock(last_ms) })}</strong> {t("history.goes_on")}
    </Note>
  );
}

/** The time, as often as `every_ms`; 0: it stands still. */
function useNow(every_ms: number): number {
  const [now_ms, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    if (every_ms === 0) return;
    const timer = setInterval(() => setNow(Date.now()), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return now_ms;
}
