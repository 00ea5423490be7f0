"""Why the site does this, in words: now, or at a moment on record."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.bodies import Moment
from holdfast.api.problems import answers
from holdfast.api.site_view import NO_CONTROLLER, SiteView, View
from holdfast.api.turns import IN_TURN
from holdfast.monitoring.explain.situation import Situation, situation_at, situation_now
from holdfast.monitoring.explain.text import explain

router = APIRouter(tags=["explain"], dependencies=[Depends(needs(Right.SITE_READ))])
MOST_LINES: Final = 4000
"""So many lines of the log are read back from a moment: what is older is told as not known."""


class Explanation(BaseModel):
    """Tells what is done, who asked for it, and why."""

    time: datetime
    """Is the time of what is told."""
    recorded: bool
    """Says whether it is from the audit log, which holds changes."""
    sentences: tuple[str, ...]
    situation: Situation
    """Holds what it rests on."""


@router.get("/explain", dependencies=[IN_TURN], responses=answers(404))
def explained(
    view: View,
    at: Annotated[Moment | None, Query(description="A moment on record; else now.")] = None,
) -> Explanation:
    """Tells in words why the site does this."""
    situation = _now(view) if at is None else recorded(view, at)
    if situation is None:
        raise HTTPException(404, f"nothing is on record before {at:%Y-%m-%d %H:%M:%S}Z")
    return Explanation(
        time=situation.time,
        recorded=situation.recorded,
        sentences=tuple(explain(situation, ZoneInfo(view.site.timezone))),
        situation=situation,
    )


def _now(view: SiteView) -> Situation:
    found = view.latest()
    if found is None:
        raise HTTPException(503, f"{NO_CONTROLLER}; with `at` a moment on record is explained")
    return situation_now(found[0])


def recorded(view: SiteView, at: datetime) -> Situation | None:
    """Returns what is on record of a moment; None if nothing is."""
    try:
        return situation_at(islice(view.audit.backwards(at), MOST_LINES))
    except OSError as error:
        raise HTTPException(503, f"the audit log cannot be read: {error.strerror}") from error
