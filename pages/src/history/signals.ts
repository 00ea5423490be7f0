/** The series of the history for people: how they are called, whose they are, how they look. */
import type { SeriesInfo } from "../contract.ts";
import { named, t } from "../i18n.ts";

const SITE = "site";
const COLOURS = [
  "--grid", "--pv", "--load", "--battery", "--price", "--line-teal", "--line-olive", "--line-brown",
];
/** More would be a picture that nobody can read. */
export const MOST = COLOURS.length;
const USUAL_COLOURS: Record<string, string> = {
  grid_power_w: "--grid", pv_power_w: "--pv", load_power_w: "--load",
  battery_power_w: "--battery", soc_pct: "--battery",
};
const AT_FIRST = /^(site\/(grid|pv|load)_power_w|[^/]+\/(battery_power_w|soc_pct))$/;

export const ownerOf = (key: string): string => key.split("/")[0] ?? "";

export const ownerName = (owner: string): string => (owner === SITE ? t("history.site") : owner);

/** Returns what a series tells, without whose it is: a reading, or a layer of a setpoint. */
export function nameOf(key: string): string {
  const [, name = "", layer] = key.split("/");
  if (layer === undefined) return named("signal", name);
  return t("history.layer", { what: named("quantity", name), layer: named("layer", layer) });
}

/** Returns what a series tells, and whose it is unless the site's. */
export function labelOf(key: string): string {
  const owner = ownerOf(key);
  return owner === SITE ? nameOf(key) : `${nameOf(key)} · ${owner}`;
}

/** Returns those to begin with: the powers of the site, and its batteries. */
export const usual = (known: readonly SeriesInfo[]): string[] =>
  known.map((one) => one.key).filter((key) => AT_FIRST.test(key)).slice(0, MOST);

/** Returns those whose names have `part` in them, by owner: the site's first. */
export function found(known: readonly SeriesInfo[], part: string): [string, SeriesInfo[]][] {
  const wanted = part.trim().toLowerCase();
  const groups = new Map<string, SeriesInfo[]>();
  for (const one of known) {
    if (!`${one.key} ${labelOf(one.key)} ${one.unit}`.toLowerCase().includes(wanted)) continue;
    const owner = ownerOf(one.key);
    groups.set(owner, [...(groups.get(owner) ?? []), one]);
  }
  const order = ([owner]: [string, SeriesInfo[]]) => (owner === SITE ? "" : owner);
  return [...groups].sort((one, other) => order(one).localeCompare(order(other)));
}

/** Returns a colour for each key: the usual one, unless another of its unit has that. */
export function coloursOf(
  keys: readonly string[], unitOf: (key: string) => string,
): Map<string, string> {
  const given = new Map<string, string>();
  for (const key of keys) {
    const taken = [...given]
      .filter(([other]) => unitOf(other) === unitOf(key))
      .map(([, colour]) => colour);
    const usualOne = USUAL_COLOURS[key.split("/").at(-1) ?? ""] ?? "";
    const wished = [usualOne, ...COLOURS].filter(Boolean);
    given.set(key, wished.find((colour) => !taken.includes(colour)) ?? (COLOURS[0] as string));
  }
  return given;
}
