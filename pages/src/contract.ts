/** What the API answers, as holdfast/api and docs/json.md have it. Absent is null, never 0. */

export type State = "boot" | "idle" | "running" | "error" | "stopped";
export type Role = "viewer" | "operator" | "service" | "admin";
export type Right =
  | "site.read" | "site.stop" | "site.start" | "site.reset" | "site.service_reset"
  | "plan.override" | "prices.refresh" | "history.export" | "audit.read"
  | "config.read" | "config.write" | "users.manage" | "own.account";

export interface Glance {
  verdict: "safe" | "attention" | "fault" | "stopped" | "unknown";
  headline: string;
  lines: string[];
  kind: "info" | "warning" | "fault";
}

export interface SiteStatus {
  site: string;
  version: string;
  currency: string;
  timezone: string;
  authority: string;
  fresh: boolean;
  age_s: number | null;
  utc: string | null;
  state: State | null;
  glance: Glance;
}

export interface PlannedLoad {
  name: string;
  power_w: number;
  temperature_c: number | null;
}

export type SlotMode =
  | "self_consumption" | "power" | "hold" | "passive" | "charge_only" | "soc" | "full_charge"
  | "pv_optimizer" | "peak_shaving" | "load_balancer" | "commercial" | "stored_value";

/** Who may ask, the strongest first. */
export type AskedBy =
  | "operator" | "grid_operator" | "rule" | "schedule" | "plan" | "default" | "passive";

/** What is kept beside a mode. Null: nothing is asked of it. */
export interface SlotTerms {
  grid_target_w: number | null;
  soc_target_pct: number | null;
  soc_ceiling_pct: number | null;
  reserve_pct: number | null;
  import_max_w: number | null;
  export_max_w: number | null;
  import_mean_max_w: number | null;
  /** The marks of mode stored_value, which say up to and down to where each pays. */
  buy_below_pct: number | null;
  store_below_pct: number | null;
  serve_above_pct: number | null;
  sell_above_pct: number | null;
}

export interface PlanSlot {
  start: string;
  end: string;
  mode: SlotMode;
  battery_power_w: number;
  grid_power_w: number | null;
  soc_end_pct: number | null;
  import_price_per_kwh: number;
  reason: string;
  export_limit_w: number | null;
  pv_on: boolean;
  loads: PlannedLoad[];
  device_mode: string | null;
  by: AskedBy;
  terms: SlotTerms;
}

/** Who leads the batteries, what keeps him, and what would be without him. */
export interface ModeNow {
  by: AskedBy;
  mode: SlotMode;
  for_s: number;
  /** The bounds that change what the mode asks, the weakest first. */
  kept_by: string[];
  urgent: boolean;
  /** Who would lead instead; empty if nobody may ask. */
  instead_by: AskedBy | "";
  instead_mode: SlotMode | "";
  instead_w: number | null;
  /** How well the meter is kept where it should be; empty while that is not the aim. */
  verdict: string;
  meter_rms_w: number | null;
  reversals_a_minute: number | null;
}

export interface Quantity {
  owner: string;
  name: string;
  unit: string;
  asked: number | null;
  asked_of_site: number | null;
  source: string;
  reason: string;
  low: number | null;
  low_by: string;
  high: number | null;
  high_by: string;
  limited_by: string;
  permitted: number | null;
  ramped: number | null;
  written: number | null;
  read_back: number | null;
  measured: number | null;
}

export interface Reading {
  value: number | null;
  unit: string;
  quality: string;
  age_s: number | null;
}

export interface Finding {
  owner: string;
  row: string;
  level: string;
  reaction: string;
  for_s: number;
  text: string;
}

export interface Limit {
  owner: string;
  row: string;
  signal: string;
  unit: string;
  levels: Record<string, number>;
  margin: number | null;
}

export interface Block {
  owner: string;
  row: string;
  action: string;
  text: string;
}

export interface Wear {
  closings: number;
  openings_under_load: number;
  cycles_used: number;
  cycles_rated: number;
  complete: boolean;
}

export interface Comms {
  reads: number;
  writes: number;
  errors: number;
  last_error: string;
  where: string;
  why_silent: string;
  tries: number;
  heard_s_ago: number | null;
  failed_of_last_100: number;
}

export interface Histogram {
  counts: number[];
  sum_s: number;
  max_s: number;
}

export interface Loop {
  period_s: number;
  cycles: number;
  missed: number;
  real_time: boolean;
  cycle: Histogram;
  lateness: Histogram;
}

export interface PlanNow {
  plan_id: string;
  status: string;
  age_s: number;
  expires_in_s: number;
  expected_cost: number;
  slot: PlanSlot | null;
}

export interface Snapshot {
  site: string;
  currency: string;
  authority: string;
  utc: string;
  state: State;
  waits_for: string[];
  emergency_stop_latched: boolean;
  latched_faults: string[];
  latches_on_disk: boolean;
  ignored_events: number;
  request_w: number;
  request_source: string;
  request_reason: string;
  plan: PlanNow | null;
  plan_refused: string;
  quantities: Quantity[];
  readings: Record<string, Record<string, Reading>>;
  findings: Finding[];
  limits: Limit[];
  contactors: Record<string, Wear>;
  comms: Record<string, Comms>;
  loop: Loop;
  audit: { lines: number; lost: number; problem: string } | null;
  blocks: Block[];
  /** Null while nobody may ask. */
  mode: ModeNow | null;
  waits_for_start: boolean;
  left_out: string;
  age_s: number;
  glance: Glance;
}

export type Command = "start" | "stop" | "estop" | "reset" | "service_reset";

export interface Latched {
  row: string;
  text: string;
  cleared_by: "operator" | "service";
  steps: string[];
}

export interface CommandOffer {
  command: Command;
  enabled: boolean;
  right: Right;
  why_not: string;
}

export interface SiteState {
  state: State | null;
  waits_for: string[];
  emergency_stop_latched: boolean;
  latched: Latched[];
  commands: CommandOffer[];
}

export interface CommandAnswer {
  accepted: boolean;
  reason: string;
  state: State | null;
}

export interface Explanation {
  time: string;
  sentences: string[];
}

export interface AuthState {
  setup_needed: boolean;
  open_to_view: boolean;
  passkeys: boolean;
  oidc: string | null;
}

export interface Passkey {
  id: string;
  name: string;
  made: string;
  host: string;
}

/** Who asks; without a name it is somebody who has not logged in. */
export interface Me {
  name: string | null;
  role: Role | null;
  how: string;
  rights: Right[];
  has_password: boolean;
  totp: boolean;
  recovery_codes: number;
  passkeys: Passkey[];
}

export type ManualMode =
  "self_consumption" | "hold" | "charge" | "discharge" | "rest" | "stand_aside";

export interface ManualSlot {
  id: string;
  start: string;
  end: string;
  mode: ManualMode;
  power_w: number | null;
  by: string;
  made: string;
  /** Who has the battery while it stands aside; else empty. */
  owner: string;
}

export interface Plan {
  plan_id: string;
  created: string;
  expires: string;
  status: string;
  expected_cost: number;
  slots: PlanSlot[];
  note: string;
}

/** What was not taken, at the same forecast and prices. `costs_more` < 0: it costs less. */
export interface Alternative {
  name: string;
  expected_cost: number;
  costs_more: number;
  soc_end_pct: number;
  why: string;
}

export interface PlanReport {
  utc: string;
  plan: Plan | null;
  accepted: boolean;
  problem: string;
  /** For each slot of the plan, the manual slot that it comes from. */
  manual: (string | null)[];
  manual_problem: string;
  /** Who asks for something in each slot, the strongest first, as "schedule night". */
  asked: string[][];
  /** Why something of what schedule or rules ask for does not count; empty if all does. */
  asked_problem: string;
  alternatives: Alternative[];
  slot_costs: { cost: number; cost_at_rest: number }[];
}

export interface PlanAnswer {
  report: PlanReport | null;
  manual: ManualSlot[];
  age_s: number | null;
}

export interface Prices {
  currency: string;
  known_until: string | null;
  problem: string;
  prices: {
    start: string;
    end: string;
    purchase_per_kwh: number;
    feed_in_per_kwh: number | null;
  }[];
}

export interface Forecasts {
  made: string | null;
  slots: {
    start: string;
    end: string;
    load_w: number | null;
    load_low_w: number | null;
    load_high_w: number | null;
    pv_w: number | null;
    pv_low_w: number | null;
    pv_high_w: number | null;
  }[];
  score: Record<string, unknown> | null;
}

export interface SeriesInfo {
  key: string;
  unit: string;
  first: string;
  last: string;
}

export interface History {
  start: string;
  end: string;
  step_s: number;
  series: Record<
    string,
    {
      unit: string;
      t: number[];
      mean: (number | null)[];
      min: (number | null)[];
      max: (number | null)[];
    }
  >;
}

export interface Assurance {
  owner: string;
  goal: string;
  text: string;
  guard: "watched" | "device" | "accepted" | "nobody";
  rests_on: string;
  authority: string;
}

export interface DeviceReading {
  owner: string;
  signal: string;
  value: number | null;
  unit: string;
  quality: string;
  age_s: number | null;
}

export interface ProofStep {
  name: string;
  passed: boolean;
  told: string;
}

export interface Proof {
  unit: string;
  table: string;
  firmware: string;
  utc: string;
  power_w: number;
  /** Why it failed; empty: the device is proven. */
  reason: string;
  steps: ProofStep[];
  response_s: number | null;
  timer_s: number | null;
}

export interface Device {
  name: string;
  path: string;
  table: string;
  where: string;
  /** Whom it serves, by role. */
  roles: Record<string, string>;
  comms: Comms | null;
  readings: DeviceReading[];
  proof: { proof: Proof; current: boolean } | null;
}

export interface Devices {
  devices: Device[];
  left_out: { path: string; role: string; reason: string }[];
}

export interface AuditVerified {
  ok: boolean;
  problem: { wrong: string; file: string; line: number; text: string } | null;
  files: number;
  lines: number;
  first_utc: string | null;
  last_utc: string | null;
  last_line: string | null;
  notes: string[];
}

/** Something was not as it should be; `times`: so often it came and went within a minute each. */
export interface PastFinding {
  start: string;
  end: string | null;
  times: number;
  owner: string;
  row: string;
  level: string;
  reaction: string;
  text: string;
}

/** What lasted for a while, between two times. */
export interface Spells {
  findings: PastFinding[];
}

export interface EnergyRow {
  start: string;
  end: string;
  import_wh: number | null;
  export_wh: number | null;
  pv_wh: number | null;
  load_wh: number | null;
  charge_wh: number | null;
  discharge_wh: number | null;
  cost: number | null;
  /** The share of the time in which all was measured. */
  complete: number;
}

/** What a step cost, and what it would have cost otherwise. */
export interface MoneyRow {
  start: string;
  cost: number | null;
  no_battery: number | null;
  self_consumption: number | null;
  perfect_foresight: number | null;
}

export interface Money {
  currency: string;
  rows: MoneyRow[];
}

export interface ConfigText {
  yaml: string;
  digest: string;
}

export interface ConfigChecked {
  ok: boolean;
  problems: string[];
  doubts: string[];
  warnings: string[];
  diff: string;
}

export interface ConfigVersion {
  id: number;
  utc: string;
  by: string;
  digest: string;
  present: boolean;
}

export interface PushTold {
  public_key: string | null;
  recipients: string[];
  browsers: PushBrowser[];
}

export interface PushBrowser {
  id: string;
  name: string;
  made: string;
}

export interface SessionInfo {
  id: string;
  how: string;
  address: string;
  made: string;
  used: string;
  current: boolean;
}

export interface TokenInfo {
  id: string;
  name: string;
  role: Role;
  rights: Right[] | null;
  made: string;
  expires: string;
  used: string | null;
}

export interface UserInfo {
  name: string;
  role: Role;
  made: string;
  single_sign_on: boolean;
  totp: boolean;
  passkeys: number;
  tokens: number;
  sessions: number;
}

export interface TotpBegun {
  ceremony: string;
  secret: string;
  uri: string;
}

export const ROLES: readonly Role[] = ["viewer", "operator", "service", "admin"];

export interface Energies {
  rows: EnergyRow[];
}

/** The site was taken out of operation; `id` is the line of the audit log with which it began. */
export interface Incident {
  id: number;
  start: string;
  end: string | null;
  state: State | null;
  /** As owner/row; empty for a stop that somebody asked for. */
  first_finding: string;
  text: string;
}

/** The kinds of events that the pages look into; of all others they show the text. */
export type AuditEvent =
  | { kind: "state"; source: State; target: State; reasons: string[] }
  | {
      kind: "finding_raised";
      owner: string;
      row: string;
      level: string;
      reaction: string;
      text: string;
    }
  | { kind: "finding_cleared"; owner: string; row: string; text: string; lasted_s: number }
  | { kind: "quantity"; quantity: Quantity }
  | { kind: "latches"; emergency_stop: boolean; faults: string[] }
  | { kind: "command"; command: string; accepted: boolean; reason: string }
  | { kind: "operator"; who: string; what: string; accepted: boolean };

export interface AuditLine {
  sequence: number;
  utc: string;
  category: string | null;
  /** Who or what brought it about. */
  source: string | null;
  result: string | null;
  /** Null, or of another kind: `text` tells it. */
  event: AuditEvent | { kind: "other" } | null;
  text: string;
}

export interface IncidentInFull {
  incident: Incident;
  /** Explains the moment before it. */
  before: string[];
  /** What each device had last been told when it began. */
  setpoints: Quantity[];
  /** From a minute before it, oldest first. */
  events: AuditLine[];
  left_out: number;
}
