"""The BMS's wrapper: two registers, one of them always zero."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.profile import load_profile
from tests.builders import T0, UNIT, build_site, permit_of, snapshot_of

POINTS = (Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W)
WRAPPER = BmsSafetyWrapper(build_site().storage[0], POINTS)


def decide(power_w, permit, memory=None, *, now_ns=T0, force=False, readback=None):
    values = {}
    if readback is not None:
        values = {
            Signal.CHARGE_POWER_READBACK_W: readback[Point.CHARGE_POWER_W],
            Signal.DISCHARGE_POWER_READBACK_W: readback[Point.DISCHARGE_POWER_W],
        }
    snapshot = snapshot_of(values, now_ns=now_ns, healthy=False)
    writes, memory, findings = WRAPPER.decide(power_w, permit, snapshot, memory or {}, force=force)
    assert all(write.unit == UNIT and write.role is Role.BMS for write in writes)
    return [(write.point, write.value) for write in writes], memory, findings


def test_charging_and_discharging_go_to_their_registers_zero_first():
    assert decide(500.0, permit_of())[0] == [(POINTS[1], 0.0), (POINTS[0], 500.0)]
    assert decide(-500.0, permit_of())[0] == [(POINTS[0], 0.0), (POINTS[1], 500.0)]


@pytest.mark.parametrize("power_w", [math.nan, math.inf, -math.inf, 5000.1, -5000.1])
def test_what_the_permit_does_not_cover_becomes_zero_in_both(power_w):
    assert dict(decide(power_w, permit_of())[0]) == dict.fromkeys(POINTS, 0.0)


def test_an_expired_permit_or_no_leave_to_run_becomes_zero_in_both():
    for permit in (permit_of(expires_ns=T0), permit_of(may_run=False)):
        assert dict(decide(500.0, permit)[0]) == dict.fromkeys(POINTS, 0.0)


@pytest.mark.parametrize("force", [False, True])
def test_who_observes_writes_nothing(force):
    assert decide(500.0, permit_of(may_write=False), force=force) == ([], {}, ())


@pytest.mark.parametrize(("point", "power_w"), [(POINTS[0], 500.0), (POINTS[1], -500.0)])
def test_a_power_that_somebody_else_writes_is_found_and_overruled(point, power_w):
    _, memory, _ = decide(power_w, permit_of())
    ours = dict.fromkeys(POINTS, 0.0) | {point: 500.0}
    theirs = ours | {point: 3000.0}
    for ms, shown, rows in ((600, ours, []), (800, theirs, ["bms_setpoint_overwritten"])):
        now_ns = T0 + ms * NS_PER_MS
        permit = permit_of(expires_ns=now_ns + NS_PER_MS)
        writes, memory, findings = decide(power_w, permit, memory, now_ns=now_ns, readback=shown)
        assert [found.row for found in findings] == rows
    assert writes == [(point, 500.0)]


def test_a_bms_that_takes_no_power_is_left_alone():
    wrapper = BmsSafetyWrapper(build_site().storage[0], ())
    assert wrapper.decide(500.0, permit_of(), snapshot_of(), {}, force=True) == ((), {}, ())


def test_nothing_is_written_twice_for_no_reason_and_everything_is_refreshed():
    memory, times = {}, []
    for ms in range(0, 4100, 20):
        writes, memory, _ = decide(500.0, permit_of(), memory, now_ns=T0 + ms * NS_PER_MS)
        if writes:
            times.append(ms)
            assert writes == [(POINTS[1], 0.0), (POINTS[0], 500.0)]
    assert times == [0, 2000, 4000]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_register_rises_at_most_every_100_ms_and_falls_at_once(sign):
    """A ramp of 20 ms steps does not flood a BMS on a slow bus."""
    point = POINTS[0] if sign > 0.0 else POINTS[1]
    _, memory, _ = decide(sign * 500.0, permit_of())
    assert decide(sign * 600.0, permit_of(), memory, now_ns=T0 + 100 * NS_PER_MS - 1)[0] == []
    in_time = decide(sign * 600.0, permit_of(), memory, now_ns=T0 + 100 * NS_PER_MS)
    assert in_time[0] == [(point, 600.0)]
    assert decide(sign * 400.0, permit_of(), memory, now_ns=T0 + 1)[0] == [(point, 400.0)]


def test_a_reversal_ends_the_one_direction_at_once_and_begins_the_other_in_its_turn():
    _, memory, _ = decide(500.0, permit_of())
    writes, memory, _ = decide(-500.0, permit_of(), memory, now_ns=T0 + 20 * NS_PER_MS)
    assert writes == [(POINTS[0], 0.0)]
    writes, _, _ = decide(-500.0, permit_of(), memory, now_ns=T0 + 100 * NS_PER_MS)
    assert writes == [(POINTS[1], 500.0)]


def test_a_ramp_of_a_second_is_written_ten_times():
    memory, written = {}, []
    for ms in range(0, 1000, 20):
        writes, memory, _ = decide(2.0 * ms, permit_of(), memory, now_ns=T0 + ms * NS_PER_MS)
        written += [value for point, value in writes if point is POINTS[0]]
    assert written == [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0, 1400.0, 1600.0, 1800.0]


def test_force_writes_both_zeros_again():
    _, memory, _ = decide(0.0, permit_of())
    writes, _, _ = decide(0.0, permit_of(), memory, now_ns=T0 + 1, force=True)
    assert dict(writes) == dict.fromkeys(POINTS, 0.0)


@pytest.mark.parametrize("by_w", [1e-6, 0.5, 19.0])
def test_a_held_value_that_a_smaller_permit_does_not_cover_is_rewritten_at_once(by_w):
    for sign, point in ((1.0, POINTS[0]), (-1.0, POINTS[1])):
        _, memory, _ = decide(sign * 3000.0, permit_of())
        smaller = permit_of(-3000.0 + by_w, 3000.0 - by_w)
        writes, _, _ = decide(sign * (3000.0 - by_w), smaller, memory, now_ns=T0 + 1)
        assert dict(writes)[point] == 3000.0 - by_w


def test_a_bms_that_does_not_store_the_power_is_found_after_three_tries():
    memory, writes_count, stuck = {}, 0, dict.fromkeys(POINTS, 0.0)
    for ms in range(0, 3000, 20):
        writes, memory, findings = decide(
            500.0, permit_of(), memory, now_ns=T0 + ms * NS_PER_MS, readback=stuck
        )
        writes_count += sum(point is POINTS[0] for point, _ in writes)
        if findings:
            break
    (found,) = findings
    assert found.key == "battery/bms_setpoint_ignored"
    assert 1400 <= ms <= 1700
    assert writes_count == 4


class Registers(RuleBasedStateMachine):
    """A BMS that does each write in its order; looked at after every single one."""

    def __init__(self):
        super().__init__()
        self.registers = dict.fromkeys(POINTS, 0.0)
        self.memory, self.now_ns, self.permit = {}, T0, permit_of()
        self.both_set = False
        self.first = True

    @rule(power_w=st.sampled_from([7.0, 800.0]), point=st.sampled_from(POINTS))
    def was_left_by_another_controller(self, power_w, point):
        if self.first and not any(self.registers.values()):
            self.registers[point] = power_w

    @rule(
        power_w=st.floats(-6000, 6000) | st.sampled_from([0.0, 5.0, -5.0, math.nan, math.inf]),
        ends=st.tuples(st.floats(0, 5000), st.floats(0, 5000)) | st.just((5000.0, 5000.0)),
        ms=st.sampled_from([1, 20, 100, 600, 2500]),
        run=st.sampled_from([True, True, False]),
        force=st.booleans(),
    )
    def cycle(self, power_w, ends, ms, run, force):
        self.first = False
        self.now_ns += ms * NS_PER_MS
        self.permit = permit_of(-ends[0], ends[1], may_run=run)
        writes, self.memory, _ = decide(
            power_w,
            self.permit,
            self.memory,
            now_ns=self.now_ns,
            force=force,
            readback=self.registers,
        )
        for point, value in writes:
            self.registers[point] = value
            self.both_set |= all(self.registers.values())

    @invariant()
    def never_both_are_set(self):
        assert not self.both_set

    @invariant()
    def what_is_held_is_inside_the_permit(self):
        if not self.first:
            assert 0.0 <= self.registers[POINTS[0]] <= self.permit.envelope.max_w
            assert 0.0 <= self.registers[POINTS[1]] <= -self.permit.envelope.min_w


TestRegisters = Registers.TestCase
TestRegisters.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@given(st.floats(0.0, 5000.0), st.floats(0.0, 5000.0), st.sampled_from([1.0, -1.0]))
def test_what_the_register_holds_after_rounding_is_still_inside_the_permit(limit_w, power_w, sign):
    """A register counts tens of watts; rounding up would exceed what is permitted."""
    permit = permit_of(-limit_w, limit_w)
    table = load_profile("generic_bms").points
    writes, _, _ = decide(permit.envelope.clamp(sign * power_w), permit)
    for point, value in writes:
        assert table[point].decode(table[point].encode(value)) <= limit_w * (1 + 1e-9)


def test_on_an_island_both_registers_hold_what_is_permitted_for_the_load_decides():
    permit = permit_of(-4000.0, 3000.0, islanded=True)
    assert dict(decide(0.0, permit)[0]) == {POINTS[0]: 3000.0, POINTS[1]: 4000.0}
    _, memory, _ = decide(0.0, permit)
    smaller = permit_of(-100.0, 0.0, islanded=True)
    assert dict(decide(0.0, smaller, memory, now_ns=T0 + 1)[0]) == {
        POINTS[0]: 0.0,
        POINTS[1]: 100.0,
    }


@pytest.mark.parametrize(
    "changes", [{"may_run": False}, {"expires_ns": T0}, {"may_run": False, "expires_ns": T0}]
)
def test_on_an_island_without_leave_to_run_both_are_zero(changes):
    permit = permit_of(-4000.0, 3000.0, islanded=True, **changes)
    assert dict(decide(0.0, permit)[0]) == dict.fromkeys(POINTS, 0.0)
    assert dict(decide(500.0, permit)[0]) == dict.fromkeys(POINTS, 0.0)


def test_on_an_island_a_power_that_the_permit_does_not_cover_is_refused_as_ever():
    permit = permit_of(-4000.0, 3000.0, islanded=True)
    assert dict(decide(3000.1, permit)[0]) == dict.fromkeys(POINTS, 0.0)
