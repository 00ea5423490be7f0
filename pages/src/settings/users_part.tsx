/** Who has an account, and what each may do. */
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
import { Pill } from "../components/pill.tsx";
import { ROLES, type Role, type UserInfo } from "../contract.ts";
import { date } from "../format.ts";
import { named, t } from "../i18n.ts";
import { authState, me } from "../session.ts";
import { UserNameHint } from "./user_name_hint.tsx";

const pathOf = (user: UserInfo): string => `auth/users/${encodeURIComponent(user.name)}`;

export function UsersPart() {
  const answer = useAnswer<UserInfo[]>("auth/users");
  return (
    <>
      <Card title={t("settings.users")}>
        <Answered answer={answer}>
          {(users) => (
            <Entries label={t("settings.users")}>
              {users.map((user) => (
                <UserEntry key={user.name} user={user} again={answer.again} />
              ))}
            </Entries>
          )}
        </Answered>
      </Card>
      <div class="column">
        <NewUser again={answer.again} />
        <Card title={t("users.roles")}>
          <dl class="facts list told">
            {ROLES.map((role) => (
              <div key={role}>
                <dt>{named("role", role)}</dt>
                <dd>{named("role_told", role)}</dd>
              </div>
            ))}
          </dl>
          {authState.value?.oidc && (
            <p class="hint">{t("users.oidc", { provider: authState.value.oidc })}</p>
          )}
        </Card>
      </div>
    </>
  );
}

interface UserProps {
  user: UserInfo;
  again: () => void;
}

function UserEntry({ user, again }: UserProps) {
  const [isOpen, setOpen] = useState(false);
  const label = t(isOpen ? "shell.close_menu" : "users.change");
  return (
    <Entry
      title={
        <>
          {user.name} <Pill tone="info">{named("role", user.role)}</Pill>
        </>
      }
      facts={[
        user.name === me.value?.name && t("users.you"),
        user.single_sign_on && t("users.single_sign_on"),
        factors(user),
        t("users.sessions", { count: user.sessions }),
        t("users.tokens", { count: user.tokens }),
        t("users.since", { day: date(user.made) }),
      ]}
      actions={
        <button
          type="button"
          aria-expanded={isOpen}
          aria-label={`${label}: ${user.name}`}
          onClick={() => setOpen(!isOpen)}
        >
          {label}
        </button>
      }
    >
      {isOpen && <UserForm user={user} again={again} />}
    </Entry>
  );
}

function factors(user: UserInfo): string {
  const known = [
    user.totp && t("users.totp"),
    user.passkeys > 0 && t("users.passkeys", { count: user.passkeys }),
  ].filter(Boolean);
  return known.length > 0 ? known.join(", ") : t("users.no_second_factor");
}

function UserForm({ user, again }: UserProps) {
  const [role, setRole] = useState<Role>(user.role);
  const [password, setPassword] = useState("");
  const change = async () => {
    await ask("PATCH", pathOf(user), {
      ...(role === user.role ? {} : { role }),
      ...(password === "" ? {} : { password }),
    });
    setPassword("");
    again();
  };
  const act = (method: "PATCH" | "DELETE", path: string, body?: unknown) => async () => {
    await ask(method, path, body);
    again();
  };
  return (
    <div class="inset">
      {user.single_sign_on ? (
        <p class="hint">{t("users.by_provider")}</p>
      ) : (
        <Form
          submit={t("users.save")} onSubmit={change}
          disabled={role === user.role && password === ""}
        >
          <UserNameHint name={user.name} />
          <Choice
            label={t("users.role")} value={role} choices={ROLES}
            textOf={(choice) => named("role", choice)} onChoose={setRole}
            hint={named("role_told", role)}
          />
          <Field
            label={t("users.new_password")} value={password} onValue={setPassword}
            type="password" autocomplete="new-password" hint={t("users.new_password_hint")}
          />
        </Form>
      )}
      <div class="actions">
        <ActionButton
          label={t("users.log_out")} of={user.name} question={t("users.log_out_question", { name: user.name })}
          onAct={act("DELETE", `${pathOf(user)}/sessions`)}
          why_not={user.sessions === 0 ? t("users.no_sessions") : undefined}
        />
        {(user.totp || user.passkeys > 0) && (
          <ActionButton
            label={t("users.remove_factor")} of={user.name}
            question={t("users.remove_factor_question", { name: user.name })}
            onAct={act("PATCH", pathOf(user), { second_factor: false })}
          />
        )}
        <ActionButton
          label={t("users.remove")} of={user.name}
          question={t("users.remove_question", { name: user.name })}
          onAct={act("DELETE", pathOf(user))}
          why_not={user.name === me.value?.name ? t("users.not_yourself") : undefined}
        />
      </div>
    </div>
  );
}

function NewUser({ again }: { again: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState("");
  const add = async () => {
    await ask("POST", "auth/users", { name, role, password });
    setName("");
    setPassword("");
    again();
  };
  return (
    <Card title={t("users.new")}>
      <Form submit={t("users.add")} onSubmit={add}>
        <Field
          label={t("login.name")} value={name} onValue={setName} hint={t("users.name_hint")}
          autocomplete="off" required
        />
        <Choice
          label={t("users.role")} value={role} choices={ROLES}
          textOf={(choice) => named("role", choice)} onChoose={setRole}
          hint={named("role_told", role)}
        />
        <Field
          label={t("login.password")} value={password} onValue={setPassword}
          type="password" autocomplete="new-password" hint={t("users.password_hint")} required
        />
      </Form>
    </Card>
  );
}
