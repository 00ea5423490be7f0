/** One incident: what it was, and all that happened, moment by moment. */
import { useMemo, useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Page } from "../components/page.tsx";
import type { IncidentInFull } from "../contract.ts";
import { dateAndClock } from "../format.ts";
import { named, t } from "../i18n.ts";
import { href } from "../router.ts";
import { EventsCard } from "./events_card.tsx";
import { condensed, endedBy, spanOf } from "./moments.ts";
import { ReplayCard } from "./replay_card.tsx";
import { firstFinding, lasted, LedTo } from "./words.tsx";

const LASTING_EVERY_S = 30;

export function IncidentPage({ id }: { id: string }) {
  const [lasts, setLasts] = useState(false);
  const path = `incidents/${encodeURIComponent(id)}`;
  const answer = useAnswer<IncidentInFull>(path, lasts ? LASTING_EVERY_S : 0);
  const isOpen = answer.value !== null && answer.value.incident.end === null;
  if (isOpen !== lasts) setLasts(isOpen);
  return (
    <Page
      title={answer.value ? title(answer.value) : t("incidents.one")}
      lead={<a href={href("incidents")}>{t("incidents.to_all")}</a>}
    >
      <div class="cards inner">
        <Answered answer={answer}>{(full) => <Told full={full} />}</Answered>
      </div>
    </Page>
  );
}

const title = ({ incident }: IncidentInFull): string =>
  t("incidents.one_of", { time: dateAndClock(incident.start) });

/** The moment that is looked at belongs to all cards. */
function Told({ full }: { full: IncidentInFull }) {
  const span = useMemo(() => spanOf(full.incident, Date.now()), [full]);
  const [at_ms, onAt] = useState(() => Date.parse(full.incident.start));
  const events = useMemo(() => condensed(full.events), [full]);
  return (
    <>
      <Facts full={full} />
      <ReplayCard full={full} events={events} span={span} at_ms={at_ms} onAt={onAt} />
      <EventsCard full={full} events={events} at_ms={at_ms} onAt={onAt} />
      <Card title={t("incidents.before")} wide>
        {full.before.length === 0 && <p class="muted">{t("incidents.nothing_before")}</p>}
        {full.before.map((sentence) => <p key={sentence}>{sentence}</p>)}
      </Card>
    </>
  );
}

function Facts({ full }: { full: IncidentInFull }) {
  const { incident } = full;
  return (
    <Card title={incident.text} wide>
      <dl class="facts">
        <div>
          <dt>{t("incidents.lasted")}</dt>
          <dd class="figure">{lasted(incident)}</dd>
        </div>
        <div>
          <dt>{t("incidents.led_to")}</dt>
          <dd>
            <LedTo state={incident.state} />
          </dd>
        </div>
        <div>
          <dt>{t("incidents.first")}</dt>
          <dd>
            {firstFinding(incident)}
          </dd>
        </div>
        <div>
          <dt>{t("incidents.ended_by")}</dt>
          <dd>{ended(full)}</dd>
        </div>
      </dl>
    </Card>
  );
}

function ended(full: IncidentInFull): string {
  if (full.incident.end === null) return t("incidents.lasts");
  const by = endedBy(full);
  if (!by) return t("value.unknown");
  const what = by.command ? named("command", by.command) : "";
  return by.who ? t("incidents.by_whom", { who: by.who, what }) : what;
}
