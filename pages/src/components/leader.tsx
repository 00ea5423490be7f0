/** Who leads the batteries now, by which mode, what bounds it, and what would be otherwise. */
import type { ModeNow, Snapshot } from "../contract.ts";
import { amount, number, span } from "../format.ts";
import { named, t } from "../i18n.ts";
import { Fact } from "./fact.tsx";

export function Leader({ now }: { now: Snapshot }) {
  const { mode } = now;
  return (
    <>
      <Fact name={t("now.decides")}>
        {mode
          ? t("now.decides_since", { who: named("source", mode.by), time: span(mode.for_s) })
          : named("source", now.request_source)}
      </Fact>
      {mode && <Fact name={t("now.mode")}>{named("mode", mode.mode)}</Fact>}
      <Fact name={t("now.asked")} isFigure>
        {amount(now.request_w, "W")}
      </Fact>
      {mode && mode.kept_by.length > 0 && <Fact name={t("now.kept_by")}>{kept(mode)}</Fact>}
      {mode && mode.instead_by && <Fact name={t("now.instead")}>{instead(mode)}</Fact>}
      {mode && mode.verdict && (
        <Fact name={t("now.meter")}>
          {t("now.meter_told", {
            verdict: named("verdict", mode.verdict),
            rms: amount(mode.meter_rms_w, "W"),
            count: number(mode.reversals_a_minute, 1),
          })}
        </Fact>
      )}
    </>
  );
}

function kept({ kept_by, urgent }: ModeNow): string {
  const bounds = kept_by.map((bound) => named("bound", bound)).join(", ");
  return urgent ? t("now.kept_at_once", { bounds }) : bounds;
}

const instead = ({ instead_by, instead_mode, instead_w }: ModeNow): string =>
  instead_by === "passive"
    ? named("source", instead_by)
    : t("now.instead_told", {
        who: named("source", instead_by),
        mode: named("mode", instead_mode),
        power: amount(instead_w, "W"),
      });
