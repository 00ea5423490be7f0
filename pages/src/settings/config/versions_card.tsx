/** The versions of site.yaml: who wrote each and when, what going back to it changes, and the way. */
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../../answer.ts";
import { ask, read } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Answered } from "../../components/answered.tsx";
import { Card } from "../../components/card.tsx";
import { Entries, Entry } from "../../components/entries.tsx";
import { Note } from "../../components/note.tsx";
import { Pill } from "../../components/pill.tsx";
import type { ConfigChecked, ConfigText, ConfigVersion } from "../../contract.ts";
import { dateAndClock } from "../../format.ts";
import { t } from "../../i18n.ts";
import { may } from "../../session.ts";
import { Diff } from "./diff.tsx";
import { draft, rollBack } from "./draft.ts";

export function VersionsCard() {
  const answer = useAnswer<ConfigVersion[]>("config/history");
  useEffect(answer.again, [draft.written.value]);
  return (
    <Card title={t("config.versions")}>
      <Answered answer={answer}>
        {(versions) => (
          <Entries label={t("config.versions")} empty={t("config.no_versions")}>
            {versions.map((version) => (
              <VersionEntry key={version.id} version={version} again={answer.again} />
            ))}
          </Entries>
        )}
      </Answered>
    </Card>
  );
}

function VersionEntry({ version, again }: { version: ConfigVersion; again: () => void }) {
  const [check, setCheck] = useState<ConfigChecked | null>(null);
  const compare = async () => {
    if (check) {
      setCheck(null);
      return;
    }
    const { yaml } = await read<ConfigText>(`config/history/${version.id}`);
    setCheck(await ask<ConfigChecked>("POST", "config/check", { yaml }));
  };
  const back = async () => {
    await rollBack(version.id);
    setCheck(null);
    again();
  };
  return (
    <Entry
      title={
        <>
          {dateAndClock(version.utc)}{" "}
          {version.present && <Pill tone="ok">{t("config.present")}</Pill>}
        </>
      }
      facts={[t("config.by", { name: version.by }), t("config.version", { id: version.id })]}
      actions={
        !version.present && may("config.write") && (
          <ActionButton
            label={t(check ? "shell.close_menu" : "config.compare")}
            of={dateAndClock(version.utc)}
            onAct={compare}
          />
        )
      }
    >
      {check && (
        <div class="inset">
          <Diff diff={check.diff} label={t("config.diff")} />
          {check.problems.length > 0 && (
            <Note tone="fault">
              <ul>
                {check.problems.map((problem) => <li key={problem}>{problem}</li>)}
              </ul>
            </Note>
          )}
          <ActionButton
            label={t("config.roll_back")}
            onAct={back}
            primary
            why_not={check.ok ? undefined : t("config.not_with_problems")}
          />
        </div>
      )}
    </Entry>
  );
}
