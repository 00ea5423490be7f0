"""Each strategy on days whose right answer is plain, and what must hold for all of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.abilities import Abilities
from holdfast.core.config import Site
from holdfast.core.config.prices import Prices
from holdfast.core.errors import ConfigError, PriceDataError
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.core.strategy_name import StrategyName
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.demand_charge import demand_prices
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.loads.progress import LoadsNow, RoomState
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.strategies.maker import StrategyMaker, plan_maker
from holdfast.scheduling.strategies.table import STRATEGIES
from tests.scheduling.planning import PARLOUR, hourly, site, site_prices

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 5, 7, 22, tzinfo=UTC)
"""In Berlin."""
DAY = [0.20] * 6 + [0.30] * 4 + [0.25] * 7 + [0.45] * 5 + [0.30] * 2
"""Cheap from 0 to 6, dear from 17 to 22."""
THROTTLES = Abilities(throttles_pv=True, switches_pv=False)


def forecast(load_w: float = 500.0, pv_w: float = 0.0, *, start: datetime) -> SiteForecast:
    load, pv = (
        PowerForecast(start_utc=start, mean_w=(mean_w,) * 200, basis=Basis.HISTORY)
        for mean_w in (load_w, pv_w)
    )
    return SiteForecast(load=load, pv=pv, temperature_c=(5.0,) * 200)


def plan_of(
    name: StrategyName,
    prices: SitePrices | None = None,
    *,
    of: Site | None = None,
    hour: float = 0.0,
    soc_pct: float = 50.0,
    room_c: float | None = None,
    **expected: float,
) -> Plan:
    """A plan at that local hour of a day."""
    now = MIDNIGHT + timedelta(hours=hour)
    rooms = {} if room_c is None else {"parlour": RoomState(temperature_c=room_c, utc=now)}
    return StrategyMaker(of or site(), name, THROTTLES).make_plan(
        PlanQuestion(
            now_utc=now,
            soc_pct=soc_pct,
            prices=prices or site_prices(*DAY, start=MIDNIGHT),
            forecast=forecast(start=now, **expected),
            loads_now=LoadsNow(rooms=rooms),
        )
    )


def hours(plan: Plan) -> dict[int, PlanSlot]:
    """The first slot of each local hour."""
    found: dict[int, PlanSlot] = {}
    for slot in plan.slots:
        found.setdefault(slot.start.astimezone(BERLIN).hour, slot)
    return found


def modes(plan: Plan, at: Sequence[int]) -> list[SlotMode]:
    return [hours(plan)[hour].mode for hour in at]


FOLLOW, HOLD, POWER = SlotMode.SELF_CONSUMPTION, SlotMode.HOLD, SlotMode.POWER


def test_cheapest_four_hours_buys_in_them_alone_and_evenly() -> None:
    prices = site_prices(0.1, 0.12, 0.11, 0.13, *DAY[4:], start=MIDNIGHT)
    plan = plan_of(StrategyName.CHEAPEST_FOUR_HOURS, prices, soc_pct=40.0)
    assert modes(plan, range(6)) == [POWER] * 4 + [FOLLOW] * 2
    room_wh = 10_000 * (0.9 - 0.4) if site().storage[0].operation.soc_max_pct == 90 else None
    first = plan.slots[0]
    assert 0.0 < first.battery_power_w < 2_500.0
    assert room_wh is None or first.battery_power_w * 4 == pytest.approx(room_wh / 0.96, rel=0.05)
    full = hours(plan)[4].soc_end_pct
    assert full == pytest.approx(site().storage[0].operation.soc_max_pct, abs=2.0)


def test_the_four_hours_are_those_of_the_whole_day_not_of_what_is_left() -> None:
    prices = site_prices(*([0.1] * 4 + DAY[4:]), start=MIDNIGHT)
    plan = plan_of(StrategyName.CHEAPEST_FOUR_HOURS, prices, hour=5.0)
    assert {slot.mode for slot in plan.slots} == {FOLLOW}


def test_nothing_is_bought_on_a_day_on_which_it_cannot_pay() -> None:
    flat = site_prices(*[0.3] * 24, start=MIDNIGHT)
    for name in (
        StrategyName.CHEAPEST_FOUR_HOURS,
        StrategyName.PERCENTILE_95,
        StrategyName.EVENING_PEAK,
        StrategyName.PRICE_DRIVEN_EXPORT,
        StrategyName.CHEAP_HOURS,
    ):
        assert not any(slot.mode is POWER for slot in plan_of(name, flat).slots), name


def test_negative_prices_first_makes_room_and_then_charges() -> None:
    prices = SitePrices(
        currency="EUR",
        purchase=hourly(*[0.25] * 12, -0.05, -0.05, *[0.25] * 10, start=MIDNIGHT),
        feed_in=hourly(*[0.05] * 11, -0.02, -0.1, -0.1, *[0.05] * 10, start=MIDNIGHT),
    )
    plan = plan_of(StrategyName.NEGATIVE_PRICE_FIRST, prices, hour=8, soc_pct=60.0, pv_w=3000.0)
    # 8 to 11: the sun is exported, for room is wanted; 11: an export costs; 12, 13: paid for.
    assert modes(plan, (8, 10, 11, 12, 13, 15)) == [POWER, POWER, FOLLOW, POWER, POWER, FOLLOW]
    assert hours(plan)[8].battery_power_w == 0.0
    assert hours(plan)[12].battery_power_w == 5000.0
    assert [hours(plan)[hour].export_limit_w for hour in (10, 11, 12, 15)] == [None, 100, 100, None]
    # With load in the place of sun, what is stored serves it meanwhile.
    assert (
        modes(plan_of(StrategyName.NEGATIVE_PRICE_FIRST, prices, hour=8), (8, 10)) == [FOLLOW] * 2
    )


def test_percentile_95_discharges_above_buys_below_and_keeps_what_it_will_need() -> None:
    bought = [0.05, 0.05, *[0.25] * 15, 0.60, 0.60, *[0.25] * 5]
    sells = SitePrices(
        currency="EUR", purchase=hourly(*bought, start=MIDNIGHT),
        feed_in=hourly(*[price - 0.02 for price in bought], start=MIDNIGHT),
    )  # fmt: skip
    plan = plan_of(StrategyName.PERCENTILE_95, sells, load_w=2000.0)
    assert modes(plan, (0, 17)) == [POWER, POWER]
    assert hours(plan)[0].battery_power_w == 5000.0
    assert hours(plan)[17].battery_power_w == -5000.0
    serves = site_prices(*bought, sold=0.05, start=MIDNIGHT)
    plan = plan_of(StrategyName.PERCENTILE_95, serves, load_w=2000.0, hour=2, soc_pct=30.0)
    assert modes(plan, (3, 6, 17, 19)) == [FOLLOW, HOLD, FOLLOW, FOLLOW]


def test_the_evening_is_met_full_by_sun_or_else_from_the_cheapest_hours_before() -> None:
    dark = plan_of(StrategyName.EVENING_PEAK, hour=9, soc_pct=30.0)
    assert modes(dark, (9, 17, 21, 22)) == [FOLLOW] * 4
    bought = [slot for slot in dark.slots if slot.mode is POWER]
    assert bought
    assert all(10 <= slot.start.astimezone(BERLIN).hour < 17 for slot in bought)
    assert hours(dark)[17].soc_end_pct == pytest.approx(
        site().storage[0].operation.soc_max_pct, abs=3.0
    )
    sunny = plan_of(StrategyName.EVENING_PEAK, hour=9, soc_pct=30.0, pv_w=3000.0)
    assert set(modes(sunny, range(10, 17))) == {HOLD}


def test_price_driven_export_sells_only_what_can_be_bought_again_for_less() -> None:
    bought = [0.10, *[0.20] * 16, 0.40, 0.40, *[0.20] * 3, 0.05, 0.05]
    prices = SitePrices(
        currency="EUR", purchase=hourly(*bought, start=MIDNIGHT),
        feed_in=hourly(*[price - 0.02 for price in bought], start=MIDNIGHT),
    )  # fmt: skip
    plan = plan_of(StrategyName.PRICE_DRIVEN_EXPORT, prices, soc_pct=95.0, hour=12)
    assert modes(plan, (12, 17, 18, 19)) == [FOLLOW, POWER, POWER, FOLLOW]
    assert hours(plan)[17].battery_power_w == -5000.0
    fixed = plan_of(StrategyName.PRICE_DRIVEN_EXPORT, soc_pct=80.0)
    assert {slot.mode for slot in fixed.slots} == {FOLLOW}


def test_time_of_use_keeps_its_energy_before_much_dearer_hours() -> None:
    plan = plan_of(StrategyName.TIME_OF_USE, hour=10)
    assert modes(plan, (11, 14, 16, 17, 22)) == [FOLLOW, HOLD, HOLD, FOLLOW, FOLLOW]


def test_fixed_hours_go_by_the_local_clock_on_a_day_of_23_hours() -> None:
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    maker = StrategyMaker(site(), StrategyName.FIXED_HOURS)
    plan = maker.make_plan(
        PlanQuestion(
            now_utc=start, soc_pct=50.0, prices=site_prices(*[0.3] * 23, start=start),
            forecast=forecast(start=start),
        )
    )  # fmt: skip
    ends = [slot.end.astimezone(BERLIN).hour for slot in plan.slots if slot.mode is POWER]
    assert (len(ends), ends[-1]) == (5 * 4, 6)


def test_pre_heating_warms_a_room_before_the_dear_hours() -> None:
    """Even for a cent that alone would not be worth it."""
    of = site(rooms=PARLOUR)
    prices = site_prices(*[0.30] * 17, *[0.31] * 5, *[0.30] * 2, start=MIDNIGHT)
    warm, cold = (
        plan_of(name, prices, of=of, hour=12, room_c=20.0).slots
        for name in (StrategyName.PRE_HEATING, StrategyName.SELF_CONSUMPTION)
    )

    def room_c(slots: tuple[PlanSlot, ...], hour: int) -> float:
        (slot,) = [s for s in slots if s.end == MIDNIGHT + timedelta(hours=hour)]
        (room,) = [load for load in slot.loads if load.name == "parlour"]
        assert room.temperature_c is not None
        return room.temperature_c

    assert room_c(warm, 17) > room_c(cold, 17) + 0.5
    with pytest.raises(ConfigError, match="pre_heating needs prices and rooms"):
        StrategyMaker(site(), StrategyName.PRE_HEATING)


# For all. -----------------------------------------------------------------------------------------

NAMES = tuple(name for name in STRATEGIES if name is not StrategyName.PRE_HEATING)


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    prices=st.lists(st.floats(-0.5, 1.0), min_size=3, max_size=30),
    soc_pct=st.floats(0, 100),
    load_w=st.floats(0, 9000),
    pv_w=st.floats(0, 9000),
    minutes=st.integers(0, 150),
)
def test_a_strategy_has_a_plan_without_gap_within_the_limits_for_any_prices(
    name: StrategyName,
    prices: list[float],
    soc_pct: float,
    load_w: float,
    pv_w: float,
    minutes: int,
) -> None:
    plan = plan_of(
        name, site_prices(*prices, start=MIDNIGHT), hour=minutes / 60, soc_pct=soc_pct,
        load_w=load_w, pv_w=pv_w,
    )  # fmt: skip
    assert plan.status is PlanStatus.STRATEGY
    assert all(a.end == b.start for a, b in zip(plan.slots, plan.slots[1:], strict=False))
    for slot in plan.slots:
        assert -5000.0 <= slot.battery_power_w <= 5000.0
        assert slot.soc_end_pct is not None
        assert 0.0 <= slot.soc_end_pct <= 100.0
        assert slot.reason


@pytest.mark.parametrize("name", NAMES)
def test_without_a_price_for_now_there_is_no_plan(name: StrategyName) -> None:
    with pytest.raises(PriceDataError, match="no price is known for 2026-05-09"):
        plan_of(name, hour=30.0)


def test_a_strategy_that_buys_keeps_below_the_peak_that_the_house_needs_anyway() -> None:
    charges = {
        "purchase": {"source": {"kind": "fixed", "price_per_kwh": 0.2}},
        "feed_in": {"source": {"kind": "fixed", "price_per_kwh": 0.0}},
        "demand_charges": [{"price_per_kw": 5, "period": "month", "least_kw": 2.5}],
    }
    demand = demand_prices(Prices.model_validate(charges), BERLIN)
    prices = site_prices(*DAY, demand=demand, start=MIDNIGHT)
    plan = plan_of(StrategyName.FIXED_HOURS, prices)
    assert {slot.terms.import_mean_max_w for slot in plan.slots} == {2500.0}


def test_a_site_that_lacks_what_its_strategy_needs_is_refused_by_name() -> None:
    for planner, missing in (
        ("{strategy: pre_heating}", "pre_heating needs rooms"),
        ("{strategy: percentile_95}", "percentile_95 needs prices"),
        ("{strategy: cheapest}", "strategy"),
    ):
        with pytest.raises(ConfigError, match=missing):
            site(planner=planner)
    assert site(planner="{strategy: self_consumption}").prices is None


def test_the_live_planner_asks_the_strategy_that_site_yaml_names() -> None:
    of = site()
    options = of.planner.model_copy(update={"strategy": StrategyName.FIXED_HOURS})
    picked = of.model_copy(update={"planner": options})
    prices = site_prices(*DAY, start=MIDNIGHT)
    for one, status in ((picked, PlanStatus.STRATEGY), (of, PlanStatus.OPTIMAL)):
        question = PlanQuestion(
            now_utc=MIDNIGHT, soc_pct=50.0, prices=prices, forecast=forecast(start=MIDNIGHT)
        )
        assert plan_maker(one)(question).status is status
