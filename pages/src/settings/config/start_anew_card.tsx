/** A change of site.yaml takes effect when the processes start anew. */
import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Card } from "../../components/card.tsx";
import { Note } from "../../components/note.tsx";
import { t } from "../../i18n.ts";
import { snapshot } from "../../live.ts";
import { may } from "../../session.ts";

export function StartAnewCard() {
  const [told, setTold] = useState("");
  const apply = async () => {
    setTold("");
    setTold((await ask<{ text: string }>("POST", "config/apply")).text);
  };
  return (
    <Card title={t("config.effect")}>
      <p>{t("config.effect_told")}</p>
      {told && (
        <Note tone="info" role="status">
          {t("config.start_sent")} <span lang="en">{told}</span>
        </Note>
      )}
      <ActionButton
        label={t("config.start_anew")}
        question={t("config.start_question")}
        onAct={apply}
        why_not={whyNot()}
      />
    </Card>
  );
}

function whyNot(): string | undefined {
  if (!may("config.write")) return t("config.start_not_allowed");
  return snapshot.value?.state === "running" ? t("config.start_not_running") : undefined;
}
