/** Which page is open: the address behind the #, so that any server and any path will do. */
import { signal } from "@preact/signals";

export interface Route {
  page: string;
  /** What of the page, such as the id of an incident. */
  part: string | undefined;
  /** How it is looked at: whoever opens the address sees the same. */
  query: URLSearchParams;
}

function parse(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, part] = path.split("/").map(decodeURIComponent);
  return { page: page || "now", part, query: new URLSearchParams(query) };
}

export const route = signal<Route>(parse());
/** Whether somebody has gone from one page to another: only then the focus goes along. */
export let hasMoved = false;
addEventListener("hashchange", () => {
  hasMoved = true;
  route.value = parse();
});

export function href(page: string, part?: string, query?: URLSearchParams): string {
  const path = part === undefined ? page : `${page}/${encodeURIComponent(part)}`;
  return query ? `#/${path}?${readable(query)}` : `#/${path}`;
}

/** These need no code behind a #, and an address is read by people too. */
const readable = (query: URLSearchParams): string =>
  query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
