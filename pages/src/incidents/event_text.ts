/** An event of the audit log in the reader's language; of rarer kinds, as the site tells it. */
import type { AuditEvent, AuditLine, Quantity } from "../contract.ts";
import { amount } from "../format.ts";
import { named, t } from "../i18n.ts";
import { boundName } from "../limits.ts";
import { findingName } from "./words.tsx";

type Kind = AuditEvent["kind"];
type OfKind<Name extends Kind> = Extract<AuditEvent, { kind: Name }>;

const WORDS: { [Name in Kind]?: (event: OfKind<Name>) => string } = {
  state: ({ source, target, reasons }) =>
    because(
      t("event.state", { from: named("state", source), to: named("state", target) }), reasons,
    ),
  finding_raised: ({ owner, row, level, text }) =>
    `${named("level", level)}: ${findingName(`${owner}/${row}`)}. ${text}`,
  finding_cleared: ({ owner, row, text }) =>
    t("event.cleared", { name: findingName(`${owner}/${row}`), text }),
  quantity: ({ quantity }) => setpointText(quantity),
  latches: ({ emergency_stop, faults }) => {
    const stop = emergency_stop ? [t("limit.emergency_stop")] : [];
    const names = [...stop, ...faults.map(findingName)].join(", ");
    return names ? t("event.latched", { names }) : t("event.unlatched");
  },
  command: ({ command, accepted, reason }) =>
    because(
      t(accepted ? "event.accepted" : "event.refused", { command: named("command", command) }),
      reason ? [reason] : [],
    ),
};

export function eventText({ event, text }: AuditLine): string {
  const words = WORDS[event?.kind as Kind] as ((event: unknown) => string) | undefined;
  return words ? words(event) : text;
}

const because = (what: string, reasons: readonly string[]): string =>
  reasons.length > 0 ? `${what}: ${reasons.join("; ")}` : what;

function setpointText({ owner, name, unit, written, asked, source, limited_by }: Quantity): string {
  const told = t("event.setpoint", {
    what: `${named("quantity", name)} · ${owner}`,
    value: amount(written, unit),
  });
  const isAsAsked = asked === written;
  const wish = t("event.asked", { source: named("source", source), value: amount(asked, unit) });
  const limit = limited_by ? [t("layer.limited_by", { row: boundName(limited_by) })] : [];
  return [told, ...(isAsAsked ? [] : [wish]), ...limit].join(". ");
}
