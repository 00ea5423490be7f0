/** The pages, in the order of the navigation, and what somebody needs to open each.
 *
 * All but the first are loaded when somebody opens them.
 */
import type { ComponentType } from "preact";
import { lazy } from "./components/lazy.tsx";
import type { Right } from "./contract.ts";
import type { Key } from "./i18n.ts";
import { NowPage } from "./now/now_page.tsx";

const PlanPage = lazy(async () => (await import("./plan/plan_page.tsx")).PlanPage);
const SchedulePage = lazy(async () => (await import("./schedule/schedule_page.tsx")).SchedulePage);
const MoneyPage = lazy(async () => (await import("./money/money_page.tsx")).MoneyPage);
const SafetyPage = lazy(async () => (await import("./safety/safety_page.tsx")).SafetyPage);
const HistoryPage = lazy(async () => (await import("./history/history_page.tsx")).HistoryPage);
const IncidentsPage = lazy(
  async () => (await import("./incidents/incidents_page.tsx")).IncidentsPage,
);
const DevicesPage = lazy(async () => (await import("./devices/devices_page.tsx")).DevicesPage);
const ReportsPage = lazy(async () => (await import("./reports/reports_page.tsx")).ReportsPage);
const SettingsPage = lazy(async () => (await import("./settings/settings_page.tsx")).SettingsPage);

export interface PageRow {
  path: string;
  name: Key;
  right: Right;
  component: ComponentType;
}

export const PAGES: readonly PageRow[] = [
  { path: "now", name: "nav.now", right: "site.read", component: NowPage },
  { path: "plan", name: "nav.plan", right: "site.read", component: PlanPage },
  { path: "schedule", name: "nav.schedule", right: "site.read", component: SchedulePage },
  { path: "money", name: "nav.money", right: "site.read", component: MoneyPage },
  { path: "safety", name: "nav.safety", right: "site.read", component: SafetyPage },
  { path: "history", name: "nav.history", right: "site.read", component: HistoryPage },
  { path: "incidents", name: "nav.incidents", right: "site.read", component: IncidentsPage },
  { path: "devices", name: "nav.devices", right: "site.read", component: DevicesPage },
  { path: "reports", name: "nav.reports", right: "site.read", component: ReportsPage },
  { path: "settings", name: "nav.settings", right: "own.account", component: SettingsPage },
];
