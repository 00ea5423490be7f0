"""What every table of an inverter has to keep, against the box that it is about."""

import itertools

import pytest

from holdfast.core.commands import Point
from holdfast.core.device_mode import MODES, ON_ISLAND, DeviceMode, number_of
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.profile import load_profile, outline_of, profile_names
from holdfast.devices.verb_step import Verb
from holdfast.devices.verbs import VerbWrite
from holdfast.simulation.makers.catalogue import BOXES
from tests.simulation.makers.bench import LOAD_W, SETTLED_S, TableBench

LONGEST_REVERT_S = 60.0
"""A site may ask for no longer one: a timer beyond it is lacked as one that there is not."""
POWERS_W = (2000.0, 1000.0, 0.0, -1000.0, -2000.0)


def _is_told_in_verbs(name: str) -> bool:
    profile = outline_of(load_profile(name))
    return isinstance(profile, ModbusProfile) and any(
        isinstance(write, VerbWrite) for write in profile.writes
    )


TABLES = [name for name in profile_names() if _is_told_in_verbs(name)]
MODES_OF_TABLES = [
    (name, mode)
    for name in TABLES
    for write in outline_of(load_profile(name)).writes
    if isinstance(write, ModeWrite)
    for mode in write.modes
]
LIMITED = [name for name in TABLES if Point.EXPORT_LIMIT_W in outline_of(load_profile(name)).points]


def steps_of(bench: TableBench) -> float:
    """How far a power may be from what was asked, for the register's steps."""
    return max(bench.verbs.resolution, bench.verbs.step) + 1.0


def test_every_table_that_is_told_in_verbs_has_a_box_that_it_is_tried_on() -> None:
    assert set(TABLES) == set(BOXES)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("pv_w", [0.0, 1500.0])
@pytest.mark.parametrize("power_w", POWERS_W)
def test_the_battery_does_what_was_asked_in_sign_and_size(
    table: str, power_w: float, pv_w: float
) -> None:
    bench = TableBench(table, pv_w=pv_w)
    bench.tell(power_w)
    assert bench.power_w == pytest.approx(power_w, abs=steps_of(bench))
    assert abs(bench.power_w) <= abs(power_w) + 1.0, "never more than was permitted"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("power_w", POWERS_W)
def test_it_shows_what_it_was_told(table: str, power_w: float) -> None:
    bench = TableBench(table, pv_w=700.0)
    bench.tell(power_w)
    shown_w = bench.told()[Signal.SETPOINT_READBACK_W]
    assert shown_w == pytest.approx(power_w, abs=steps_of(bench))
    assert power_w != 0.0 or shown_w == 0.0, "0 W is exactly that"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("power_w", [1500.0, -1500.0])
def test_what_it_measures_is_told_with_the_signs_of_physics(table: str, power_w: float) -> None:
    bench = TableBench(table)
    bench.tell(power_w, 20.0)
    told = bench.told()
    assert told[Signal.BATTERY_POWER_W] == pytest.approx(power_w, abs=60.0)
    if Signal.BATTERY_CURRENT_A in told:
        assert told[Signal.BATTERY_CURRENT_A] * power_w > 0.0
        measured_w = told[Signal.BATTERY_CURRENT_A] * told[Signal.PACK_VOLTAGE_V]
        assert measured_w == pytest.approx(power_w, rel=0.15)
    if Signal.GRID_POWER_W in told:
        assert told[Signal.GRID_POWER_W] == pytest.approx(LOAD_W + power_w, abs=60.0)


@pytest.mark.parametrize("table", TABLES)
def test_all_that_it_tells_can_be_true(table: str) -> None:
    bench = TableBench(table, pv_w=800.0)
    bench.tell(-500.0)
    for signal, value in bench.told().items():
        assert SIGNALS[signal].is_plausible(value), f"{signal}: {value}"
    told = bench.told()
    if Signal.PV_POWER_W in told:
        assert told[Signal.PV_POWER_W] == pytest.approx(800.0, abs=30.0)
    if Signal.SOC_PCT in told:
        assert told[Signal.SOC_PCT] == pytest.approx(50.0, abs=1.5)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("asked_w", [50_000.0, -50_000.0])
def test_more_than_it_can_is_refused_or_what_it_can_and_never_the_other_way(
    table: str, asked_w: float
) -> None:
    bench = TableBench(table)
    try:
        requests = bench.requests(asked_w)
    except ValueError:
        return
    bench.send(requests)
    bench.run(SETTLED_S)
    assert bench.power_w * asked_w >= 0.0
    assert abs(bench.power_w) <= 5000.0 + 1.0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("before_w", "after_w"),
    [pair for pair in itertools.product(POWERS_W, POWERS_W) if pair[0] != pair[1]],
)
def test_a_link_that_dies_between_two_writes_leaves_it_between_what_it_did_and_what_it_was_to_do(
    table: str, before_w: float, after_w: float
) -> None:
    whole = TableBench(table)
    whole.tell(before_w)
    count = len(whole.requests(after_w))
    for cut in range(count):
        bench = TableBench(table)
        bench.tell(before_w)
        bench.send(bench.requests(after_w)[:cut])
        bench.run(SETTLED_S)
        low_w, high_w = min(before_w, after_w, 0.0), max(before_w, after_w, 0.0)
        slack_w = steps_of(bench)
        assert low_w - slack_w <= bench.power_w <= high_w + slack_w, f"cut after {cut} of {count}"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("before_w", [2000.0, -2000.0])
@pytest.mark.parametrize("after_w", [1000.0, -1000.0, 0.0])
def test_what_is_left_of_an_earlier_command_does_not_come_back_on_the_way_to_the_next(
    table: str, before_w: float, after_w: float
) -> None:
    def released() -> TableBench:
        bench = TableBench(table)
        bench.tell(before_w)
        bench.send(bench.release())
        bench.run(SETTLED_S)
        return bench

    for cut in range(len(released().requests(after_w)) + 1):
        bench = released()
        bench.send(bench.requests(after_w)[:cut])
        bench.run(SETTLED_S)
        low_w, high_w = min(after_w, -LOAD_W), max(after_w, 0.0)
        slack_w = steps_of(bench)
        assert low_w - slack_w <= bench.power_w <= high_w + slack_w, f"cut after {cut}"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("power_w", [2000.0, -2000.0, 0.0])
def test_when_nobody_commands_it_any_more_it_goes_back_to_its_own_rule_in_time(
    table: str, power_w: float
) -> None:
    bench = TableBench(table, pv_w=0.0)
    revert_s = bench.told().get(Signal.REVERT_TIMEOUT_READBACK_S)
    if Signal.REVERT_TIMEOUT_READBACK_S in bench.profile.lacks:
        held_s = min(600.0, 0.9 * BOXES[table].FORGETS_LATE_S)
        assert held_s > LONGEST_REVERT_S
        bench.tell(power_w, held_s)
        assert bench.power_w == pytest.approx(power_w, abs=steps_of(bench)), "it lacks a timer"
        return
    bench.tell(power_w)
    revert_s = bench.told()[Signal.REVERT_TIMEOUT_READBACK_S]
    assert 0.0 < revert_s <= LONGEST_REVERT_S
    bench.run(revert_s * 1.5)
    # Its own rule covers the house, or rests.
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0) or bench.power_w == 0.0


@pytest.mark.parametrize("table", TABLES)
def test_a_command_that_is_refreshed_goes_on(table: str) -> None:
    bench = TableBench(table)
    traits = bench.profile.traits
    (write,) = (row for row in bench.profile.writes if isinstance(row, VerbWrite))
    every_s = min(20.0, (traits[write.point].refresh_ns or 20_000_000_000) / 1e9)
    for _ in range(round(150.0 / every_s)):
        bench.tell(1200.0, every_s)
    assert bench.power_w == pytest.approx(1200.0, abs=steps_of(bench))


@pytest.mark.parametrize("table", TABLES)
def test_what_is_kept_in_flash_is_not_written_again(table: str) -> None:
    bench = TableBench(table)
    stored = {
        place for steps in bench.verbs.verbs.values() for step in steps if step.stored
        for place in step.places
    }  # fmt: skip
    bench.tell(1000.0)
    again = bench.requests(1000.0)
    assert not [request for request in again if stored.intersection(request.places)]


@pytest.mark.parametrize("table", TABLES)
def test_released_it_keeps_its_own_rule_and_shows_no_command(table: str) -> None:
    bench = TableBench(table)
    if Verb.RELEASE not in bench.verbs.verbs:
        pytest.fail("a table says how the device is given back")
    bench.tell(1500.0)
    bench.send(bench.release())
    bench.run(SETTLED_S)
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0)
    shown = bench.told()
    assert shown[Signal.SETPOINT_READBACK_W] == 0.0
    assert shown[Signal.DEVICE_MODE] in {number_of(mode) for mode in ON_ISLAND}


def own_rule_w(mode: DeviceMode, pv_w: float) -> float:
    """What a battery does in a mode that serves nothing but the house, or not even that."""
    surplus_w = pv_w - LOAD_W
    return surplus_w if MODES[mode].serves_load else max(0.0, surplus_w)


@pytest.mark.parametrize(("table", "mode"), MODES_OF_TABLES)
@pytest.mark.parametrize("pv_w", [0.0, 1500.0])
@pytest.mark.parametrize("before_w", [2000.0, 0.0, -2000.0])
def test_left_to_a_mode_it_does_that_shows_it_and_comes_back_by_a_setpoint(
    table: str, mode: DeviceMode, before_w: float, pv_w: float
) -> None:
    bench = TableBench(table, pv_w=pv_w)
    bench.tell(before_w)
    assert bench.told()[Signal.DEVICE_MODE] == 0.0
    bench.lead(mode)
    charges_all = bench.power_w == pytest.approx(pv_w, abs=60.0) and not MODES[mode].serves_load
    assert charges_all or bench.power_w == pytest.approx(own_rule_w(mode, pv_w), abs=60.0)
    assert bench.told()[Signal.DEVICE_MODE] == number_of(mode)
    assert bench.told()[Signal.SETPOINT_READBACK_W] == 0.0
    bench.tell(1000.0)
    assert bench.told()[Signal.DEVICE_MODE] == 0.0
    assert bench.power_w == pytest.approx(1000.0, abs=steps_of(bench))


@pytest.mark.parametrize(("table", "mode"), MODES_OF_TABLES)
@pytest.mark.parametrize("before_w", [2000.0, 0.0, -2000.0])
def test_a_link_that_dies_on_the_way_to_a_mode_leaves_it_between_both(
    table: str, mode: DeviceMode, before_w: float
) -> None:
    whole = TableBench(table, pv_w=1500.0)
    whole.tell(before_w)
    for cut in range(len(whole.requests_of(mode))):
        bench = TableBench(table, pv_w=1500.0)
        bench.tell(before_w)
        bench.send(bench.requests_of(mode)[:cut])
        bench.run(SETTLED_S)
        low_w, high_w = min(before_w, 0.0), max(before_w, 1500.0)
        slack_w = steps_of(bench)
        assert low_w - slack_w <= bench.power_w <= high_w + slack_w, f"cut after {cut}"


@pytest.mark.parametrize("table", LIMITED)
@pytest.mark.parametrize("limit_w", [0.0, 100.0, 1500.0])
def test_told_an_export_limit_it_shows_and_keeps_it_and_the_battery_goes_on(
    table: str, limit_w: float
) -> None:
    bench = TableBench(table, pv_w=4000.0)
    bench.tell(500.0)
    assert bench.exported_w == pytest.approx(4000.0 - LOAD_W - 500.0, abs=60.0)
    assert bench.told()[Signal.EXPORT_LIMIT_READBACK_W] > bench.exported_w
    bench.limit(limit_w)
    assert bench.told()[Signal.EXPORT_LIMIT_READBACK_W] == limit_w
    assert bench.exported_w == pytest.approx(limit_w, abs=60.0)
    assert bench.power_w == pytest.approx(500.0, abs=steps_of(bench))
    bench.limit(17_000.0)
    assert bench.exported_w == pytest.approx(4000.0 - LOAD_W - 500.0, abs=60.0)


@pytest.mark.parametrize("table", LIMITED)
@pytest.mark.parametrize(("before_w", "after_w"), [(2000.0, 100.0), (100.0, 2000.0)])
def test_a_link_that_dies_on_the_way_to_a_limit_leaves_one_or_the_other(
    table: str, before_w: float, after_w: float
) -> None:
    def told_before() -> TableBench:
        bench = TableBench(table, pv_w=4000.0)
        bench.tell(500.0)
        bench.limit(before_w)
        return bench

    for cut in range(len(told_before().requests_to_limit(after_w)) + 1):
        bench = told_before()
        bench.send(bench.requests_to_limit(after_w)[:cut])
        bench.run(2.0 * SETTLED_S)
        assert min(before_w, after_w) - 60.0 <= bench.exported_w
        assert bench.exported_w <= max(before_w, after_w) + 60.0


@pytest.mark.parametrize("table", TABLES)
def test_nothing_beside_its_table_can_be_written(table: str) -> None:
    bench = TableBench(table)
    assert bench.registers.write(6, 65_000, [1]) is not None
    assert bench.registers.write(16, 65_000, [1, 2]) is not None
    assert bench.registers.write(5, 0, [1]) is not None


@pytest.mark.parametrize("table", TABLES)
def test_it_is_an_inverter_whose_source_and_confirmation_are_told(table: str) -> None:
    profile = load_profile(table)
    assert Role.INVERTER in profile.roles
    assert len(profile.source) > 20
    assert profile.name == table
