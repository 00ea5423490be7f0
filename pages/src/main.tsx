import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/actions.css";
import "./style/now.css";
import "./style/safety.css";
import "./style/chart.css";
import "./style/history.css";
import "./style/incidents.css";
import { render } from "preact";
import { loadAll } from "./components/lazy.tsx";
import { App } from "./shell/app.tsx";
import { start } from "./start.ts";

/** By then the first page is there, and nothing else is asked for. */
const LOAD_ALL_MS = 2000;

start();
render(<App />, document.getElementById("app") as HTMLElement);
setTimeout(loadAll, LOAD_ALL_MS);
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./sw.js").catch(() => undefined); // needs TLS or localhost
}
