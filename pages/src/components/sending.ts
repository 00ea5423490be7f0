/** One thing at a time is sent to the API; what went wrong is kept to be told. */
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";

export interface Sending {
  isBusy: boolean;
  error: ApiError | null;
  send: () => Promise<void>;
}

export function useSending(ask: () => Promise<void>): Sending {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      await ask();
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, send };
}
