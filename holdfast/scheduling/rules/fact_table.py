"""Each name that a rule may use is a row here: its kind, its unit, what it means and where from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from holdfast.core.config.local_window import WEEKDAYS


class FactKind(StrEnum):
    """Tells what a value is."""

    NUMBER = "number"
    TRUTH = "truth"
    """It is true or false."""
    TEXT = "text"


FactValue = float | bool | str
Facts = Mapping[str, FactValue]
"""Holds what is known at one moment, by name; what is not there is not known."""


class FactSource(StrEnum):
    """Tells where a fact comes from."""

    TIME = "the clock of the site"
    PRICES = "prices that are published"
    FORECAST = "the forecast"
    MEASURED = "measured"
    WEATHER = "the weather forecast"
    SIGNAL = "a signal that somebody sets"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """Describes one name."""

    name: str
    kind: FactKind
    unit: str
    """Is empty for what has none."""
    meaning: str
    source: FactSource
    low: float = 0.0
    high: float = 1.0
    """A number is tried from ``low`` to ``high`` when rules are checked."""
    words: tuple[str, ...] = ()
    """A text may be one of these."""


def _number(
    source: FactSource, unit: str, low: float, high: float, name: str, meaning: str
) -> FactRow:
    return FactRow(
        name=name,
        kind=FactKind.NUMBER,
        unit=unit,
        meaning=meaning,
        source=source,
        low=low,
        high=high,
    )


_PRICE = (FactSource.PRICES, "the site's currency per kWh", -0.5, 1.0)
_HOURS = (FactSource.PRICES, "h", 0.0, 25.0)
_ENERGY = (FactSource.FORECAST, "Wh", 0.0, 200_000.0)
_POWER = (FactSource.MEASURED, "W", -50_000.0, 50_000.0)
_TAKEN = (FactSource.MEASURED, "W", 0.0, 50_000.0)
"""A power that has no sign."""

_ROWS = (
    _number(
        FactSource.TIME, "h", 0.0, 23.98, "hour", "local time of day: 16.75 is a quarter to five"
    ),
    FactRow(
        name="weekday",
        kind=FactKind.TEXT,
        unit="",
        meaning="local day of the week",
        source=FactSource.TIME,
        words=WEEKDAYS,
    ),
    _number(FactSource.TIME, "", 1.0, 31.0, "day", "local day of the month"),
    _number(FactSource.TIME, "", 1.0, 12.0, "month", "local month"),
    FactRow(
        name="is_holiday",
        kind=FactKind.TRUTH,
        unit="",
        meaning="it is a holiday of a calendar in `schedule`; not known without one",
        source=FactSource.TIME,
    ),
    _number(*_PRICE, "price_per_kwh", "what is paid now"),
    _number(*_PRICE, "feed_in_per_kwh", "what is got for export now"),
    _number(*_PRICE, "price_min_today", "the cheapest price of the local day"),
    _number(*_PRICE, "price_mean_today", "the mean price of the local day"),
    _number(*_PRICE, "price_max_today", "the dearest price of the local day"),
    _number(*_PRICE, "price_p05", "5 % of the known hours, from local midnight on, are cheaper"),
    _number(*_PRICE, "price_p25", "a quarter of them is cheaper"),
    _number(*_PRICE, "price_p50", "half of them is cheaper"),
    _number(*_PRICE, "price_p75", "a quarter of them is dearer"),
    _number(*_PRICE, "price_p95", "5 % of them are dearer"),
    _number(
        *_PRICE, "price_min_ahead", "the cheapest price from now on, as far as prices are known"
    ),
    _number(*_PRICE, "price_mean_ahead", "the mean price from now on"),
    _number(*_PRICE, "price_max_ahead", "the dearest price from now on"),
    _number(*_HOURS, "cheaper_hours_today", "so many hours of the local day are cheaper than now"),
    _number(*_HOURS, "dearer_hours_today", "so many hours of the local day are dearer than now"),
    _number(*_HOURS, "known_hours_ahead", "so far are prices known"),
    _number(*_ENERGY, "pv_next_1h_wh", "PV in the next hour"),
    _number(*_ENERGY, "pv_next_4h_wh", "PV in the next four hours"),
    _number(*_ENERGY, "pv_rest_of_today_wh", "PV until local midnight"),
    _number(*_ENERGY, "pv_tomorrow_wh", "PV of the next local day"),
    _number(*_ENERGY, "load_next_1h_wh", "load in the next hour"),
    _number(*_ENERGY, "load_next_4h_wh", "load in the next four hours"),
    _number(*_ENERGY, "load_rest_of_today_wh", "load until local midnight"),
    _number(*_ENERGY, "load_tomorrow_wh", "load of the next local day"),
    _number(
        FactSource.MEASURED, "%", 0.0, 100.0, "soc_pct", "what is stored in all units together"
    ),
    _number(*_POWER, "grid_w", "power at the grid connection, + import"),
    _number(*_TAKEN, "pv_w", "PV power"),
    _number(*_TAKEN, "load_w", "load"),
    _number(*_POWER, "battery_w", "power of all units together, + charging"),
    _number(*_POWER, "surplus_w", "PV less load; negative while PV does not suffice"),
    _number(FactSource.WEATHER, "°C", -30.0, 45.0, "temperature_c", "outdoors, now"),
    _number(FactSource.WEATHER, "m/s", 0.0, 50.0, "wind_m_s", "wind, now"),
    _number(
        FactSource.WEATHER, "W/m²", 0.0, 1200.0, "sun_w_m2", "sun on a horizontal square metre, now"
    ),
)

FACTS: Mapping[str, FactRow] = {row.name: row for row in _ROWS}

_CHAINS = (
    ("price_min_today", "price_per_kwh", "price_max_today"),
    ("price_min_today", "price_mean_today", "price_max_today"),
    ("price_p05", "price_p25", "price_p50", "price_p75", "price_p95"),
    ("price_min_ahead", "price_per_kwh", "price_max_ahead"),
    ("price_min_ahead", "price_mean_ahead", "price_max_ahead"),
)
ORDERED = tuple(pair for chain in _CHAINS for pair in combinations(chain, 2))
"""The first is never above the second: what breaks this is not tried."""


def _check_table() -> None:
    assert len(FACTS) == len(_ROWS), "a name stands twice"
    for row in _ROWS:
        assert row.meaning, f"{row.name}: no meaning"
        assert row.low < row.high, f"{row.name}: no range"
        assert (row.kind is FactKind.TEXT) == bool(row.words), f"{row.name}: words"
    assert {name for pair in ORDERED for name in pair} <= FACTS.keys()


_check_table()
