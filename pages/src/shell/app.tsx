/** The shell: navigation, what is true of every page, the stop, and the page itself. */
import { Failure } from "../components/answered.tsx";
import { Page } from "../components/page.tsx";
import { t } from "../i18n.ts";
import { PAGES } from "../pages.ts";
import { href, route } from "../router.ts";
import { authState, known, may, mayRead } from "../session.ts";
import { startFailure } from "../start.ts";
import { LinkStatus } from "./link_status.tsx";
import { LogInPage } from "./log_in_page.tsx";
import { SetUpPage } from "./set_up_page.tsx";
import { Side } from "./side.tsx";

export function App() {
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t("shell.skip")}
      </a>
      <Side />
      <main id="content" tabIndex={-1}>
        <LinkStatus />
        <Content />
      </main>
    </>
  );
}

/** The # belongs to the pages: the focus is moved by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Content() {
  if (!known.value) return <Waiting />;
  if (route.value.page === "log-in" || !mayRead.value) {
    return authState.value?.setup_needed ? <SetUpPage /> : <LogInPage />;
  }
  const page = PAGES.find((row) => row.path === route.value.page);
  if (!page) return <NoSuchPage />;
  if (!may(page.right)) return <NotForYou />;
  return <page.component key={page.path} />;
}

function Waiting() {
  return (
    <Page title={t(startFailure.value ? "link.no_data" : "shell.starting")}>
      {startFailure.value ? (
        <Failure error={startFailure.value} />
      ) : (
        <p class="muted">{t("answer.waiting")}</p>
      )}
    </Page>
  );
}

function NoSuchPage() {
  return (
    <Page title={t("shell.no_such_page")}>
      <p>
        <a href={href("now")}>{t("shell.to_now")}</a>
      </p>
    </Page>
  );
}

function NotForYou() {
  return (
    <Page title={t("shell.not_for_you")}>
      <p>{t("shell.not_for_you_why")}</p>
      <p>
        <a href={href("log-in")}>{t("nav.log_in")}</a>
      </p>
    </Page>
  );
}
