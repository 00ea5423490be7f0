/** The power flow picture: four nodes around the house, and between them what flows. */
import { amount } from "../format.ts";
import { type Key, t } from "../i18n.ts";
import type { Powers } from "../power.ts";

type NodeName = "pv" | "grid" | "load" | "battery";

interface Spot {
  x: number;
  y: number;
  label: Key;
  /** Lines on a field of 24 by 24. */
  icon: string;
}

const CENTRE = { x: 200, y: 170 };
const RADIUS = 54;
const SPOTS: Record<NodeName, Spot> = {
  pv: {
    x: 200, y: 60, label: "node.pv",
    icon: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.5 1.5M16.9 16.9l1.5 1.5M18.4 5.6l-1.5 1.5M7.1 16.9l-1.5 1.5M12 8a4 4 0 100 8 4 4 0 000-8z",
  },
  grid: {
    x: 60, y: 170, label: "node.grid",
    icon: "M8 21l3-18h2l3 18M6 8h12M7 13h10M5 21h14M9.5 13l5 8M14.5 13l-5 8",
  },
  load: {
    x: 340, y: 170, label: "node.load",
    icon: "M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6",
  },
  battery: {
    x: 200, y: 280, label: "node.battery",
    icon: "M4 8h14v9H4zM18 11h2v3h-2z",
  },
};
/** What is less than this does not flow: meters and inverters are never quite at 0 W. */
const FLOWS_FROM_W = 10;
/** From here on the line moves at its fastest. */
const FAST_W = [500, 2500] as const;

export function PowerPicture({ flows }: { flows: Powers }) {
  /** Each is + where power goes into the house. */
  const into: Record<NodeName, number | null> = {
    pv: flows.pv_w,
    grid: flows.grid_w,
    load: flows.load_w === null ? null : -flows.load_w,
    battery: flows.battery_w === null ? null : -flows.battery_w,
  };
  const shown = (Object.keys(SPOTS) as NodeName[]).filter((name) => name !== "pv" || flows.hasPv);
  return (
    <figure class="power-picture">
      <svg viewBox="0 0 400 340" role="img" aria-label={sentence(flows)}>
        {shown.map((name) => <Line key={name} name={name} into_w={into[name]} />)}
        <circle class="hub" cx={CENTRE.x} cy={CENTRE.y} r="8" />
        {shown.map((name) => (
          <Node key={name} name={name} into_w={into[name]} flows={flows} />
        ))}
      </svg>
    </figure>
  );
}

function Line({ name, into_w }: { name: NodeName; into_w: number | null }) {
  const { x, y } = SPOTS[name];
  const path = `M${x} ${y}L${CENTRE.x} ${CENTRE.y}`;
  const flow = into_w === null || Math.abs(into_w) < FLOWS_FROM_W ? "still" : into_w > 0 ? "in" : "out";
  const speed = FAST_W.filter((limit_w) => Math.abs(into_w ?? 0) >= limit_w).length;
  return (
    <g class={`flow ${name} ${flow} speed-${speed}`}>
      <path class="bed" d={path} />
      {flow !== "still" && <path class="stream" d={path} />}
    </g>
  );
}

function Node({ name, into_w, flows }: { name: NodeName; into_w: number | null; flows: Powers }) {
  const { x, y, label, icon } = SPOTS[name];
  const soc_pct = name === "battery" ? meanSoc(flows) : null;
  return (
    <g class={`node ${name}`} transform={`translate(${x} ${y})`}>
      <circle class="rim" r={RADIUS} />
      {soc_pct !== null && <Arc share={soc_pct / 100} />}
      <g transform="translate(-11 -42) scale(.92)">
        <path class="icon" d={icon} />
      </g>
      <text class="value" y="6">
        {amount(into_w === null ? null : Math.abs(into_w), "W")}
      </text>
      <text class="what" y="24">
        {soc_pct === null ? t(label) : amount(soc_pct, "%")}
      </text>
      <text class="way" y="38">
        {way(name, into_w)}
      </text>
    </g>
  );
}

/** How full the battery is, along the rim, from the top on. */
function Arc({ share }: { share: number }) {
  const length = 2 * Math.PI * RADIUS;
  return (
    <circle
      class="arc"
      r={RADIUS}
      transform="rotate(-90)"
      stroke-dasharray={`${Math.max(0, Math.min(1, share)) * length} ${length}`}
    />
  );
}

/** The mean of all units; what is unknown of one is unknown of all. */
function meanSoc({ batteries }: Powers): number | null {
  const known = batteries.map((one) => one.soc_pct).filter((soc) => soc !== null);
  if (known.length === 0 || known.length < batteries.length) return null;
  return known.reduce((total, soc) => total + soc, 0) / known.length;
}

const WAYS: Partial<Record<NodeName, { in: Key; out: Key }>> = {
  grid: { in: "flow.import", out: "flow.export" },
  battery: { in: "flow.discharge", out: "flow.charge" },
};

function way(name: NodeName, into_w: number | null): string {
  const words = WAYS[name];
  if (!words || into_w === null) return "";
  if (Math.abs(into_w) < FLOWS_FROM_W) return t("flow.still");
  return t(into_w > 0 ? words.in : words.out);
}

/** The picture for who cannot see it. */
function sentence(flows: Powers): string {
  const part = (key: Key, power_w: number | null) =>
    `${t(key)}: ${power_w === null ? t("value.unknown") : amount(Math.abs(power_w), "W")}`;
  const grid = `${part("node.grid", flows.grid_w)} ${way("grid", flows.grid_w)}`;
  const battery_w = flows.battery_w === null ? null : -flows.battery_w;
  const battery = `${part("node.battery", battery_w)} ${way("battery", battery_w)}`;
  const soc = `${t("signal.soc_pct")}: ${amount(meanSoc(flows), "%")}`;
  const pv = flows.hasPv ? [part("node.pv", flows.pv_w)] : [];
  return [grid, ...pv, part("node.load", flows.load_w), battery, soc].join(", ");
}
