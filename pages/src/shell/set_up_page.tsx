/** The first account of a site: only who can read its console has the code. */
import { useState } from "preact/hooks";
import { Field } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { Page } from "../components/page.tsx";
import { t } from "../i18n.ts";
import { href } from "../router.ts";
import { setUp } from "../session.ts";

export function SetUpPage() {
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const make = async () => {
    await setUp(code.trim(), name, password);
    location.hash = href("now");
  };
  return (
    <Page title={t("setup.title")} lead={t("setup.lead")}>
      <section class="card narrow">
        <Form submit={t("setup.submit")} onSubmit={make}>
          <Field
            label={t("setup.code")} value={code} onValue={setCode} hint={t("setup.code_hint")}
            autocomplete="off" required
          />
          <Field
            label={t("login.name")} value={name} onValue={setName}
            autocomplete="username" required
          />
          <Field
            label={t("login.password")} value={password} onValue={setPassword}
            hint={t("setup.password_hint")}
            type="password" autocomplete="new-password" required
          />
        </Form>
      </section>
    </Page>
  );
}
