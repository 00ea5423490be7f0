"""What loads had and rooms have, counted from what is seen."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from holdfast.core.device_mode import DeviceMode
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.loads.progress import (
    LoadProgress,
    LoadsNow,
    LoadState,
    ModeState,
    RoomState,
    left_wh,
)
from tests.scheduling.planning import BOILER, NOW, PARLOUR, site

NO_SWITCH = "[{name: car, power_w: 4000, energy_wh: 8000}]"
SITE = site(loads=BOILER.replace('to: "06:00"', 'from: "10:00", to: "18:00"'), rooms=PARLOUR)
"""NOW is 12:00 in Berlin."""
SECOND = timedelta(seconds=1)


def watch(
    progress: LoadProgress, start: datetime, seconds: int, on: Mapping[str, bool], step: int = 1
) -> None:
    for second in range(0, seconds + 1, step):
        progress.observe(start + second * SECOND, on, {})


def had_wh(progress: LoadProgress, name: str = "boiler") -> float:
    state = progress.now.loads.get(name)
    return 0.0 if state is None else state.delivered_wh


def plan_of(
    *powers_w: float, start: datetime = NOW, modes: tuple[DeviceMode | None, ...] = ()
) -> Plan:
    slots = tuple(
        PlanSlot(
            start=start + index * QUARTER, end=start + (index + 1) * QUARTER, mode=SlotMode.HOLD,
            battery_power_w=0.0, grid_power_w=0.0, soc_end_pct=50.0, import_price_per_kwh=0.2,
            reason="", loads=(PlannedLoad(name="car", power_w=power_w),),
            device_mode=modes[index] if modes else None,
        )
        for index, power_w in enumerate(powers_w)
    )  # fmt: skip
    return Plan(
        plan_id="",
        created=start,
        expires=start + 2 * QUARTER,
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=slots,
    )


def test_energy_is_power_for_as_long_as_the_switch_is_on() -> None:
    progress = LoadProgress(SITE)
    watch(progress, NOW, 900, {"boiler": True})
    assert had_wh(progress) == pytest.approx(500.0)
    watch(progress, NOW + 900 * SECOND, 900, {"boiler": False})
    # It was on until it was seen off, a second later at most.
    assert had_wh(progress) == pytest.approx(500.0, abs=1.0)


def test_time_in_which_nobody_looked_is_not_counted() -> None:
    progress = LoadProgress(SITE)
    progress.observe(NOW, {"boiler": True}, {})
    progress.observe(NOW + 120 * SECOND, {"boiler": True}, {})
    assert had_wh(progress) == pytest.approx(2000 / 30)
    progress.observe(NOW + 241 * SECOND, {"boiler": True}, {})
    assert had_wh(progress) == pytest.approx(2000 / 30)


def test_a_switch_that_is_not_known_delivers_nothing() -> None:
    progress = LoadProgress(SITE)
    watch(progress, NOW, 600, {})
    assert had_wh(progress) == 0.0


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    progress = LoadProgress(SITE)
    watch(progress, NOW, 60, {"boiler": True})
    before = had_wh(progress)
    progress.observe(NOW, {"boiler": True}, {})
    assert had_wh(progress) == before
    progress.observe(NOW + SECOND, {"boiler": True}, {})
    assert had_wh(progress) > before


def test_each_window_counts_by_itself_and_outside_of_them_nothing_does() -> None:
    progress = LoadProgress(SITE)
    watch(progress, NOW, 900, {"boiler": True})
    watch(progress, NOW + timedelta(hours=7), 900, {"boiler": True})  # 19:00
    assert had_wh(progress) == pytest.approx(500.0)
    watch(progress, NOW + timedelta(hours=24), 450, {"boiler": True})
    assert had_wh(progress) == pytest.approx(250.0)


def test_what_is_left_is_nothing_if_no_slot_could_give_it() -> None:
    (boiler,) = SITE.loads
    assert left_wh(boiler, 1500.0) == 2500.0
    assert left_wh(boiler, 3974.0) == 26.0
    assert left_wh(boiler, 3975.0) == 0.0  # a twentieth of a slot
    assert left_wh(boiler, 4100.0) == 0.0


def test_a_room_has_the_temperature_that_was_good_last() -> None:
    progress = LoadProgress(SITE)
    progress.observe(NOW, {}, {"parlour": 19.5, "attic": 4.0})
    progress.observe(NOW + SECOND, {}, {})
    assert progress.now.rooms == {"parlour": RoomState(temperature_c=19.5, utc=NOW)}


def test_what_switched_loads_take_is_known_if_all_switches_are() -> None:
    progress = LoadProgress(SITE)
    assert progress.taken_w(NOW, {"boiler": True, "parlour": True}) == 3500.0
    assert progress.taken_w(NOW, {"boiler": True, "parlour": False}) == 2000.0
    assert progress.taken_w(NOW, {"boiler": False, "parlour": False}) == 0.0
    assert progress.taken_w(NOW, {"boiler": True}) is None
    assert LoadProgress(site()).taken_w(NOW, {}) == 0.0


def test_a_load_without_a_switch_is_taken_to_follow_the_plan_while_that_lives() -> None:
    progress = LoadProgress(site(loads=NO_SWITCH))
    assert progress.taken_w(NOW, {}) == 0.0
    progress.observe(NOW, {}, {})
    progress.follow(plan_of(1000.0, 4000.0, 4000.0))
    assert progress.taken_w(NOW, {}) == 1000.0
    assert progress.taken_w(NOW + QUARTER, {}) == 4000.0
    assert progress.taken_w(NOW + 2 * QUARTER, {}) == 0.0
    progress.observe(NOW + 10 * SECOND, {}, {})
    assert had_wh(progress, "car") == pytest.approx(1000 / 360)
    progress.observe(NOW + timedelta(hours=1), {}, {})  # the plan expires after two slots
    assert had_wh(progress, "car") == pytest.approx(250.0 + 1000.0)


def test_only_what_the_site_has_is_remembered() -> None:
    state = LoadState(window_end=NOW, delivered_wh=1.0)
    room = RoomState(temperature_c=20.0, utc=NOW)
    known = LoadsNow(loads={"boiler": state, "car": state}, rooms={"parlour": room, "attic": room})
    progress = LoadProgress(SITE, known)
    assert progress.now == LoadsNow(loads={"boiler": state}, rooms={"parlour": room})


def test_a_mode_is_in_force_since_it_was_first_planned_for_a_time_that_came() -> None:
    first, second = DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST
    progress = LoadProgress(SITE)
    progress.observe(NOW, {}, {})
    assert progress.now.mode is None
    progress.follow(plan_of(0, 0, modes=(first, second)))
    assert progress.now.mode == ModeState(mode=first, since=NOW)
    progress.observe(NOW + QUARTER - SECOND, {}, {})
    assert progress.now.mode == ModeState(mode=first, since=NOW)
    progress.observe(NOW + QUARTER + SECOND, {}, {})
    assert progress.now.mode == ModeState(mode=second, since=NOW + QUARTER)
    progress.follow(plan_of(0, 0, start=NOW + QUARTER + 2 * SECOND, modes=(second, second)))
    assert progress.now.mode == ModeState(mode=second, since=NOW + QUARTER)
    # A plan by rule says nothing of modes: the inverter stays in the one that it has.
    progress.follow(plan_of(0, 0, start=NOW + 2 * QUARTER))
    progress.observe(NOW + 2 * QUARTER + SECOND, {}, {})
    assert progress.now.mode == ModeState(mode=second, since=NOW + QUARTER)


def test_a_plan_that_has_expired_changes_no_mode() -> None:
    first, second = DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST
    progress = LoadProgress(SITE)
    progress.observe(NOW, {}, {})
    progress.follow(plan_of(0, 0, 0, modes=(first, first, second)))
    progress.observe(NOW + 3 * QUARTER, {}, {})
    assert progress.now.mode == ModeState(mode=first, since=NOW)
