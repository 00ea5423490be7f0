/** Which time is shown: a usual one up to now, or from one moment to another. */
import type { Span } from "../chart/series.ts";
import { Field } from "../components/field.tsx";
import { Segments } from "../components/segments.tsx";
import { ZoomBar } from "../components/zoom_bar.tsx";
import { named, t } from "../i18n.ts";
import { timezone } from "../site.ts";
import { fromInput, toInput } from "../zone.ts";
import { RANGE_NAMES, type Range } from "./view.ts";

interface Props {
  range: Range | null;
  span: Span;
  whole: Span;
  onRange: (range: Range) => void;
  onSpan: (span: Span) => void;
}

const CHOICES = [...RANGE_NAMES, "from_to"] as const;

export function SpanPicker({ range, span, whole, onRange, onSpan }: Props) {
  const zone = timezone.value;
  const change = (text: string, end: keyof Span) => {
    const at_ms = fromInput(text, zone)?.getTime();
    const next = at_ms === undefined ? span : { ...span, [end]: at_ms };
    if (next.start_ms < next.end_ms) onSpan(next);
  };
  return (
    <div class="span-picker">
      <div class="span-row">
        <Segments
          label={t("history.time")}
          value={range ?? "from_to"}
          choices={CHOICES}
          textOf={(choice) => named("range", choice)}
          onChoose={(choice) => (choice === "from_to" ? onSpan(span) : onRange(choice))}
        />
        <ZoomBar span={span} whole={whole} onSpan={onSpan} />
      </div>
      {range === null && (
        <div class="fields">
          <Field
            label={t("history.from")} type="datetime-local"
            value={toInput(new Date(span.start_ms), zone)}
            onValue={(text) => change(text, "start_ms")}
          />
          <Field
            label={t("history.to")} type="datetime-local" hint={t("history.zone", { zone })}
            value={toInput(new Date(span.end_ms), zone)}
            onValue={(text) => change(text, "end_ms")}
          />
        </div>
      )}
    </div>
  );
}
