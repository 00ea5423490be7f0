"""Whatever a source answers, it is prices or a PriceDataError: nothing else comes out."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.conversation import Asked
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.sources import converse
from tests.markets.builders import DAY, HOUR, TODAY, asked, source, starts
from tests.markets.test_entsoe import document
from tests.markets.test_markets import (
    QUARTERS,
    charts,
    day_of,
    half_hours,
    nord_pool_day,
    point,
    raw,
    sensor,
    tibber,
)

ACCOUNT = {
    "properties": [
        {"electricity_meter_points": [point("1" * 13, ("E-1R-AGILE-24-10-01-C", None, None))]}
    ],
    "results": half_hours(TODAY, TODAY + DAY),
    "next": None,
}
GOOD: dict[str, tuple[dict[str, Any], bytes]] = {
    "entsoe": ({"zone": "NL", "token_env": "T"}, document(day_of(80)).encode()),
    "octopus": ({"account": "A-1234ABCD", "token_env": "T"}, json.dumps(ACCOUNT).encode()),
    "tibber": ({"token_env": "T"}, tibber(QUARTERS[:8], QUARTERS[8:16])),
    "awattar": (
        {},
        json.dumps(
            {
                "data": [
                    {
                        "start_timestamp": int(start.timestamp() * 1000),
                        "end_timestamp": int((start + HOUR).timestamp() * 1000),
                        "marketprice": 10.5,
                        "unit": "Eur/MWh",
                    }
                    for start in starts(TODAY, TODAY + 5 * HOUR, HOUR)
                ]
            }
        ).encode(),
    ),
    "energy_charts": ({"zone": "AT"}, charts(list(starts(TODAY, TODAY + DAY, HOUR)), [1.0] * 24)),
    "nord_pool": ({"area": "SE3"}, nord_pool_day(TODAY, TODAY + HOUR, 450.0, currency="EUR")),
    "home_assistant": (
        {"entity_id": "sensor.x", "url": "http://ha", "token_env": "T"},
        sensor(raw_today=raw(TODAY, 5, 0.2)),
    ),
}


def answered(kind: str, body: bytes, question: Asked) -> PriceSeries | None:
    """What becomes of one answer that is given to every request."""
    keys, _ = GOOD[kind]
    conversation = converse(source(kind, **keys), question)
    try:
        next(conversation)
        while True:
            conversation.send(body)
    except StopIteration as end:
        prices: PriceSeries = end.value
        return prices
    except PriceDataError:
        return None


@pytest.mark.parametrize("kind", GOOD)
def test_the_good_answers_are_good(kind: str) -> None:
    prices = answered(kind, GOOD[kind][1], asked())
    assert prices is not None
    assert len(prices) > 0


@pytest.mark.parametrize("kind", GOOD)
@given(body=st.binary(max_size=200))
def test_garbage_is_refused(kind: str, body: bytes) -> None:
    prices = answered(kind, body, asked())
    assert prices is None or len(prices) == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(content: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document."""
    found = [place] if place else []
    items = content.items() if isinstance(content, dict) else []
    items = enumerate(content) if isinstance(content, list) else items
    for key, inner in items:
        found += _places(inner, (*place, key))
    return found


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "entsoe"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_good_answer_with_one_wrong_place_gives_no_absurd_price(
    kind: str, data: st.DataObject
) -> None:
    content = json.loads(GOOD[kind][1])
    *path, last = data.draw(st.sampled_from(_places(content)))
    target = content
    for key in path:
        target = target[key]
    target[last] = data.draw(
        JSON | st.sampled_from([1e308, -1e308, 10**30, "9999-12-31T23:59:59Z", "", [], {}])
    )
    prices = answered(kind, json.dumps(content).encode(), asked())
    low, high = (-1.0, 10.0)
    for slot in prices or ():
        assert low <= slot.price_per_kwh <= high or prices.currency not in {"EUR", "GBP"}
        assert slot.start_utc < asked().end_utc


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_good_answer_with_a_piece_cut_out_breaks_nothing(kind: str, data: st.DataObject) -> None:
    body = GOOD[kind][1]
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(start + 40, len(body))))
    piece = data.draw(st.binary(max_size=4))
    prices = answered(kind, body[:start] + piece + body[end:], asked(direction=Direction.FEED_IN))
    assert prices is None or isinstance(prices, PriceSeries)
