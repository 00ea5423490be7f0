/** A page that is loaded when somebody opens it, so that the first one opens sooner. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { Note } from "./note.tsx";

type Load = () => Promise<ComponentType>;

const loads: Load[] = [];

/** Loads all that is not there yet: later there may be nobody who answers. */
export function loadAll(): void {
  for (const load of loads) void load().catch(() => undefined); // opening it says that it failed
}

export function lazy(load: Load): ComponentType {
  let ready: ComponentType | null = null;
  const once = async () => (ready ??= await load());
  loads.push(once);
  return function Lazy() {
    const [Loaded, setLoaded] = useState<ComponentType | "failed" | null>(() => ready);
    useEffect(() => {
      once().then(
        (component) => setLoaded(() => component),
        () => setLoaded("failed"),
      );
    }, []);
    if (Loaded === "failed") return <Failed />;
    return Loaded === null ? <p class="muted">{t("answer.waiting")}</p> : <Loaded />;
  };
}

/** A browser keeps a failed import: only the whole page anew asks for it again. */
function Failed() {
  return (
    <Note tone="unknown" role="alert">
      {t("lazy.failed")}{" "}
      <button type="button" class="link" onClick={() => location.reload()}>
        {t("lazy.again")}
      </button>
    </Note>
  );
}
