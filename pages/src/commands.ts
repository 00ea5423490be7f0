/** What a person asks of the site. What was sent is not done: that, only the snapshot says. */
import { effect, signal } from "@preact/signals";
import { ApiError, ask } from "./api.ts";
import type { Command, CommandAnswer, State } from "./contract.ts";
import { lastSnapshot, snapshot } from "./live.ts";
import { mayRead } from "./session.ts";

/** How far a command is. `late`: it was accepted long ago, and the site is not there yet. */
export type Progress =
  | { step: "ready" }
  | { step: "sending" }
  | { step: "sent" }
  | { step: "late" }
  | { step: "refused"; why: string };

/** Where a command leads: there it is done. */
const LEADS_TO: Record<Command, readonly State[]> = {
  start: ["running"],
  stop: ["idle"],
  estop: ["stopped"],
  reset: ["boot", "idle"],
  service_reset: ["boot", "idle"],
};
const LATE_MS: Record<Command, number> = {
  start: 30_000, stop: 10_000, estop: 3000, reset: 10_000, service_reset: 10_000,
};
const STOP_WITHIN_MS = 3000;
const NO_BODY: readonly Command[] = ["stop", "estop"];

const READY: Progress = { step: "ready" };
const progresses = Object.fromEntries(
  Object.keys(LEADS_TO).map((command) => [command, signal<Progress>(READY)]),
) as Record<Command, ReturnType<typeof signal<Progress>>>;

export const progress = (command: Command): Progress => progresses[command].value ?? READY;

export const isDone = (command: Command): boolean =>
  snapshot.value !== null && LEADS_TO[command].includes(snapshot.value.state);

/** A command that has led where it leads is over. */
effect(() => {
  for (const command of Object.keys(LEADS_TO) as Command[]) {
    const { step } = progress(command);
    if ((step === "sent" || step === "late") && isDone(command)) progresses[command].value = READY;
  }
});

/** Sends `command`. What becomes of it, `progress` tells. */
export async function send(command: Command): Promise<void> {
  const mine = progresses[command];
  mine.value = { step: "sending" };
  try {
    const body = NO_BODY.includes(command) ? undefined : identification();
    const within_ms = command === "estop" ? STOP_WITHIN_MS : undefined;
    const answer = await ask<CommandAnswer>("POST", `commands/${command}`, body, within_ms);
    mine.value = answer.accepted ? { step: "sent" } : { step: "refused", why: answer.reason };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    mine.value = { step: "refused", why: error.message };
  }
  if (mine.value.step === "sent") setTimeout(() => markLate(command), LATE_MS[command]);
}

function markLate(command: Command): void {
  if (!mayRead.value) return; // who sees no snapshot cannot be told
  if (progress(command).step === "sent") progresses[command].value = { step: "late" };
}

/** Makes a command one that counts once, and only for what its sender has seen. */
function identification(): { nonce: string; sequence: number; seen: string | null } {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return {
    nonce: Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    sequence: Date.now(),
    seen: lastSnapshot.value?.utc ?? null,
  };
}
