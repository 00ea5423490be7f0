/** The site.yaml that somebody edits. It stays while he looks at other pages. */
import { computed, signal } from "@preact/signals";
import { ApiError, ask, read } from "../../api.ts";
import type { ConfigChecked, ConfigText } from "../../contract.ts";

/** What was read: a change says what it is a change of. */
const base = signal<ConfigText | null>(null);
const text = signal("");
/** What the API said of a text, and of which. */
const checked = signal<{ of: string; check: ConfigChecked } | null>(null);
/** Whether somebody else has changed the file since it was read. */
const hasMoved = signal(false);
const written = signal<string | null>(null);

export const draft = {
  text,
  hasMoved,
  /** When the last change that was written takes effect; null: none was. */
  written,
  isKnown: computed(() => base.value !== null),
  isChanged: computed(() => base.value !== null && base.value.yaml !== text.value),
  /** Null: this text was not checked yet. */
  check: computed(() => (checked.value?.of === text.value ? checked.value.check : null)),
};

/** Reads the file; what was changed and is not written yet stays. Throws ApiError. */
export async function readDraft(): Promise<void> {
  const found = await read<ConfigText>("config");
  if (!draft.isChanged.value) text.value = found.yaml;
  base.value = found;
}

export function discard(): void {
  text.value = base.value?.yaml ?? "";
  checked.value = null;
  hasMoved.value = false;
}

/** Has the text checked, against what the file says now. Throws ApiError. */
export async function checkDraft(): Promise<void> {
  const of = text.value;
  const check = await ask<ConfigChecked>("POST", "config/check", { yaml: of });
  checked.value = { of, check };
}

/** Writes the text in the place of what was read. Throws ApiError.
 *
 * If the file was changed by somebody else, nothing is written: the text is checked against what the
 * file says now, and whoever writes then has seen what that changes.
 */
export async function writeDraft(): Promise<void> {
  const yaml = text.value;
  try {
    const body = { yaml, digest: base.value?.digest };
    const answer = await ask<{ digest: string; effect: string }>("PUT", "config", body);
    base.value = { yaml, digest: answer.digest };
    written.value = answer.effect;
    hasMoved.value = false;
    checked.value = null;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    hasMoved.value = true;
    await readDraft();
    await checkDraft();
  }
}

/** Makes the file what it was in a version. Throws ApiError. */
export async function rollBack(id: number): Promise<void> {
  const answer = await ask<{ effect: string }>("POST", "config/rollback", { id });
  written.value = answer.effect;
  const found = await read<ConfigText>("config");
  base.value = found;
  discard();
}
