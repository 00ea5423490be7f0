"""Incidents: what took the site out of operation, and what happened around it."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.bodies import Moment
from holdfast.api.problems import answers
from holdfast.api.routes.audit import AuditLine, audit_line
from holdfast.api.routes.explain import recorded
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import IN_TURN
from holdfast.monitoring.explain.text import explain
from holdfast.monitoring.incidents import Incident
from holdfast.monitoring.quantities.quantity import Quantity

router = APIRouter(tags=["incidents"], dependencies=[Depends(needs(Right.SITE_READ))])
AROUND: Final = timedelta(seconds=60)
"""So much of what was before and after belongs to an incident."""
LONGEST: Final = timedelta(hours=1)
"""What lasts for longer is told as far as this."""
MOST_EVENTS: Final = 500


class IncidentInFull(BaseModel):
    """Tells of one incident with what was around it."""

    incident: Incident
    before: tuple[str, ...]
    """Explains the moment before it, as far as that is on record."""
    setpoints: tuple[Quantity, ...]
    """Holds what each device had last been told when it began."""
    events: tuple[AuditLine, ...]
    """Holds the lines of the audit log from a minute before it, oldest first."""
    left_out: int
    """Counts events that there are beyond the last one."""


@router.get("/incidents", dependencies=[IN_TURN])
def incidents(
    view: View,
    last: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[Moment | None, Query()] = None,
) -> list[Incident]:
    """Lists incidents, newest first: the last ones, or those that began before a moment."""
    found = _incidents(view)
    return [one for one in found if before is None or one.start < before][:last]


@router.get("/incidents/{number}", dependencies=[IN_TURN], responses=answers(404))
def incident(view: View, number: Annotated[int, Path(ge=1, le=10**15)]) -> IncidentInFull:
    """Tells of one incident: its events, and what was set when it began."""
    found = next((one for one in _incidents(view) if one.id == number), None)
    if found is None:
        raise HTTPException(404, f"no incident {number} is on record")
    lines, left_out = _events(view, found)
    situation = recorded(view, found.start - timedelta(milliseconds=1))
    zone = ZoneInfo(view.site.timezone)
    return IncidentInFull(
        incident=found,
        before=() if situation is None else tuple(explain(situation, zone)),
        setpoints=() if situation is None else situation.quantities,
        events=lines,
        left_out=left_out,
    )


def _incidents(view: SiteView) -> tuple[Incident, ...]:
    try:
        return view.audit.incidents()
    except OSError as error:
        raise HTTPException(503, f"the audit log cannot be read: {error.strerror}") from error


def _events(view: SiteView, found: Incident) -> tuple[tuple[AuditLine, ...], int]:
    """Returns the first of the lines around an incident, oldest first, and counts the others."""
    end = min(found.end or datetime.now(UTC), found.start + LONGEST) + AROUND
    begin = found.start - AROUND
    lines = list(takewhile(lambda line: line.time >= begin, view.audit.backwards(end)))[::-1]
    chosen = lines[:MOST_EVENTS]
    return tuple(map(audit_line, chosen)), len(lines) - len(chosen)
