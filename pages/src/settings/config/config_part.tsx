/** site.yaml: read, changed with a check and a difference before it is written, and taken back. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Failure } from "../../components/answered.tsx";
import { Card } from "../../components/card.tsx";
import { Note } from "../../components/note.tsx";
import { named, t } from "../../i18n.ts";
import { may } from "../../session.ts";
import { Diff } from "./diff.tsx";
import { checkDraft, discard, draft, readDraft, writeDraft } from "./draft.ts";
import { Editor, showLine } from "./editor.tsx";
import { Findings, marksOf } from "./findings.tsx";
import { StartAnewCard } from "./start_anew_card.tsx";
import { VersionsCard } from "./versions_card.tsx";

export function ConfigPart() {
  return (
    <>
      <TextCard />
      <div class="column">
        <StartAnewCard />
      </div>
      <VersionsCard />
    </>
  );
}

function TextCard() {
  const field = useRef<HTMLTextAreaElement>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const mayWrite = may("config.write");
  const check = draft.check.value;
  const yaml = draft.text.value;

  useEffect(() => {
    readDraft().catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error);
    });
  }, []);

  return (
    <Card title="site.yaml" wide>
      <p class="muted">{t(mayWrite ? "config.lead" : "config.lead_reader")}</p>
      {failure && <Failure error={failure} />}
      {draft.isKnown.value && (
        <>
          <Editor
            field={field}
            value={yaml}
            onValue={(value) => {
              draft.text.value = value;
              draft.written.value = null;
            }}
            marks={marksOf(check, yaml)}
            readOnly={!mayWrite}
          />
          {mayWrite && <Buttons />}
          <div role="status">
            {draft.hasMoved.value && <Note tone="attention">{t("config.has_moved")}</Note>}
            {draft.written.value !== null && (
              <Note tone="ok">
                {t("config.written", { effect: named("effect", draft.written.value) })}
              </Note>
            )}
            {check?.ok && check.doubts.length === 0 && <Note tone="ok">{t("config.ok")}</Note>}
          </div>
          {check && (
            <Findings
              check={check} yaml={yaml}
              onLine={(line) => showLine(field.current, line)}
            />
          )}
          {check && <Change />}
        </>
      )}
    </Card>
  );
}

function Buttons() {
  const isChanged = draft.isChanged.value;
  const act = async (what: () => Promise<void> | void) => what();
  return (
    <div class="actions">
      <ActionButton label={t("config.check")} onAct={checkDraft} primary={!draft.check.value?.ok} />
      <ActionButton
        label={t("config.discard")}
        onAct={() => act(discard)}
        why_not={isChanged ? undefined : t("config.nothing_changed")}
        {...(isChanged ? { question: t("config.discard_question") } : {})}
      />
    </div>
  );
}

/** What the text would change, and the way to write it: only what was checked is written. */
function Change() {
  const check = draft.check.value;
  if (!check) return null;
  return (
    <>
      <h3>{t("config.diff")}</h3>
      <Diff diff={check.diff} label={t("config.diff")} />
      {check.diff !== "" && (
        <ActionButton
          label={t("config.write")}
          onAct={writeDraft}
          primary
          why_not={check.ok ? undefined : t("config.not_with_problems")}
        />
      )}
    </>
  );
}
