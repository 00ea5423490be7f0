"""Unit rates of Octopus Energy hold in Great Britain, import and export, VAT included.

Rows come newest first, in pages, per payment method, and one without an end holds on until the
next one begins. The product of an account is that of its agreement which is valid now: retired
products go on for who has them, and the newest one is somebody else's. Where an agreement ends,
the one that follows says how it goes on.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from holdfast.core.config.prices import OctopusSource
from holdfast.core.errors import PriceDataError, SourceError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot
from holdfast.markets.sources.answers import (
    Answered,
    Number,
    Utc,
    answer_of,
    instant,
    read_json,
    read_rows,
)
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.left_out import LeftOut
from holdfast.web.request import HttpRequest, RateLimited, TokenPlace, TokenRefused

_PAGE_SIZE = 1500
_MAX_PAGES = 20
_PENCE = 100.0
_ONE_RATE = "E-1R-"
_MAX_LATER = 3
"""No more agreements than these follow each other within days."""


class Rate(Answered):
    """Holds a row of ``standard-unit-rates``, in pence per kWh."""

    value_inc_vat: Number
    valid_from: Utc | None
    valid_to: Utc | None
    payment_method: str | None = None


class _Page(Answered):
    results: list[Any]
    next: str | None


class _Agreement(Answered):
    tariff_code: Annotated[str, Field(pattern=r"^[A-Z0-9-]{8,80}$")]
    valid_from: Utc | None
    valid_to: Utc | None

    def is_valid(self, utc: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= utc
        return begun and not self.has_ended(utc)

    def has_ended(self, utc: datetime) -> bool:
        return self.valid_to is not None and self.valid_to <= utc


class _MeterPoint(Answered):
    mpan: str
    is_export: bool | None = False
    agreements: tuple[_Agreement, ...] = ()


class _Property(Answered):
    moved_out_at: Utc | None = None
    electricity_meter_points: tuple[_MeterPoint, ...] = ()


class _Account(Answered):
    properties: list[_Property]


def converse(source: OctopusSource, asked: Asked) -> PriceConversation:
    """Asks for the account, if there is one, then for the rates of one tariff after the other."""
    left_out = LeftOut(asked.now_utc)
    if source.account is None:
        code = f"{_ONE_RATE}{source.product}-{source.region}"
        agreements = [_Agreement(tariff_code=code, valid_from=None, valid_to=None)]
    else:
        body = yield HttpRequest(
            url=f"{source.url}/accounts/{source.account}/", token=TokenPlace.BASIC_USER
        )
        agreements = _agreements(body, source, asked)
    slots: list[PriceSlot] = []
    open_from = None
    for agreement in agreements:
        start = max(asked.start_utc, agreement.valid_from or asked.start_utc)
        end = min(asked.end_utc, agreement.valid_to or asked.end_utc)
        try:
            rates = yield from _rates(source, agreement.tariff_code, start, end, left_out)
        except (RateLimited, TokenRefused):
            raise
        except SourceError as error:
            left_out.add(f"rates of {agreement.tariff_code}: {error}", start, end)
            continue
        found, open_from = slots_of(rates, source.payment_method, start, end)
        slots += found
    answer = _answer(slots, asked, left_out)
    return replace(answer, tariff=agreements[0].tariff_code, open_from_utc=open_from)


def _answer(slots: list[PriceSlot], asked: Asked, left_out: LeftOut) -> PriceAnswer:
    """Returns what is known of the tariff in force, be it that it cannot be read."""
    try:
        return answer_of("GBP", slots, asked, left_out)
    except PriceDataError as error:
        nothing = PriceSeries(currency="GBP", slots=())
        return PriceAnswer(prices=nothing, notes=(str(error),), is_partial=True)


def _rates(
    source: OctopusSource, code: str, start_utc: datetime, end_utc: datetime, left_out: LeftOut
) -> Generator[HttpRequest, bytes, list[Rate]]:
    """Asks for the rates of one tariff, page after page."""
    request = HttpRequest(
        url=rates_url(source.url, code),
        query={
            "period_from": f"{start_utc:%Y-%m-%dT%H:%M:%SZ}",
            "period_to": f"{end_utc:%Y-%m-%dT%H:%M:%SZ}",
            "page_size": str(_PAGE_SIZE),
        },
    )
    rates: list[Rate] = []
    for _ in range(_MAX_PAGES):
        try:
            page = read_json(_Page, (yield request))
            rates += read_rows(Rate, page.results, left_out, _end)
            if page.next is None:
                return rates
            request = HttpRequest(url=_same_place(page.next, source.url))
        except SourceError as error:
            if not rates:
                raise
            left_out.add(f"a page of the rates of {code}: {error}")
            return rates
    left_out.add(f"the rates of {code} have more than {_MAX_PAGES} pages")
    return rates


def _end(rate: dict[str, str]) -> datetime:
    return instant(rate["valid_to"])


def rates_url(base: str, tariff_code: str) -> str:
    """Tells where the rates of a tariff are. Raises PriceDataError for one with two rates.

    >>> rates_url("https://x/v1", "E-1R-AGILE-24-10-01-C")
    'https://x/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/'
    """
    if not tariff_code.startswith(_ONE_RATE):
        raise PriceDataError(
            f"tariff {tariff_code} has more than one register; use a time_of_use source"
        )
    product = tariff_code[len(_ONE_RATE) : -2]
    return f"{base}/products/{product}/electricity-tariffs/{tariff_code}/standard-unit-rates/"


def slots_of(
    rates: Sequence[Rate], payment_method: str, start_utc: datetime, end_utc: datetime
) -> tuple[list[PriceSlot], datetime | None]:
    """Returns slots within the window, and from when on one without an end holds, if one does."""
    mine = [rate for rate in rates if rate.payment_method in {None, payment_method}]
    starts = sorted(rate.valid_from for rate in mine if rate.valid_from is not None)
    slots, open_from = [], None
    for rate in mine:
        start = max(rate.valid_from or start_utc, start_utc)
        # One that was left open when the next began ends there.
        later = next((other for other in starts if other > (rate.valid_from or start_utc)), None)
        end = min(rate.valid_to or later or end_utc, end_utc)
        if start < end:
            price = rate.value_inc_vat / _PENCE
            slots.append(PriceSlot(start_utc=start, end_utc=end, price_per_kwh=price))
            if rate.valid_to is None and later is None:
                open_from = start
    return slots, open_from


def _agreements(body: bytes, source: OctopusSource, asked: Asked) -> list[_Agreement]:
    """Returns the agreement that is valid now, and those that follow it."""
    wanted = asked.direction is Direction.FEED_IN
    points = {
        point.mpan: point
        for item in read_json(_Account, body).properties
        if item.moved_out_at is None or item.moved_out_at > asked.now_utc
        for point in item.electricity_meter_points
        if bool(point.is_export) is wanted and source.mpan in {None, point.mpan}
    }
    kind = "export" if wanted else "import"
    valid = {
        (mpan, agreement)
        for mpan, point in points.items()
        for agreement in point.agreements
        if agreement.is_valid(asked.now_utc)
    }
    if not valid:
        raise PriceDataError(f"the account has no {kind} agreement that is valid now")
    if len(valid) > 1:
        raise PriceDataError(
            f"the account has {len(valid)} {kind} agreements that are valid now; "
            "say which meter point by mpan"
        )
    ((mpan, now),) = valid
    later = {
        agreement
        for agreement in points[mpan].agreements
        if now.valid_to is not None
        and agreement.valid_from is not None
        and now.valid_to <= agreement.valid_from < asked.end_utc
        and not agreement.has_ended(agreement.valid_from)
    }
    return [now, *sorted(later, key=lambda one: one.valid_from or asked.end_utc)[:_MAX_LATER]]


def _same_place(url: str, base: str) -> str:
    """Returns ``url`` if it is on the server of ``base``. Raises PriceDataError if not."""
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise PriceDataError(f"the next page is on another server: {there.netloc[:80]!r}")
    return url
