/** An incident at any of its moments: what was so then, from its events and the history. */
import type { Span } from "../chart/series.ts";
import type {
  AuditEvent, AuditLine, History, Incident, IncidentInFull, Quantity, Reading, SeriesInfo, Snapshot,
  State,
} from "../contract.ts";

/** So much before and after belongs to an incident, and so much of a long one is told. */
const AROUND_MS = 60_000;
const LONGEST_MS = 3_600_000;
const MOST_SERIES = 20;
/** So long what an event tells is newer than what is recorded of its second. */
const FRESH_MS = 2000;
const READINGS = /^(site\/(grid|pv)_power_w|[^/]+\/(battery_power_w|soc_pct))$/;
/** In the order in which a setpoint goes through them. */
const LAYERS = ["asked", "permitted", "ramped", "written", "read_back", "measured"];

export function spanOf({ start, end }: Incident, now_ms: number): Span {
  const start_ms = Date.parse(start);
  const end_ms = end === null ? now_ms : Date.parse(end);
  return {
    start_ms: start_ms - AROUND_MS,
    end_ms: Math.min(end_ms, start_ms + LONGEST_MS) + AROUND_MS,
  };
}

export const isLayer = (key: string): boolean => key.includes("/battery_power/");

/** Returns the series that the picture and the setpoints are made of. */
export function keysOf(known: readonly SeriesInfo[]): string[] {
  const keys = known.map((one) => one.key);
  const layers = LAYERS.flatMap((layer) =>
    keys.filter((key) => key.endsWith(`/battery_power/${layer}`)),
  );
  return [...keys.filter((key) => READINGS.test(key)), ...layers].slice(0, MOST_SERIES);
}

/** Returns the index of the last event that is not after `at_ms`; -1 before the first. */
export const eventAt = (events: readonly AuditLine[], at_ms: number): number =>
  events.findLastIndex((line) => Date.parse(line.utc) <= at_ms);

type Kind<Name extends AuditEvent["kind"]> = Extract<AuditEvent, { kind: Name }>;

/** Those events of one kind, with their times, oldest first. */
function ofKind<Name extends AuditEvent["kind"]>(
  events: readonly AuditLine[], kind: Name,
): { at_ms: number; event: Kind<Name> }[] {
  return events
    .filter((line) => line.event?.kind === kind)
    .map((line) => ({ at_ms: Date.parse(line.utc), event: line.event as Kind<Name> }));
}

/** Returns the events without those that only tell how a setpoint went on as it was asked. */
export function condensed(events: readonly AuditLine[]): AuditLine[] {
  const last = new Map<string, string>();
  return events.filter(({ event }) => {
    if (event?.kind !== "quantity") return true;
    const { quantity } = event;
    const why = [quantity.source, quantity.reason, quantity.limited_by].join("\n");
    const isNews = last.get(nameOf(quantity)) !== why;
    last.set(nameOf(quantity), why);
    return isNews;
  });
}

/** Returns the state then; before the first change, the one that it came from. */
export function stateAt(events: readonly AuditLine[], at_ms: number): State | null {
  const changes = ofKind(events, "state");
  const last = changes.findLast((change) => change.at_ms <= at_ms);
  return last?.event.target ?? changes[0]?.event.source ?? null;
}

/** Returns each setpoint as it was last told, and with its layers as they were recorded since. */
export function setpointsAt(
  full: IncidentInFull, history: History | null, at_ms: number,
): Quantity[] {
  const told = new Map<string, { at_ms: number; quantity: Quantity }>();
  const start_ms = Date.parse(full.incident.start);
  const changes = ofKind(full.events, "quantity").map((change) => ({
    at_ms: change.at_ms, quantity: change.event.quantity,
  }));
  for (const quantity of full.setpoints) {
    const name = nameOf(quantity);
    const before = changes.filter((one) => one.at_ms < start_ms && nameOf(one.quantity) === name);
    // They are those of just before the incident: what changed shortly before was not so yet.
    const isYetToCome = before.some((one) => one.at_ms > at_ms);
    told.set(name, { at_ms: -Infinity, quantity: isYetToCome ? bare(quantity) : quantity });
  }
  for (const change of changes) {
    if (change.at_ms <= at_ms) told.set(nameOf(change.quantity), change);
  }
  return [...told.values()].map((one) =>
    at_ms - one.at_ms < FRESH_MS ? one.quantity : recorded(one.quantity, history, at_ms),
  );
}

const nameOf = ({ owner, name }: Quantity): string => `${owner}/${name}`;

/** The same setpoint at a time of which only the history may know. */
function bare(quantity: Quantity): Quantity {
  const unknown = Object.fromEntries(LAYERS.map((layer) => [layer, null]));
  return {
    ...quantity, ...unknown, source: "", reason: "", limited_by: "", low: null, high: null,
  } as Quantity;
}

/** A layer goes on after it was told: a ramp climbs, and a device shows what it does. */
function recorded(quantity: Quantity, history: History | null, at_ms: number): Quantity {
  if (!history) return quantity;
  const values = LAYERS.map((layer) => [
    layer, valueAt(history, `${nameOf(quantity)}/${layer}`, at_ms),
  ]);
  const known = Object.fromEntries(values.filter(([, value]) => value !== null));
  return { ...quantity, ...known } as Quantity;
}

/** Returns a recorded value; null where there is none at this moment. */
export function valueAt(history: History, key: string, at_ms: number): number | null {
  const series = history.series[key];
  if (!series) return null;
  const at_s = (at_ms - Date.parse(history.start)) / 1000;
  const index = series.t.findLastIndex((time) => time <= at_s);
  const isThere = index >= 0 && at_s - (series.t[index] ?? 0) < history.step_s;
  return isThere ? (series.mean[index] ?? null) : null;
}

/** Returns what was read then, as a snapshot has it. */
export function readingsAt(history: History | null, at_ms: number): Snapshot["readings"] {
  const readings: Record<string, Record<string, Reading>> = {};
  for (const [key, { unit }] of Object.entries(history?.series ?? {})) {
    const [owner = "", signal = "", layer] = key.split("/");
    if (layer !== undefined || !history) continue;
    const value = valueAt(history, key, at_ms);
    const quality = value === null ? "missing" : "good";
    (readings[owner] ??= {})[signal] = { value, unit, quality, age_s: 0 };
  }
  return readings;
}

/** Who ended it: the account and the command, as far as they are on record. */
export interface Ended {
  who: string | null;
  command: string | null;
}

/** Returns null while it lasts, and where its end is not among the events. */
export function endedBy({ incident, events }: IncidentInFull): Ended | null {
  if (incident.end === null) return null;
  const end_ms = Date.parse(incident.end);
  const upTo = events.filter((line) => Date.parse(line.utc) <= end_ms);
  const isReset = (name: string) => name.includes("reset");
  const command = ofKind(upTo, "command")
    .map(({ event }) => event)
    .findLast((event) => event.accepted && isReset(event.command));
  const act = ofKind(upTo, "operator")
    .map(({ event }) => event)
    .findLast((event) => event.accepted && isReset(event.what));
  if (!command && !act) return null;
  return { who: act?.who ?? null, command: command?.command ?? act?.what ?? null };
}
