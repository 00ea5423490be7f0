/** Wall time of the site, as an input of a form has it, to and from UTC. */

const INPUT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/;
const MINUTE_MS = 60_000;

/** Returns the wall time in `zone`, such as 2026-11-30T14:15. */
export function toInput(when: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(when);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

/** Returns the moment of a wall time; null if there is none, as in a night in March. */
export function fromInput(text: string, zone: string): Date | null {
  const read = INPUT.exec(text);
  if (!read) return null;
  const [year, month, day, hour, minute] = read.slice(1).map(Number) as [
    number, number, number, number, number,
  ];
  const wished_ms = Date.UTC(year, month - 1, day, hour, minute);
  let found_ms = wished_ms;
  // The offset at the first guess may be that of the other side of a change: twice is enough.
  for (let turn = 0; turn < 2; turn++) found_ms = wished_ms - offset_ms(found_ms, zone);
  const found = new Date(found_ms);
  return toInput(found, zone) === text ? found : null;
}

/** How far the clocks in `zone` are ahead of UTC. */
function offset_ms(at_ms: number, zone: string): number {
  const wall_ms = Date.parse(`${toInput(new Date(at_ms), zone)}Z`);
  return wall_ms - Math.floor(at_ms / MINUTE_MS) * MINUTE_MS;
}

/** Returns the start of a day of the site, `days` after that of `when`. */
export function dayStart(when: Date, zone: string, days = 0): Date {
  const [year, month, day] = toInput(when, zone).slice(0, 10).split("-").map(Number) as [
    number, number, number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day + days)).toISOString().slice(0, 10);
  return fromInput(`${date}T00:00`, zone) ?? new Date(Date.parse(`${date}T00:00Z`));
}
