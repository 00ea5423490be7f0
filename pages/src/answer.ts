/** An answer of the API that a component shows, asked for again as often as it likes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, read } from "./api.ts";
import { language } from "./i18n.ts";

export interface Answer<T> {
  value: T | null;
  error: ApiError | null;
  /** Asks at once. */
  again: () => void;
}

/** What was there last, while something newer is asked for. */
export function useKept<T>(value: T | null): T | null {
  const kept = useRef<T | null>(null);
  if (value !== null) kept.current = value;
  return kept.current;
}

/** `path` null: there is nothing to ask for now. `every_s` 0: it is asked for once. */
export function useAnswer<T>(path: string | null, every_s = 0): Answer<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  const said = language.value; // what the site says comes in it
  const shown = useRef<string | null>(null);

  useEffect(() => {
    if (path === null) return;
    let isWanted = true;
    const look = async () => {
      try {
        const answer = await read<T>(path);
        if (!isWanted) return;
        shown.current = path;
        setValue(() => answer);
        setError(null);
      } catch (failure) {
        if (!(failure instanceof ApiError)) throw failure;
        if (isWanted) setError(failure);
      }
    };
    void look();
    const timer = every_s > 0 ? setInterval(() => void look(), every_s * 1000) : undefined;
    return () => {
      isWanted = false;
      clearInterval(timer);
    };
  }, [path, every_s, turn, said]);

  const again = useCallback(() => setTurn((count) => count + 1), []);
  return { value: shown.current === path ? value : null, error, again };
}
