/** The site's powers as the picture shows them: grid = load + battery − PV. */
import type { Reading, Snapshot } from "./contract.ts";

export interface Battery {
  name: string;
  power_w: number | null;
  soc_pct: number | null;
}

export interface Powers {
  grid_w: number | null;
  pv_w: number | null;
  /** What the house uses; without a measurement of PV it is what is left beside the batteries. */
  load_w: number | null;
  battery_w: number | null;
  batteries: Battery[];
  /** Whether the site tells what its PV gives. */
  hasPv: boolean;
}

const SITE = "site";

export const good = (reading: Reading | undefined): number | null =>
  reading?.quality === "good" ? reading.value : null;

const sum = (values: (number | null)[]): number | null =>
  values.some((value) => value === null)
    ? null
    : values.reduce<number>((total, value) => total + (value ?? 0), 0);

export const powers = (now: Snapshot | null): Powers => powersOf(now?.readings ?? {});

/** The same of readings by owner and signal, such as those of a moment that is past. */
export function powersOf(readings: Snapshot["readings"]): Powers {
  const site = readings[SITE] ?? {};
  const batteries = Object.entries(readings)
    .filter(([owner, signals]) => owner !== SITE && "battery_power_w" in signals)
    .map(([name, signals]) => ({
      name,
      power_w: good(signals["battery_power_w"]),
      soc_pct: good(signals["soc_pct"]),
    }));
  const hasPv = "pv_power_w" in site;
  const [grid_w, pv_w] = [good(site["grid_power_w"]), good(site["pv_power_w"])];
  const battery_w = batteries.length === 0 ? null : sum(batteries.map((one) => one.power_w));
  const rest_w = sum([grid_w, battery_w === null ? null : -battery_w]);
  const load_w = hasPv ? sum([rest_w, pv_w]) : rest_w;
  return {
    grid_w,
    pv_w,
    load_w: load_w === null || !hasPv ? load_w : Math.max(0, load_w),
    battery_w,
    batteries,
    hasPv,
  };
}
