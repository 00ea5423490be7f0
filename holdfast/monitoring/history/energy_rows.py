"""Energies and money are told by quarter hour, hour, day, month or year of the site's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from holdfast.monitoring.history.energies import KNOWN_FOR, Sum
from holdfast.monitoring.history.local_steps import TimeStep, boundaries_s, local_day
from holdfast.monitoring.history.schema import DAY_MONEY, QUARTER

_SUMS = tuple(Sum)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRow:
    """Holds what was counted in one step. None: it was not known at any time in it."""

    start: datetime
    end: datetime
    import_wh: float | None
    export_wh: float | None
    pv_wh: float | None
    load_wh: float | None
    charge_wh: float | None
    discharge_wh: float | None
    cost: float | None
    """Tells what was paid at the meter, in the site's currency, as long as prices were known."""
    cost_no_battery: float | None
    """Tells what would have been paid without a battery, in the same time."""
    purchase_per_kwh: float | None
    """Tells the mean price of a bought kWh, and"""
    feed_in_per_kwh: float | None
    """of a sold one, over time."""
    complete: float
    """Tells the share of the step, 0 to 1, in which all was measured that the site measures."""
    priced: float
    """Tells the share of the step in which the cost is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRow:
    """Holds what a step cost, and what other ways to run the battery would have. In the site's
    currency; None: it is not known."""

    start: datetime
    end: datetime
    cost: float | None
    no_battery: float | None
    self_consumption: float | None
    """These two stand for the same stored energy at the end of each day as there really was."""
    perfect_foresight: float | None


def energy_rows(
    connection: Connection, start: datetime, end: datetime, step: TimeStep, zone: ZoneInfo
) -> list[EnergyRow]:
    """Returns a row a step, also where nothing is known. Raises ValueError if ``end`` is not after
    ``start``; both are aware."""
    bounds_s = boundaries_s(start, end, step, zone)
    found = connection.execute(
        select(QUARTER.c.start_s, *(QUARTER.c[name] for name in _SUMS)).where(
            QUARTER.c.start_s >= bounds_s[0], QUARTER.c.start_s < bounds_s[-1]
        )
    ).all()
    sums = np.zeros((len(bounds_s) - 1, len(_SUMS)))
    if found:
        table = np.array([tuple(row) for row in found], float)
        places = np.searchsorted(bounds_s, table[:, 0], side="right") - 1
        np.add.at(sums, places, table[:, 1:])
    return [
        _row(start_s, end_s, dict(zip(_SUMS, row.tolist(), strict=True)))
        for start_s, end_s, row in zip(bounds_s, bounds_s[1:], sums, strict=False)
    ]


def money_rows(
    connection: Connection, start: datetime, end: datetime, step: TimeStep, zone: ZoneInfo
) -> list[MoneyRow]:
    """Returns a row a step. What other ways would have cost is known by whole days. Raises
    ValueError as :func:`energy_rows`."""
    rows = energy_rows(connection, start, end, step, zone)
    others = {row["day"]: dict(row) for row in connection.execute(select(DAY_MONEY)).mappings()}
    return [
        MoneyRow(
            start=row.start,
            end=row.end,
            cost=row.cost,
            no_battery=row.cost_no_battery,
            self_consumption=_of_days(others, "self_consumption", row, zone),
            perfect_foresight=_of_days(others, "perfect_foresight", row, zone),
        )
        for row in rows
    ]


def _row(start_s: int, end_s: int, sums: Mapping[Sum, float]) -> EnergyRow:
    length_s = end_s - start_s
    known = {
        name: sums[name] if sums[seconds] > 0.0 else None for name, seconds in KNOWN_FOR.items()
    }
    measured_s = [sums[seconds] for seconds in set(KNOWN_FOR.values()) - {Sum.PRICED_S}]
    priced_s = sums[Sum.PRICED_S]
    return EnergyRow(
        start=datetime.fromtimestamp(start_s, UTC),
        end=datetime.fromtimestamp(end_s, UTC),
        **{str(name): value for name, value in known.items()},
        purchase_per_kwh=sums[Sum.PURCHASE_S] / priced_s if priced_s else None,
        feed_in_per_kwh=sums[Sum.FEED_IN_S] / priced_s if priced_s else None,
        complete=min(min((s for s in measured_s if s > 0.0), default=0.0) / length_s, 1.0),
        priced=min(priced_s / length_s, 1.0),
    )


def _of_days(
    days: Mapping[str, Mapping[str, float | None]], name: str, row: EnergyRow, zone: ZoneInfo
) -> float | None:
    """Returns the sum over the local days of ``row``; None if one is not known, or no whole day."""
    bounds_s = boundaries_s(row.start, row.end, TimeStep.DAY, zone)
    if (bounds_s[0], bounds_s[-1]) != (row.start.timestamp(), row.end.timestamp()):
        return None
    total = 0.0
    for at_s in bounds_s[:-1]:
        cost = days.get(local_day(at_s, zone), {}).get(name)
        if cost is None:
            return None
        total += cost
    return total
