"""From loads and rooms of the site to what the optimizer is asked."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from holdfast.core.config import Site
from holdfast.core.device_mode import DeviceMode
from holdfast.core.errors import PlanFailed
from holdfast.core.interval import Interval
from holdfast.core.quarter_hours import QUARTER
from holdfast.optimization.site_problem import ModeRules, Room
from holdfast.scheduling.loads.problem import Waiting, mode_rules, shiftable_loads, waiting_of
from holdfast.scheduling.loads.progress import LoadsNow, LoadState, ModeState, RoomState
from holdfast.scheduling.plan_problem import intervals_of, plan_problem
from tests.scheduling.planning import (
    BOILER,
    NOW,
    PARLOUR,
    forecast_of,
    site,
    site_prices,
    with_weather,
)

HOURS = 12
"""Of prices: from 12:00 to midnight in Berlin."""


def car(**keys: str) -> str:
    told = ", ".join(f'{key.rstrip("_")}: "{value}"' for key, value in keys.items())
    return f"[{{name: car, power_w: 2000, energy_wh: 4000, {told}}}]"


def slots(count: int = HOURS * 4, first_minutes: float = 0.0) -> list[Interval]:
    """From NOW on; the first one without ``first_minutes``."""
    passed = timedelta(minutes=first_minutes)
    return [
        Interval(
            start=NOW + index * QUARTER + (passed if not index else 0 * passed),
            end=NOW + (index + 1) * QUARTER,
        )
        for index in range(count)
    ]


def asked_of(
    one: Site, now: LoadsNow | None = None, intervals: list[Interval] | None = None
) -> list[tuple[int, int, float, bool]]:
    loads, windows = shiftable_loads(one, intervals or slots(), now or LoadsNow())
    assert len(loads) == len(windows)
    return [(load.first_slot, load.last_slot, load.energy_wh, load.has_begun) for load in loads]


def had(delivered_wh: float, end_hours: float) -> LoadsNow:
    state = LoadState(window_end=NOW + timedelta(hours=end_hours), delivered_wh=delivered_wh)
    return LoadsNow(loads={"car": state})


def test_a_window_to_come_is_asked_for_in_its_slots() -> None:
    one = site(loads=car(from_="14:00", to="18:00"))
    assert asked_of(one) == [(8, 23, 4000.0, False)]
    assert asked_of(one, had(3000.0, -18.0)) == [(8, 23, 4000.0, False)]


def test_of_a_window_that_has_begun_what_is_left_is_asked_for_from_now_on() -> None:
    one = site(loads=car(from_="10:00", to="18:00"))
    assert asked_of(one, had(1500.0, 6.0)) == [(0, 23, 2500.0, False)]
    assert asked_of(one, had(3990.0, 6.0)) == []
    assert asked_of(one, intervals=slots(first_minutes=7.0)) == [(0, 23, 4000.0, False)]


def test_one_that_runs_through_and_has_begun_goes_on() -> None:
    one = site(loads=car(from_="10:00", to="18:00", runs_through="true").replace('"true"', "true"))
    assert asked_of(one) == [(0, 23, 4000.0, False)]
    assert asked_of(one, had(1.0, 6.0)) == [(0, 23, 3999.0, True)]


def test_each_window_that_ends_within_the_plan_is_asked_for() -> None:
    one = site(loads=car(from_="10:00", to="18:00"))
    assert asked_of(one, had(1500.0, 6.0), slots(36 * 4)) == [
        (0, 23, 2500.0, False),
        (88, 119, 4000.0, False),
    ]


def test_of_a_window_that_outlasts_the_plan_only_what_would_not_fit_after_it() -> None:
    # The plan ends at 24:00; two hours at 2 kW are needed.
    one = site(loads=car(from_="20:00", to="06:00"))
    assert asked_of(one) == []
    one = site(loads=car(from_="20:00", to="01:15"))
    assert asked_of(one) == [(32, 47, 1500.0, False)]


def test_of_one_that_runs_through_all_of_it_or_nothing_is_within_the_plan() -> None:
    def through(to: str) -> Site:
        return site(loads=car(from_="20:00", to=to, runs_through="yes").replace('"yes"', "true"))

    assert asked_of(through("02:00")) == []
    assert asked_of(through("01:45")) == [(32, 47, 4000.0, False)]
    # It has begun: as much of it as there is time for.
    begun = LoadsNow(
        loads={"car": LoadState(window_end=NOW + timedelta(hours=14), delivered_wh=500.0)}
    )
    late = slots()[46:]
    assert asked_of(through("02:00"), begun, late) == [(0, 1, 1000.0, True)]


def test_a_window_without_any_slot_is_refused_by_name() -> None:
    one = site(loads='[{name: car, power_w: 2000, energy_wh: 400, from: "14:15", to: "14:45"}]')
    hours = [
        Interval(start=NOW + timedelta(hours=hour), end=NOW + timedelta(hours=hour + 1))
        for hour in range(12)
    ]
    with pytest.raises(PlanFailed, match="car"):
        shiftable_loads(one, hours, LoadsNow())


def waiting(now: LoadsNow, *outdoor_c: float | None, **changes: Any) -> Waiting:
    one = site(rooms=PARLOUR, **changes)
    prices, forecast = site_prices(*([0.1, 0.4] * (HOURS // 2))), forecast_of(500.0)
    forecast = with_weather(forecast, *outdoor_c)
    intervals = intervals_of(one, NOW, prices, forecast)
    base = plan_problem(one, 50.0, intervals, prices, forecast)
    return waiting_of(one, intervals, now, forecast, base)


def room_at(temperature_c: float, age_minutes: float = 0.0) -> LoadsNow:
    utc = NOW - timedelta(minutes=age_minutes)
    return LoadsNow(rooms={"parlour": RoomState(temperature_c=temperature_c, utc=utc)})


def the_room(now: LoadsNow, *outdoor_c: float | None) -> Room:
    (room,) = waiting(now, *outdoor_c).rooms
    return room


def test_a_room_has_its_comfort_by_the_local_clock() -> None:
    room = the_room(room_at(19.0), *([5.0] * 48))
    assert room.low_c.tolist() == [20.0] * 40 + [17.0] * 8  # 22:00 is ten hours from now
    assert room.high_c.tolist() == [23.0] * 48
    assert room.temperature_now_c == 19.0


def test_where_no_weather_is_known_the_last_known_one_holds() -> None:
    room = the_room(room_at(20.0), None, 3.0, None, 5.0)
    assert room.outdoor_c.tolist() == [3.0, 3.0, 3.0] + [5.0] * 45


@pytest.mark.parametrize(
    ("now", "outdoor_c", "why"),
    [
        (room_at(20.0), [], "no outdoor temperature"),
        (room_at(20.0), [None] * 48, "no outdoor temperature"),
        (LoadsNow(), [5.0], "its temperature is not known"),
        (room_at(20.0, 61.0), [5.0], "its temperature is of Fri 10:59"),
        (room_at(20.0, -61.0), [5.0], "its temperature is of"),
    ],
)
def test_a_room_that_cannot_be_planned_is_left_out_and_that_is_told(
    now: LoadsNow, outdoor_c: list[float | None], why: str
) -> None:
    found = waiting(now, *outdoor_c)
    assert found.rooms == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith("parlour is not planned: ")
    assert why in found.notes[0]


def test_a_temperature_of_an_hour_ago_will_do() -> None:
    assert waiting(room_at(20.0, 60.0), 5.0).notes == ()


def test_a_warm_day_is_no_discomfort_that_heat_could_mend() -> None:
    room = the_room(room_at(26.0), *([30.0] * 48))
    assert room.high_c[0] > 26.0
    assert (np.diff(room.high_c) > 0.0).all()


def test_to_let_it_cool_at_the_end_costs_more_than_to_heat_it_then() -> None:
    # 0.4 kWh a kelvin, in the dearest hour.
    assert the_room(room_at(20.0), 5.0).end_cost_per_k == pytest.approx(0.4 * 0.4)


MODES = "{device_modes: [load_first, battery_first], device_mode_dwell_minutes: 50}"


@pytest.mark.parametrize(
    ("mode", "since_minutes", "now", "kept_slots"),
    [
        (None, 0, None, 0),
        (DeviceMode.GRID_FIRST, 10, None, 0),
        (DeviceMode.LOAD_FIRST, 0, DeviceMode.LOAD_FIRST, 4),
        (DeviceMode.LOAD_FIRST, 20, DeviceMode.LOAD_FIRST, 2),
        (DeviceMode.LOAD_FIRST, 35, DeviceMode.LOAD_FIRST, 1),
        (DeviceMode.LOAD_FIRST, 50, DeviceMode.LOAD_FIRST, 0),
        (DeviceMode.LOAD_FIRST, -300, DeviceMode.LOAD_FIRST, 4),
    ],
)
def test_a_mode_goes_on_until_it_has_been_kept_long_enough(
    mode: DeviceMode | None, since_minutes: int, now: DeviceMode | None, kept_slots: int
) -> None:
    since = NOW - timedelta(minutes=since_minutes)
    state = None if mode is None else ModeState(mode=mode, since=since)
    rules = mode_rules(site(planner=MODES), slots(), state)
    assert rules == ModeRules(
        allowed=(DeviceMode.LOAD_FIRST, DeviceMode.BATTERY_FIRST),
        dwell_slots=4,
        now=now,
        kept_slots=kept_slots,
    )


def test_without_modes_there_are_no_rules() -> None:
    state = ModeState(mode=DeviceMode.LOAD_FIRST, since=NOW)
    assert mode_rules(site(loads=BOILER), slots(), state) is None
