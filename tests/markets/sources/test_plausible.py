"""Prices in the wrong unit are noticed: a hundred or a thousand times too large, or too small."""

import pytest

from holdfast.core.errors import PriceDataError
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.plausible import plausible, plausible_slots
from tests.markets.builders import series

DAY = (0.02, 0.08, 0.12, 0.31, 0.25, -0.01, 0.0, 0.19)
"""Per kWh in euros."""
_RATES = {"EUR": 1.0, "SEK": 11.0, "DKK": 7.5, "CZK": 25.0, "HUF": 400.0, "AUD": 1.7}


@pytest.mark.parametrize("currency", _RATES)
def test_a_usual_day_is_taken_as_it_is(currency: str) -> None:
    left_out = LeftOut()
    slots = series(*(price * _RATES[currency] for price in DAY)).slots
    assert plausible_slots(currency, slots, left_out) == list(slots)
    assert left_out.notes() == ()


@pytest.mark.parametrize("currency", _RATES)
@pytest.mark.parametrize("factor", [100.0, 1000.0])
def test_hundredths_for_wholes_and_mwh_for_kwh_are_not_used(currency: str, factor: float) -> None:
    slots = series(*(price * _RATES[currency] * factor for price in DAY)).slots
    with pytest.raises(PriceDataError, match="another unit"):
        plausible_slots(currency, slots, LeftOut())


@pytest.mark.parametrize("currency", _RATES)
def test_a_thousand_times_too_small_is_told(currency: str) -> None:
    left_out = LeftOut()
    slots = series(*(price * _RATES[currency] / 1000.0 for price in DAY)).slots
    assert plausible_slots(currency, slots, left_out) == list(slots)
    (note,) = left_out.notes()
    assert note.startswith("doubtful: no price is above")
    assert not left_out.is_partial


def test_a_price_of_nothing_is_no_unit() -> None:
    left_out = LeftOut()
    assert plausible_slots("EUR", series(0.0, 0.0).slots, left_out)
    assert plausible_slots("EUR", (), left_out) == []
    assert left_out.notes() == ()


@pytest.mark.parametrize(
    ("currency", "low", "high"),
    [("EUR", -1.0, 10.0), ("GBP", -1.0, 10.0), ("SEK", -12.0, 120.0), ("AUD", -2.0, 40.0),
     ("XYZ", -1e3, 1e4)],
)  # fmt: skip
def test_a_single_price_is_taken_up_to_what_a_market_may_have(
    currency: str, low: float, high: float
) -> None:
    for price in (low, high):
        slots = series(*[0.1 * high / 10.0] * 9, price).slots
        assert len(plausible_slots(currency, slots, LeftOut())) == 10
    for price in (low * 1.001, high * 1.001):
        left_out = LeftOut()
        assert len(plausible_slots(currency, series(*[0.1] * 9, price).slots, left_out)) == 9
        assert "not within" in left_out.notes()[0]


def test_an_australian_spike_is_a_price() -> None:
    left_out = LeftOut()
    assert len(plausible_slots("AUD", series(*[0.25] * 20, 19.3, 21.0).slots, left_out)) == 22
    assert left_out.notes() == ()


def test_bounds_hold_zero() -> None:
    for currency in (*_RATES, "XYZ"):
        bounds = plausible(currency)
        assert bounds.low < 0 < bounds.usual_high <= bounds.high
