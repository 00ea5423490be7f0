/** All that is asked by hand and is not over. */
import type { ComponentChildren } from "preact";
import { ActionButton } from "../components/action_button.tsx";
import { Card } from "../components/card.tsx";
import { Entries, Entry } from "../components/entries.tsx";
import { Pill } from "../components/pill.tsx";
import type { ManualSlot } from "../contract.ts";
import { dayAndClock } from "../format.ts";
import { t } from "../i18n.ts";
import { snapshot } from "../live.ts";
import { fromTo, holds, remove, slotTold } from "./manual.ts";
import { whyNot } from "./take_over.ts";

interface Props {
  slots: readonly ManualSlot[];
  now_ms: number;
  aside?: ComponentChildren;
  actionsOf?: (slot: ManualSlot) => ComponentChildren;
}

export function SlotsCard({ slots, now_ms, aside, actionsOf }: Props) {
  return (
    <Card title={t("schedule.slots")} aside={aside}>
      <Entries label={t("schedule.slots")} empty={t("schedule.no_slots")}>
        {slots.map((slot) => (
          <Entry
            key={slot.id}
            title={
              <>
                {slotTold(slot)}{" "}
                {holds(slot, now_ms) && <Pill tone="info">{t("schedule.now")}</Pill>}
              </>
            }
            facts={[
              fromTo(slot.start, slot.end),
              t("schedule.made", { name: slot.by, time: dayAndClock(slot.made) }),
            ]}
            actions={actionsOf?.(slot)}
          />
        ))}
      </Entries>
    </Card>
  );
}

interface ActionsProps {
  slot: ManualSlot;
  onEdit: (slot: ManualSlot) => void;
  again: () => void;
}

export function SlotActions({ slot, onEdit, again }: ActionsProps) {
  const of = `${slotTold(slot)}, ${fromTo(slot.start, slot.end)}`;
  const end = async () => {
    await remove(slot.id);
    again();
  };
  return (
    <>
      {slot.mode !== "stand_aside" && whyNot(snapshot.value) === undefined && (
        <button
          type="button" aria-label={`${t("schedule.edit")}: ${of}`} onClick={() => onEdit(slot)}
        >
          {t("schedule.edit")}
        </button>
      )}
      <ActionButton label={t("schedule.remove")} of={of} onAct={end} />
    </>
  );
}
