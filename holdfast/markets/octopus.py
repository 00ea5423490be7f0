"""Unit rates of Octopus Energy in Great Britain, import and export, VAT included.

Rows come newest first, in pages, per payment method, and one without an end holds on. The
product of an account is that of its agreement which is valid now: retired products go on for
who has them, and the newest one is somebody else's.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import OctopusSource
from holdfast.markets.answers import Answered, Number, Utc, read_json, series_of
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot
from holdfast.web.request import Request, TokenPlace

_PAGE_SIZE = 1500
_MAX_PAGES = 20
_PENCE = 100.0
_ONE_RATE = "E-1R-"


class Rate(Answered):
    """A row of ``standard-unit-rates``: pence per kWh."""

    value_inc_vat: Number
    valid_from: Utc | None
    valid_to: Utc | None
    payment_method: str | None = None


class _Page(Answered):
    results: list[Rate]
    next: str | None


class _Agreement(Answered):
    tariff_code: Annotated[str, Field(pattern=r"^[A-Z0-9-]{8,80}$")]
    valid_from: Utc | None
    valid_to: Utc | None

    def is_valid(self, utc: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= utc
        return begun and (self.valid_to is None or utc < self.valid_to)


class _MeterPoint(Answered):
    mpan: str
    is_export: bool = False
    agreements: tuple[_Agreement, ...] = ()


class _Property(Answered):
    electricity_meter_points: tuple[_MeterPoint, ...] = ()


class _Account(Answered):
    properties: list[_Property]


def converse(source: OctopusSource, asked: Asked) -> PriceConversation:
    """The account, if there is one, then page after page of rates."""
    end_utc = asked.end_utc
    if source.account is None:
        code = f"{_ONE_RATE}{source.product}-{source.region}"
    else:
        body = yield Request(
            url=f"{source.url}/accounts/{source.account}/", token=TokenPlace.BASIC_USER
        )
        agreement = _agreement(body, source, asked)
        code = agreement.tariff_code
        # What comes after the agreement is another tariff, which is not known yet.
        end_utc = min(end_utc, agreement.valid_to or end_utc)
    request = Request(
        url=rates_url(source.url, code),
        query={
            "period_from": f"{asked.start_utc:%Y-%m-%dT%H:%M:%SZ}",
            "period_to": f"{end_utc:%Y-%m-%dT%H:%M:%SZ}",
            "page_size": str(_PAGE_SIZE),
        },
    )
    rates: list[Rate] = []
    for _ in range(_MAX_PAGES):
        page = read_json(_Page, (yield request))
        rates += page.results
        if page.next is None:
            return parse(rates, source, asked.start_utc, end_utc)
        request = Request(url=_same_place(page.next, source.url))
    raise PriceDataError(f"the rates of {code} have more than {_MAX_PAGES} pages")


def rates_url(base: str, tariff_code: str) -> str:
    """Where the rates of a tariff are. Raises PriceDataError for one with two rates.

    >>> rates_url("https://x/v1", "E-1R-AGILE-24-10-01-C")
    'https://x/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/'
    """
    if not tariff_code.startswith(_ONE_RATE):
        raise PriceDataError(
            f"tariff {tariff_code} has more than one register; use a time_of_use source"
        )
    product = tariff_code[len(_ONE_RATE) : -2]
    return f"{base}/products/{product}/electricity-tariffs/{tariff_code}/standard-unit-rates/"


def parse(
    rates: Iterable[Rate], source: OctopusSource, start_utc: datetime, end_utc: datetime
) -> PriceSeries:
    """Prices in GBP within the window, for the source's payment method.

    Raises PriceDataError for two rates at one time, or none at all.
    """
    slots = []
    for rate in rates:
        start = max(rate.valid_from or start_utc, start_utc)
        end = min(rate.valid_to or end_utc, end_utc)
        if rate.payment_method in {None, source.payment_method} and start < end:
            price = rate.value_inc_vat / _PENCE
            slots.append(PriceSlot(start_utc=start, end_utc=end, price_per_kwh=price))
    return series_of("GBP", slots, start_utc, end_utc)


def _agreement(body: bytes, source: OctopusSource, asked: Asked) -> _Agreement:
    wanted = asked.direction is Direction.FEED_IN
    points = {
        point.mpan: point
        for item in read_json(_Account, body).properties
        for point in item.electricity_meter_points
        if point.is_export is wanted and source.mpan in {None, point.mpan}
    }
    kind = "export" if wanted else "import"
    valid = [
        agreement
        for point in points.values()
        for agreement in point.agreements
        if agreement.is_valid(asked.now_utc)
    ]
    if not valid:
        raise PriceDataError(f"the account has no {kind} agreement that is valid now")
    if len(valid) > 1:
        raise PriceDataError(
            f"the account has {len(valid)} {kind} agreements that are valid now; "
            "say which meter point by mpan"
        )
    return valid[0]


def _same_place(url: str, base: str) -> str:
    """``url``, if it is on the server of ``base``. Raises PriceDataError if not."""
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise PriceDataError(f"the next page is on another server: {there.netloc[:80]!r}")
    return url
