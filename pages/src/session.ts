/** Who is looking, and what he may do. */
import { computed, signal } from "@preact/signals";
import { ask, read } from "./api.ts";
import type { AuthState, Me, Right } from "./contract.ts";

export const authState = signal<AuthState | null>(null);
export const me = signal<Me | null>(null);
/** Whether it is known who is looking; false until the API has answered once. */
export const known = signal(false);

export const may = (right: Right): boolean => me.value?.rights.includes(right) ?? false;
export const mayRead = computed(() => may("site.read"));
export const loggedIn = computed(() => me.value !== null && me.value.name !== null);

export async function readSession(): Promise<void> {
  const [state, who] = await Promise.all([read<AuthState>("auth/state"), read<Me>("auth/me")]);
  authState.value = state;
  me.value = who;
  known.value = true;
}

export async function logIn(name: string, password: string, totp: string): Promise<void> {
  await ask("POST", "auth/login", { name, password, ...(totp ? { totp } : {}) });
  await readSession();
}

export async function setUp(code: string, name: string, password: string): Promise<void> {
  await ask("POST", "auth/setup", { code, name, password });
  await readSession();
}

export async function logOut(): Promise<void> {
  await ask("POST", "auth/logout");
  await readSession();
}
