/** Keeps the shell, so that the page opens without a network and can say that it has no data, and
 * shows what the site tells this browser while no page is open.
 *
 * What the API answers is never kept: an old reading that looks like a new one is a lie.
 */
declare const self: ServiceWorkerGlobalScope;
declare const __SHELL_FILES__: string[];
declare const __SHELL_VERSION__: string;

const CACHE = `holdfast-${__SHELL_VERSION__}`;
const EMERGENCY = "emergency.json";
const NETWORK_MS = 2000;
const address = (file: string) => new URL(file, self.registration.scope).href;
const SHELL = new Set(__SHELL_FILES__.map(address));

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { href } = new URL(request.url.split("#")[0] ?? request.url);
  if (href === address("./") || href === address(EMERGENCY)) event.respondWith(freshFirst(href));
  else if (SHELL.has(href)) event.respondWith(keptFirst(href));
});

self.addEventListener("push", (event) => {
  event.waitUntil(showNotice(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage());
});

interface PushedNotice {
  id?: string;
  title?: string;
  body?: string;
  urgency?: string;
}

/** Something is shown in any case: a browser that shows nothing is not told any more. */
async function showNotice(data: PushMessageData | null): Promise<void> {
  const { id, title, body, urgency } = read(data);
  await self.registration.showNotification(title ?? "Holdfast", {
    body: body ?? "",
    icon: address("icon-192.png"),
    requireInteraction: urgency === "alarm",
    ...(id === undefined ? {} : { tag: id }), // what comes twice is shown once
  });
}

function read(data: PushMessageData | null): PushedNotice {
  try {
    return (data?.json() ?? {}) as PushedNotice;
  } catch {
    return {};
  }
}

/** Our own page, whatever was sent: a message cannot say where to. */
async function openPage(): Promise<void> {
  const { scope } = self.registration;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.find((one) => one.url.startsWith(scope));
  await (open ? open.focus() : self.clients.openWindow(scope));
}

async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...SHELL].map((href) => new Request(href, { cache: "reload" })));
  await cache.add(address(EMERGENCY)).catch(() => undefined); // the shell works without it
}

async function dropOlder(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

/** These files have a digest in their names: a kept one is the right one. */
async function keptFirst(href: string): Promise<Response> {
  return (await caches.match(href)) ?? fetch(href);
}

/** A network that hangs must not keep the page from opening. */
async function freshFirst(href: string): Promise<Response> {
  try {
    return await fetch(href, { signal: AbortSignal.timeout(NETWORK_MS) });
  } catch (error) {
    const kept = await caches.match(href);
    if (kept) return kept;
    throw error;
  }
}

export {}; // makes names here its own
