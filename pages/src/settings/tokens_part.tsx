/** Tokens let programs in: each with a name, what it may do, and an end. */
import { useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { ask } from "../api.ts";
import { ActionButton } from "../components/action_button.tsx";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Choice } from "../components/choice.tsx";
import { Entries, Entry } from "../components/entries.tsx";
import { Field } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { Note } from "../components/note.tsx";
import { type Right, ROLES, type Role, type TokenInfo } from "../contract.ts";
import { addDays, dateOf, startOf } from "../dates.ts";
import { date, dateAndClock } from "../format.ts";
import { named, t } from "../i18n.ts";
import { me } from "../session.ts";
import { Once } from "./once.tsx";


const USUAL_DAYS = 365;
/** Only a person who has logged in has these. */
const FOR_PERSONS: readonly Right[] = ["users.manage", "own.account"];

export function TokensPart() {
  const answer = useAnswer<TokenInfo[]>("auth/tokens");
  const [made, setMade] = useState<(TokenInfo & { token: string }) | null>(null);
  const done = (token: (TokenInfo & { token: string }) | null) => {
    setMade(token);
    answer.again();
  };
  return (
    <>
      <Card title={t("tokens.title")}>
        <p class="muted">{t("tokens.lead")}</p>
        {made && (
          <Note tone="ok" role="status">
            <p>{t("tokens.made", { name: made.name })}</p>
            <Once label={t("tokens.secret")} secret={made.token} />
          </Note>
        )}
        <Answered answer={answer}>
          {(tokens) => (
            <Entries label={t("tokens.title")} empty={t("tokens.none")}>
              {tokens.map((token) => (
                <TokenEntry key={token.id} token={token} onGone={() => done(null)} />
              ))}
            </Entries>
          )}
        </Answered>
      </Card>
      <NewToken onMade={done} />
    </>
  );
}

function TokenEntry({ token, onGone }: { token: TokenInfo; onGone: () => void }) {
  const isOver = Date.parse(token.expires) <= Date.now();
  const revoke = async () => {
    await ask("DELETE", `auth/tokens/${encodeURIComponent(token.id)}`);
    onGone();
  };
  return (
    <Entry
      title={token.name}
      facts={[
        named("role", token.role),
        token.rights === null
          ? t("tokens.all_rights")
          : token.rights.map((right) => named("right", right)).join(", "),
        t(isOver ? "tokens.over" : "tokens.until", { time: dateAndClock(token.expires) }),
        token.used === null
          ? t("tokens.not_used")
          : t("tokens.used", { time: dateAndClock(token.used) }),
      ]}
      actions={
        <ActionButton
          label={t("tokens.revoke")}
          of={token.name}
          question={t("tokens.revoke_question", { name: token.name })}
          onAct={revoke}
        />
      }
    />
  );
}

function NewToken({ onMade }: { onMade: (token: TokenInfo & { token: string }) => void }) {
  const today = dateOf(Date.now());
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [isAll, setAll] = useState(true);
  const [rights, setRights] = useState<readonly Right[]>(["site.read"]);
  const [until, setUntil] = useState(addDays(today, USUAL_DAYS));
  const make = async () => {
    const body = {
      name, role, rights: isAll ? null : rights, expires: startOf(addDays(until, 1)),
    };
    onMade(await ask("POST", "auth/tokens", body));
    setName("");
  };
  const toggle = (right: Right) =>
    setRights(rights.includes(right) ? rights.filter((one) => one !== right) : [...rights, right]);
  const offered = (me.value?.rights ?? []).filter((right) => !FOR_PERSONS.includes(right));
  return (
    <Card title={t("tokens.new")}>
      <Form submit={t("tokens.make")} onSubmit={make}>
        <Field
          label={t("tokens.name")} value={name} onValue={setName} hint={t("tokens.name_hint")}
          autocomplete="off" required
        />
        <Choice
          label={t("users.role")} value={role} choices={ROLES.slice(0, ROLES.indexOf(me.value?.role ?? "viewer") + 1)}
          textOf={(choice) => named("role", choice)} onChoose={setRole}
          hint={named("role_told", role)}
        />
        <fieldset>
          <legend>{t("tokens.scope")}</legend>
          <label class="check">
            <input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} />
            {t("tokens.all_rights")}
          </label>
          {!isAll &&
            offered.map((right) => (
              <label key={right} class="check">
                <input
                  type="checkbox"
                  checked={rights.includes(right)}
                  onChange={() => toggle(right)}
                />
                {named("right", right)}
              </label>
            ))}
        </fieldset>
        <Field
          label={t("tokens.last_day")} value={until} onValue={setUntil} type="date"
          hint={t("tokens.last_day_hint", { day: date(startOf(today)) })} required
        />
      </Form>
    </Card>
  );
}
