/** How near a value is to where Holdfast acts. */
import type { Tone } from "./components/pill.tsx";
import type { Finding, Limit, Snapshot } from "./contract.ts";
import { named } from "./i18n.ts";
import { good } from "./power.ts";

export interface Margin {
  value: number;
  /** The first level at which something is done: a warning only tells. */
  acts: number;
  /** How far it is to there, in the limit's unit. */
  left: number;
  /** Share of the way that is used: 0 is far off, 1 is there. */
  used: number;
  /** Where on the way the warning is; null if there is none. */
  warns: number | null;
}

/** The way to a limit without an opposite is at least so long, in its unit. */
const LEAST_WAY: Record<string, number> = { "°C": 25, K: 5, V: 0.1, W: 100, A: 10, Hz: 1, "%": 50 };

/** Limits that are only met or not, such as a watchdog's, have no way to go. */
const hasWay = (limit: Limit): boolean => limit.unit !== "0/1";

const actsAt = ({ levels }: Limit): number =>
  levels["alarm"] ?? levels["trip"] ?? levels["warning"] ?? NaN;

/** Returns null if the value is not known, or there is no way to go. */
export function marginOf(limit: Limit, now: Snapshot): Margin | null {
  const value = good(now.readings[limit.owner]?.[limit.signal]);
  const left = limit.margin;
  if (value === null || left === null || !hasWay(limit)) return null;
  const acts = actsAt(limit);
  const isHigh = Math.abs(acts - value - left) <= Math.abs(value - acts - left);
  const way = wayTo(limit, acts, isHigh, now.limits);
  const warning = limit.levels["warning"];
  return {
    value,
    acts,
    left,
    used: share(1 - left / way),
    warns: warning === undefined ? null : share(1 - Math.abs(acts - warning) / way),
  };
}

/** From the middle between a limit and its opposite; without one, as far as the limit is from 0. */
function wayTo(limit: Limit, acts: number, isHigh: boolean, all: readonly Limit[]): number {
  const opposite = limit.row.replace(/_(high|low)$/, isHigh ? "_low" : "_high");
  const other = all.find((one) => one.owner === limit.owner && one.row === opposite);
  if (other && other !== limit) return Math.abs(acts - actsAt(other)) / 2;
  return Math.max(Math.abs(acts), LEAST_WAY[limit.unit] ?? 1);
}

const share = (value: number): number => Math.min(1, Math.max(0, value));

/** Those nearest to acting, the nearest first. */
export function nearest(now: Snapshot, count: number): Limit[] {
  const used = (limit: Limit) => marginOf(limit, now)?.used ?? -1;
  return now.limits
    .filter((limit) => used(limit) >= 0)
    .sort((one, other) => used(other) - used(one))
    .slice(0, count);
}

/** These are found on each day on which the battery becomes full or empty. */
const DAILY: readonly string[] = [
  "soc_high", "soc_low", "bms_forbids_charge", "bms_forbids_discharge",
];

interface Found {
  row: string;
  level: string;
  /** Not every record tells it. */
  reaction?: string;
}

/** As the glance judges: what trips is a fault; a warning, and what is found daily, is news. */
export function toneOfFinding({ row, level, reaction }: Found): Tone {
  if (level === "trip" || reaction === "trip" || reaction === "emergency_stop") return "fault";
  return level === "warning" || DAILY.includes(row) ? "info" : "attention";
}

export function toneOfFindings(findings: readonly Finding[]): Tone {
  const tones = findings.map(toneOfFinding);
  const worst: readonly Tone[] = ["fault", "attention", "info"];
  return worst.find((tone) => tones.includes(tone)) ?? "ok";
}

/** A limit is as its finding says, and before there is one, as near as its warning. */
export function toneOfLimit(limit: Limit, margin: Margin | null, now: Snapshot): Tone {
  const finding = now.findings.find((one) => one.owner === limit.owner && one.row === limit.row);
  if (finding) return toneOfFinding(finding);
  if (margin === null) return hasWay(limit) || limit.margin === null ? "unknown" : "ok";
  if (margin.left <= 0) return "info"; // an owner's wish, such as how full: it is kept, no more
  return margin.warns !== null && margin.used >= margin.warns ? "attention" : "ok";
}

/** Returns what a limit or fault is called; one of data is told with the device that they come from. */
export function rowName(row: string): string {
  const [, role, fault] = /^(.+)_(data_[a-z]+)$/.exec(row) ?? [];
  if (role === undefined || fault === undefined) return named("limit", row);
  return `${named("limit", fault)} (${named("device_role", role)})`;
}

/** Returns what bounds a setpoint, which may be told as owner/row. */
export const boundName = (by: string): string => rowName(by.split("/").at(-1) ?? by);
