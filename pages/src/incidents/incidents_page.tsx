/** Incidents: what took the site out of operation, each of them to go through again. */
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Page } from "../components/page.tsx";
import { Table } from "../components/table.tsx";
import type { Incident } from "../contract.ts";
import { dateAndClock, UNKNOWN } from "../format.ts";
import { t } from "../i18n.ts";
import { href, route } from "../router.ts";
import { may } from "../session.ts";
import { AuditCard } from "./audit_card.tsx";
import { IncidentPage } from "./incident_page.tsx";
import { firstFinding, lasted, LedTo } from "./words.tsx";

const EVERY_S = 15;

export function IncidentsPage() {
  const { part } = route.value;
  return part === undefined ? <Incidents /> : <IncidentPage key={part} id={part} />;
}

function Incidents() {
  const answer = useAnswer<Incident[]>("incidents", EVERY_S);
  return (
    <Page title={t("nav.incidents")} lead={t("incidents.lead")}>
      <Card title={t("incidents.all")} wide>
        <Answered answer={answer}>{(incidents) => <List incidents={incidents} />}</Answered>
      </Card>
      {may("audit.read") && <AuditCard />}
    </Page>
  );
}

function List({ incidents }: { incidents: Incident[] }) {
  return (
    <Table
      caption={t("incidents.all")}
      empty={t("incidents.none")}
      rows={incidents}
      keyOf={(one) => String(one.id)}
      columns={[
        {
          head: t("column.when"),
          cell: (one) => (
            <a class="figure" href={href("incidents", String(one.id))}>
              {dateAndClock(one.start)}
            </a>
          ),
        },
        { head: t("incidents.lasted"), cell: lasted, isNumber: true },
        { head: t("incidents.led_to"), cell: (one) => <LedTo state={one.state} /> },
        {
          head: t("incidents.first"),
          cell: firstFinding,
        },
        { head: t("column.words"), cell: (one) => one.text || UNKNOWN },
      ]}
    />
  );
}
