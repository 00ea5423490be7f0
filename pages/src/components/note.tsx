/** A sentence that wants to be noticed. */
import type { ComponentChildren } from "preact";
import { Sign, type Tone } from "./pill.tsx";

interface Props {
  tone: Tone;
  role?: "alert" | "status";
  children: ComponentChildren;
}

export function Note({ tone, role, children }: Props) {
  return (
    <div class={`note ${tone}`} {...(role ? { role } : {})}>
      <Sign tone={tone} />
      <div>{children}</div>
    </div>
  );
}
