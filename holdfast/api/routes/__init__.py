"""Each module here is one subject of the API."""

from typing import Final

from fastapi import APIRouter

from holdfast.api.routes import (
    audit,
    commands,
    config,
    devices,
    docs,
    energy,
    explain,
    forecasts,
    health,
    history,
    incidents,
    live,
    manual,
    notices,
    plan,
    prices,
    push,
    reports,
    safety,
    state,
    status,
)

OUTSIDE: Final[tuple[APIRouter, ...]] = (health.router, docs.router)
"""What stands beside the API, and needs no login."""
ROUTERS: Final[tuple[APIRouter, ...]] = (
    status.router,
    state.router,
    commands.router,
    live.router,
    safety.router,
    devices.router,
    plan.router,
    manual.router,
    forecasts.router,
    prices.router,
    history.router,
    energy.router,
    reports.router,
    explain.router,
    audit.router,
    incidents.router,
    notices.router,
    push.router,
    config.router,
)
