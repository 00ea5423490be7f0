/** The time now, as the site has it, so that what is over vanishes by itself. */
import { useEffect, useState } from "preact/hooks";
import { lastSnapshot, snapshot } from "../live.ts";

/** What was just asked for begins now: it is shown as such at once. */
const EVERY_MS = 1000;

/** A browser's clock may be wrong: while the site tells its time, that counts. */
function now(): number {
  const told = snapshot.peek() === null ? undefined : lastSnapshot.peek()?.utc;
  return told === undefined ? Date.now() : Date.parse(told);
}

export function useNow(): number {
  const [now_ms, setNow] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setNow(now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return now_ms;
}
