/** Settings: one's own account, tokens for programs, who else has access, and site.yaml. */
import type { ComponentType } from "preact";
import { Page } from "../components/page.tsx";
import { type Key, t } from "../i18n.ts";
import { href, route } from "../router.ts";
import { may } from "../session.ts";
import { AccountPart } from "./account/account_part.tsx";
import { ConfigPart } from "./config/config_part.tsx";
import { TokensPart } from "./tokens_part.tsx";
import { UsersPart } from "./users_part.tsx";
import "../style/settings.css";
import type { Right } from "../contract.ts";

interface Part {
  path: string;
  name: Key;
  right: Right;
  component: ComponentType;
}

const PARTS: readonly Part[] = [
  { path: "account", name: "settings.account", right: "own.account", component: AccountPart },
  { path: "tokens", name: "settings.tokens", right: "own.account", component: TokensPart },
  { path: "users", name: "settings.users", right: "users.manage", component: UsersPart },
  { path: "site", name: "settings.site", right: "config.read", component: ConfigPart },
];

export function SettingsPage() {
  const mine = PARTS.filter((part) => may(part.right));
  const shown = mine.find((part) => part.path === route.value.part) ?? mine[0];
  return (
    <Page title={t("nav.settings")}>
      <nav class="parts wide" aria-label={t("nav.settings")}>
        {mine.map((part) => (
          <a
            key={part.path}
            href={href("settings", part.path)}
            aria-current={part === shown ? "true" : undefined}
          >
            {t(part.name)}
          </a>
        ))}
      </nav>
      {shown && <shown.component key={shown.path} />}
    </Page>
  );
}
