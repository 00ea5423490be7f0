"""Whatever a source answers, it is prices or a PriceDataError: nothing else comes out."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.sources.catalogue import converse
from holdfast.markets.sources.conversation import Asked
from tests.markets.builders import DAY, HOUR, TODAY, asked, dumped, source, starts
from tests.markets.sources.test_entsoe import document
from tests.markets.sources.test_entsoe_api import day_of
from tests.markets.sources.test_exchanges import charts, nord_pool_day
from tests.markets.sources.test_home_assistant import raw, sensor
from tests.markets.sources.test_octopus import half_hours, point
from tests.markets.sources.test_tibber import QUARTERS, tibber


def awattar_rows(count: int) -> list[dict[str, object]]:
    return [
        {
            "start_timestamp": int(start.timestamp() * 1000),
            "end_timestamp": int((start + HOUR).timestamp() * 1000),
            "marketprice": 10.5,
            "unit": "Eur/MWh",
        }
        for start in starts(TODAY, TODAY + count * HOUR, HOUR)
    ]


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
        dumped({"data": awattar_rows(5)}),
    ),
    "energy_charts": ({"zone": "AT"}, charts(list(starts(TODAY, TODAY + DAY, HOUR)), [99.0] * 24)),
    "nord_pool": ({"area": "SE3"}, nord_pool_day(TODAY, TODAY + HOUR, 450.0, currency="EUR")),
    "home_assistant": (
        {"entity_id": "sensor.x", "url": "http://ha", "token_env": "T"},
        sensor(raw_today=raw(TODAY, 5, 0.2)),
    ),
}


def answered(kind: str, body: bytes, question: Asked) -> PriceSeries | None:
    """The prices that one answer has which is given to every request."""
    answer = told(kind, body, question)
    return None if answer is None else answer.prices


def told(kind: str, body: bytes, question: Asked) -> PriceAnswer | None:
    """What becomes of one answer that is given to every request."""
    keys, _ = GOOD[kind]
    conversation = converse(source(kind, **keys), question)
    try:
        next(conversation)
        while True:
            conversation.send(body)
    except StopIteration as end:
        answer: PriceAnswer = end.value
        return answer
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


ROWS: dict[str, tuple[bytes, str, str]] = {
    "octopus": (dumped(ACCOUNT | {"results": half_hours(TODAY, TODAY + DAY)[::-1]}), "results",
                "value_inc_vat"),
    "tibber": (tibber(QUARTERS, []), "today", "total"),
    "awattar": (dumped({"data": awattar_rows(24)}), "data", "marketprice"),
    "energy_charts": (GOOD["energy_charts"][1], "price", ""),
    "nord_pool": (nord_pool_day(TODAY, TODAY + DAY, 450.0, currency="EUR"), "multiAreaEntries",
                  "entryPerArea"),
    "home_assistant": (sensor(raw_today=raw(TODAY, 24, 0.2)), "raw_today", "value"),
}  # fmt: skip
"""A day of rows from each source: where they are, and what in them is the price."""


@pytest.mark.parametrize("kind", ROWS)
def test_a_bad_row_costs_itself_and_is_told_unless_it_is_over(kind: str) -> None:
    body, name, price = ROWS[kind]
    whole = told(kind, body, asked())
    assert whole is not None
    count = len(whole.prices)
    for place, is_told in ((0.1, False), (0.9, True)):
        content = json.loads(body)
        rows = _found(content, name)
        row = int(place * len(rows))
        if price:
            rows[row][price] = "dear"
        else:
            rows[row] = "dear"
        answer = told(kind, json.dumps(content).encode(), asked())
        assert answer is not None
        assert len(answer.prices) == count - 1
        assert bool(answer.notes) == answer.is_partial == is_told


def _found(content: Any, name: str) -> list[Any]:
    """The list of this name, wherever it is."""
    (place,) = [place for place in _places(content) if place[-1] == name]
    for key in place:
        content = content[key]
    assert isinstance(content, list)
    return content


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
