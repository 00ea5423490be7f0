"""A unit says the currency and how much of it, however people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.markets.sources.units import unit_of


@pytest.mark.parametrize(
    ("text", "site", "currency", "factor"),
    [
        ("EUR/kWh", "EUR", "EUR", 1.0),
        ("eur/kWh", "EUR", "EUR", 1.0),
        ("Euro/kWh", "EUR", "EUR", 1.0),
        ("€/MWh", "EUR", "EUR", 0.001),
        ("EUR/Wh", "EUR", "EUR", 1000.0),
        ("ct/kWh", "EUR", "EUR", 0.01),
        ("ct/kWh", "AUD", "AUD", 0.01),
        ("c€/kWh", "CZK", "EUR", 0.01),
        ("øre/kWh", "NOK", "NOK", 0.01),
        ("p/kWh", "GBP", "GBP", 0.01),
        ("Rp/kWh", "CHF", "CHF", 0.01),
        ("€-ct/kWh", "EUR", "EUR", 0.01),
        ("snt/kWh", "EUR", "EUR", 0.01),
        ("Kč/kWh", "CZK", "CZK", 1.0),
        ("Kc\u030c/kWh", "CZK", "CZK", 1.0),
        ("zł/kWh", "PLN", "PLN", 1.0),
        ("gr/kWh", "PLN", "PLN", 0.01),
        ("lei/MWh", "RON", "RON", 0.001),
        ("Ft/kWh", "HUF", "HUF", 1.0),
        ("$/kWh", "AUD", "AUD", 1.0),
        ("kr/kWh", "NOK", "NOK", 1.0),
        ("sek / mwh", "EUR", "SEK", 0.001),
    ],
)
def test_units_of_many_countries(text: str, site: str, currency: str, factor: float) -> None:
    assert unit_of(text, site) == (currency, pytest.approx(factor))


@given(st.text(max_size=20) | st.none() | st.integers())
def test_what_is_no_price_per_energy_is_none(text: object) -> None:
    found = unit_of(text, "EUR")
    assert found is None or (isinstance(text, str) and "/" in text and found[1] > 0.0)
