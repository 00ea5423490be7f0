/** Asks the API. An answer that says no, or none at all, is an ApiError with words in it. */

import { signal } from "@preact/signals";
import { language } from "./i18n.ts";

/** `status` is 0 if nobody answered; `needs` names what is lacking, such as totp. */
export class ApiError extends Error {
  readonly status: number;
  readonly needs: string | null;

  constructor(status: number, detail: string, needs: string | null = null) {
    super(detail);
    this.status = status;
    this.needs = needs;
  }
}

/** Counts how often somebody was told that he is not logged in: a session may have ended. */
export const refusals = signal(0);

const NEEDS = "X-Holdfast-Needs";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const WITHIN_MS = 10_000;
const FILE_WITHIN_MS = 300_000;

export const address = (path: string): string => new URL(path, document.baseURI).href;

/** Returns the answer. Throws ApiError. `path` is below /api/v1. */
export async function ask<T>(
  method: Method,
  path: string,
  body?: unknown,
  within_ms: number = WITHIN_MS,
): Promise<T> {
  const response = await send(method, path, body, within_ms);
  if (!response.ok) {
    if (response.status === 401 && !path.startsWith("auth/")) refusals.value += 1;
    throw new ApiError(response.status, await detail(response), response.headers.get(NEEDS));
  }
  return (await content(response)) as T;
}

export const read = <T>(path: string): Promise<T> => ask<T>("GET", path);

/** Returns a file, which may be long in the making. Throws ApiError. */
export async function readFile(path: string): Promise<Blob> {
  const response = await send("GET", path, undefined, FILE_WITHIN_MS);
  if (!response.ok) throw new ApiError(response.status, await detail(response));
  try {
    return await response.blob();
  } catch {
    throw new ApiError(0, response.url);
  }
}

/** Who changes something says that he is no other site's page; with a cookie that is asked for. */
async function send(
  method: Method,
  path: string,
  body: unknown,
  within_ms: number,
): Promise<Response> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": language.value,
  };
  if (method !== "GET") headers["X-Holdfast"] = "1";
  const options: RequestInit = { method, headers, cache: "no-store", credentials: "same-origin" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(address(`api/v1/${path}`), {
      ...options,
      signal: AbortSignal.timeout(within_ms),
    });
  } catch (error) {
    throw new ApiError(0, error instanceof Error ? error.message : String(error));
  }
}

async function content(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === "" ? null : (JSON.parse(text) as unknown);
  } catch {
    throw new ApiError(0, response.url);
  }
}

async function detail(response: Response): Promise<string> {
  try {
    const answer = (await response.json()) as { detail?: unknown };
    return typeof answer.detail === "string" ? answer.detail : response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
