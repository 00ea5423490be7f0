/** Who decides, and how somebody who looks takes over; and why he cannot. */
import type { ManualSlot, Snapshot } from "../contract.ts";
import { dayAndClock } from "../format.ts";
import { named, t } from "../i18n.ts";
import { may } from "../session.ts";

export function takeOver(now: Snapshot | null, held: ManualSlot | undefined): string {
  if (now === null) return t("take_over.not_known");
  if (now.authority === "observe") return t("take_over.observes");
  if (now.state === "stopped" || now.state === "error") return t("take_over.latched");
  if (now.state !== "running") return t("take_over.not_running");
  if (now.mode === null) return t("take_over.nobody", { reason: now.request_reason });
  const who = named("source", now.mode.by);
  if (held === undefined) return t("take_over.leads", { who });
  return now.mode.by === "operator"
    ? t("take_over.held", { time: dayAndClock(held.end) })
    : t("take_over.waits", { who });
}

/** Why nothing can be asked for: it would never have an effect, or it would be refused. */
export function whyNot(now: Snapshot | null): string | undefined {
  if (!may("plan.override")) return t("schedule.not_allowed");
  return now?.authority === "observe" ? t("take_over.observes") : undefined;
}
