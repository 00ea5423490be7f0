"""Markets: what a source of prices answers, or a file of prices holds."""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from fuzz.plant import NOON
from fuzz.target import Target
from holdfast.core.config.prices import PriceSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer, completed
from holdfast.markets.prices import Direction
from holdfast.markets.sources.catalogue import converse
from holdfast.markets.sources.conversation import Asked
from holdfast.markets.sources.csv_prices import parse_csv
from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.plausible import plausible
from holdfast.simulation.sample_prices import redated, sample_text

_HOUR = timedelta(hours=1)
_MIDNIGHT = NOON.replace(hour=0)
_MOST_REQUESTS = 60
_LONGEST = 16_384
_SOURCE: TypeAdapter[Any] = TypeAdapter(PriceSource)


def _asked(direction: Direction = Direction.PURCHASE) -> Asked:
    return Asked(
        now_utc=NOON,
        start_utc=_MIDNIGHT - 24 * _HOUR,
        end_utc=_MIDNIGHT + 9 * 24 * _HOUR,
        direction=direction,
        currency="EUR",
        zone=ZoneInfo("Europe/Berlin"),
    )


def _check(answer: PriceAnswer) -> bool:
    """What is accepted can be paid somewhere."""
    bounds = plausible(answer.prices.currency)
    for slot in answer.prices:
        assert math.isfinite(slot.price_per_kwh), slot
        assert bounds.low <= slot.price_per_kwh <= bounds.high, slot
    assert all(len(note) < 1000 and note.isprintable() for note in answer.notes), answer.notes
    return len(answer.prices) > 0


# ------------------------------------------------------------------ sources


def _run_source(source: Any, body: bytes) -> bool:
    believed = False
    for direction in Direction:
        try:
            answer = _answered(source, body, _asked(direction))
        except PriceDataError as error:
            assert len(str(error)) < 2000, "what a stranger says fills a log"
            continue
        believed |= _check(answer)
        for slot in answer.prices:
            assert slot.start_utc < _asked().end_utc
            assert slot.end_utc > _asked().start_utc
        completed(answer, answer, _asked().start_utc, _asked().end_utc)
    return believed


def _answered(source: Any, body: bytes, asked: Asked) -> PriceAnswer:
    """Gives one answer to every request."""
    conversation = converse(source, asked)
    try:
        next(conversation)
        for _ in range(_MOST_REQUESTS):
            conversation.send(body)
    except StopIteration as end:
        answer: PriceAnswer = end.value
        return answer
    raise AssertionError(f"it asks more than {_MOST_REQUESTS} times")


def _hours() -> list[datetime]:
    return [_MIDNIGHT + number * _HOUR for number in range(30)]


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _octopus() -> object:
    """Holds what an account answers and what a tariff does: one answer stands for both."""
    agreement = {"tariff_code": "E-1R-AGILE-24-10-01-C", "valid_from": None, "valid_to": None}
    meter = {"mpan": "1" * 13, "is_export": False, "agreements": [agreement]}
    rates = [
        {
            "value_exc_vat": 20.0,
            "value_inc_vat": 21.0,
            "valid_from": _text(start),
            "valid_to": _text(start + _HOUR / 2),
            "payment_method": None,
        }
        for start in reversed(_hours())
    ]
    return {
        "properties": [{"electricity_meter_points": [meter]}],
        "results": rates,
        "count": len(rates),
        "next": None,
        "previous": None,
    }


def _tibber() -> object:
    rows = [
        {"total": 0.3, "energy": 0.2, "startsAt": start.isoformat(), "currency": "SEK"}
        for start in _hours()
    ]
    info = {"priceInfo": {"today": rows[:24], "tomorrow": rows[24:]}}
    return {"data": {"viewer": {"homes": [{"id": "home", "currentSubscription": info}]}}}


def _awattar() -> object:
    return {
        "data": [
            {
                "start_timestamp": _seconds(start) * 1000,
                "end_timestamp": _seconds(start + _HOUR) * 1000,
                "marketprice": 10.5,
                "unit": "Eur/MWh",
            }
            for start in _hours()
        ]
    }


def _energy_charts() -> object:
    times = [_seconds(start) for start in _hours()]
    return {"unix_seconds": times, "price": [99.5] * len(times), "unit": "EUR / MWh"}


def _nord_pool() -> object:
    entries = [
        {
            "deliveryStart": _text(start),
            "deliveryEnd": _text(start + _HOUR),
            "entryPerArea": {"SE3": 450.0},
        }
        for start in _hours()[:24]
    ]
    return {"currency": "EUR", "deliveryDateCET": "2026-05-08", "multiAreaEntries": entries}


def _home_assistant() -> object:
    rows = [
        {"start": start.isoformat(), "end": (start + _HOUR).isoformat(), "value": 0.2}
        for start in _hours()
    ]
    return {
        "entity_id": "sensor.x",
        "state": "0.2",
        "attributes": {"unit_of_measurement": "EUR/kWh", "raw_today": rows},
        "last_updated": _text(NOON),
    }


def _short(document: str) -> str:
    """Returns a price document with two of its days and eight prices in each: the last one holds
    to the end of its day."""
    head, *series = document.split("<TimeSeries>")
    return "<TimeSeries>".join([head, *map(_few_points, series[:4])]) + (
        "</Publication_MarketDocument>"
    )


def _few_points(series: str) -> str:
    head, *points = series.split("<Point>")
    return "<Point>".join([head, *points[:8]]) + points[-1].partition("</Point>")[2]


def _entsoe_seeds() -> Iterator[bytes]:
    yield _short(redated(sample_text(), _MIDNIGHT)).encode()


def _json_seeds(content: object) -> Iterator[bytes]:
    yield json.dumps(content).encode()


_SOURCES: dict[str, tuple[dict[str, str], object]] = {
    "octopus": ({"account": "A-1234ABCD", "token_env": "T"}, _octopus()),
    "tibber": ({"token_env": "T"}, _tibber()),
    "awattar": ({}, _awattar()),
    "energy_charts": ({"zone": "AT"}, _energy_charts()),
    "nord_pool": ({"area": "SE3"}, _nord_pool()),
    "home_assistant": (
        {"entity_id": "sensor.x", "url": "http://ha", "token_env": "T"},
        _home_assistant(),
    ),
}
_ENTSOE = {"kind": "entsoe", "zone": "DE_LU", "token_env": "T"}


# ------------------------------------------------------------------ files


def _run_csv(content: bytes) -> bool:
    believed = False
    for direction in Direction:
        try:
            believed |= _check(parse_csv(content, direction, "EUR"))
        except PriceDataError:
            continue
    return believed


def _csv_seeds() -> Iterator[bytes]:
    rows = "".join(f"{_text(start)},0.25\n" for start in _hours())
    yield f"time_utc,price_per_kwh\n{rows}".encode()
    both = "".join(f"{_text(start)};0,25;0,08\n" for start in _hours())
    yield f"time_utc;import_price_per_kwh;export_price_per_kwh\n{both}".encode()


def _run_xml(content: bytes) -> bool:
    left_out = LeftOut()
    try:
        prices = parse_entsoe(content, left_out, "EUR")
    except PriceDataError:
        return False
    return _check(PriceAnswer(prices=prices, notes=left_out.notes()))


TARGETS = (
    *(
        Target(
            name=f"prices_{kind}",
            eats=f"an answer of {kind}",
            seeds=partial(_json_seeds, content),
            run=partial(_run_source, _SOURCE.validate_python({"kind": kind, **keys})),
            longest=_LONGEST,
        )
        for kind, (keys, content) in _SOURCES.items()
    ),
    Target(
        name="prices_entsoe",
        eats="an answer of entsoe",
        seeds=_entsoe_seeds,
        run=partial(_run_source, _SOURCE.validate_python(_ENTSOE)),
        longest=_LONGEST,
    ),
    Target(
        name="price_file_csv",
        eats="a file of prices, CSV",
        seeds=_csv_seeds,
        run=_run_csv,
        longest=_LONGEST,
    ),
    Target(
        name="price_file_xml",
        eats="a file of prices, as ENTSO-E makes them",
        seeds=_entsoe_seeds,
        run=_run_xml,
        longest=_LONGEST,
    ),
)
