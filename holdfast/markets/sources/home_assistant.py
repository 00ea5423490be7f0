"""A sensor of Home Assistant holds prices in its attributes.

They are lists of rows, one for each price. What the keys of a row are called differs from one
integration to the next; the unit of the sensor says what the numbers are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from holdfast.core.config.prices import HomeAssistantSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSlot
from holdfast.markets.sources.answers import (
    HOUR,
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
from holdfast.markets.sources.slots import slots_from_starts
from holdfast.markets.sources.units import unit_of
from holdfast.web.request import HttpRequest, TokenPlace

_KNOWN_LISTS = (
    ("raw_today", "raw_tomorrow"),
    ("prices_today", "prices_tomorrow"),
    ("prices",),
    ("data",),
    ("forecasts",),
    ("rates",),
)
"""They are of Nord Pool, ENTSO-e, Frank Energie and others, EPEX Spot, Amber and Octopus. The first
of which the sensor has a list counts."""
_KNOWN_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("start", "time", "start_time", "hour", "from", "startsAt", "valid_from"),
        "end": ("end", "end_time", "till", "to", "valid_to"),
        "price": ("value", "price", "price_per_kwh", "per_kwh", "value_inc_vat", "total"),
    }
)
"""They are what a row may call its parts; the first that it has counts."""
_SHOWN = 8


class _Row(Answered):
    start: Utc
    end: Utc | None = None
    price: Number | None
    """It is None where there is none."""


class _State(Answered):
    state: str
    attributes: dict[str, Any]


def converse(source: HomeAssistantSource, asked: Asked) -> PriceConversation:
    """Asks with one request."""
    body = yield HttpRequest(
        url=f"{source.url}/api/states/{source.entity_id}", token=TokenPlace.BEARER
    )
    return parse(body, source, asked)


def parse(body: bytes, source: HomeAssistantSource, asked: Asked) -> PriceAnswer:
    """Returns the prices within the window. Raises PriceDataError."""
    state = read_json(_State, body)
    if state.state == "unavailable":
        raise PriceDataError(f"{source.entity_id} is unavailable")
    currency, factor = _unit(source, state.attributes, asked.currency)
    left_out = LeftOut(asked.now_utc)
    rows = read_rows(_Row, _rows(state.attributes, source), left_out, _end)
    known = [(row, row.price * factor) for row in rows if row.price is not None]
    slots = [
        PriceSlot(start_utc=row.start, end_utc=row.end, price_per_kwh=price)
        for row, price in known
        if row.end is not None
    ]
    open_rows = ((row.start, price) for row, price in known if row.end is None)
    slots += slots_from_starts(open_rows, left_out)
    return answer_of(currency, slots, asked, left_out)


def _rows(attributes: dict[str, Any], source: HomeAssistantSource) -> list[object]:
    """Returns the rows of all lists, with our names for their parts."""
    wanted = source.attributes
    if wanted is None:
        known = [names for names in _KNOWN_LISTS if isinstance(attributes.get(names[0]), list)]
        if not known:
            raise PriceDataError(f"{source.entity_id} has {_lists(attributes)}")
        wanted = known[0]
    keys = _KNOWN_KEYS if source.row is None else source.row.parts()
    rows: list[object] = []
    for name in wanted:
        # A list for tomorrow is absent, null or empty until it is published.
        found = attributes.get(name) or []
        if not isinstance(found, list):
            raise PriceDataError(f"{name} of {source.entity_id} is no list")
        named = [_named(row, keys) for row in found]
        if found and not any(_is_whole(row) for row in named):
            raise PriceDataError(_strange(name, found))
        rows += named
    return rows


def _lists(attributes: dict[str, Any]) -> str:
    """Tells what there is in a sensor none of whose lists is known."""
    lists = sorted(name[:30] for name, value in attributes.items() if isinstance(value, list))
    if not lists:
        return "no list of prices; a template sensor can hold one, as docs/prices.md shows"
    return f"no list of prices that is known; name it by attributes, of {', '.join(lists[:_SHOWN])}"


def _named(row: object, keys: Mapping[str, tuple[str, ...]]) -> object:
    """Returns a row with our names for its parts; what is no row stays as it is."""
    if not isinstance(row, dict):
        return row
    found = {
        ours: next((name for name in names if name in row), None) for ours, names in keys.items()
    }
    return {ours: row[name] for ours, name in found.items() if name is not None}


def _end(row: dict[str, str]) -> datetime:
    return instant(row["end"]) if "end" in row else instant(row["start"]) + HOUR


def _is_whole(row: object) -> bool:
    return isinstance(row, dict) and "start" in row and "price" in row


def _strange(name: str, rows: Iterable[object]) -> str:
    """Tells what there is in a list none of whose rows has a start and a price."""
    keys = sorted({str(key)[:30] for row in rows if isinstance(row, dict) for key in row})
    if not keys:
        return f"{name} has no rows with a start and a price"
    return (
        f"rows of {name} have {', '.join(keys[:_SHOWN])}; say which is which by "
        "row: {start: ..., end: ..., price: ...}"
    )


def _unit(
    source: HomeAssistantSource, attributes: dict[str, Any], site_currency: str
) -> tuple[str, float]:
    told = source.unit or attributes.get("unit_of_measurement")
    unit = unit_of(told, site_currency)
    if unit is None:
        what = "is missing" if told is None else f"{str(told)[:40]!r} is no price per kWh"
        raise PriceDataError(f"unit_of_measurement {what}; say it by unit, such as unit: ct/kWh")
    return unit
