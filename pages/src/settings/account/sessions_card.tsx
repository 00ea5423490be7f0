/** Where somebody is logged in, and how to end that. */
import { useAnswer } from "../../answer.ts";
import { ask } from "../../api.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Answered } from "../../components/answered.tsx";
import { Card } from "../../components/card.tsx";
import { Entries, Entry } from "../../components/entries.tsx";
import { Pill } from "../../components/pill.tsx";
import type { SessionInfo } from "../../contract.ts";
import { dateAndClock } from "../../format.ts";
import { named, t } from "../../i18n.ts";
import { readSession } from "../../session.ts";

export function SessionsCard() {
  const answer = useAnswer<SessionInfo[]>("auth/sessions");
  const end = (session: SessionInfo) => async () => {
    await ask("DELETE", `auth/sessions/${encodeURIComponent(session.id)}`);
    if (session.current) await readSession();
    else answer.again();
  };
  const endAll = async () => {
    await ask("DELETE", "auth/sessions");
    await readSession();
  };
  return (
    <Card title={t("sessions.title")}>
      <Answered answer={answer}>
        {(sessions) => (
          <>
            <Entries label={t("sessions.title")}>
              {sessions.map((session) => (
                <Entry
                  key={session.id}
                  title={
                    <>
                      {session.address}{" "}
                      {session.current && <Pill tone="ok">{t("sessions.this")}</Pill>}
                    </>
                  }
                  facts={[
                    named("how", session.how),
                    t("sessions.since", { time: dateAndClock(session.made) }),
                    t("sessions.used", { time: dateAndClock(session.used) }),
                  ]}
                  actions={
                    <ActionButton
                      label={t("sessions.end")}
                      of={`${session.address}, ${dateAndClock(session.made)}`}
                      onAct={end(session)}
                    />
                  }
                />
              ))}
            </Entries>
            <ActionButton
              label={t("sessions.end_all")}
              question={t("sessions.end_all_question")}
              onAct={endAll}
            />
          </>
        )}
      </Answered>
    </Card>
  );
}
