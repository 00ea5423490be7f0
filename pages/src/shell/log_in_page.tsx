/** Logging in. The emergency stop needs none of it. */
import { useState } from "preact/hooks";
import { ApiError, address } from "../api.ts";
import { ActionButton } from "../components/action_button.tsx";
import { Field } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { Page } from "../components/page.tsx";
import { t } from "../i18n.ts";
import { logInWithPasskey, whyNoPasskeys } from "../passkeys.ts";
import { href } from "../router.ts";
import { authState, logIn, loggedIn } from "../session.ts";

const toStart = (): void => {
  location.hash = href("now");
};

export function LogInPage() {
  if (loggedIn.value) {
    return (
      <Page title={t("login.title")}>
        <p>
          {t("login.done")} <a href={href("now")}>{t("shell.to_now")}</a>
        </p>
      </Page>
    );
  }
  return (
    <Page title={t("login.title")} lead={t("login.lead")}>
      <section class="card narrow">
        <ByPassword />
        <OtherWaysIn />
      </section>
    </Page>
  );
}

/** The code is asked for once the site says that this account has one. */
function ByPassword() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [totp, setTotp] = useState("");
  const [asksTotp, setAsksTotp] = useState(false);
  const enter = async () => {
    try {
      await logIn(name, password, totp.replaceAll(" ", ""));
    } catch (error) {
      if (error instanceof ApiError && error.needs === "totp") setAsksTotp(true);
      throw error;
    }
    toStart();
  };
  return (
    <Form submit={t("nav.log_in")} onSubmit={enter}>
      <Field
        label={t("login.name")} value={name} onValue={setName} autocomplete="username" required
      />
      <Field
        label={t("login.password")} value={password} onValue={setPassword}
        type="password" autocomplete="current-password" required
      />
      {asksTotp && (
        <Field
          label={t("login.totp")} value={totp} onValue={setTotp} hint={t("login.totp_hint")}
          autocomplete="one-time-code" required
        />
      )}
    </Form>
  );
}

function OtherWaysIn() {
  const provider = authState.value?.oidc;
  const byPasskey = async () => {
    await logInWithPasskey();
    toStart();
  };
  return (
    <>
      {whyNoPasskeys() === undefined && (
        <ActionButton label={t("login.passkey")} onAct={byPasskey} />
      )}
      {provider && (
        <a class="button" href={address("api/v1/auth/oidc/login")}>
          {t("login.oidc", { provider })}
        </a>
      )}
    </>
  );
}
