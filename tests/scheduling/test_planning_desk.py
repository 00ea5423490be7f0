"""What the planner's desk does when something that it rests on is missing."""

import pytest
from planning import NOW, site, site_prices

from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.plan import PlanStatus
from holdfast.forecasting.history import QUARTER, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster
from holdfast.scheduling.planning_desk import PlanningDesk, PowerSample

PRICES = site_prices(*([0.1, 0.1, 0.4, 0.4] * 4))


class Broken(SiteForecaster):
    """A forecaster that has lost what it knew."""

    def forecast(self, now_utc: object, horizon_h: float) -> SiteForecast:
        raise ValueError("the models are gone")


def test_without_any_history_there_is_a_plan() -> None:
    assert PlanningDesk(site()).plan(NOW, 50.0, PRICES).status is PlanStatus.OPTIMAL


def test_without_forecasts_the_rule_on_prices_serves_and_says_why() -> None:
    plan = PlanningDesk(site(), forecaster=Broken(PowerHistory())).plan(NOW, 50.0, PRICES)
    assert plan.status is PlanStatus.TIME_OF_USE
    assert "the models are gone" in plan.note


def test_when_forecasts_are_lost_the_last_good_plan_goes_on() -> None:
    desk = PlanningDesk(site())
    desk.plan(NOW, 50.0, PRICES)
    desk.forecaster = Broken(desk.history)
    assert desk.plan(NOW + QUARTER, 50.0, PRICES).status is PlanStatus.LAST_GOOD


def test_without_prices_there_is_no_plan() -> None:
    with pytest.raises(PriceDataError):
        PlanningDesk(site()).plan(NOW + 1000 * QUARTER, 50.0, PRICES)


def test_an_optimizer_elsewhere_is_asked_with_what_went_before() -> None:
    asked: list[dict[str, object]] = []

    def elsewhere(**question: object) -> object:
        asked.append(question)
        raise PlanFailed("its process ended")

    desk = PlanningDesk(site(), make_plan=elsewhere)  # type: ignore[arg-type]
    desk.observe(PowerSample(utc=NOW - QUARTER, load_w=400.0, pv_w=0.0, grid_w=400.0))
    assert desk.plan(NOW, 50.0, PRICES).status is PlanStatus.TIME_OF_USE
    assert asked[0]["previous"] is None
    assert asked[0]["soc_pct"] == 50.0
