/** Who is logged in, and the way in or out. */
import { named, t } from "../i18n.ts";
import { href } from "../router.ts";
import { authState, loggedIn, logOut, me } from "../session.ts";

export function Who() {
  if (!authState.value) return null;
  if (!loggedIn.value || !me.value?.role) {
    return (
      <p class="who">
        <span class="muted">{t("shell.nobody")}</span>
        <a href={href("log-in")}>
          {t(authState.value.setup_needed ? "nav.set_up" : "nav.log_in")}
        </a>
      </p>
    );
  }
  return (
    <p class="who">
      <span>
        {me.value.name} <span class="muted">({named("role", me.value.role)})</span>
      </span>
      <button type="button" class="link" onClick={() => void logOut()}>
        {t("nav.log_out")}
      </button>
    </p>
  );
}
