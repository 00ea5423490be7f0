"""Notices: what people were told, and that somebody has seen it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.problems import answers
from holdfast.api.site_view import View
from holdfast.client.acknowledgement import Acknowledgement, acknowledge
from holdfast.client.messages import Act
from holdfast.monitoring.notices import TimedNotice, decode_notices
from holdfast.site.files import write_atomically

router = APIRouter(prefix="/notices", tags=["notices"])
Resetter = Annotated[Principal, Depends(needs(Right.SITE_RESET))]


@router.get("", dependencies=[Depends(needs(Right.SITE_READ))])
def told(view: View) -> tuple[TimedNotice, ...]:
    """Lists what people were told last, the oldest first."""
    try:
        return decode_notices(view.files.notices.read_bytes())
    except (OSError, ValueError):
        return ()


@router.post("/ack", responses=answers(503))
def seen(view: View, request: Request, who: Resetter) -> Acknowledgement:
    """Says that somebody has seen the alarms: nobody else is told of them any more."""
    try:
        done = acknowledge(
            view.files.acknowledgement, who.name, datetime.now(UTC), write_atomically
        )
    except OSError as error:
        raise HTTPException(503, f"that cannot be written: {error.strerror}") from error
    auth_of(request).tell(who, Act.COMMAND, "notices: acknowledged", accepted=True)
    return done
