/** Adds or changes what is asked by hand; what cannot be is said before it is sent. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Card } from "../components/card.tsx";
import { Field } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { Note } from "../components/note.tsx";
import { Choice } from "../components/choice.tsx";
import type { ManualSlot } from "../contract.ts";
import { amount, dayAndClock, span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { localOf } from "../dates.ts";
import {
  add, type Draft, isPowered, type Manual, mistakes, MODES, replace, times, told, wishOf,
} from "./manual.ts";
import { whyNot } from "./take_over.ts";

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const LASTS = ["30", "60", "120", "240", "480", "at"] as const;
const BEGINS = ["now", "at"] as const;

interface Props {
  manual: Manual;
  edited: ManualSlot | null;
  now_ms: number;
  onDone: () => void;
  onCancel: () => void;
}

function draftOf(edited: ManualSlot | null, now_ms: number): Draft {
  const next_ms = Math.ceil(now_ms / QUARTER_MS) * QUARTER_MS;
  if (!edited) {
    return {
      mode: "charge", power: "", begins: "now", lasts: "60",
      start: localOf(next_ms), end: localOf(next_ms + HOUR_MS),
    };
  }
  return {
    mode: edited.mode,
    power: edited.power_w === null ? "" : String(edited.power_w),
    begins: Date.parse(edited.start) <= now_ms ? "now" : "at",
    start: localOf(edited.start),
    lasts: "at",
    end: localOf(edited.end),
  };
}

export function SlotForm({ manual, edited, now_ms, onDone, onCancel }: Props) {
  const [draft, setDraft] = useState(() => draftOf(edited, now_ms));
  const [isTried, setTried] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (edited) place.current?.querySelector("select")?.focus();
  }, [edited]);
  const why_not = whyNot(snapshot.value);
  const wrong = mistakes(draft, manual, now_ms);
  const shown = isTried ? wrong : {};
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const send = async () => {
    setTried(true);
    if (Object.keys(wrong).length > 0) return;
    const wish = wishOf(draft, now_ms);
    await (edited ? replace(edited, wish) : add(wish));
    setTried(false);
    setDraft(draftOf(null, now_ms));
    onDone();
  };
  return (
    <Card title={t(edited ? "schedule.change" : "schedule.add")}>
      {why_not && <Note tone="info">{why_not}</Note>}
      <Form
        submit={t(edited ? "schedule.change_submit" : "schedule.add_submit")}
        onSubmit={send}
        disabled={why_not !== undefined}
      >
        <fieldset class="whole" disabled={why_not !== undefined}>
          <div ref={place}>
            <Choice
              label={t("schedule.mode")} value={draft.mode} choices={MODES}
              textOf={(mode) => named("mode", mode)}
              onChoose={(mode) => change({ mode })}
              hint={named("mode_told", draft.mode)}
            />
          </div>
          {isPowered(draft.mode) && (
            <Field
              label={t("schedule.power")} value={draft.power} onValue={(power) => change({ power })}
              inputMode="numeric" autocomplete="off"
              hint={t("schedule.power_hint", { most: amount(manual.power_max_w[draft.mode], "W") })}
              {...(shown.power ? { error: shown.power } : {})}
            />
          )}
          <div class="pair">
            <Choice
              label={t("schedule.begins")} value={draft.begins} choices={BEGINS}
              textOf={(begins) => named("begins", begins)}
              onChoose={(begins) => change({ begins })}
            />
            {draft.begins === "at" && (
              <Field
                label={t("schedule.start")} value={draft.start} type="datetime-local"
                onValue={(start) => change({ start })}
                {...(shown.start ? { error: shown.start } : {})}
              />
            )}
          </div>
          <div class="pair">
            <Choice
              label={t("schedule.lasts")} value={draft.lasts} choices={LASTS}
              textOf={(lasts) =>
                lasts === "at" ? t("schedule.lasts_at") : span(Number(lasts) * 60)}
              onChoose={(lasts) => change({ lasts })}
            />
            {draft.lasts === "at" && (
              <Field
                label={t("schedule.end")} value={draft.end} type="datetime-local"
                onValue={(end) => change({ end })}
                {...(shown.end ? { error: shown.end } : {})}
              />
            )}
          </div>
          {draft.lasts !== "at" && shown.end && <p class="error">{shown.end}</p>}
          {Object.keys(wrong).length === 0 && (
            <Preview draft={draft} manual={manual} edited={edited} now_ms={now_ms} />
          )}
        </fieldset>
      </Form>
      {edited && (
        <div class="actions">
          <button type="button" onClick={onCancel}>
            {t("command.cancel")}
          </button>
        </div>
      )}
    </Card>
  );
}

/** Says what would be asked for, and what of before it takes the place of. */
function Preview({ draft, manual, edited, now_ms }: Pick<Props, "manual" | "edited" | "now_ms"> & { draft: Draft }) {
  const { start_ms, end_ms } = times(draft, now_ms);
  const wish = wishOf(draft, now_ms);
  const overlapped = manual.slots.filter(
    (slot) =>
      slot.id !== edited?.id &&
      Date.parse(slot.start) < end_ms && Date.parse(slot.end) > Math.max(start_ms, now_ms),
  );
  return (
    <p class="preview">
      {t("schedule.preview", {
        what: told(wish.mode, wish.power_w),
        start: draft.begins === "now" ? t("schedule.now") : dayAndClock(start_ms),
        end: dayAndClock(end_ms),
      })}
      {overlapped.length > 0 && (
        <span class="muted"> {t("schedule.overlaps", { count: overlapped.length })}</span>
      )}
    </p>
  );
}
