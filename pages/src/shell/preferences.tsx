/** Language and colours: what somebody likes, kept in this browser. */
import { Choice } from "../components/choice.tsx";
import { LANGUAGES, language, t } from "../i18n.ts";
import { THEMES, theme } from "../theme.ts";

export function Preferences() {
  return (
    <div class="preferences">
      <Choice
        label={t("shell.language")}
        value={language.value}
        choices={LANGUAGES}
        textOf={(choice) => t(`language.${choice}`)}
        onChoose={(choice) => (language.value = choice)}
      />
      <Choice
        label={t("shell.theme")}
        value={theme.value}
        choices={THEMES}
        textOf={(choice) => t(`theme.${choice}`)}
        onChoose={(choice) => (theme.value = choice)}
      />
    </div>
  );
}
