/** The side: which site, how it is, the way to the pages, and the emergency stop. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n.ts";
import { PAGES } from "../pages.ts";
import { href, route } from "../router.ts";
import { may, mayRead } from "../session.ts";
import { siteName } from "../site.ts";
import { EmergencyStop } from "./emergency_stop.tsx";
import { Preferences } from "./preferences.tsx";
import { SiteSign } from "./site_sign.tsx";
import { Who } from "./who.tsx";

const isOpen = signal(false);

export function Side() {
  useEffect(() => {
    isOpen.value = false;
  }, [route.value]);
  return (
    <header class="side">
      <div class="side-head">
        <a class="brand" href={href("now")}>
          <img src="./icon.svg" alt="" width="32" height="32" />
          <span>
            <span class="brand-name">Holdfast</span>
            <span class="brand-site">{siteName.value}</span>
          </span>
        </a>
        <SiteSign />
        <button
          type="button"
          class="menu-button"
          aria-expanded={isOpen.value}
          aria-controls="menu"
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          {t(isOpen.value ? "shell.close_menu" : "shell.menu")}
        </button>
      </div>
      <div id="menu" class={isOpen.value ? "menu open" : "menu"}>
        <nav aria-label={t("shell.pages")}>{mayRead.value && <Links />}</nav>
        <div class="side-foot">
          <Who />
          <Preferences />
        </div>
      </div>
      <EmergencyStop />
    </header>
  );
}

function Links() {
  const mine = PAGES.filter((row) => may(row.right));
  return (
    <ul>
      {mine.map((row) => (
        <li key={row.path}>
          <a
            href={href(row.path)}
            {...(route.value.page === row.path ? { "aria-current": "page" as const } : {})}
          >
            {t(row.name)}
          </a>
        </li>
      ))}
    </ul>
  );
}
