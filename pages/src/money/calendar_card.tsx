/** The days of a month, each with what it saved against a site without a battery.
 *
 * The colour is told in words too. Arrow keys go from day to day, and a day that is chosen is looked
 * into above.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnswer } from "../answer.ts";
import { Answered } from "../components/answered.tsx";
import { Card } from "../components/card.tsx";
import { Stepper } from "../components/stepper.tsx";
import type { Money, MoneyRow } from "../contract.ts";
import { addDays, addMonths, type DateText, dateOf, startOf, weekday } from "../dates.ts";
import { dayInFull, money, weekday as weekdayName } from "../format.ts";
import { t } from "../i18n.ts";
import { monthName } from "./periods.ts";
import { compare, type Comparison } from "./sums.ts";

const DAYS_A_WEEK = 7;
const SHADES = 4;
const STEPS: Record<string, number> = {
  ArrowLeft: -1, ArrowRight: 1, ArrowUp: -DAYS_A_WEEK, ArrowDown: DAYS_A_WEEK,
};

interface Props {
  today: DateText;
  chosen: DateText | null;
  onChoose: (day: DateText | null) => void;
}

export function CalendarCard({ today, chosen, onChoose }: Props) {
  const [first, setFirst] = useState(addMonths(today, 0));
  const answer = useAnswer<Money>(`money?start=${first}&end=${addMonths(first, 1)}&step=day`);
  return (
    <Card
      title={t("money.calendar")}
      aside={
        <Stepper
          label={monthName(first)}
          before={t("money.month_before")} after={t("money.month_after")}
          isLast={first === addMonths(today, 0)}
          onStep={(months) => setFirst(addMonths(first, months))}
        />
      }
      wide
    >
      <Answered answer={answer}>
        {({ rows }) => (
          <Days first={first} rows={rows} today={today} chosen={chosen} onChoose={onChoose} />
        )}
      </Answered>
      <Legend />
    </Card>
  );
}

interface DaysProps extends Props {
  first: DateText;
  rows: readonly MoneyRow[];
}

function Days({ first, rows, today, chosen, onChoose }: DaysProps) {
  const table = useRef<HTMLTableElement>(null);
  const days = daysOf(first);
  const past = days.filter((day) => day <= today);
  const [focused, setFocused] = useState(past.at(-1) ?? first);
  const reached = past.includes(focused) ? focused : (past.at(-1) ?? first);
  const isMoved = useRef(false);
  useEffect(() => {
    if (isMoved.current) table.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    isMoved.current = false;
  }, [focused]);

  const byDay = new Map(rows.map((row) => [dateOf(row.start), row]));
  const found = past.map((day) => saving(byDay.get(day)));
  const largest = Math.max(...found.map((one) => Math.abs(one?.saved ?? 0)), 0.01);
  const press = (event: KeyboardEvent) => {
    const next = target(event.key, reached, past);
    if (next === undefined) return;
    event.preventDefault();
    isMoved.current = true;
    setFocused(next);
  };
  return (
    <table class="calendar" ref={table} onKeyDown={press}>
      <caption class="unseen">{t("money.calendar_told", { month: monthName(first) })}</caption>
      <thead>
        <tr>
          {[0, 1, 2, 3, 4, 5, 6].map((index) => (
            <th key={index} scope="col">
              {weekdayName(index)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks(days).map((week) => (
          <tr key={week.find((day) => day !== null)}>
            {week.map((day, index) => (
              <td key={index}>
                {day !== null && day > today && <span class="calendar-day to-come">{Number(day.slice(8))}</span>}
                {day !== null && day <= today && (
                  <Day
                    day={day}
                    row={byDay.get(day)}
                    largest={largest}
                    isReached={day === reached}
                    isChosen={day === chosen}
                    onChoose={() => {
                      setFocused(day);
                      onChoose(day === chosen ? null : day);
                    }}
                  />
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const saving = (row: MoneyRow | undefined): Comparison | null =>
  row ? compare([row], "no_battery") : null;

/** The day that a key leads to; undefined if it leads nowhere. */
function target(key: string, from: DateText, past: readonly DateText[]): DateText | undefined {
  if (key === "Home") return past[0];
  if (key === "End") return past.at(-1);
  const step = STEPS[key];
  if (step === undefined) return undefined;
  const next = addDays(from, step);
  return past.includes(next) ? next : undefined;
}

interface DayProps {
  day: DateText;
  row: MoneyRow | undefined;
  largest: number;
  isReached: boolean;
  isChosen: boolean;
  onChoose: () => void;
}

function Day({ day, row, largest, isReached, isChosen, onChoose }: DayProps) {
  const found = saving(row);
  return (
    <button
      type="button"
      class={`calendar-day ${look(found, largest)}`}
      tabIndex={isReached ? 0 : -1}
      aria-pressed={isChosen}
      onClick={onChoose}
    >
      <span class="unseen">{`${dayInFull(startOf(day))}: ${inWords(row, found)}`}</span>
      <span class="day-number" aria-hidden="true">
        {Number(day.slice(8))}
      </span>
      <span class="figure" aria-hidden="true">
        {found ? money(found.saved) : t("money.not_known_sign")}
      </span>
    </button>
  );
}

function look(found: Comparison | null, largest: number): string {
  if (!found) return "is-unknown";
  if (found.saved < 0) return "lost";
  return `won shade-${Math.ceil((found.saved / largest) * SHADES)}`;
}

function inWords(row: MoneyRow | undefined, found: Comparison | null): string {
  if (!row || row.cost === null) return t("money.not_known");
  const cost = t(row.cost < 0 ? "money.earned_so_much" : "money.cost_so_much", {
    amount: money(Math.abs(row.cost)),
  });
  if (!found) return `${cost}, ${t("money.saved_not_known")}`;
  const key = found.saved < 0 ? "money.lost_so_much" : "money.saved_so_much";
  return `${cost}, ${t(key, { amount: money(Math.abs(found.saved)) })}`;
}

function daysOf(first: DateText): DateText[] {
  const days: DateText[] = [];
  for (let day = first; day < addMonths(first, 1); day = addDays(day, 1)) days.push(day);
  return days;
}

/** The days of each week, from Monday; null where the month has none. */
function weeks(days: readonly DateText[]): (DateText | null)[][] {
  const offset = weekday(days[0] ?? "");
  const count = Math.ceil((offset + days.length) / DAYS_A_WEEK);
  return Array.from({ length: count }, (_, week) =>
    Array.from({ length: DAYS_A_WEEK }, (_, index) => days[week * DAYS_A_WEEK + index - offset] ?? null),
  );
}

function Legend() {
  return (
    <ul class="calendar-key">
      <li>
        <span class="calendar-day won shade-1" aria-hidden="true" />
        {t("money.key_little")}
      </li>
      <li>
        <span class="calendar-day won shade-4" aria-hidden="true" />
        {t("money.key_much")}
      </li>
      <li>
        <span class="calendar-day lost" aria-hidden="true" />
        {t("money.key_lost")}
      </li>
      <li>
        <span class="calendar-day is-unknown" aria-hidden="true" />
        {t("money.not_known")}
      </li>
    </ul>
  );
}
