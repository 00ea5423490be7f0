/** Steps through days, months or years, and says which one is shown. */

interface Props {
  label: string;
  before: string;
  after: string;
  /** There is none after it. */
  isLast: boolean;
  onStep: (steps: -1 | 1) => void;
}

export function Stepper({ label, before, after, isLast, onStep }: Props) {
  return (
    <div class="stepper">
      <button type="button" aria-label={before} onClick={() => onStep(-1)}>
        ‹
      </button>
      <strong aria-live="polite">{label}</strong>
      <button type="button" aria-label={after} disabled={isLast} onClick={() => onStep(1)}>
        ›
      </button>
    </div>
  );
}
