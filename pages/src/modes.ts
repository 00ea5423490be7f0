/** The modes of a plan in words, how they look, and what is kept beside them. */
import type { AskedBy, ManualMode, PlanSlot, SlotMode, SlotTerms } from "./contract.ts";
import { amount } from "./format.ts";
import { type Key, named, t } from "./i18n.ts";

/** A power is told by what it does; to rest is the same by any name. */
export type Look = ManualMode | Exclude<SlotMode, "power" | "passive">;
export const LOOKS: readonly Look[] = [
  "charge", "discharge", "self_consumption", "hold", "rest", "stand_aside", "charge_only", "soc",
  "full_charge", "pv_optimizer", "peak_shaving", "load_balancer", "commercial",
];

/** Who may ask, the strongest first. */
export const ASKERS: readonly AskedBy[] = [
  "operator", "grid_operator", "rule", "schedule", "plan", "default",
];

export function lookOf(slot: Pick<PlanSlot, "mode" | "battery_power_w">): Look {
  if (slot.mode === "passive") return "rest";
  if (slot.mode !== "power") return slot.mode;
  if (slot.battery_power_w === 0) return "rest";
  return slot.battery_power_w > 0 ? "charge" : "discharge";
}

/** What is told of each term: its text, and its unit. */
const TERMS: [keyof SlotTerms, Key, string][] = [
  ["grid_target_w", "term.grid_target_w", "W"],
  ["soc_target_pct", "term.soc_target_pct", "%"],
  ["soc_ceiling_pct", "term.soc_ceiling_pct", "%"],
  ["reserve_pct", "term.reserve_pct", "%"],
  ["import_max_w", "term.import_max_w", "W"],
  ["export_max_w", "term.export_max_w", "W"],
  ["import_mean_max_w", "term.import_mean_max_w", "W"],
];

/** What is kept beside a mode, in words; empty if nothing is. */
export const termsTold = (terms: SlotTerms): string =>
  TERMS.filter(([term]) => terms[term] !== null)
    .map(([term, key, unit]) => t(key, { value: amount(terms[term], unit) }))
    .join("; ");

/** The planner says "schedule night": what is left is the name that somebody gave it. */
const ASKED = /^(?:asked by|grid operator|rule|schedule) (.+)$/;

/** Who decides in a slot, by kind and by name. */
export function askerTold(by: AskedBy, asked: readonly string[]): string {
  const name = by === "plan" || by === "default" ? undefined : ASKED.exec(asked[0] ?? "")?.[1];
  return name === undefined ? named("source", by) : `${named("source", by)}: ${name}`;
}
