/** One's own password. With it, all other sessions end. */
import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { Card } from "../../components/card.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { Note } from "../../components/note.tsx";
import { named, t } from "../../i18n.ts";
import { authState, me, readSession } from "../../session.ts";
import { UserNameHint } from "../user_name_hint.tsx";

export function PasswordCard() {
  const who = me.value;
  if (!who) return null;
  return (
    <Card title={t("settings.account")}>
      <dl class="facts">
        <div>
          <dt>{t("login.name")}</dt>
          <dd>{who.name}</dd>
        </div>
        <div>
          <dt>{t("users.role")}</dt>
          <dd>{who.role && named("role", who.role)}</dd>
        </div>
      </dl>
      {who.role && <p class="hint">{named("role_told", who.role)}</p>}
      {who.has_password ? (
        <PasswordForm />
      ) : (
        <Note tone="info">
          {t("account.by_provider", { provider: authState.value?.oidc ?? t("users.single_sign_on") })}
        </Note>
      )}
    </Card>
  );
}

function PasswordForm() {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const [isDone, setDone] = useState(false);
  const change = async () => {
    setDone(false);
    await ask("POST", "auth/password", { old, new: password });
    setOld("");
    setPassword("");
    setDone(true);
    await readSession();
  };
  return (
    <Form submit={t("account.change_password")} onSubmit={change}>
      <h3>{t("account.change_password")}</h3>
      {isDone && (
        <Note tone="ok" role="status">
          {t("account.password_changed")}
        </Note>
      )}
      <UserNameHint name={me.value?.name} />
      <Field
        label={t("account.old_password")} value={old} onValue={setOld}
        type="password" autocomplete="current-password" required
      />
      <Field
        label={t("users.new_password")} value={password} onValue={setPassword}
        type="password" autocomplete="new-password" hint={t("account.password_hint")} required
      />
    </Form>
  );
}
