/** A page that shows a snapshot: the latest one, marked as old once it is. */
import type { ComponentChildren } from "preact";
import type { Snapshot } from "../contract.ts";
import { t } from "../i18n.ts";
import { lastSnapshot, snapshot } from "../live.ts";
import { Page } from "./page.tsx";

interface Props {
  title: string;
  lead: string;
  children: (now: Snapshot) => ComponentChildren;
}

export function LinkedPage({ title, lead, children }: Props) {
  const shown = lastSnapshot.value;
  return (
    <Page title={title} lead={lead}>
      {shown ? (
        <div class={snapshot.value ? "cards inner" : "cards inner old"}>{children(shown)}</div>
      ) : (
        <p class="muted">{t("answer.waiting")}</p>
      )}
    </Page>
  );
}
