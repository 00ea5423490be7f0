/** One thing to fill in, with its name, a hint, and what is wrong with it. */
import type { InputHTMLAttributes } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  error?: string;
  type?: "text" | "password" | "number" | "datetime-local" | "date";
  inputMode?: "numeric";
  autocomplete?: string;
  required?: boolean;
  disabled?: boolean;
  min?: number | string;
  max?: number | string;
  step?: number;
}

export function Field({ label, value, onValue, hint, error, type = "text", ...others }: Props) {
  const id = useId();
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  // Which attributes go with which type, preact's types want to know one by one.
  const attributes = {
    ...others,
    type,
    ...(told ? { "aria-describedby": told } : {}),
    ...(error ? { "aria-invalid": true } : {}),
  } as InputHTMLAttributes<HTMLInputElement>;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...attributes}
        id={id}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
