"""The write budget: a register that wears out is spared, until power has to be taken away."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.cycle import Cycle
from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.write_budget import DAY_NS, Spent, first_write, nearly_spent
from holdfast.safety.finding import Level, Reaction
from tests.builders import (
    T0,
    UNIT,
    Bench,
    build_site,
    expected_signals,
    permit_of,
    points_of,
    snapshot_of,
    worn,
    written,
)

CHARGE, DISCHARGE = Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W
READBACK = {
    CHARGE: Signal.CHARGE_POWER_READBACK_W,
    DISCHARGE: Signal.DISCHARGE_POWER_READBACK_W,
    Point.ENABLE: Signal.INVERTER_ENABLED,
    Point.REVERT_TIMEOUT_S: Signal.REVERT_TIMEOUT_READBACK_S,
    Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
}


class Device:
    """Stores what is written to it, and counts."""

    def __init__(self, wrapper):
        self.wrapper, self.memory, self.now_ns, self.findings = wrapper, {}, T0, ()
        self.stored, self.writes = {}, dict.fromkeys(READBACK, 0)
        self.deaf = False

    def __call__(self, power_w, permit=None, *, ms=100, force=False):
        self.now_ns += ms * NS_PER_MS
        values = {READBACK[point]: value for point, value in self.stored.items()}
        snapshot = snapshot_of(values, now_ns=self.now_ns, healthy=False)
        writes, self.memory, self.findings = self.wrapper.decide(
            power_w, permit or permit_of(), snapshot, self.memory, force=force
        )
        for write in writes:
            self.writes[write.point] += 1
            self.stored[write.point] = 0.0 if self.deaf else write.value
        return {write.point: write.value for write in writes}


def bms(**budgets):
    traits = worn({Point[name]: budget for name, budget in budgets.items()})
    return Device(BmsSafetyWrapper(build_site().storage[0], (CHARGE, DISCHARGE), traits))


def inverter(**budgets):
    traits = worn({Point[name]: budget for name, budget in budgets.items()})
    return Device(InverterSafetyWrapper(build_site().storage[0], traits=traits))


def spend(device, writes):
    """Writes to the charge register, each of another value; it ends at ``writes`` times 100 W."""
    for count in range(1, writes + 1):
        assert CHARGE in device(100.0 * count)


# What one point has spent. ------------------------------------------------------------------------


def test_the_day_begins_with_the_first_write_and_counts_each():
    spent = first_write(10, T0)
    assert spent == Spent(budget=10, writes=1, since_ns=T0)
    spent = spent.once_more(T0 + 5)
    assert spent == Spent(budget=10, writes=2, since_ns=T0)
    assert spent.today(T0 + DAY_NS - 1) is spent
    assert spent.once_more(T0 + DAY_NS - 1).writes == 3


def test_after_a_day_nothing_is_spent_and_the_next_one_begins():
    assert DAY_NS == 24 * 3600 * NS_PER_S
    spent = Spent(budget=10, writes=9, since_ns=T0, alarm_ns=T0 + 1)
    tomorrow = T0 + DAY_NS
    assert spent.today(tomorrow) == Spent(budget=10, since_ns=tomorrow)
    assert spent.once_more(tomorrow) == Spent(budget=10, writes=1, since_ns=tomorrow)


@pytest.mark.parametrize(("budget", "from_write"), [(10, 8), (100, 80), (5, 4), (3, 3), (1, 1)])
def test_from_80_percent_on_it_is_a_finding_since_then(budget, from_write):
    spent = first_write(budget, T0)
    for count in range(1, budget + 3):
        found = nearly_spent(UNIT, Role.BMS, CHARGE, spent, T0 + count)
        assert bool(found) is (count >= from_write)
        for one in found:
            assert (one.key, one.reaction) == ("battery/bms_write_budget", Reaction.LOG)
            assert (one.since_ns, one.level) == (T0 + max(from_write - 1, 0), Level.ALARM)
            assert one.text.endswith(f"for today: charge_power_w, {count} of {budget}")
        spent = spent.once_more(T0 + count)
    assert nearly_spent(UNIT, Role.BMS, CHARGE, spent, T0 + DAY_NS) == ()


@pytest.mark.parametrize(
    ("wanted", "held", "written_value"),
    [
        (600.0, 500.0, 500.0), (500.0, 500.0, 500.0), (499.0, 500.0, 499.0), (0.0, 500.0, 0.0),
        (-1.0, 500.0, 0.0), (-600.0, 500.0, 0.0), (-600.0, -500.0, -500.0),
        (-500.0, -500.0, -500.0), (-400.0, -500.0, -400.0), (300.0, -500.0, 0.0),
        (-0.5, 0.5, 0.0), (0.5, -0.5, 0.0), (0.25, 0.5, 0.25), (-0.25, -0.5, -0.25),
        (0.0, -500.0, 0.0), (300.0, 0.0, 0.0), (-300.0, 0.0, 0.0), (0.0, 0.0, 0.0),
    ],
)  # fmt: skip
def test_beyond_the_budget_only_what_takes_power_away_is_written(wanted, held, written_value):
    spent = Spent(budget=3, writes=3, since_ns=T0)
    assert spent.affordable(wanted, held, T0) == written_value
    assert Spent(budget=3, writes=9, since_ns=T0).affordable(wanted, held, T0) == written_value
    assert Spent(budget=3, writes=2, since_ns=T0).affordable(wanted, held, T0) == wanted
    assert spent.affordable(wanted, held, T0 + DAY_NS - 1) == written_value
    assert spent.affordable(wanted, held, T0 + DAY_NS) == wanted


@pytest.mark.parametrize(
    ("wanted", "held", "written_value"), [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.0)]
)
def test_beyond_the_budget_of_what_is_safe_at_one_only_that_is_written(wanted, held, written_value):
    spent = Spent(budget=3, writes=3, since_ns=T0)
    assert spent.affordable(wanted, held, T0, 1.0) == written_value
    assert Spent(budget=3, writes=2, since_ns=T0).affordable(wanted, held, T0, 1.0) == wanted


POWERS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(("writes", "left"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_budget_is_left_until_the_whole_of_it_is_spent(writes, left):
    spent = Spent(budget=3, writes=writes, since_ns=T0)
    assert spent.has_left(T0 + DAY_NS - 1) is left
    assert spent.has_left(T0 + DAY_NS)


@given(POWERS, POWERS, st.integers(0, 9))
def test_a_budget_never_makes_more_of_a_power_and_never_keeps_it_from_zero(wanted, held, writes):
    value = Spent(budget=5, since_ns=0, writes=writes).affordable(wanted, held, 0)
    assert abs(value) <= max(abs(wanted), abs(held))
    assert Spent(budget=5, since_ns=0, writes=writes).affordable(0.0, held, 0) == 0.0
    if value not in {wanted, held}:
        assert value == 0.0
    if abs(wanted) <= abs(held) and wanted * held > 0.0:
        assert abs(value) == abs(wanted)


# In the wrappers. ---------------------------------------------------------------------------------


def test_a_register_that_wears_out_is_written_on_change_only_and_the_other_one_refreshed():
    device = bms(CHARGE_POWER_W=100)
    for _ in range(1000):
        device(500.0)
    assert device.writes[CHARGE] == 1
    assert device.writes[DISCHARGE] == 50  # every 2 s
    assert device.findings == ()


def test_without_a_budget_nothing_is_counted():
    device = bms()
    spend(device, 50)
    assert device.memory[CHARGE].spent is None
    assert device.findings == ()


def test_a_spent_budget_lets_the_power_fall_and_never_rise():
    device = bms(CHARGE_POWER_W=10)
    spend(device, 7)
    assert device.findings == ()
    device(800.0)
    assert [found.row for found in device.findings] == ["bms_write_budget"]
    device(900.0)
    device(1000.0)
    for _ in range(100):
        assert device(2000.0) == {} or CHARGE not in device(2000.0)
    assert device.stored[CHARGE] == 1000.0
    assert device(700.0) == {CHARGE: 700.0}
    assert CHARGE not in device(800.0)
    assert device(0.0)[CHARGE] == 0.0
    assert CHARGE not in device(300.0)
    assert device.writes[CHARGE] == 12
    assert [found.text.rpartition(", ")[2] for found in device.findings] == ["12 of 10"]


def test_a_permit_that_shrinks_is_followed_whatever_it_costs():
    device = bms(CHARGE_POWER_W=2)
    spend(device, 2)
    for limit_w in (150.0, 149.0, 60.5, 0.0):
        assert device(limit_w, permit_of(-5000.0, limit_w), ms=1) == {CHARGE: limit_w}


def test_force_writes_the_zero_anew_whatever_it_costs():
    device = bms(CHARGE_POWER_W=1, DISCHARGE_POWER_W=1)
    device(500.0)
    for _ in range(3):
        assert device(0.0, force=True) == {CHARGE: 0.0, DISCHARGE: 0.0}


def test_a_spent_register_does_not_begin_the_other_direction():
    device = bms(CHARGE_POWER_W=100, DISCHARGE_POWER_W=1)
    device(500.0)  # the zero of the other register was its only write
    assert device(-500.0) == {CHARGE: 0.0}
    assert device(-500.0) == {}
    assert device.stored == {CHARGE: 0.0, DISCHARGE: 0.0}


def test_the_next_day_has_its_own_budget():
    device = bms(CHARGE_POWER_W=2)
    spend(device, 2)
    assert CHARGE not in device(500.0)
    assert device(500.0, ms=86_400_000)[CHARGE] == 500.0
    assert device(600.0)[CHARGE] == 600.0
    assert CHARGE not in device(700.0)


def test_a_register_that_does_not_store_is_found_though_its_budget_is_spent():
    device = bms(CHARGE_POWER_W=1)
    device.deaf = True
    for _ in range(40):
        device(500.0)
    assert "bms_setpoint_ignored" in {found.row for found in device.findings}


@pytest.mark.parametrize(("point", "every_s"), [("ENABLE", 5), ("REVERT_TIMEOUT_S", 60)])
def test_of_an_inverter_each_point_has_its_own_budget(point, every_s):
    worn = Point[point]
    for budgets, times in (({point: 100}, 1), ({}, 300 // every_s + 1)):
        device = inverter(**budgets)
        for _ in range(3001):
            device(600.0)
        assert device.writes[worn] == times
        other = Point.ENABLE if worn is Point.REVERT_TIMEOUT_S else Point.REVERT_TIMEOUT_S
        assert device.writes[other] > 1
        assert device.writes[Point.SETPOINT_W] > 100


def test_an_inverter_whose_enable_is_spent_stays_off():
    device = inverter(ENABLE=2)
    off = permit_of(may_run=False)
    device(0.0)
    device(0.0, off)
    assert Point.ENABLE not in device(0.0)
    assert device.stored[Point.ENABLE] == 0.0
    assert {found.row for found in device.findings} == {"inverter_write_budget"}


def test_a_cycle_hands_each_unit_its_budgets():
    site = build_site()
    bench = Bench(site)
    bench.cycle = Cycle(site, expected_signals(site), points_of(site), {UNIT: worn({CHARGE: 3})})
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)  # a surplus that stays
    bench.run(3.0)
    charges = [value for record in bench.records for value in written(record, CHARGE)]
    assert charges[0] == 0.0
    assert len(charges) == 3
    assert not any(math.isclose(value, 3000.0, abs_tol=100.0) for value in charges)
    rows = {found.row for found in bench.records[-1].assessment.findings}
    assert "bms_write_budget" in rows
