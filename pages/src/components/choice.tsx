/** One of a few things to choose. */
import { useId } from "preact/hooks";

interface Props<T extends string> {
  label: string;
  value: T;
  choices: readonly T[];
  textOf: (choice: T) => string;
  onChoose: (choice: T) => void;
  hint?: string;
  disabled?: boolean;
}

export function Choice<T extends string>(props: Props<T>) {
  const { label, value, choices, textOf, onChoose, hint, disabled = false } = props;
  const id = useId();
  return (
    <div class="field choice">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChoose(event.currentTarget.value as T)}
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {textOf(choice)}
          </option>
        ))}
      </select>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
