/** A form that asks the API: it says what went wrong, and cannot be sent twice at once. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { t } from "../i18n.ts";
import { Failure } from "./answered.tsx";

interface Props {
  submit: string;
  onSubmit: () => Promise<void>;
  disabled?: boolean;
  children: ComponentChildren;
}

export function Form({ submit, onSubmit, disabled = false, children }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit();
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void send(event)}>
      {children}
      <div role="alert">{error && <Failure error={error} />}</div>
      <button type="submit" class="primary" disabled={isBusy || disabled}>
        {isBusy ? t("form.busy") : submit}
      </button>
    </form>
  );
}
