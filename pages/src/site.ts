/** What is known of the site as a whole: its name, zone and currency. */
import { computed, signal } from "@preact/signals";
import { address, read } from "./api.ts";
import type { SiteStatus } from "./contract.ts";
import { lastSnapshot } from "./live.ts";
import { recall, remember } from "./memory.ts";

export const site = signal<SiteStatus | null>(null);
export const timezone = signal(recall("timezone") ?? "UTC");
export const currency = computed(
  () => site.value?.currency ?? lastSnapshot.value?.currency ?? "EUR",
);
export const siteName = computed(() => site.value?.site ?? lastSnapshot.value?.site ?? "");

/** Where the plain pages are, that work without all this; null if that is not known. */
export const plainPages = signal<string | null>(null);

export async function readSite(): Promise<void> {
  site.value = await read<SiteStatus>("status");
  timezone.value = site.value.timezone;
  remember("timezone", timezone.value);
}

/** The port is part of the shell, so that the link is there when nothing else is. */
export async function readPlainPages(): Promise<void> {
  const answer = await fetch(address("emergency.json"));
  const { port } = (await answer.json()) as { port: number };
  plainPages.value = `http://${location.hostname}:${port}/`;
}
