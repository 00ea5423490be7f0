"""The state of the site, what keeps it there, and what can be asked of it now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.offers import Offer, offers
from holdfast.api.site_view import View
from holdfast.api.spoken import Spoken
from holdfast.core.state_machine import State
from holdfast.monitoring.recovery.latched import LatchedFault, latched_faults

router = APIRouter(tags=["state"])
Reader = Annotated[Principal, Depends(needs(Right.SITE_READ))]


class SiteState(BaseModel):
    """Tells where the site is, and what can be asked of it."""

    state: State | None
    """Null: no controller runs."""
    waits_for: tuple[str, ...]
    emergency_stop_latched: bool
    latched: tuple[LatchedFault, ...]
    commands: tuple[Offer, ...]


@router.get("/state")
def state(view: View, reader: Reader, request: Request, language: Spoken) -> SiteState:
    """Tells the state, what is latched, and which commands this person can give now."""
    latest, _ = view.latest() or (None, None)
    return SiteState(
        state=None if latest is None else latest.state,
        waits_for=() if latest is None else latest.waits_for,
        emergency_stop_latched=latest is not None and latest.emergency_stop_latched,
        latched=() if latest is None else latched_faults(latest, language),
        commands=offers(latest, reader.rights, is_local=auth_of(request).is_local(request)),
    )
