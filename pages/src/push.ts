/** Notifications in this browser, between the API's JSON and what browsers take and give. */
import { ApiError, ask } from "./api.ts";
import type { PushTold } from "./contract.ts";
import { t } from "./i18n.ts";

/** What this browser is, as far as notifications go. */
export interface PushDevice {
  /** By it the site knows this browser; null: nothing is sent to it. */
  id: string | null;
  /** Says why nothing can be sent to it; undefined if it can. */
  why_not?: string;
}

const WORKER_WITHIN_MS = 5000;
const BROWSERS = [
  [/Firefox|FxiOS/, "Firefox"], [/Edg/, "Edge"], [/SamsungBrowser/, "Samsung Internet"],
  [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"],
] as const;
const DEVICES = [
  [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Windows/, "Windows"],
  [/Mac/, "Mac"], [/Linux/, "Linux"],
] as const;

/** Returns what is known of this browser. */
export async function pushDevice(told: PushTold): Promise<PushDevice> {
  const why_not = whyNoPush(told);
  if (why_not !== undefined) return { id: null, why_not };
  const registration = await worker();
  if (!registration) return { id: null, why_not: t("push.no_worker") };
  const subscription = await registration.pushManager.getSubscription();
  return { id: subscription && (await idOf(subscription.endpoint)) };
}

function whyNoPush(told: PushTold): string | undefined {
  if (told.public_key === null) return t("push.no_recipient");
  if (!window.isSecureContext) return t("push.not_secure", { address: location.origin });
  const has_all =
    "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!has_all) return t("push.not_this_browser");
  return Notification.permission === "denied" ? t("push.denied") : undefined;
}

/** Has the browser ask its owner, and the site tell it from then on. Throws ApiError. */
export async function switchPushOn(public_key: string): Promise<void> {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") throw new ApiError(403, t("push.not_permitted"));
  const registration = await worker();
  if (!registration) throw new ApiError(409, t("push.no_worker"));
  const { endpoint, keys } = await subscribed(registration.pushManager, public_key);
  await ask("POST", "notices/push/browsers", { endpoint, keys, name: nameOfThis() });
}

/** Has the site tell this browser nothing any more. Throws ApiError. */
export async function switchPushOff(id: string): Promise<void> {
  await removePush(id);
  const registration = await worker();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

export const removePush = (id: string): Promise<void> => ask("DELETE", pathOf(id));

/** Has a test sent to this browser. Throws ApiError. */
export const tryPush = (id: string): Promise<void> => ask("POST", `${pathOf(id)}/test`);

const pathOf = (id: string) => `notices/push/browsers/${encodeURIComponent(id)}`;

/** A site with another key than before cannot use what the browser has. */
async function subscribed(
  manager: PushManager,
  public_key: string,
): Promise<{ endpoint: string; keys: unknown }> {
  const options = { userVisibleOnly: true, applicationServerKey: public_key };
  try {
    await (await manager.getSubscription())?.unsubscribe();
    const { endpoint, keys } = (await manager.subscribe(options)).toJSON();
    return { endpoint: endpoint ?? "", keys };
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new ApiError(409, t("push.service_failed", { why: error.message }));
  }
}

/** A browser that trusts no certificate of ours registers none, and says so nowhere else. */
async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  const late = new Promise<undefined>((done) => {
    setTimeout(() => done(undefined), WORKER_WITHIN_MS);
  });
  return Promise.race([navigator.serviceWorker.ready, late]);
}

/** As the API makes it: the beginning of the SHA-256, in hexadecimal digits. */
async function idOf(endpoint: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  const digits = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
  return digits.join("").slice(0, 16);
}

function nameOfThis(): string {
  const found = [BROWSERS, DEVICES].map(
    (names) => names.find(([pattern]) => pattern.test(navigator.userAgent))?.[1],
  );
  return found.filter(Boolean).join(", ") || t("push.some_browser");
}
