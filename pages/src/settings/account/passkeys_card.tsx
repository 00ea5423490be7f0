/** Passkeys: what a telephone, a computer or a stick keeps, and proves by a finger or a PIN. */
import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Card } from "../../components/card.tsx";
import { Entries, Entry } from "../../components/entries.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { Note } from "../../components/note.tsx";
import { date } from "../../format.ts";
import { t } from "../../i18n.ts";
import { makePasskey, whyNoPasskeys } from "../../passkeys.ts";
import { me, readSession } from "../../session.ts";

export function PasskeysCard() {
  const [name, setName] = useState("");
  const why_not = whyNoPasskeys();
  const make = async () => {
    await makePasskey(name);
    setName("");
    await readSession();
  };
  const remove = (id: string) => async () => {
    await ask("DELETE", `auth/passkeys/${encodeURIComponent(id)}`);
    await readSession();
  };
  return (
    <Card title={t("passkeys.title")}>
      <p class="muted">{t("passkeys.lead")}</p>
      <Entries label={t("passkeys.title")} empty={t("passkeys.none")}>
        {(me.value?.passkeys ?? []).map((passkey) => (
          <Entry
            key={passkey.id}
            title={passkey.name}
            facts={[passkey.host, t("passkeys.since", { day: date(passkey.made) })]}
            actions={
              <ActionButton
                label={t("schedule.remove")} of={passkey.name}
                question={t("passkeys.remove_question", { name: passkey.name })}
                onAct={remove(passkey.id)}
              />
            }
          />
        ))}
      </Entries>
      {why_not && <Note tone="info">{why_not}</Note>}
      <Form submit={t("passkeys.add")} onSubmit={make} disabled={why_not !== undefined}>
        <Field
          label={t("passkeys.name")} value={name} onValue={setName} hint={t("passkeys.name_hint")}
          autocomplete="off" disabled={why_not !== undefined} required
        />
      </Form>
    </Card>
  );
}
