/** Shows an answer of the API, or why there is none. */
import type { ComponentChildren } from "preact";
import type { Answer } from "../answer.ts";
import type { ApiError } from "../api.ts";
import { t } from "../i18n.ts";
import { Note } from "./note.tsx";

interface Props<T> {
  answer: Answer<T>;
  children: (value: T) => ComponentChildren;
}

export function Answered<T>({ answer, children }: Props<T>) {
  return (
    <>
      {answer.error && <Failure error={answer.error} />}
      {answer.value !== null && children(answer.value)}
      {answer.value === null && !answer.error && <p class="muted">{t("answer.waiting")}</p>}
    </>
  );
}

/** Why something could not be had: nobody answered, or what the API says. */
export function Failure({ error }: { error: ApiError }) {
  return (
    <Note tone={error.status === 0 ? "unknown" : "attention"}>
      {error.status === 0 ? t("answer.nobody") : error.message}
    </Note>
  );
}
