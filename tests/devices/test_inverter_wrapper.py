"""The inverter's wrapper: the last check before the wire."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS, ns_from_s
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from tests.builders import T0, UNIT, build_site, permit_of, snapshot_of, unit_content

WRAPPER = InverterSafetyWrapper(build_site().storage[0])
ROOM = st.floats(0.0, 1e5)
STEPS = st.tuples(
    st.floats() | st.floats(-5000, 5000),
    st.builds(
        lambda low, high, run, age_ms: (-low, high, run, age_ms),
        ROOM, ROOM, st.booleans(), st.sampled_from([-1, 0, 1, 200]),
    ),
    st.sampled_from([1, 20, 100, 500, 2000]),
    st.booleans(),
)  # fmt: skip


def decide(power_w, permit, memory=None, *, now_ns=T0, force=False, wrapper=WRAPPER):
    snapshot = snapshot_of({}, now_ns=now_ns, healthy=False)
    writes, memory, _ = wrapper.decide(power_w, permit, snapshot, memory or {}, force=force)
    assert all(write.unit == UNIT and write.role is Producer.INVERTER for write in writes)
    assert len({write.point for write in writes}) == len(writes)
    return {write.point: write.value for write in writes}, memory


def test_the_first_cycle_writes_everything():
    written, _ = decide(300.0, permit_of())
    assert written == {Point.SETPOINT_W: 300.0, Point.ENABLE: 1.0, Point.REVERT_TIMEOUT_S: 5.0}


def test_a_setpoint_that_somebody_else_writes_is_found_and_overruled():
    _, memory = decide(500.0, permit_of())
    for ms, shown_w, rows in ((600, 500.0, []), (800, 3000.0, ["inverter_setpoint_overwritten"])):
        now_ns = T0 + ms * NS_PER_MS
        values = {Signal.SETPOINT_READBACK_W: shown_w}
        snapshot = snapshot_of(values, now_ns=now_ns, healthy=False)
        permit = permit_of(expires_ns=now_ns + NS_PER_MS)
        writes, memory, findings = WRAPPER.decide(500.0, permit, snapshot, memory, force=False)
        assert [found.row for found in findings] == rows
    assert [(write.point, write.value) for write in writes] == [(Point.SETPOINT_W, 500.0)]


@pytest.mark.parametrize("power_w", [math.nan, math.inf, -math.inf, 5000.001, -5000.001, 1e9])
def test_what_the_permit_does_not_cover_becomes_zero(power_w):
    assert decide(power_w, permit_of())[0][Point.SETPOINT_W] == 0.0


@pytest.mark.parametrize("power_w", [5000.0, -5000.0, 0.0])
def test_what_the_permit_covers_to_its_ends_is_written_as_it_is(power_w):
    assert decide(power_w, permit_of())[0][Point.SETPOINT_W] == power_w


def test_an_expired_permit_covers_nothing():
    assert decide(300.0, permit_of(expires_ns=T0 + 1))[0][Point.SETPOINT_W] == 300.0
    assert decide(300.0, permit_of(expires_ns=T0))[0][Point.SETPOINT_W] == 0.0


def test_an_expired_permit_does_not_enable_the_power_stage():
    assert decide(300.0, permit_of(expires_ns=T0))[0][Point.ENABLE] == 0.0


def test_without_leave_to_run_there_is_no_power_and_no_enable():
    written, _ = decide(300.0, permit_of(may_run=False))
    assert (written[Point.SETPOINT_W], written[Point.ENABLE]) == (0.0, 0.0)


@pytest.mark.parametrize("force", [False, True])
def test_who_observes_writes_nothing_and_remembers_nothing(force):
    _, memory = decide(300.0, permit_of())
    assert decide(0.0, permit_of(may_write=False), memory, force=force) == ({}, {})


def test_nothing_is_written_twice_for_no_reason():
    _, memory = decide(300.0, permit_of())
    for ms in range(20, 1660, 20):
        written, memory = decide(300.0, permit_of(), memory, now_ns=T0 + ms * NS_PER_MS)
        assert written == {}


def test_force_writes_setpoint_and_enable_though_nothing_has_changed():
    _, memory = decide(0.0, permit_of(may_run=False))
    written, _ = decide(0.0, permit_of(may_run=False), memory, now_ns=T0 + 1, force=True)
    assert written == {Point.SETPOINT_W: 0.0, Point.ENABLE: 0.0}


@pytest.mark.parametrize("revert_timeout_s", [1, 5, 60])
def test_the_setpoint_is_refreshed_so_often_that_two_may_get_lost(revert_timeout_s):
    unit = build_site(unit_content(inverter_hardware={"revert_timeout_s": revert_timeout_s}))
    wrapper, memory, times = InverterSafetyWrapper(unit.storage[0]), {}, []
    for ms in range(0, 4 * revert_timeout_s * 1000, 20):
        now_ns = T0 + ms * NS_PER_MS
        written, memory = decide(300.0, permit_of(), memory, now_ns=now_ns, wrapper=wrapper)
        if Point.SETPOINT_W in written:
            times.append(now_ns)
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps
    assert max(gaps) <= ns_from_s(revert_timeout_s) / 3 + 20 * NS_PER_MS
    assert min(gaps) >= ns_from_s(revert_timeout_s) // 3


@pytest.mark.parametrize("by_w", [1e-6, 0.5, 9.0, 2000.0])
def test_a_held_value_that_a_smaller_permit_does_not_cover_is_rewritten_at_once(by_w):
    """However small the change, and whatever the resolution."""
    for sign in (1.0, -1.0):
        _, memory = decide(sign * 3000.0, permit_of())
        smaller = permit_of(-3000.0 + by_w, 3000.0 - by_w)
        wanted = sign * (3000.0 - by_w)
        written, _ = decide(wanted, smaller, memory, now_ns=T0 + 1)
        assert written == {Point.SETPOINT_W: wanted}


@given(st.lists(STEPS, min_size=1, max_size=12))
def test_whatever_is_asked_what_the_inverter_holds_is_inside_each_permit(steps):
    memory, now_ns, held = {}, T0, None
    for power_w, (low, high, run, left_ms), ms, force in steps:
        now_ns += ms * NS_PER_MS
        permit = permit_of(low, high, may_run=run, expires_ns=now_ns + left_ms * NS_PER_MS)
        written, memory = decide(power_w, permit, memory, now_ns=now_ns, force=force)
        for value in written.values():
            assert math.isfinite(value)
        held = written.get(Point.SETPOINT_W, held)
        assert permit.envelope.contains(held)
        if not (run and left_ms > 0 and permit.envelope.contains(power_w)):
            assert held == 0.0
        if Point.ENABLE in written:
            assert written[Point.ENABLE] == float(run) or left_ms <= 0
        if force:
            assert {Point.SETPOINT_W, Point.ENABLE} <= written.keys()
