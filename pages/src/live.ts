/** The live stream: the latest snapshot, and whether it is still true.
 *
 * A connection that is half open raises no error: what counts is when the last event came.
 */
import { computed, effect, signal } from "@preact/signals";
import { address } from "./api.ts";
import type { Snapshot } from "./contract.ts";
import { language } from "./i18n.ts";

/** Why there are no data: the stream is silent, or it says that no controller runs. */
export type Link = "connecting" | "live" | "silent" | "gone";

const SILENT_MS = 3000;
const AGAIN_MS = 6000;
const LOOK_MS = 250;

/** The last one that came, however old it is. */
export const lastSnapshot = signal<Snapshot | null>(null);
export const link = signal<Link>("connecting");
/** The snapshot while it is true; null once it is not. */
export const snapshot = computed(() => (link.value === "live" ? lastSnapshot.value : null));

let source: EventSource | null = null;
let heard_ms = 0;
let opened_ms = 0;

/** Watches from now on, until the function that it returns is called. */
export function watch(): () => void {
  const close = effect(open); // anew in each language: what the site says comes in it
  const timer = setInterval(look, LOOK_MS);
  addEventListener("offline", fallSilent);
  addEventListener("online", open);
  document.addEventListener("visibilitychange", look);
  return () => {
    close();
    clearInterval(timer);
    removeEventListener("offline", fallSilent);
    removeEventListener("online", open);
    document.removeEventListener("visibilitychange", look);
    source?.close();
    lastSnapshot.value = null; // who may not look any more sees nothing of what he saw
    link.value = "connecting";
  };
}

function open(): void {
  source?.close();
  opened_ms = performance.now();
  source = new EventSource(address(`api/v1/live?language=${language.value}`));
  source.addEventListener("snapshot", (event: MessageEvent<string>) => {
    heard_ms = performance.now();
    lastSnapshot.value = JSON.parse(event.data) as Snapshot;
    link.value = "live";
  });
  source.addEventListener("gone", () => {
    heard_ms = performance.now();
    link.value = "gone";
  });
  source.addEventListener("error", fallSilent);
}

function fallSilent(): void {
  link.value = "silent";
}

function look(): void {
  const now_ms = performance.now();
  const last_ms = Math.max(heard_ms, opened_ms);
  if (now_ms - heard_ms <= SILENT_MS) return;
  if (now_ms - opened_ms > SILENT_MS) fallSilent();
  if (now_ms - last_ms > AGAIN_MS) open();
}
