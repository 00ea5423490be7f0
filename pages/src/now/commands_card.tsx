/** Start, stop and reset; and what is latched, who may clear it, and how. */
import { useEffect } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { CommandButton } from "../components/command_button.tsx";
import { LatchedList } from "../components/latched_list.tsx";
import { Note } from "../components/note.tsx";
import type { SiteState } from "../contract.ts";
import { t } from "../i18n.ts";
import { snapshot } from "../live.ts";

const EVERY_S = 2;

export function CommandsCard() {
  const now = snapshot.value;
  const answer = useAnswer<SiteState>(now ? "state" : null, EVERY_S);
  useEffect(answer.again, [now?.state]);
  return (
    <Card title={t("now.commands")}>
      {now ? (
        <Answered answer={answer}>
          {(state) => (
            <>
              {state.waits_for.length > 0 && <WaitsFor reasons={state.waits_for} />}
              <LatchedList latched={state.latched} />
              <div class="commands">
                {state.commands
                  .filter((offer) => offer.command !== "estop")
                  .map((offer) => <CommandButton key={offer.command} offer={offer} />)}
              </div>
            </>
          )}
        </Answered>
      ) : (
        <p class="muted">{t("now.no_commands")}</p>
      )}
    </Card>
  );
}

function WaitsFor({ reasons }: { reasons: string[] }) {
  return (
    <Note tone="info">
      {t("now.waits_for")}
      <ul>
        {reasons.map((reason) => <li key={reason}>{reason}</li>)}
      </ul>
    </Note>
  );
}
