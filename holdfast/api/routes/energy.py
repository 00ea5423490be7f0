"""Energies and money by quarter hour, hour, day, month or year of the site's clock."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.bodies import DayOrMoment
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import IN_TURN
from holdfast.monitoring.history.energy_rows import EnergyRow, MoneyRow
from holdfast.monitoring.history.local_steps import TimeStep

router = APIRouter(tags=["energy"], dependencies=[Depends(needs(Right.SITE_READ)), IN_TURN])
StepName = Literal["quarter", "hour", "day", "month", "year"]
From = Annotated[DayOrMoment, Query(description="A day on the site's clock, or a time.")]
MOST_ROWS: Final = 3000
_SHORTEST: Final = {
    TimeStep.QUARTER: timedelta(minutes=15),
    TimeStep.HOUR: timedelta(hours=1),
    TimeStep.DAY: timedelta(hours=23),
    TimeStep.MONTH: timedelta(days=28),
    TimeStep.YEAR: timedelta(days=365),
}


class EnergyOfStep(BaseModel):
    """Holds what was counted, a row a step."""

    currency: str
    rows: tuple[EnergyRow, ...]


class Money(BaseModel):
    """Holds what each step cost, beside what other ways to run the battery would have."""

    currency: str
    rows: tuple[MoneyRow, ...]


@router.get("/energy")
def energy(view: View, start: From, end: From, step: StepName = "day") -> EnergyOfStep:
    """Returns energies and their cost; ``complete`` tells the share of a step that was measured."""
    begin, until = _span(view, start, end, TimeStep(step))
    rows = view.history.read(lambda reader: reader.energy(begin, until, TimeStep(step)))
    return EnergyOfStep(currency=view.site.currency, rows=tuple(rows))


@router.get("/money")
def money(view: View, start: From, end: From, step: StepName = "day") -> Money:
    """Returns what was paid, and what would have been without a battery, with self-consumption, and
    with all known in advance."""
    begin, until = _span(view, start, end, TimeStep(step))
    rows = view.history.read(lambda reader: reader.money(begin, until, TimeStep(step)))
    return Money(currency=view.site.currency, rows=tuple(rows))


def _span(
    view: SiteView, start: date | datetime, end: date | datetime, step: TimeStep
) -> tuple[datetime, datetime]:
    begin, until = view.history.begin(start), view.history.begin(end)
    if not begin < until:
        raise HTTPException(422, "end: has to be after start")
    if (until - begin) / _SHORTEST[step] > MOST_ROWS:
        raise HTTPException(422, f"that is more than {MOST_ROWS} rows: ask for less at once")
    return begin, until
