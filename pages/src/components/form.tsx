/** A form that asks the API: it says what went wrong, and cannot be sent twice at once. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n.ts";
import { Failure } from "./answered.tsx";
import { useSending } from "./sending.ts";

interface Props {
  submit: string;
  onSubmit: () => Promise<void>;
  disabled?: boolean;
  children: ComponentChildren;
}

export function Form({ submit, onSubmit, disabled = false, children }: Props) {
  const { isBusy, error, send } = useSending(onSubmit);
  const submitted = (event: Event) => {
    event.preventDefault();
    void send();
  };
  return (
    <form class="form" onSubmit={submitted}>
      {children}
      <div role="alert">{error && <Failure error={error} />}</div>
      <button type="submit" class="primary" disabled={isBusy || disabled}>
        {isBusy ? t("form.busy") : submit}
      </button>
    </form>
  );
}
