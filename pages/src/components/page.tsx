/** A page: its one heading, which takes the focus when the page opens, and what is on it. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { hasMoved } from "../router.ts";
import { siteName } from "../site.ts";

interface Props {
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, lead, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (hasMoved) heading.current?.focus();
  }, []);
  const name = siteName.value;
  useEffect(() => {
    document.title = [title, name, "Holdfast"].filter(Boolean).join(" · ");
  }, [title, name]);
  return (
    <>
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {lead && <p class="lead">{lead}</p>}
      <div class="cards">{children}</div>
    </>
  );
}
