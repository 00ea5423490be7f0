"""What the owner pays and gets per kWh, and where that is known from."""

import math
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.problems import answers
from holdfast.api.site_view import SiteView, View
from holdfast.client.messages import Act
from holdfast.core.errors import ConfigError
from holdfast.markets.price_report import REPORT_HOURS

router = APIRouter(prefix="/prices", tags=["prices"])

Operator = Annotated[Principal, Depends(needs(Right.PRICES_REFRESH))]


class PriceSourceNow(BaseModel):
    """Tells how a source of prices fares."""

    kind: str
    fetched: datetime | None
    known_until: datetime | None
    stale: bool
    error: str
    notes: tuple[str, ...]
    ask_again: datetime | None


class PriceFileTold(BaseModel):
    """Tells what of a file of prices is left out, or doubtful."""

    path: str
    notes: tuple[str, ...]


class PriceNow(BaseModel):
    """Holds prices of an interval, tariffs applied."""

    start: datetime
    end: datetime
    purchase_per_kwh: float
    feed_in_per_kwh: float | None


class PricesTold(BaseModel):
    """Tells the prices of the coming hours."""

    site: str
    currency: str
    known_until: datetime | None
    problem: str
    """Tells why there are none; empty if there are."""
    sources: tuple[PriceSourceNow, ...]
    files: tuple[PriceFileTold, ...]
    prices: tuple[PriceNow, ...]


class PricesAsked(BaseModel):
    """Tells what becomes of it."""

    text: str


@router.get("", dependencies=[Depends(needs(Right.SITE_READ))])
def prices(
    view: View, hours: Annotated[int, Query(ge=1, le=REPORT_HOURS)] = REPORT_HOURS
) -> PricesTold:
    """Lists the prices of the coming ``hours`` as far as they are known; nobody is asked."""
    if view.site.prices is None:
        return _none(view)
    try:
        report = view.prices.report()
    except ConfigError as error:
        raise HTTPException(503, str(error)) from error
    return PricesTold.model_validate(report.content(hours))


@router.post("/refresh", status_code=202, responses=answers(409))
def refresh(view: View, operator: Operator, request: Request) -> PricesAsked:
    """Has the sources asked whose time has come; a source that was asked a while ago is not."""
    if view.site.prices is None:
        raise HTTPException(409, "site.yaml has no prices")
    wait_s = view.prices.refresh()
    if wait_s is not None:
        again = str(math.ceil(wait_s))
        raise HTTPException(429, f"was asked just now; again in {again} s", {"Retry-After": again})
    auth_of(request).tell(operator, Act.PRICES, "prices asked for")
    return PricesAsked(text="the sources whose time has come are asked")


def _none(view: SiteView) -> PricesTold:
    return PricesTold(
        site=view.site.name,
        currency=view.site.currency,
        known_until=None,
        problem="site.yaml has no prices; the site runs on self-consumption",
        sources=(),
        files=(),
        prices=(),
    )
