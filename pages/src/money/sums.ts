/** Sums over days of which some are not known: only what is known on both sides is compared. */
import type { MoneyRow } from "../contract.ts";

export const WAYS = ["no_battery", "self_consumption", "perfect_foresight"] as const;
export type Way = (typeof WAYS)[number];

/** What it cost, and what another way would have cost, over the days of which both are known. */
export interface Comparison {
  cost: number;
  other: number;
  /** How much less it cost; < 0: more. */
  saved: number;
  days: number;
}

/** Null: both are known of no day. */
export function compare(rows: readonly MoneyRow[], way: Way): Comparison | null {
  const known = rows.filter((row) => row.cost !== null && row[way] !== null);
  if (known.length === 0) return null;
  const [cost, other] = [sum(known.map((row) => row.cost)), sum(known.map((row) => row[way]))];
  return { cost, other, saved: other - cost, days: known.length };
}

/** The sum of what is known; null if nothing is. */
export function total<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => number | null,
): number | null {
  const known = rows.map(valueOf).filter((value) => value !== null);
  return known.length === 0 ? null : sum(known);
}

const sum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((so_far, value) => so_far + (value ?? 0), 0);
