"""Prices that a sensor of Home Assistant holds in its attributes.

The Nord Pool integration has rows of start, end and value, the ENTSO-e one of time and price.
The unit of the sensor says what the numbers are.
"""

import re
from typing import Any

from pydantic import AliasChoices, Field
from pydantic_core import to_json

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import HomeAssistantSource
from holdfast.markets.answers import (
    Answered,
    Number,
    Utc,
    read_json,
    series_of,
    slots_from_starts,
)
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.web.request import Request, TokenPlace

_KNOWN_LISTS = (
    ("raw_today", "raw_tomorrow"),
    ("prices_today", "prices_tomorrow"),
    ("prices",),
    ("data",),
)
"""Nord Pool; ENTSO-e; others. The first of which the sensor has a list counts."""
_KWH = {"kwh": 1.0, "mwh": 1000.0, "wh": 0.001}
_SYMBOLS = {"€": "EUR", "£": "GBP"}
_SITES_OWN = {"$", "kr"}
"""Several currencies have this sign; the site's is meant."""
_HUNDREDTHS = {"c", "ct", "cent", "cents", "¢", "öre", "øre", "p", "pence", "rp"}
"""Of the site's currency."""


class _Row(Answered):
    start: Utc = Field(validation_alias=AliasChoices("start", "time", "start_time", "hour"))
    end: Utc | None = Field(default=None, validation_alias=AliasChoices("end", "end_time"))
    price: Number | None = Field(validation_alias=AliasChoices("value", "price"))


class _Lists(Answered):
    rows: dict[str, list[_Row]]


class _State(Answered):
    state: str
    attributes: dict[str, Any]


def converse(source: HomeAssistantSource, asked: Asked) -> PriceConversation:
    """One request."""
    body = yield Request(url=f"{source.url}/api/states/{source.entity_id}", token=TokenPlace.BEARER)
    return parse(body, source, asked)


def parse(body: bytes, source: HomeAssistantSource, asked: Asked) -> PriceSeries:
    """Prices within the window. Raises PriceDataError."""
    state = read_json(_State, body)
    if state.state == "unavailable":
        raise PriceDataError(f"{source.entity_id} is unavailable")
    currency, factor = _unit(state.attributes.get("unit_of_measurement"), asked.currency)
    rows = _rows(state.attributes, source)
    known = [(row, row.price * factor) for row in rows if row.price is not None]
    slots = [
        PriceSlot(start_utc=row.start, end_utc=row.end, price_per_kwh=price)
        for row, price in known
        if row.end is not None
    ]
    slots += slots_from_starts((row.start, price) for row, price in known if row.end is None)
    return series_of(currency, slots, asked.start_utc, asked.end_utc)


def _rows(attributes: dict[str, Any], source: HomeAssistantSource) -> list[_Row]:
    wanted = source.attributes
    if wanted is None:
        known = [names for names in _KNOWN_LISTS if isinstance(attributes.get(names[0]), list)]
        if not known:
            raise PriceDataError(
                f"{source.entity_id} has no list of prices that is known; name it by attributes"
            )
        wanted = known[0]
    # A list for tomorrow is absent, null or empty until it is published.
    lists = {name: attributes.get(name) or [] for name in wanted}
    found = read_json(_Lists, to_json({"rows": lists}, inf_nan_mode="null")).rows
    return [row for rows in found.values() for row in rows]


def _unit(text: object, site_currency: str) -> tuple[str, float]:
    """Currency, and what to multiply by to have it per kWh. Raises PriceDataError.

    >>> _unit("EUR/MWh", "EUR"), _unit("öre/kWh", "SEK")
    (('EUR', 0.001), ('SEK', 0.01))
    """
    money, _, energy = text.partition("/") if isinstance(text, str) else ("", "", "")
    money, per_kwh = money.strip(), _KWH.get(energy.strip().lower())
    if per_kwh is not None:
        if money.lower() in _HUNDREDTHS:
            return site_currency, 0.01 / per_kwh
        if money.lower() in _SITES_OWN:
            return site_currency, 1.0 / per_kwh
        if re.fullmatch("[A-Z]{3}", money) or money in _SYMBOLS:
            return _SYMBOLS.get(money, money), 1.0 / per_kwh
    raise PriceDataError(
        f"unit_of_measurement {str(text)[:40]!r} is no price per kWh that is known"
    )
