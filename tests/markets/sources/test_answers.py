"""What answers of all sources are made of: JSON, rows, instants."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.sources.answers import (
    Answered,
    Number,
    Utc,
    instant,
    is_eur_per_mwh,
    read_json,
    read_rows,
)
from holdfast.markets.sources.left_out import LeftOut
from tests.markets.builders import NOW


class _Time(Answered):
    at: Utc


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-08T12:00:00+02:00", NOW),
        ("2026-05-08T10:00:00Z", NOW),
        ("2026-05-08 12:00:00+02:00", NOW),
        ("2026-05-08T10:00:00.000Z", NOW),
        # A second late, as some sensors are, or one before the end.
        ("2026-05-08T10:00:01Z", NOW),
        ("2026-05-08T09:59:59Z", NOW),
        ("2026-05-08T10:00:03Z", NOW.replace(second=3)),
    ],
)
def test_instants_are_turned_into_utc(text: str, utc: datetime) -> None:
    found = read_json(_Time, f'{{"at": "{text}"}}'.encode()).at
    assert (found, found.tzinfo) == (utc, UTC)


@pytest.mark.parametrize(
    "text", ['"2026-05-08T12:00:00"', '"today"', "1778234400", "null", "true",
             '"9999-12-31T23:59:00-12:00"', '"1999-12-31T23:59:00Z"', '"2200-01-01T00:00:00Z"'],
)  # fmt: skip
def test_what_is_no_instant_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(PriceDataError, match="at:") as caught:
        read_json(_Time, f'{{"at": {text}}}'.encode())
    assert "12:00" not in str(caught.value)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    with pytest.raises(PriceDataError):
        read_json(_Time, body)


def test_a_mark_of_byte_order_before_json_is_no_fault() -> None:
    assert read_json(_Time, b'\xef\xbb\xbf{"at": "2026-05-08T10:00:00Z"}').at == NOW


class _Row(Answered):
    price: Number


def rows_read(left_out: LeftOut, *rows: object) -> list[float]:
    found = read_rows(_Row, rows, left_out, lambda row: instant(row["end"]))
    return [row.price for row in found]


def test_a_row_that_cannot_be_read_costs_itself_alone() -> None:
    left_out = LeftOut(NOW)
    rows = ({"price": 1.0}, {"price": "dear"}, None, {"price": 2.0}, {"price": "cheap"})
    assert rows_read(left_out, *rows) == [1.0, 2.0]
    dear, none = left_out.notes()
    assert dear.startswith("left out: row 2 is not as expected: price: ")
    assert dear.endswith("(2 such)")
    assert "dear" not in dear
    assert none.startswith("left out: row 3 is not as expected")


@pytest.mark.parametrize(
    ("end", "is_told"),
    [
        ("2026-05-08T10:00:00Z", False),
        ("2026-05-08T10:15:00Z", True),
        ("2026-05-08T10:00:00", True),
        ("soon", True),
        (None, True),
        (7, True),
        ("9999-12-31T23:59:00-12:00", True),
    ],
)
def test_a_row_whose_price_is_over_is_needed_by_nobody(end: object, *, is_told: bool) -> None:
    left_out = LeftOut(NOW)
    assert rows_read(left_out, {"price": None, "end": end}) == []
    assert bool(left_out.notes()) == left_out.is_partial == is_told


def test_more_rows_than_a_year_has_are_refused() -> None:
    with pytest.raises(PriceDataError, match="40001 rows"):
        rows_read(LeftOut(), *[None] * 40_001)


@pytest.mark.parametrize("unit", ["EUR / MWh", "Eur/MWh", "EUR/MWH", "eur/mwh"])
def test_euros_per_mwh_are_known_however_they_are_written(unit: str) -> None:
    assert is_eur_per_mwh(unit)
    assert not is_eur_per_mwh(unit.replace("M", "k").replace("m", "k"))
