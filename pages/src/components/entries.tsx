/** A list of things of one kind, each with what is known of it and what can be done with it. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n.ts";

interface ListProps {
  label: string;
  /** Stands in the place of a list without entries. */
  empty?: string;
  children: ComponentChildren[];
}

export function Entries({ label, empty, children }: ListProps) {
  if (children.length === 0) return <p class="muted">{empty ?? t("table.empty")}</p>;
  return (
    <ul class="entries" aria-label={label}>
      {children}
    </ul>
  );
}

interface EntryProps {
  title: ComponentChildren;
  /** Short facts; those that are false are left out. */
  facts: (string | false)[];
  actions?: ComponentChildren;
  /** Stands below, such as a form that changes it. */
  children?: ComponentChildren;
}

export function Entry({ title, facts, actions, children }: EntryProps) {
  return (
    <li class="entry">
      <div class="entry-told">
        <p class="entry-title">{title}</p>
        <p class="entry-facts">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      {actions && <div class="actions">{actions}</div>}
      {children && <div class="entry-more">{children}</div>}
    </li>
  );
}
