/** How a glance looks: the colour of a fault is for faults alone. */
import type { Tone } from "./components/pill.tsx";
import type { Glance } from "./contract.ts";

const TONES: Record<Glance["verdict"], Tone> = {
  safe: "ok",
  attention: "attention",
  fault: "fault",
  stopped: "fault",
  unknown: "unknown",
};

/** What is only news, such as a warning of the weather, stays calm. */
export const toneOf = (glance: Glance): Tone =>
  glance.verdict === "attention" && glance.kind === "info" ? "info" : TONES[glance.verdict];
