"""What the site does now."""

from datetime import datetime

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel

from holdfast import __version__
from holdfast.api.access import Right, needs
from holdfast.api.site_view import NO_CONTROLLER, View
from holdfast.api.snapshot import LiveSnapshot, snapshot_json
from holdfast.api.spoken import Spoken
from holdfast.core.state_machine import State
from holdfast.monitoring.glance import Glance, glance

router = APIRouter(tags=["status"], dependencies=[Depends(needs(Right.SITE_READ))])


class LoadOfSite(BaseModel):
    """Tells of a load or room of the site."""

    name: str
    switched: bool
    """Says whether anything switches it."""


class SiteStatus(BaseModel):
    """Tells which site this is, and at a glance how it is."""

    site: str
    version: str
    currency: str
    timezone: str
    authority: str
    fresh: bool
    age_s: float | None
    utc: datetime | None
    state: State | None
    glance: Glance
    loads: tuple[LoadOfSite, ...]


@router.get("/status")
def status(view: View, language: Spoken) -> SiteStatus:
    """Tells which site this is, and at a glance how it is; also while no controller runs."""
    latest, age_s = view.latest() or (None, None)
    return SiteStatus(
        site=view.site.name,
        version=__version__,
        currency=view.site.currency,
        timezone=view.site.timezone,
        authority=view.site.authority,
        fresh=latest is not None,
        age_s=age_s,
        utc=None if latest is None else latest.utc,
        state=None if latest is None else latest.state,
        glance=glance(latest, age_s, language),
        loads=tuple(
            LoadOfSite(name=name, switched=name in view.site.switches)
            for name in view.site.load_powers_w
        ),
    )


@router.get("/snapshot", response_model=LiveSnapshot)
def snapshot(view: View, language: Spoken) -> Response:
    """Returns all that the controller tells, with its age in s and the glance."""
    found = view.latest()
    if found is None:
        raise HTTPException(503, NO_CONTROLLER)
    return Response(snapshot_json(*found, language), media_type="application/json")
