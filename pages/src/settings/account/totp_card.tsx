/** An authenticator app as a second factor: registered by a picture and a code that it shows. */
import { useState } from "preact/hooks";
import { ApiError, ask } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Failure } from "../../components/answered.tsx";
import { Card } from "../../components/card.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { Note } from "../../components/note.tsx";
import { Pill } from "../../components/pill.tsx";
import type { TotpBegun } from "../../contract.ts";
import { t } from "../../i18n.ts";
import { me, readSession } from "../../session.ts";
import { Once } from "../once.tsx";
import { QrPicture } from "./qr_picture.tsx";
import { UserNameHint } from "../user_name_hint.tsx";

export function TotpCard() {
  const [begun, setBegun] = useState<TotpBegun | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const isOn = me.value?.totp ?? false;
  const begin = async () => {
    setFailure(null);
    setBegun(await ask<TotpBegun>("POST", "auth/totp/begin"));
  };
  const finished = async (recovery: string[] | ApiError) => {
    setBegun(null); // each registration takes one code: after a wrong one it begins anew
    if (recovery instanceof ApiError) {
      setFailure(recovery);
      return;
    }
    setCodes(recovery);
    await readSession();
  };
  return (
    <Card
      title={t("totp.title")}
      aside={<Pill tone={isOn ? "ok" : "unknown"}>{t(isOn ? "totp.on" : "totp.off")}</Pill>}
    >
      <p class="muted">{t("totp.lead")}</p>
      {failure && <Failure error={failure} />}
      {codes && <RecoveryCodes codes={codes} onKept={() => setCodes(null)} />}
      {!isOn && !begun && (
        <ActionButton
          label={t("totp.begin")}
          onAct={begin}
          why_not={me.value?.has_password ? undefined : t("totp.by_provider")}
        />
      )}
      {begun && <Register begun={begun} onFinished={finished} onCancel={() => setBegun(null)} />}
      {isOn && !codes && <Registered />}
    </Card>
  );
}

interface RegisterProps {
  begun: TotpBegun;
  onFinished: (recovery: string[] | ApiError) => Promise<void>;
  onCancel: () => void;
}

function Register({ begun, onFinished, onCancel }: RegisterProps) {
  const [code, setCode] = useState("");
  const confirm = async () => {
    try {
      const body = { ceremony: begun.ceremony, code: code.replaceAll(" ", "") };
      const answer = await ask<{ recovery_codes: string[] }>("POST", "auth/totp/confirm", body);
      await onFinished(answer.recovery_codes);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await onFinished(error);
    }
  };
  return (
    <>
      <ol class="steps">
        <li>
          {t("totp.scan")} <a href={begun.uri}>{t("totp.open")}</a>
          <QrPicture text={begun.uri} label={t("totp.picture")} />
          <details>
            <summary>{t("totp.type")}</summary>
            <code class="secret">{begun.secret.replace(/(.{4})/g, "$1 ").trim()}</code>
          </details>
        </li>
        <li>
          <Form submit={t("totp.confirm")} onSubmit={confirm}>
            <Field
              label={t("totp.code")} value={code} onValue={setCode}
              inputMode="numeric" autocomplete="one-time-code" required
            />
          </Form>
        </li>
      </ol>
      <div class="actions">
        <button type="button" onClick={onCancel}>
          {t("command.cancel")}
        </button>
      </div>
    </>
  );
}

function RecoveryCodes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  return (
    <Note tone="attention" role="status">
      <p>
        <strong>{t("totp.recovery")}</strong>
      </p>
      <p>{t("totp.recovery_told")}</p>
      <Once label={t("totp.recovery")} secret={codes.join("\n")} />
      <button type="button" onClick={onKept}>
        {t("totp.recovery_kept")}
      </button>
    </Note>
  );
}

function Registered() {
  const [password, setPassword] = useState("");
  const remove = async () => {
    await ask("POST", "auth/totp/remove", { password });
    await readSession();
  };
  return (
    <>
      <p>{t("totp.recovery_left", { count: me.value?.recovery_codes ?? 0 })}</p>
      <details>
        <summary>{t("totp.remove")}</summary>
        <Form submit={t("totp.remove")} onSubmit={remove}>
          <UserNameHint name={me.value?.name} />
          <Field
            label={t("account.old_password")} value={password} onValue={setPassword}
            type="password" autocomplete="current-password" hint={t("totp.remove_told")} required
          />
        </Form>
      </details>
    </>
  );
}
