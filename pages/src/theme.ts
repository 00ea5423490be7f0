/** Dark, light, or as the computer has it. */
import { effect, signal } from "@preact/signals";
import { recall, remember } from "./memory.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const kept = recall("theme");
export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "auto");
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", (event) => (systemIsDark.value = event.matches));

/** Counts up when colours change: charts are drawn anew. */
export const colours = signal(0);

effect(() => {
  const isDark = theme.value === "dark" || (theme.value === "auto" && systemIsDark.value);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  remember("theme", theme.value);
  colours.value = colours.peek() + 1;
});
