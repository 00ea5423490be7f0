/** One thing that is known, by its name, in a list of facts. */
import type { ComponentChildren } from "preact";

interface Props {
  name: string;
  isFigure?: boolean;
  children: ComponentChildren;
}

export function Fact({ name, isFigure = false, children }: Props) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isFigure ? "figure" : undefined}>{children}</dd>
    </div>
  );
}
