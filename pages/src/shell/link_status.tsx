/** Says that there are no data, to eyes and screen readers alike. Silence would be a lie. */
import { Note } from "../components/note.tsx";
import { clockSeconds } from "../format.ts";
import { type Key, t } from "../i18n.ts";
import { lastSnapshot, link } from "../live.ts";
import { mayRead } from "../session.ts";

const WORDS: Record<"silent" | "gone", { title: Key; text: Key }> = {
  silent: { title: "link.no_data", text: "link.silent" },
  gone: { title: "link.no_data", text: "link.gone" },
};

export function LinkStatus() {
  const now = link.value;
  const isBad = (now === "silent" || now === "gone") && (mayRead.value || lastSnapshot.value);
  return (
    <div class="link-status" aria-live="assertive" data-link={now}>
      {isBad && (
        <Note tone="unknown">
          <strong>{t(WORDS[now].title)}.</strong> {t(WORDS[now].text)}
          {lastSnapshot.value &&
            ` ${t("link.last", { time: clockSeconds(lastSnapshot.value.utc) })}`}
        </Note>
      )}
    </div>
  );
}
