/** A few ways to see the same thing, one of which holds. */

interface Props<T extends string> {
  label: string;
  value: T;
  choices: readonly T[];
  textOf: (choice: T) => string;
  onChoose: (choice: T) => void;
}

export function Segments<T extends string>({ label, value, choices, textOf, onChoose }: Props<T>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={choice === value}
          onClick={() => onChoose(choice)}
        >
          {textOf(choice)}
        </button>
      ))}
    </div>
  );
}
