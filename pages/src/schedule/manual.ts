/** What people ask of the batteries for a while, in the place of the plan. */
import { ApiError, ask } from "../api.ts";
import type { ManualMode, ManualSlot } from "../contract.ts";
import { amount, clock, dayAndClock } from "../format.ts";
import { named, t } from "../i18n.ts";
import { asText, dateOf, instantOf } from "../dates.ts";
import type { Look } from "../modes.ts";

export interface Manual {
  slots: ManualSlot[];
  /** Why nothing of it counts; empty if it does. */
  problem: string;
  /** The most that may be asked for, of all batteries together. */
  power_max_w: Record<PoweredMode, number>;
}

export type PoweredMode = "charge" | "discharge";
export const MODES: readonly ManualMode[] = [
  "charge", "discharge", "self_consumption", "hold", "rest",
];
export const isPowered = (mode: Look): mode is PoweredMode =>
  mode === "charge" || mode === "discharge";

const MINUTE_MS = 60_000;
const LONGEST_MS = 24 * 60 * MINUTE_MS;
const AHEAD_MS = 7 * LONGEST_MS;

/** What is typed, before it is known to make sense. `start` and `end` are of the site's clock. */
export interface Draft {
  mode: ManualMode;
  power: string;
  begins: "now" | "at";
  start: string;
  /** How many minutes it lasts; or "at": until `end`. */
  lasts: string;
  end: string;
}

export interface Wish {
  start: string | null;
  end: string;
  mode: ManualMode;
  power_w: number | null;
}

export type Mistakes = Partial<Record<"power" | "start" | "end", string>>;

/** Says what is wrong with a draft, by field; nothing if it can be sent. */
export function mistakes(draft: Draft, manual: Manual, now_ms: number): Mistakes {
  const { start_ms, end_ms } = times(draft, now_ms);
  return Object.fromEntries(
    Object.entries({
      power: wrongPower(draft, manual),
      start: draft.begins === "at" ? wrongTime(draft.start) : undefined,
      end: draft.lasts === "at" ? (wrongTime(draft.end) ?? wrongEnd(start_ms, end_ms, now_ms))
        : wrongEnd(start_ms, end_ms, now_ms),
    }).filter(([, wrong]) => wrong !== undefined),
  ) as Mistakes;
}

function wrongPower(draft: Draft, manual: Manual): string | undefined {
  if (!isPowered(draft.mode)) return undefined;
  const most_w = manual.power_max_w[draft.mode];
  const power_w = powerOf(draft);
  return power_w !== null && power_w > 0 && power_w <= most_w
    ? undefined
    : t("schedule.wrong_power", { most: amount(most_w, "W") });
}

const wrongTime = (local: string): string | undefined =>
  Number.isNaN(instantOf(local)) ? t("schedule.no_time") : undefined;

function wrongEnd(start_ms: number, end_ms: number, now_ms: number): string | undefined {
  if (!(end_ms > start_ms && end_ms > now_ms)) return t("schedule.end_before_start");
  if (end_ms - Math.max(start_ms, now_ms) > LONGEST_MS) return t("schedule.too_long");
  return end_ms > now_ms + AHEAD_MS ? t("schedule.too_far") : undefined;
}

export function times(draft: Draft, now_ms: number): { start_ms: number; end_ms: number } {
  const start_ms = draft.begins === "now" ? now_ms : instantOf(draft.start);
  const end_ms =
    draft.lasts === "at"
      ? instantOf(draft.end)
      : start_ms + Number(draft.lasts) * MINUTE_MS;
  return { start_ms, end_ms };
}

/** Whole watts; null if it is no number. */
const powerOf = (draft: Draft): number | null =>
  /^\d{1,7}$/.test(draft.power.trim()) ? Number(draft.power) : null;

/** What is sent of a draft without mistakes. */
export function wishOf(draft: Draft, now_ms: number): Wish {
  const { start_ms, end_ms } = times(draft, now_ms);
  return {
    start: draft.begins === "now" ? null : asText(start_ms),
    end: asText(Math.ceil(end_ms / 1000) * 1000),
    mode: draft.mode,
    power_w: isPowered(draft.mode) ? powerOf(draft) : null,
  };
}

export const add = (wish: Wish): Promise<ManualSlot> => ask("POST", "manual", wish);

const GONE = 404;

/** What has ended by itself meanwhile is gone, as was wished. */
export async function remove(id: string): Promise<void> {
  try {
    await ask("DELETE", `manual/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== GONE) throw error;
  }
}

/** Puts a wish in the place of a slot.
 *
 * The new one is asked for first, and cuts what it overlaps: if it is refused nothing is lost. What
 * it left of the old one goes then; those are the pieces that were made in the same instant.
 */
export async function replace(old: ManualSlot, wish: Wish): Promise<void> {
  const added = await add(wish);
  const { slots } = await ask<Manual>("GET", "manual");
  const left = slots.filter((slot) => slot.made === old.made && slot.by === old.by);
  for (const slot of left) if (slot.id !== added.id) await remove(slot.id);
}

/** What a slot asks for, in words. */
export const told = (mode: Look, power_w: number | null): string =>
  isPowered(mode)
    ? t("schedule.with_power", { mode: named("mode", mode), power: amount(power_w, "W") })
    : named("mode", mode);

/** What somebody asked for; and for whom, if he stands aside. */
export const slotTold = ({ mode, power_w, owner }: ManualSlot): string =>
  owner
    ? t("schedule.aside_for", { mode: told(mode, power_w), name: owner })
    : told(mode, power_w);

export const holds = (slot: { start: string; end: string }, now_ms: number): boolean =>
  Date.parse(slot.start) <= now_ms && now_ms < Date.parse(slot.end);

/** The day of the end stands there only if it is another one. */
export const fromTo = (start: string | number, end: string | number): string =>
  t("schedule.from_to", {
    start: dayAndClock(start),
    end: dateOf(start) === dateOf(end) ? clock(end) : dayAndClock(end),
  });
