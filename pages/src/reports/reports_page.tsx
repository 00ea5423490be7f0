/** Reports: a day, a month or a year, to print and to calculate with. */
import { useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { address } from "../api.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Entries, Entry } from "../components/entries.tsx";
import { Field } from "../components/field.tsx";
import { Page } from "../components/page.tsx";
import { Segments } from "../components/segments.tsx";
import { Stepper } from "../components/stepper.tsx";
import type { EnergyRow } from "../contract.ts";
import { addDays, addMonths, type DateText, dateOf, startOf } from "../dates.ts";
import { dayInFull, month, year } from "../format.ts";
import { type Key, named, t } from "../i18n.ts";
import { Energies } from "../money/energy_card.tsx";
import { may } from "../session.ts";

const KINDS = ["day", "month", "year"] as const;
type Kind = (typeof KINDS)[number];

interface KindRow {
  /** The first day of the one that lies so many from that of a date. */
  first: (date: DateText, steps: number) => DateText;
  title: (when: string) => string;
  rows: Key;
}

const OF: Record<Kind, KindRow> = {
  day: { first: addDays, title: dayInFull, rows: "reports.rows_hour" },
  month: { first: addMonths, title: month, rows: "reports.rows_day" },
  year: {
    first: (date, steps) => `${Number(date.slice(0, 4)) + steps}-01-01`,
    title: year,
    rows: "reports.rows_month",
  },
};
const FORMATS: readonly { format: string; name: Key; told: Key }[] = [
  { format: "pdf", name: "reports.pdf", told: "reports.pdf_told" },
  { format: "csv", name: "reports.csv", told: "reports.csv_told" },
];

export function ReportsPage() {
  const today = dateOf(Date.now());
  const [kind, setKind] = useState<Kind>("day");
  const [date, setDate] = useState(addDays(today, -1));
  const first = OF[kind].first(date, 0);
  const end = OF[kind].first(date, 1);
  const step = kind === "year" ? "month" : "day";
  const answer = useAnswer<{ rows: EnergyRow[] }>(`energy?start=${first}&end=${end}&step=${step}`);
  return (
    <Page title={t("nav.reports")} lead={t("reports.lead")}>
      <Card title={t("reports.which")} wide>
        <div class="which">
          <Segments
            label={t("reports.kind")} value={kind} choices={KINDS}
            textOf={(choice) => named("report", choice)} onChoose={setKind}
          />
          <Stepper
            label={OF[kind].title(startOf(first))}
            before={t("reports.before")} after={t("reports.after")}
            isLast={end > today}
            onStep={(steps) => setDate(OF[kind].first(date, steps))}
          />
          <Field
            label={t("reports.date")} type="date" value={date} max={today}
            onValue={(value) => value !== "" && value <= today && setDate(value)}
          />
        </div>
      </Card>
      <Card title={OF[kind].title(startOf(first))}>
        {end > today && <p class="muted">{t("reports.not_over")}</p>}
        <Answered answer={answer}>{({ rows }) => <Energies rows={rows} />}</Answered>
      </Card>
      <Card title={t("reports.files")}>
        <Entries label={t("reports.files")}>
          {FORMATS.map(({ format, name, told }) => (
            <Entry
              key={format}
              title={t(name)}
              facts={[t(told, { rows: t(OF[kind].rows) })]}
              actions={
                <File
                  name={`${kind}-${first}.${format}`}
                  path={`reports/${kind}/${first}?format=${format}`}
                  why_not={whyNot(answer.value?.rows ?? null)}
                />
              }
            />
          ))}
        </Entries>
      </Card>
    </Page>
  );
}

/** Why there is no file; undefined if there is one. */
function whyNot(rows: readonly EnergyRow[] | null): string | undefined {
  if (!may("history.export")) return t("reports.not_allowed");
  if (rows === null) return t("answer.waiting");
  const isKnown = rows.some((row) => row.complete > 0 || row.import_wh !== null || row.cost !== null);
  return isKnown ? undefined : t("reports.no_data");
}

function File({ name, path, why_not }: { name: string; path: string; why_not: string | undefined }) {
  if (why_not === undefined) {
    return (
      <a class="button" href={address(`api/v1/${path}`)} download={name}>
        {t("reports.download")} <span class="unseen">{name}</span>
      </a>
    );
  }
  return (
    <div class="action">
      <button type="button" disabled>
        {t("reports.download")} <span class="unseen">{name}</span>
      </button>
      <p class="hint">{why_not}</p>
    </div>
  );
}
