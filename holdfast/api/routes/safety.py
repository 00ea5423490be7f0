"""What keeps the site safe: limits with their margins, findings, and who guards what."""

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.site_view import FreshStatus, View
from holdfast.monitoring.status.schema import BlockStatus, FindingStatus, Status
from holdfast.safety.goals import GOALS, Goal
from holdfast.site.assurance import assurance
from holdfast.site.guards import guard_content

router = APIRouter(tags=["safety"], dependencies=[Depends(needs(Right.SITE_READ))])


class LimitNow(BaseModel):
    """Holds a row of the limit table, what it watches, and how far that is from acting."""

    owner: str
    row: str
    signal: str
    unit: str
    levels: dict[str, float]
    value: float | None
    """Null: it is not good, or not told."""
    margin: float | None
    """Tells the distance to the level that acts, in ``unit``."""


class Assured(BaseModel):
    """Tells who guards one goal of protection."""

    owner: str
    goal: str
    text: str
    guard: str
    rests_on: str
    authority: str
    """Tells the highest authority that it permits."""


@router.get("/limits")
def limits(latest: FreshStatus) -> list[LimitNow]:
    """Lists the limits with the values that they watch, and their margins."""
    return [
        LimitNow(
            owner=limit.owner,
            row=limit.row,
            signal=limit.signal,
            unit=limit.unit,
            levels=limit.levels,
            value=_value(latest, limit.owner, limit.signal),
            margin=limit.margin,
        )
        for limit in latest.limits
    ]


def _value(latest: Status, owner: str, signal: str) -> float | None:
    readings: dict[Any, Any] = latest.readings.get(owner, {})
    reading = readings.get(signal)
    return reading.value if reading is not None and reading.quality == "good" else None


@router.get("/findings")
def findings(latest: FreshStatus) -> list[FindingStatus]:
    """Lists what is not as it should be."""
    return list(latest.findings)


@router.get("/blocks")
def blocks(latest: FreshStatus) -> list[BlockStatus]:
    """Lists the actions that an interlock blocks now, or that wait for one."""
    return list(latest.blocks)


@router.get("/assurance")
def assured(view: View) -> list[Assured]:
    """Lists the goals of protection, and who guards each."""
    return [
        Assured(**row, text=GOALS[Goal(str(row["goal"]))].text)  # type: ignore[arg-type]
        for row in guard_content(assurance(view.site))
    ]
