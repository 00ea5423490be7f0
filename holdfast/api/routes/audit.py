"""The audit log: what happened, line by line, and whether the record is whole."""

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.bodies import Moment
from holdfast.api.jobs import Jobs
from holdfast.api.site_view import View
from holdfast.api.turns import IN_TURN
from holdfast.client.audit_category import Category, Result, classify
from holdfast.monitoring.audit.events import AuditEvent
from holdfast.monitoring.audit.log_lines import Line, event_of
from holdfast.monitoring.audit.text import describe

router = APIRouter(tags=["audit"], dependencies=[Depends(needs(Right.AUDIT_READ))])


class AuditLine(BaseModel):
    """Holds a line of the log."""

    sequence: int
    utc: str
    category: Category | None
    source: str | None
    """Names who or what brought it about."""
    result: Result | None
    event: AuditEvent | None
    """Null: this version does not know such an event."""
    text: str
    """Tells it in words."""


class AuditProblem(BaseModel):
    """Names the first bad place of the log."""

    wrong: str
    file: str
    line: int
    text: str


class Verified(BaseModel):
    """Tells whether the log is as it was written."""

    ok: bool
    problem: AuditProblem | None
    files: int
    lines: int
    first_utc: str | None
    last_utc: str | None
    last_line: str | None
    """Is number and hash of the last line: who keeps them finds a log that was forged."""
    notes: tuple[str, ...]


@router.get("/audit", dependencies=[IN_TURN])
def lines(
    view: View,
    last: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=10**15)] = None,
    until: Annotated[Moment | None, Query()] = None,
) -> list[AuditLine]:
    """Lists the last lines, newest first; those below the number ``before``, up to ``until``."""
    try:
        return [
            audit_line(line) for line in islice(view.audit.backwards(until, before=before), last)
        ]
    except OSError as error:
        raise HTTPException(503, f"the audit log cannot be read: {error.strerror}") from error


def audit_line(line: Line) -> AuditLine:
    """Returns a line as the API tells it."""
    event = event_of(line)
    found = None if event is None else classify(event)
    return AuditLine(
        sequence=line.sequence,
        utc=line.utc,
        category=None if found is None else found.category,
        source=None if found is None else found.source,
        result=None if found is None else found.result,
        event=event,
        text=line.event.decode(errors="replace") if event is None else describe(event),
    )


@router.get("/audit/verify")
async def verify(view: View, request: Request) -> Verified:
    """Checks the chain of hashes over the whole log, in a process of its own."""
    jobs: Jobs = request.app.state.jobs
    found: dict[str, Any] = await jobs.run("verify", {"folder": str(view.files.audit)})
    return Verified.model_validate(found)
