/** What is latched: what happened, who may reset it, and what has to be done before. */
import type { Latched } from "../contract.ts";
import { named, t } from "../i18n.ts";
import { rowName } from "../limits.ts";
import { Note } from "./note.tsx";

export function LatchedList({ latched }: { latched: Latched[] }) {
  return (
    <>
      {latched.map((one) => (
        <Note key={one.row} tone="fault">
          <strong>{rowName(one.row)}</strong>
          <p>{one.text}</p>
          <p>{t("latched.cleared_by", { role: named("role", one.cleared_by) })}</p>
          {one.steps.length > 0 && (
            <ol>
              {one.steps.map((step) => <li key={step}>{step}</li>)}
            </ol>
          )}
        </Note>
      ))}
    </>
  );
}
