"""Facts are what a planner knows; what it does not know is not there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.forecasting.weather import WeatherForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.rules.fact_table import FACTS, FactKind, FactSource
from holdfast.scheduling.rules.facts import Known, day_bounds, facts_of

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 3, 1, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(hours: float, price: Callable[[float], float], step: timedelta = HOUR) -> PriceSeries:
    count = round(timedelta(hours=hours) / step)
    slots = (
        PriceSlot(
            start_utc=MIDNIGHT + index * step,
            end_utc=MIDNIGHT + (index + 1) * step,
            price_per_kwh=price(index * (step / HOUR)),
        )
        for index in range(count)
    )
    return PriceSeries(currency="EUR", slots=tuple(slots))


def prices(hours: float = 36.0, price: Callable[[float], float] = lambda h: h / 100) -> SitePrices:
    return SitePrices(currency="EUR", purchase=series(hours, price), feed_in=series(hours, price))


def at(hour: float, **known: object) -> dict[str, object]:
    return dict(facts_of(replace(Known(utc=MIDNIGHT + hour * HOUR), **known), BERLIN))


def test_the_clock_is_the_sites() -> None:
    facts = at(16.75)
    assert facts["hour"] == 16.75
    assert (facts["weekday"], facts["day"], facts["month"]) == ("mon", 2.0, 3.0)


def test_what_nobody_knows_is_not_there() -> None:
    assert at(0).keys() == {"hour", "weekday", "day", "month"}
    assert "surplus_w" not in at(0, pv_w=100.0)
    assert "soc_pct" not in at(0, soc_pct=float("nan"))


def test_what_is_measured_is_there_and_the_surplus_follows() -> None:
    facts = at(0, pv_w=1000.0, load_w=300.0, grid_w=-700.0, battery_w=0.0, soc_pct=40.0)
    assert facts["surplus_w"] == 700.0
    assert facts["battery_w"] == 0.0
    assert at(0, is_holiday=False)["is_holiday"] is False


def test_prices_stand_beside_those_of_the_day_and_what_is_ahead() -> None:
    facts = at(10.5, prices=prices())
    assert facts["price_per_kwh"] == 0.10
    assert (facts["price_min_today"], facts["price_max_today"]) == (0.0, 0.23)
    assert facts["price_mean_today"] == pytest.approx(0.115)
    assert (facts["cheaper_hours_today"], facts["dearer_hours_today"]) == (10.0, 13.0)
    assert facts["known_hours_ahead"] == 25.5
    assert (facts["price_min_ahead"], facts["price_max_ahead"]) == (0.10, 0.35)
    assert facts["price_p50"] == pytest.approx(0.175)


def test_a_day_that_is_not_whole_has_no_figures() -> None:
    """A missing price is missing: the rest of a day is not the day."""
    late = prices()
    rest = late.between(MIDNIGHT + 5 * HOUR, MIDNIGHT + 36 * HOUR)
    facts = at(10.5, prices=rest)
    assert facts["price_per_kwh"] == 0.10
    assert "price_max_ahead" in facts
    assert not {"cheaper_hours_today", "price_min_today", "price_p50"} & facts.keys()
    assert "price_per_kwh" not in at(1, prices=rest)


def test_a_hole_ends_what_is_known_ahead() -> None:
    whole = prices().purchase.slots
    holed = PriceSeries(currency="EUR", slots=(*whole[:15], *whole[16:]))
    facts = at(10, prices=SitePrices(currency="EUR", purchase=holed, feed_in=holed))
    assert facts["known_hours_ahead"] == 5.0
    assert "price_mean_today" not in facts


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-02", 24)]
)
def test_a_day_has_as_many_hours_as_its_clock_says(day: str, hours: int) -> None:
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=BERLIN)
    start, end = day_bounds(noon.astimezone(UTC), BERLIN)
    assert end - start == hours * HOUR


def forecast(quarters: int, watts: float) -> SiteForecast:
    power = PowerForecast(start_utc=MIDNIGHT, mean_w=(watts,) * quarters, basis=Basis.HISTORY)
    return SiteForecast(load=power, pv=power, temperature_c=(7.0,) * quarters)


def test_energies_are_those_of_the_coming_hours() -> None:
    facts = at(22.5, forecast=forecast(48 * 4, 400.0))
    assert facts["pv_next_1h_wh"] == pytest.approx(400.0)
    assert facts["load_next_4h_wh"] == pytest.approx(1600.0)
    assert facts["pv_rest_of_today_wh"] == pytest.approx(600.0)
    assert facts["load_tomorrow_wh"] == pytest.approx(9600.0)
    assert facts["temperature_c"] == 7.0


def test_what_the_forecast_does_not_reach_is_not_known() -> None:
    facts = at(22.5, forecast=forecast(26 * 4, 400.0))
    assert "pv_next_1h_wh" in facts
    assert "pv_tomorrow_wh" not in facts


def test_the_weather_is_that_of_now() -> None:
    values = np.arange(8.0)
    first = int(MIDNIGHT.timestamp()) // 900
    weather = WeatherForecast(
        first=first, ghi_w_m2=values, dni_w_m2=values, dhi_w_m2=values,
        temperature_c=values + 10, wind_m_s=np.full(8, np.nan),
    )  # fmt: skip
    facts = at(0.5, weather=weather)
    assert (facts["temperature_c"], facts["sun_w_m2"]) == (12.0, 2.0)
    assert "wind_m_s" not in facts
    assert "sun_w_m2" not in at(5, weather=weather)


def test_every_fact_is_a_row_of_the_table_and_of_its_kind() -> None:
    weather = WeatherForecast(
        first=int(MIDNIGHT.timestamp()) // 900, ghi_w_m2=np.ones(4), dni_w_m2=np.ones(4),
        dhi_w_m2=np.ones(4), temperature_c=np.ones(4), wind_m_s=np.ones(4),
    )  # fmt: skip
    facts = at(
        0, prices=prices(), forecast=forecast(49 * 4, 1.0), weather=weather, soc_pct=1.0,
        grid_w=1.0, pv_w=1.0, load_w=1.0, battery_w=1.0, is_holiday=True,
    )  # fmt: skip
    assert facts.keys() == FACTS.keys()
    types = {FactKind.NUMBER: float, FactKind.TRUTH: bool, FactKind.TEXT: str}
    for name, value in facts.items():
        assert type(value) is types[FACTS[name].kind], name
    assert all(row.source is not FactSource.SIGNAL for row in FACTS.values())
