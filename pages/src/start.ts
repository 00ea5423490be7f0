/** Reads what the shell needs, until it is there: the page may be opened before the API runs. */
import { effect, signal, untracked } from "@preact/signals";
import { ApiError, refusals } from "./api.ts";
import { link, watch } from "./live.ts";
import { known, mayRead, readSession } from "./session.ts";
import { readPlainPages, readSite, site } from "./site.ts";

const AGAIN_MS = 3000;

export const startFailure = signal<ApiError | null>(null);

export function start(): void {
  void readPlainPages().catch(() => undefined); // the stop names the other ways without it
  void untilKnown();
  effect(() => (mayRead.value ? untracked(watch) : undefined));
  effect(() => {
    if (refusals.value > 0) void readSession().catch(() => undefined); // told again by whoever asks
  });
  effect(() => {
    const isTold = mayRead.value && (link.value === "live" || link.value === "gone");
    if (isTold && site.peek() === null) void readSite().catch(() => undefined); // again once live
  });
}

async function untilKnown(): Promise<void> {
  while (!known.value) {
    try {
      await readSession();
      startFailure.value = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      startFailure.value = error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
