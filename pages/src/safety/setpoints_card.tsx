/** Each setpoint on its way, layer by layer: asked, permitted, ramped, written, read back, seen. */
import { Card } from "../components/card.tsx";
import { Note } from "../components/note.tsx";
import type { Quantity, Snapshot } from "../contract.ts";
import { amount } from "../format.ts";
import { type Key, named, t } from "../i18n.ts";
import { boundName } from "../limits.ts";

type Layer = "asked" | "permitted" | "ramped" | "written" | "read_back" | "measured";

const LAYERS: readonly { layer: Layer; name: Key }[] = [
  { layer: "asked", name: "layer.asked" },
  { layer: "permitted", name: "layer.permitted" },
  { layer: "ramped", name: "layer.ramped" },
  { layer: "written", name: "layer.written" },
  { layer: "read_back", name: "layer.read_back" },
  { layer: "measured", name: "layer.measured" },
];
/** Two layers that differ by no more than this share, or so many watts, agree. */
const AGREES_SHARE = 0.05;
const AGREES_W = 30;

export function SetpointsCard({ now }: { now: Snapshot }) {
  return (
    <Card title={t("safety.setpoints")} wide>
      {now.quantities.length === 0 && <p class="muted">{t("safety.no_setpoints")}</p>}
      {now.quantities.map((one) => <Way key={`${one.owner}/${one.name}`} quantity={one} />)}
    </Card>
  );
}

/** One setpoint through all layers. */
export function Way({ quantity }: { quantity: Quantity }) {
  const { owner, name, unit } = quantity;
  return (
    <article class="way-of" aria-label={`${named("quantity", name)} · ${owner}`}>
      <h3>
        {named("quantity", name)} <span class="muted">{owner}</span>
      </h3>
      <ol class="layers">
        {LAYERS.map(({ layer, name: label }, index) => {
          const before = LAYERS[index - 1];
          const isOther = before !== undefined && differ(quantity[before.layer], quantity[layer]);
          return (
            <li key={layer} class={isOther ? "other" : undefined}>
              <span class="layer-name">{t(label)}</span>
              <span class="layer-value">{valueOf(quantity[layer], unit)}</span>
              {isOther && <span class="unseen">{t("layer.differs")}</span>}
            </li>
          );
        })}
      </ol>
      {quantity.source && (
        <p class="muted">
          {t("layer.asked_by", {
            source: named("source", quantity.source),
            reason: quantity.reason,
          })}
        </p>
      )}
      {quantity.low !== null && quantity.high !== null && (
        <p class="muted">
          {t("layer.range", {
            low: amount(quantity.low, unit),
            low_by: boundName(quantity.low_by),
            high: amount(quantity.high, unit),
            high_by: boundName(quantity.high_by),
          })}
        </p>
      )}
      {quantity.limited_by && (
        <Note tone="info">{t("layer.limited_by", { row: boundName(quantity.limited_by) })}</Note>
      )}
    </article>
  );
}

function valueOf(value: number | null, unit: string): string {
  if (unit !== "0/1" || value === null) return amount(value, unit);
  return t(value > 0 ? "value.on" : "value.off");
}

function differ(one: number | null, other: number | null): boolean {
  if (one === null || other === null) return one !== other;
  return Math.abs(one - other) > Math.max(AGREES_W, AGREES_SHARE * Math.abs(one));
}
