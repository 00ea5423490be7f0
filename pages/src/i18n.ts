/** All text of the pages comes from one catalogue, in each language that it has. */
import { effect, signal } from "@preact/signals";
import catalogue from "./catalogue.json";
import { recall, remember } from "./memory.ts";

export type Key = keyof typeof catalogue;
export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const isLanguage = (text: string | undefined): text is Language =>
  LANGUAGES.some((language) => language === text);

function preferred(): Language {
  const wished = [recall("language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find(isLanguage) ?? "en";
}

export const language = signal<Language>(preferred());

effect(() => {
  document.documentElement.lang = language.value;
  remember("language", language.value);
});

/** Returns the text of `key`; `{name}` in it is filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = catalogue[key][language.value];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Returns the text of a name that the site uses, of one kind; in words where it has none. */
export const named = (kind: string, name: string): string =>
  namedOr(kind, name, name.replaceAll("_", " "));

/** Returns the text of a name that the site uses, of one kind; `other` where it has none. */
export function namedOr(kind: string, name: string, other: string): string {
  const key = `${kind}.${name}`;
  return key in catalogue ? t(key as Key) : other;
}
