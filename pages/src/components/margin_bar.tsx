/** How much of the way to a limit is used, as a bar with its numbers. */
import type { Limit, Snapshot } from "../contract.ts";
import { amount } from "../format.ts";
import { named, t } from "../i18n.ts";
import { marginOf, toneOfLimit } from "../limits.ts";

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

interface Props {
  limit: Limit;
  now: Snapshot;
  /** Whether it has to be said whose limit it is. */
  withOwner?: boolean;
}

export function MarginBar({ limit, now, withOwner = false }: Props) {
  const margin = marginOf(limit, now);
  const name = `${named("limit", limit.row)} · ${limit.owner}`;
  const told = margin
    ? t("margin.left", { left: amount(margin.left, limit.unit), acts: amount(margin.acts, limit.unit) })
    : t("value.unknown");
  return (
    <div class={`margin ${toneOfLimit(limit, margin, now)}`}>
      <div class="margin-text">
        <span class="margin-name">
          {named("limit", limit.row)}
          {withOwner && <span class="muted"> {limit.owner}</span>}
        </span>
        <span class="figure">{amount(margin?.value, limit.unit)}</span>
      </div>
      <div
        class="bar"
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={margin ? Math.round(margin.used * 100) : 0}
        aria-valuetext={told}
      >
        <div class="bar-fill" style={{ width: percent(margin?.used ?? 0) }} />
        {margin?.warns != null && <div class="bar-tick" style={{ left: percent(margin.warns) }} />}
      </div>
      <p class="margin-told">{told}</p>
    </div>
  );
}
