"""What the planner's planner does when something that it rests on is missing."""

import math
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.plan import Plan, PlanStatus
from holdfast.core.quarter_hours import QUARTER, quarter_of
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.loads.windows import present_window, windows_of
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.planner_memory import PlannerMemory, decode, encode
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.rolling_planner import RollingPlanner
from tests.scheduling.planning import BOILER, NOW, PARLOUR, forecast_of, site, site_prices

PRICES = site_prices(*([0.1, 0.1, 0.4, 0.4] * 4))


class Broken(SiteForecaster):
    """A forecaster that has lost what it knew."""

    def forecast(self, now_utc: object, horizon_h: float, **_: object) -> SiteForecast:
        raise ValueError("the models are gone")


def test_without_any_history_there_is_a_plan() -> None:
    assert RollingPlanner(site()).plan(NOW, 50.0, PRICES).status is PlanStatus.OPTIMAL


SLOW = "{charge_power_max_w: 500, discharge_power_max_w: 500}"
SITES: dict[str, dict[str, str]] = {"one": {}, "boiler": {"loads": BOILER}, "two": {"second": SLOW}}


@pytest.mark.parametrize("what", SITES)
def test_nothing_stored_is_sold_before_a_day_is_known(what: str) -> None:
    """Where an hour's export earns twice what any purchase costs, and the battery is full."""
    one = site(**SITES[what])
    # Two units and such prices are hard to solve: few hours of them will do.
    hours = [0.1, 0.1, 0.4, 0.4] * (1 if what == "two" else 4)
    prices = site_prices(*hours, sold=0.8)
    planner, least_w = RollingPlanner(one), {}
    for quarters in (1, 96):
        for index in range(quarters):
            planner.observe(
                PowerSample(utc=NOW - index * QUARTER, load_w=590.0, pv_w=0.0, on={"boiler": False})
            )
        plan = planner.plan(NOW, 90.0, prices)
        least_w[quarters] = min(slot.grid_power_w or 0.0 for slot in plan.slots)
        told = "the load measured now, 590 W, is taken for all hours" in plan.note
        assert told is (quarters == 1)
        assert ("nothing stored is sold" in plan.note) is (quarters == 1)
    assert least_w[1] > -1.0
    assert least_w[96] < -2000.0


def test_a_cheap_hour_is_used_for_the_own_load_before_a_day_is_known() -> None:
    planner = RollingPlanner(site())
    planner.observe(PowerSample(utc=NOW, load_w=590.0, pv_w=0.0))
    plan = planner.plan(NOW, 20.0, site_prices(*([0.1] * 4 + [0.5] * 12), sold=0.45))
    assert max(slot.battery_power_w for slot in plan.slots[:16]) > 1000.0
    dear = plan.slots[16:]
    assert all(slot.grid_power_w == pytest.approx(0.0, abs=1.0) for slot in dear)
    assert {slot.mode for slot in dear} == {SlotMode.SELF_CONSUMPTION}


def test_without_forecasts_the_rule_on_prices_serves_and_says_why() -> None:
    plan = RollingPlanner(site(), forecaster=Broken(PowerHistory())).plan(NOW, 50.0, PRICES)
    assert plan.status is PlanStatus.TIME_OF_USE
    assert "the models are gone" in plan.note


def test_when_forecasts_are_lost_the_last_good_plan_goes_on() -> None:
    planner = RollingPlanner(site())
    planner.plan(NOW, 50.0, PRICES)
    planner.forecaster = Broken(planner.history)
    assert planner.plan(NOW + QUARTER, 50.0, PRICES).status is PlanStatus.LAST_GOOD


def test_without_prices_there_is_no_plan() -> None:
    with pytest.raises(PriceDataError):
        RollingPlanner(site()).plan(NOW + 1000 * QUARTER, 50.0, PRICES)


def test_an_optimizer_elsewhere_is_asked_with_what_went_before() -> None:
    asked: list[PlanQuestion] = []

    def elsewhere(question: PlanQuestion) -> Plan:
        asked.append(question)
        raise PlanFailed("its process ended")

    desk = RollingPlanner(site(), make_plan=elsewhere)
    desk.observe(PowerSample(utc=NOW - QUARTER, load_w=400.0, pv_w=0.0, grid_w=400.0))
    assert desk.plan(NOW, 50.0, PRICES).status is PlanStatus.TIME_OF_USE
    assert asked[0].previous is None
    assert asked[0].soc_pct == 50.0


HOUSE = site(
    loads=BOILER.replace('"06:00"', '"24:00"')
    + """  - {name: washing, power_w: 1000, energy_wh: 1700, from: "20:00", to: "07:00",
     runs_through: true, switch: {profile: generic_load_switch,
     connection: {kind: modbus_tcp, host: localhost}}}
  - {name: car, power_w: 3000, energy_wh: 6000, from: "22:00", to: "06:00"}
""",
    planner="{horizon_h: 24}",
)
"""A boiler within each day, a washing machine over night, and a car that nobody switches."""
MINUTE = timedelta(minutes=1)
ON_SHARES = (0.05, 0.95)
"""Decision 0014: below it is off, above it is on."""


def planned_w(plan: Plan, name: str, utc: datetime) -> float:
    """Mean power over the slot, which is what somebody else's switch is taken to give."""
    slot = next(slot for slot in plan.slots if slot.start <= utc < slot.end)
    return next(load.power_w for load in slot.loads if load.name == name)


def is_on(plan: Plan, name: str, utc: datetime) -> bool:
    """As the controller does it: from the start of the slot for its share of it."""
    slot = next(slot for slot in plan.slots if slot.start <= utc < slot.end)
    share = planned_w(plan, name, utc) / HOUSE.load_powers_w[name]
    share = 0.0 if share < ON_SHARES[0] else 1.0 if share > ON_SHARES[1] else share
    return utc < slot.start + share * (slot.end - slot.start)


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 5, 8, 10, tzinfo=UTC),
        datetime(2026, 3, 28, 10, tzinfo=UTC),  # the next day has 23 hours
        datetime(2026, 10, 24, 10, tzinfo=UTC),  # and this one 25
    ],
)
def test_over_two_days_each_load_gets_its_energy_once_in_each_window(start: datetime) -> None:
    """Planned every quarter hour, with a planner that ends in the middle of it and begins anew."""
    hours = [0.25 + 0.1 * math.sin(hour * 0.7) + 0.05 * (hour % 3) for hour in range(90)]
    prices = site_prices(*hours, start=start)
    forecast = forecast_of(500.0, now=start)
    scheduler = DailyScheduler(HOUSE)

    def make(question: PlanQuestion) -> Plan:
        now_utc = question.now_utc
        known = forecast_of(500.0, now=now_utc) if now_utc.hour % 6 == 0 else forecast
        if known.load.end_utc < now_utc + timedelta(hours=24):
            known = forecast_of(500.0, now=now_utc)
        return scheduler.make_plan(replace(question, forecast=known))

    planner = RollingPlanner(HOUSE, make_plan=make)
    had_wh: dict[tuple[str, datetime], float] = defaultdict(float)
    was_on: dict[str, list[datetime]] = defaultdict(list)
    zone = ZoneInfo(HOUSE.timezone)
    on: dict[str, bool] = {}
    for quarter in range(2 * 96):
        utc = start + quarter * QUARTER
        planner.observe(PowerSample(utc=utc, load_w=500.0, pv_w=0.0, on=on))
        if quarter % 50 == 49:
            planner = RollingPlanner(HOUSE, make_plan=make, memory=decode(encode(planner.memory)))
        plan = planner.plan(utc, 50.0, prices)
        assert plan.status is PlanStatus.OPTIMAL, plan.note
        for minute in range(15):
            now = utc + minute * MINUTE
            runs = [
                load
                for load in HOUSE.loads
                if (is_on if load.switch else planned_w)(plan, load.name, now)
            ]
            for load in runs:
                window = present_window(load, zone, now)
                assert window is not None, f"{load.name} runs at {now}"
                mean_w = load.power_w if load.switch else planned_w(plan, load.name, now)
                had_wh[load.name, window.end] += mean_w / 60
                was_on[load.name].append(now)
            on = {name: any(load.name == name for load in runs) for name in HOUSE.switches}
            planner.observe(PowerSample(utc=now, load_w=500.0, pv_w=0.0, on=on))
    end = start + 2 * 96 * QUARTER
    for load in HOUSE.loads:
        windows = [one for one in windows_of(load, zone, start, end) if one.end <= end]
        assert len(windows) >= 2
        for window in windows:
            # A minute of its power is what this test can tell apart, at each of its ends.
            assert had_wh[load.name, window.end] == pytest.approx(
                load.energy_wh, abs=load.power_w / 20
            ), f"{load.name} until {window.end}"
    starts = [time for time in was_on["washing"] if time - MINUTE not in was_on["washing"]]
    nights = {one.end for one in windows_of(HOUSE.loads[1], zone, start, end)}
    assert len(starts) <= len(nights), "a run was interrupted"


def learned_w(sample: PowerSample, one: Site) -> float | None:
    planner = RollingPlanner(one)
    planner.observe(sample)
    value = float(planner.history.window(Field.LOAD_W, quarter_of(sample.utc), 1)[0])
    return None if math.isnan(value) else value


def test_what_switched_loads_took_is_not_learned() -> None:
    one = site(loads=BOILER, rooms=PARLOUR)

    def learned(load_w: float | None, **on: bool) -> float | None:
        return learned_w(PowerSample(utc=NOW, load_w=load_w, pv_w=0.0, on=on), one)

    assert learned(4000.0, boiler=True, parlour=True) == 500.0
    assert learned(4000.0, boiler=False, parlour=False) == 4000.0
    assert learned(1000.0, boiler=True, parlour=False) == 0.0
    assert learned(4000.0, boiler=True) is None
    assert learned(None, boiler=True, parlour=True) is None


def test_what_a_desk_knows_goes_to_the_next_one() -> None:
    planner = RollingPlanner(site(loads=BOILER, rooms=PARLOUR))
    night = datetime(2026, 5, 8, 0, tzinfo=UTC)
    for second in range(61):
        planner.observe(
            PowerSample(
                utc=night + timedelta(seconds=second),
                load_w=None,
                pv_w=None,
                on={"boiler": True},
                room_c={"parlour": 19.0},
            )
        )
    memory = PlannerMemory(loads_now=planner.memory.loads_now, peaks_w={"2026-05": 3000.0})
    later = RollingPlanner(site(loads=BOILER, rooms=PARLOUR), memory=memory)
    assert later.memory == memory
    assert memory.loads_now.loads["boiler"].delivered_wh == pytest.approx(2000 / 60)
    assert memory.loads_now.rooms["parlour"].temperature_c == 19.0
