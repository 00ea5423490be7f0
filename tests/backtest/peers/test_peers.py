"""Other programs, made again from what they document: their thresholds, on days that are plain."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from holdfast.backtest.data import SiteData
from holdfast.backtest.peers.table import PEERS, expected_by
from holdfast.backtest.strategies import PICKED, RECREATED, Strategy
from holdfast.core.errors import PriceDataError
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.core.strategy_name import StrategyName
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.strategies.maker import StrategyMaker
from tests.backtest.backtest_bench import measured, run
from tests.scheduling.planning import hourly, site, site_prices

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 5, 7, 22, tzinfo=UTC)
"""In Berlin."""
DAY = [0.20] * 3 + [0.30] * 14 + [0.50] * 5 + [0.30] * 2
"""Cheapest from 0 to 3, dear from 17 to 22."""
FOLLOW, HOLD, POWER = SlotMode.SELF_CONSUMPTION, SlotMode.HOLD, SlotMode.POWER


def forecast(now: datetime, load_w: float = 500.0, pv_w: float = 0.0) -> SiteForecast:
    load, pv = (
        PowerForecast(start_utc=now, mean_w=(mean_w,) * 200, basis=Basis.HISTORY)
        for mean_w in (load_w, pv_w)
    )
    return SiteForecast(load=load, pv=pv)


def plan_of(
    name: str, prices: SitePrices, *, hour: float = 0.0, soc_pct: float = 50.0, **expected: float
) -> Plan:
    """A plan at that local hour of a day."""
    now = MIDNIGHT + timedelta(hours=hour)
    return StrategyMaker(site(), name, row=PEERS[name].row).make_plan(
        PlanQuestion(
            now_utc=now, soc_pct=soc_pct, prices=prices, forecast=forecast(now, **expected)
        )
    )


def hours(plan: Plan) -> dict[int, PlanSlot]:
    """The first slot of each local hour."""
    found: dict[int, PlanSlot] = {}
    for slot in plan.slots:
        found.setdefault(slot.start.astimezone(BERLIN).hour, slot)
    return found


def bought_and_sold(bought: list[float], sold: list[float]) -> SitePrices:
    return SitePrices(
        currency="EUR",
        purchase=hourly(*bought, start=MIDNIGHT),
        feed_in=hourly(*sold, start=MIDNIGHT),
    )


def test_evcc_like_charges_with_all_power_up_to_the_price_of_the_third_cheapest_hour() -> None:
    prices = [0.3] * 24
    prices[2], prices[4], prices[13] = 0.10, 0.20, 0.15
    at = hours(plan_of("like_evcc", site_prices(*prices, start=MIDNIGHT)))
    assert {hour for hour, slot in at.items() if slot.mode is POWER} == {2, 4, 13}
    assert at[2].battery_power_w == 5000.0
    assert {slot.mode for hour, slot in at.items() if hour not in (2, 4, 13)} == {FOLLOW}


def test_evcc_like_has_a_price_limit_and_no_number_of_hours() -> None:
    at = hours(plan_of("like_evcc", site_prices(*[0.1] * 6, *[0.3] * 18, start=MIDNIGHT)))
    assert [hour for hour, slot in at.items() if slot.mode is POWER] == [0, 1, 2, 3, 4, 5]


def test_evcc_like_buys_whatever_the_dear_hours_would_save() -> None:
    barely = site_prices(*[0.299] * 3, *[0.3] * 21, start=MIDNIGHT)
    assert hours(plan_of("like_evcc", barely))[0].mode is POWER


def test_evcc_like_has_no_limit_where_a_day_has_one_price() -> None:
    plan = plan_of("like_evcc", site_prices(*[0.3] * 24, start=MIDNIGHT))
    assert {slot.mode for slot in plan.slots} == {FOLLOW}


def test_emhass_like_gives_powers_and_follows_no_meter() -> None:
    plan = plan_of("like_emhass", site_prices(*DAY, start=MIDNIGHT))
    assert {slot.mode for slot in plan.slots} == {POWER}
    at = hours(plan)
    assert sum(slot.battery_power_w for slot in plan.slots[:12]) > 0.0
    assert all(at[hour].battery_power_w == pytest.approx(-500.0, abs=1.0) for hour in range(17, 22))


def test_emhass_like_sells_nothing_that_is_stored_and_ends_with_60_pct() -> None:
    plan = plan_of("like_emhass", bought_and_sold(DAY, [0.45] * 24), soc_pct=90.0)
    assert min(slot.grid_power_w or 0.0 for slot in plan.slots) > -1.0
    assert plan.slots[-1].soc_end_pct == pytest.approx(60.0, abs=0.1)


def test_emhass_like_weighs_no_wear() -> None:
    """A kWh of the dear half saves 0.345, of which wear and losses would leave nothing."""
    prices = site_prices(*[0.30] * 12, *[0.345] * 12, start=MIDNIGHT)
    plan = plan_of("like_emhass", prices, soc_pct=60.0)
    assert sum(slot.battery_power_w for slot in plan.slots[:48]) > 10e3


def test_predbat_like_charges_in_cheap_windows_and_follows_else() -> None:
    prices = site_prices(*[0.2] * 3, *[0.4] * 21, start=MIDNIGHT)
    at = hours(plan_of("like_predbat", prices, load_w=1500.0))
    assert any(at[hour].battery_power_w > 1000.0 for hour in range(3))
    assert {at[hour].mode for hour in range(3, 24)} == {FOLLOW}


def test_predbat_like_charges_no_more_than_what_pays() -> None:
    plan = plan_of("like_predbat", site_prices(*DAY, start=MIDNIGHT), soc_pct=50.0, load_w=200.0)
    assert max(slot.soc_end_pct or 0.0 for slot in plan.slots) < 80.0


def test_predbat_like_has_no_windows_at_one_price() -> None:
    plan = plan_of("like_predbat", site_prices(*[0.3] * 24, start=MIDNIGHT))
    assert {slot.mode for slot in plan.slots} == {FOLLOW}


def test_predbat_like_freezes_what_dear_hours_will_need() -> None:
    prices = site_prices(*[0.30] * 3, *[0.50] * 21, start=MIDNIGHT)
    plan = plan_of("like_predbat", prices, soc_pct=85.0, load_w=400.0)
    assert {slot.mode for slot in plan.slots[:12]} <= {HOLD, POWER}


@pytest.mark.parametrize(("sold", "sells"), [(0.60, True), (0.30, False)])
def test_predbat_like_exports_where_that_brings_more_than_what_is_stored_is_worth(
    sold: float, sells: bool
) -> None:
    prices = bought_and_sold([0.30] * 24, [sold] * 2 + [0.05] * 22)
    first = plan_of("like_predbat", prices, soc_pct=80.0, load_w=300.0).slots[0]
    assert (first.battery_power_w < -4000.0) is sells


def test_predbat_like_leaves_an_export_that_gains_less_than_its_threshold() -> None:
    """0.3 / 0.95 / 0.95 and 0.5 cents are what an export has to bring."""
    efficiency = site().storage[0].inverter_hardware.efficiency_pct / 100.0
    even = 0.30 / efficiency**2 + 0.005
    for more, sells in ((0.0, False), (0.05, True)):
        prices = bought_and_sold([0.30] * 24, [even + more] + [0.05] * 23)
        first = plan_of("like_predbat", prices, soc_pct=80.0, load_w=0.0).slots[0]
        assert (first.battery_power_w < -4000.0) is sells, more


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_no_plan_without_a_price_for_now(name: str) -> None:
    with pytest.raises(PriceDataError):
        plan_of(name, site_prices(*DAY, start=MIDNIGHT + timedelta(days=3)))


@pytest.mark.parametrize("name", PEERS)
def test_a_plan_of_a_peer_says_that_it_is_one(name: str) -> None:
    plan = plan_of(name, site_prices(*DAY, start=MIDNIGHT))
    assert (plan.status, plan.note) == (PlanStatus.STRATEGY, f"by the strategy {name}")


def test_an_owner_cannot_run_a_site_by_a_peer() -> None:
    assert set(RECREATED) == set(PEERS)
    assert not set(RECREATED) & (set(PICKED) | set(StrategyName))


def test_each_expects_the_load_that_it_documents() -> None:
    history, now = PowerHistory(), MIDNIGHT + timedelta(days=9)
    for quarter in range(9 * 96):
        utc = MIDNIGHT + quarter * QUARTER
        history.add(utc, 100.0 * (1 + quarter // 96), 0.0)
    given = forecast(now, load_w=7.0, pv_w=3.0)

    def load_w(name: str) -> float:
        found = expected_by(PEERS[name], history, "Europe/Berlin", now, given)
        assert (found.pv, len(found.load.mean_w)) == (given.pv, 200)
        return found.load.mean_w[0]

    assert load_w("like_emhass") == pytest.approx(900.0)
    assert load_w("like_predbat") == pytest.approx(600.0)


def test_a_peer_that_saw_nothing_expects_what_the_forecast_says() -> None:
    given = forecast(MIDNIGHT, load_w=7.0)
    found = expected_by(PEERS["like_emhass"], PowerHistory(), "Europe/Berlin", MIDNIGHT, given)
    assert found.load.mean_w == given.load.mean_w


@pytest.mark.parametrize("strategy", RECREATED.values())
def test_a_peer_runs_through_measured_days(strategy: Strategy) -> None:
    days: SiteData = measured(36.0)
    result = run(days, strategy, measured(0.0))
    assert result.charged_wh > 500.0
    assert not any(result.damage.values())
