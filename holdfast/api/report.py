"""A report tells an owner what a day, a month or a year came to: energies, money, what was found.

It is pure, and JSON for the process that draws it.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.monitoring.history.energy_rows import EnergyRow, MoneyRow
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.past_spells import PastFinding
from holdfast.monitoring.history.reader import HistoryReader

Kind = Literal["day", "month", "year"]
_STEPS: Final[dict[Kind, TimeStep]] = {
    "day": TimeStep.HOUR,
    "month": TimeStep.DAY,
    "year": TimeStep.MONTH,
}
MOST_FINDINGS: Final = 12
_ENERGIES: Final = ("import_wh", "export_wh", "pv_wh", "load_wh", "charge_wh", "discharge_wh")
_MONEY: Final = ("cost", "no_battery", "self_consumption", "perfect_foresight")
_WORTH_TELLING: Final = frozenset({"log"})
"""Findings with another reaction narrowed what the battery did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFinding:
    """Tells of one finding, however often it came."""

    key: str
    text: str
    reaction: str
    times: int
    lasted_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """Holds all that a report tells."""

    site: str
    currency: str
    timezone: str
    kind: Kind
    day: date
    """Is the first day."""
    whole: EnergyRow
    whole_money: MoneyRow
    rows: tuple[EnergyRow, ...]
    money: tuple[MoneyRow, ...]
    found: tuple[PeriodFinding, ...]
    """Holds what narrowed the battery's work, what lasted longest first."""


_REPORT: Final = TypeAdapter(PeriodReport)


def make_report(
    reader: HistoryReader, kind: Kind, day: date, *, site: str, currency: str, zone: ZoneInfo
) -> PeriodReport:
    """Returns the report of the day, month or year that ``day`` is in. Raises HistoryError."""
    first, after = _span(kind, day)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, after))
    whole = TimeStep(kind)
    return PeriodReport(
        site=site,
        currency=currency,
        timezone=zone.key,
        kind=kind,
        day=first,
        whole=reader.energy(start, end, whole)[0],
        whole_money=reader.money(start, end, whole)[0],
        rows=tuple(reader.energy(start, end, _STEPS[kind])),
        money=tuple(reader.money(start, end, _STEPS[kind])),
        found=_found(reader.findings(start, end), start, end),
    )


def encode_report(report: PeriodReport) -> bytes:
    """Returns JSON."""
    return to_json(report, inf_nan_mode="null")


def decode_report(content: bytes) -> PeriodReport:
    """Reads what :func:`encode_report` made. Raises ValueError."""
    return _REPORT.validate_json(content)


def report_csv(report: PeriodReport) -> str:
    """Returns the rows as a table: energies in kWh, money in the site's currency; what is not
    known is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    energies = [name.replace("_wh", "_kwh") for name in _ENERGIES]
    money = [f"{name}_{report.currency}" for name in _MONEY]
    table.writerow(["from", "to", *energies, *money, "complete_pct"])
    zone = ZoneInfo(report.timezone)
    for energy, costs in zip(report.rows, report.money, strict=True):
        table.writerow(
            [
                energy.start.astimezone(zone).isoformat(timespec="minutes"),
                energy.end.astimezone(zone).isoformat(timespec="minutes"),
                *(_kwh(getattr(energy, name)) for name in _ENERGIES),
                *(_money(getattr(costs, name)) for name in _MONEY),
                f"{100.0 * energy.complete:.1f}",
            ]
        )
    return text.getvalue()


def title(report: PeriodReport) -> str:
    """Returns what the report is of, such as ``November 2026``."""
    match report.kind:
        case "day":
            return f"{report.day:%A, %d %B %Y}"
        case "month":
            return f"{report.day:%B %Y}"
        case "year":
            return f"{report.day:%Y}"


def _span(kind: Kind, day: date) -> tuple[date, date]:
    """Returns the first day, and the one after the last."""
    match kind:
        case "day":
            return day, day + timedelta(days=1)
        case "month":
            first = day.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1)
        case "year":
            first = day.replace(month=1, day=1)
            return first, first.replace(year=first.year + 1)


def _found(
    findings: Sequence[PastFinding], start: datetime, end: datetime
) -> tuple[PeriodFinding, ...]:
    told: dict[str, PeriodFinding] = {}
    for one in findings:
        if one.reaction in _WORTH_TELLING:
            continue
        lasted = min(one.end or end, end) - max(one.start, start)
        key = f"{one.owner}/{one.row}"
        before = told.get(key)
        told[key] = PeriodFinding(
            key=key,
            text=one.text,
            reaction=one.reaction,
            times=one.times + (0 if before is None else before.times),
            lasted_s=lasted.total_seconds() + (0.0 if before is None else before.lasted_s),
        )
    longest_first = sorted(told.values(), key=lambda one: -one.lasted_s)
    return tuple(longest_first[:MOST_FINDINGS])


def _kwh(energy_wh: float | None) -> str:
    return "" if energy_wh is None else f"{energy_wh / 1000.0:.3f}"


def _money(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.4f}"
