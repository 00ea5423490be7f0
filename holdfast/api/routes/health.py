"""Health, for whoever supervises: a load balancer, a container, a monitor."""

from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from holdfast.api.site_view import SiteView, View
from holdfast.monitoring.health import Health, health, ready
from holdfast.monitoring.status.schema import Status

router = APIRouter(tags=["health"])
_UNWELL: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Health, "description": "Something is not as it should be."}
}


@router.get("/health", response_model=Health, responses=_UNWELL)
def healthy(view: View) -> JSONResponse:
    """Says whether a controller runs that could do its work: no fault, no stop, all saved."""
    return _answer(health(*_latest(view)))


@router.get("/ready", response_model=Health, responses=_UNWELL)
def is_ready(view: View) -> JSONResponse:
    """Says whether power flows as asked, or would after a start."""
    return _answer(ready(*_latest(view)))


def _latest(view: SiteView) -> tuple[Status, float] | tuple[None, None]:
    return view.reader.latest() or (None, None)


def _answer(found: Health) -> JSONResponse:
    return JSONResponse(asdict(found), 200 if found.healthy else 503)
