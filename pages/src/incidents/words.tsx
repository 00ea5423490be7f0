/** How an incident is told: how long it lasted, what it led to, and what was found first. */
import { Pill, type Tone } from "../components/pill.tsx";
import type { Incident, State } from "../contract.ts";
import { span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { rowName } from "../limits.ts";

const TONES: Record<State, Tone> = {
  boot: "info", idle: "info", running: "ok", error: "fault", stopped: "fault",
};

export function StatePill({ state }: { state: State | null }) {
  return (
    <Pill tone={state ? TONES[state] : "unknown"}>
      {state ? named("state", state) : t("value.unknown")}
    </Pill>
  );
}

/** Something may be latched without the site having been in operation. */
export function LedTo({ state }: { state: State | null }) {
  if (state) return <StatePill state={state} />;
  return <Pill tone="attention">{t("incidents.no_state")}</Pill>;
}

export function lasted({ start, end }: Incident): string {
  if (end === null) return t("incidents.lasts");
  return span((Date.parse(end) - Date.parse(start)) / 1000);
}

export const firstFinding = ({ first_finding }: Incident): string =>
  first_finding ? findingName(first_finding) : t("incidents.asked_for");

/** Returns the name of a finding that is told as owner/row. */
export function findingName(key: string): string {
  const [owner = "", row = ""] = key.split("/");
  return `${rowName(row)} · ${owner}`;
}
