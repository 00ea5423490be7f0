/** Which signals are shown: the chosen ones with their colours, and all others to choose from. */
import { useId, useState } from "preact/hooks";
import { Field } from "../components/field.tsx";
import type { SeriesInfo } from "../contract.ts";
import { t } from "../i18n.ts";
import { coloursOf, found, labelOf, MOST, nameOf, ownerName } from "./signals.ts";

interface Props {
  known: readonly SeriesInfo[];
  keys: readonly string[];
  onKeys: (keys: string[]) => void;
}

export function SignalPicker({ known, keys, onKeys }: Props) {
  const [part, setPart] = useState("");
  const groups = found(known, part);
  const isFull = keys.length >= MOST;
  const toggle = (key: string) =>
    onKeys(keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key]);
  return (
    <div class="picker">
      <Chips known={known} keys={keys} onRemove={toggle} />
      <details open={keys.length === 0}>
        <summary>{t("history.choose", { count: known.length })}</summary>
        <div class="picker-all">
          <Field label={t("history.search")} value={part} onValue={setPart} autocomplete="off" />
          {isFull && <p class="hint">{t("history.most", { count: MOST })}</p>}
          {groups.length === 0 && <p class="muted">{t("history.none_found", { part })}</p>}
          <div class="picker-groups">
            {groups.map(([owner, rows]) => (
              <fieldset key={owner}>
                <legend>{ownerName(owner)}</legend>
                {rows.map((one) => (
                  <Choice
                    key={one.key}
                    one={one}
                    isChosen={keys.includes(one.key)}
                    isFull={isFull}
                    onToggle={() => toggle(one.key)}
                  />
                ))}
              </fieldset>
            ))}
          </div>
        </div>
      </details>
    </div>
  );
}

interface ChoiceProps {
  one: SeriesInfo;
  isChosen: boolean;
  isFull: boolean;
  onToggle: () => void;
}

function Choice({ one, isChosen, isFull, onToggle }: ChoiceProps) {
  const id = useId();
  return (
    <div class="picker-choice">
      <input
        type="checkbox" id={id} checked={isChosen} disabled={isFull && !isChosen}
        onChange={onToggle}
      />
      <label for={id}>
        {nameOf(one.key)} <span class="muted">{one.unit === "state" ? "" : one.unit}</span>
      </label>
    </div>
  );
}

interface ChipsProps {
  known: readonly SeriesInfo[];
  keys: readonly string[];
  onRemove: (key: string) => void;
}

function Chips({ known, keys, onRemove }: ChipsProps) {
  const colours = coloursOf(keys, (key) => known.find((one) => one.key === key)?.unit ?? "");
  if (keys.length === 0) return <p class="muted">{t("history.none_chosen")}</p>;
  return (
    <ul class="chips" aria-label={t("history.chosen")}>
      {keys.map((key) => (
        <li key={key}>
          <span class="line-key" style={{ color: `var(${colours.get(key)})` }} aria-hidden="true" />
          {labelOf(key)}
          <button
            type="button" class="link" aria-label={t("history.remove", { name: labelOf(key) })}
            onClick={() => onRemove(key)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
