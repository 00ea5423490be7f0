/** The modes of a plan in words, how they look, and what is kept beside them. */
import type { AskedBy, ManualMode, PlanSlot, SlotMode, SlotTerms } from "./contract.ts";
import { amount } from "./format.ts";
import { type Key, named, t } from "./i18n.ts";

/** A power is told by what it does; to rest is the same by any name. */
export type Look = ManualMode | Exclude<SlotMode, "power" | "passive">;
export const LOOKS: readonly Look[] = [
  "charge", "discharge", "self_consumption", "hold", "rest", "stand_aside", "charge_only", "soc",
  "full_charge", "pv_optimizer", "peak_shaving", "load_balancer", "commercial",
  "stored_value",
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

/** What leads mode stored_value: in other modes nothing of it is followed. */
const MARKS: typeof TERMS = [
  ["buy_below_pct", "term.buy_below_pct", "%"],
  ["store_below_pct", "term.store_below_pct", "%"],
  ["serve_above_pct", "term.serve_above_pct", "%"],
  ["sell_above_pct", "term.sell_above_pct", "%"],
];

type Kept = Pick<PlanSlot, "mode" | "terms">;
const among = (terms: typeof TERMS, slot: Kept): typeof TERMS =>
  terms.filter(([term]) => slot.terms[term] !== null);
const marksOf = (slot: Kept): typeof TERMS => (slot.mode === "stored_value" ? among(MARKS, slot) : []);

/** Slots of which this is equal are told as one: marks move from slot to slot. */
export const keptKind = (slot: Kept): string =>
  JSON.stringify([
    among(TERMS, slot).map(([term]) => [term, slot.terms[term]]),
    marksOf(slot).map(([term]) => term),
  ]);

/** What is kept beside a mode, in words; empty if nothing is. It is of one kind in all slots. */
export function termsTold(slots: readonly Kept[]): string {
  const [first] = slots;
  if (!first) return "";
  return [...among(TERMS, first), ...marksOf(first)]
    .map(([term, key, unit]) => {
      const values = slots.map((slot) => slot.terms[term] ?? Number.NaN);
      const low = amount(Math.min(...values), unit);
      const high = amount(Math.max(...values), unit);
      return t(key, { value: low === high ? low : t("term.range", { low, high }) });
    })
    .join("; ");
}

/** Less is what the planner's answer leaves of nothing. */
const RESTS_W = 20;

/** What a slot is expected to do, as far as its mode leaves that open. */
export function doingOf(slot: PlanSlot): "buys" | "stores" | "serves" | "sells" | "rests" | null {
  if (slot.mode !== "stored_value" || slot.grid_power_w === null) return null;
  if (Math.abs(slot.battery_power_w) <= RESTS_W) return "rests";
  if (slot.battery_power_w > 0) return slot.grid_power_w > RESTS_W ? "buys" : "stores";
  return slot.grid_power_w < -RESTS_W ? "sells" : "serves";
}

/** The mode of a slot in words, and what it is expected to do where that is open. */
export function modeTold(slot: PlanSlot): string {
  const [mode, doing] = [named("mode", slot.mode), doingOf(slot)];
  return doing === null ? mode : t("plan.mode_doing", { mode, doing: named("doing", doing) });
}

/** The planner says "schedule night": what is left is the name that somebody gave it. */
const ASKED = /^(?:asked by|grid operator|rule|schedule) (.+)$/;

/** Who decides in a slot, by kind and by name. */
export function askerTold(by: AskedBy, asked: readonly string[]): string {
  const name = by === "plan" || by === "default" ? undefined : ASKED.exec(asked[0] ?? "")?.[1];
  return name === undefined ? named("source", by) : `${named("source", by)}: ${name}`;
}
