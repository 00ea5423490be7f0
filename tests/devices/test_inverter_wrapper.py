"""The inverter's wrapper: the last check before the wire."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.device_mode import DeviceMode, number_of
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S, ns_from_s
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.point_traits import PointTraits
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, build_site, device, permit_of, snapshot_of, unit_content, worn

WRAPPER = InverterSafetyWrapper(build_site().storage[0])
ROOM = st.floats(0.0, 1e5)
STEPS = st.tuples(
    st.floats() | st.floats(-5000, 5000),
    st.builds(
        lambda low, high, run, age_ms: (-low, high, run, age_ms),
        ROOM,
        ROOM,
        st.booleans(),
        st.sampled_from([-1, 0, 1, 200]),
    ),
    st.sampled_from([1, 20, 100, 500, 2000]),
    st.booleans(),
)


def decide(power_w, permit, memory=None, *, now_ns=T0, force=False, wrapper=WRAPPER):
    snapshot = snapshot_of({}, now_ns=now_ns, healthy=False)
    writes, memory, _ = wrapper.decide(power_w, permit, snapshot, memory or {}, force=force)
    assert all(write.unit == UNIT and write.role is Role.INVERTER for write in writes)
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


# The export limit. --------------------------------------------------------------------------------

LIMIT = Point.EXPORT_LIMIT_W
USUAL = (Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S)


def hybrid(**budgets):
    unit = build_site(unit_content(inverter=device("generic_hybrid"))).storage[0]
    return InverterSafetyWrapper(
        unit, (*USUAL, LIMIT), worn({Point[name]: n for name, n in budgets.items()})
    )


class Throttle:
    """Cycles of 20 ms with an inverter that stores its export limit, until it is ``deaf``."""

    def __init__(self, wrapper):
        self.wrapper, self.memory, self.now_ns, self.findings = wrapper, {}, T0, ()
        self.stored, self.deaf, self.writes = None, False, []

    def __call__(self, limit_w, seconds=0.02, **how):
        for _ in range(round(seconds / 0.02)):
            self.now_ns += 20 * NS_PER_MS
            shown = {Signal.EXPORT_LIMIT_READBACK_W: self.stored}
            snapshot = snapshot_of(shown, now_ns=self.now_ns, healthy=False)
            permit = permit_of(**{"export_limit_w": limit_w, "expires_ns": self.now_ns + 1} | how)
            writes, self.memory, self.findings = self.wrapper.decide(
                0.0, permit, snapshot, self.memory, force=False
            )
            for write in writes:
                if write.point is LIMIT:
                    assert (write.unit, write.role) == (UNIT, Role.INVERTER)
                    self.stored = self.stored if self.deaf else write.value
                    self.writes.append(((self.now_ns - T0) / NS_PER_S, write.value))
        return self.stored


def test_an_inverter_without_an_export_limit_is_asked_for_none():
    throttle = Throttle(WRAPPER)
    assert throttle(100.0, 130.0) is None


def test_the_export_limit_is_written_on_change_and_refreshed_each_minute():
    throttle = Throttle(hybrid())
    throttle(9000.0, 1.0)
    assert throttle(100.0) == 100.0
    throttle(100.0, 121.0)
    assert [value for _, value in throttle.writes] == [9000.0, 100.0, 100.0, 100.0]
    times = [time_s for time_s, _ in throttle.writes]
    assert [b - a for a, b in pairwise(times[1:])] == pytest.approx([60.0, 60.0])
    assert throttle(9000.0) == 9000.0
    assert throttle(0.0) == 0.0
    assert throttle.findings == ()


def test_a_change_of_the_export_limit_by_its_resolution_is_written_and_a_smaller_one_waits():
    for change_w, at_once in ((10.0, True), (9.9, False)):
        throttle = Throttle(hybrid())
        throttle(500.0)
        assert (throttle(500.0 - change_w) != 500.0) is at_once


def test_an_export_limit_that_wears_out_is_written_on_change_within_its_budget():
    throttle = Throttle(hybrid(EXPORT_LIMIT_W=3))
    throttle(9000.0, 700.0)
    assert len(throttle.writes) == 1
    throttle(100.0)
    assert throttle(9000.0, 0.2) == 9000.0
    assert throttle(100.0) == 100.0  # beyond it: to export less is always permitted
    assert throttle(9000.0, 700.0) == 100.0
    assert {found.row for found in throttle.findings} == {"inverter_write_budget"}


def test_an_export_limit_that_is_ignored_is_a_note_and_no_reason_to_go_on_writing():
    throttle = Throttle(hybrid())
    throttle.deaf, throttle.stored = True, 9000.0
    throttle(100.0, 30.0)
    (found,) = throttle.findings
    assert (found.key, found.reaction) == ("battery/inverter_export_limit_ignored", Reaction.LOG)
    assert found.text.endswith("export_limit_w is to be 100, reads 9000")
    assert len(throttle.writes) == 3
    throttle.deaf = False
    assert throttle(100.0, 40.0) == 100.0  # at the refresh it is asked once more
    assert throttle.findings == ()


def test_another_master_of_the_export_limit_trips_nothing():
    throttle = Throttle(hybrid())
    for _ in range(9):
        throttle(100.0, 1.0)
        assert throttle.findings == ()
        throttle.stored = 8000.0
        throttle(100.0)
    assert throttle(100.0, 1.0) == 100.0


@pytest.mark.parametrize("how", [{"may_run": False}, {"expires_ns": T0}, {"islanded": True}])
def test_the_export_limit_has_nothing_to_do_with_the_power_of_the_battery(how):
    throttle = Throttle(hybrid())
    assert throttle(100.0, **how) == 100.0


def test_who_observes_limits_no_export():
    throttle = Throttle(hybrid())
    assert throttle(100.0, may_write=False) is None


def test_force_does_not_write_the_export_limit_again():
    written, memory = decide(0.0, permit_of(), wrapper=hybrid())
    assert written[LIMIT] == 10_000.0
    written, _ = decide(0.0, permit_of(), memory, now_ns=T0 + 1, force=True, wrapper=hybrid())
    assert set(written) == {Point.SETPOINT_W, Point.ENABLE}


# The PV switch. -----------------------------------------------------------------------------------

SWITCH = Point.PV_ON


class Switch(Throttle):
    """The same for the PV switch, which the device may put back to on."""

    def __init__(self, **budgets):
        unit = build_site(unit_content(inverter=device("generic_hybrid"))).storage[0]
        worn_out = worn({Point[name]: n for name, n in budgets.items()})
        super().__init__(InverterSafetyWrapper(unit, (*USUAL, SWITCH), worn_out))
        self.stored = 1.0

    def __call__(self, on, seconds=0.02, **how):
        for _ in range(round(seconds / 0.02)):
            self.now_ns += 20 * NS_PER_MS
            snapshot = snapshot_of({Signal.PV_ON: self.stored}, now_ns=self.now_ns, healthy=False)
            permit = permit_of(**{"pv_on": on, "expires_ns": self.now_ns + 1} | how)
            writes, self.memory, self.findings = self.wrapper.decide(
                0.0, permit, snapshot, self.memory, force=False
            )
            for write in writes:
                if write.point is SWITCH:
                    self.stored = self.stored if self.deaf else write.value
                    self.writes.append(((self.now_ns - T0) / NS_PER_S, write.value))
        return self.stored


def test_pv_is_switched_at_once_and_told_each_minute():
    switch = Switch()
    assert switch(on=True, seconds=1.0) == 1.0
    assert switch(on=False) == 0.0
    assert switch(on=False, seconds=121.0) == 0.0
    assert switch(on=True) == 1.0
    assert [value for _, value in switch.writes] == [1.0, 0.0, 0.0, 0.0, 1.0]
    times = [time_s for time_s, _ in switch.writes]
    assert [b - a for a, b in pairwise(times[1:4])] == pytest.approx([60.0, 60.0])
    assert switch.findings == ()


def test_an_expired_permit_lets_pv_through():
    switch = Switch()
    assert switch(on=False) == 0.0
    assert switch(on=False, seconds=0.2, expires_ns=T0) == 1.0


def test_who_observes_switches_no_pv():
    switch = Switch()
    switch(on=False, seconds=1.0, may_write=False)
    assert switch.writes == []


def test_pv_that_an_inverter_put_back_on_is_switched_off_again():
    """As its revert timer does after a silence."""
    switch = Switch()
    switch(on=False, seconds=1.0)
    switch.stored = 1.0
    assert switch(on=False, seconds=1.0) == 0.0
    assert switch.findings == ()


def test_a_pv_switch_that_is_ignored_is_a_note_and_no_reason_to_go_on_writing():
    switch = Switch()
    switch.deaf = True
    switch(on=False, seconds=30.0)
    (found,) = switch.findings
    assert (found.key, found.reaction) == ("battery/inverter_pv_switch_ignored", Reaction.LOG)
    assert found.text.endswith("pv_on is to be 0, reads 1")
    assert len(switch.writes) == 3


def test_a_pv_switch_that_wears_out_stays_on_once_its_budget_is_spent():
    switch = Switch(PV_ON=3)
    switch(on=True, seconds=200.0)
    assert len(switch.writes) == 1
    assert switch(on=False, seconds=1.0) == 0.0
    assert switch(on=True, seconds=1.0) == 1.0
    assert switch(on=False, seconds=200.0) == 1.0
    assert {found.row for found in switch.findings} == {"inverter_write_budget"}
    spent = Switch(PV_ON=2)
    spent(on=True)
    assert spent(on=False, seconds=1.0) == 0.0
    assert spent(on=True, seconds=1.0) == 1.0  # beyond it: PV is let through all the same


def test_a_step_of_the_table_does_not_round_a_switch():
    unit = build_site(unit_content(inverter=device("generic_hybrid"))).storage[0]
    wrapper = InverterSafetyWrapper(unit, (*USUAL, SWITCH), {SWITCH: PointTraits(step=70.0)})
    for on in (True, False):
        writes, _, _ = wrapper.decide(
            0.0, permit_of(pv_on=on), snapshot_of(healthy=False), {}, force=False
        )
        assert [write.value for write in writes if write.point is SWITCH] == [float(on)]


# What an inverter does not take. ----------------------------------------------------------------


def test_an_inverter_without_power_stage_switch_and_timer_gets_its_setpoint_alone():
    wrapper = InverterSafetyWrapper(build_site().storage[0], (Point.SETPOINT_W,))
    written, memory = decide(1000.0, permit_of(-5000.0, 5000.0), wrapper=wrapper)
    assert written == {Point.SETPOINT_W: 1000.0}
    written, _ = decide(
        1000.0, permit_of(-5000.0, 5000.0), memory, now_ns=T0 + 1, force=True, wrapper=wrapper
    )
    assert written == {Point.SETPOINT_W: 1000.0}


def test_a_setpoint_that_the_device_forgets_is_written_anew_as_often_as_its_table_says():
    traits = {Point.SETPOINT_W: PointTraits(refresh_ns=NS_PER_S)}
    wrapper = InverterSafetyWrapper(build_site().storage[0], USUAL, traits)
    _, memory = decide(0.0, permit_of(), wrapper=wrapper)
    written, _ = decide(0.0, permit_of(), memory, now_ns=T0 + NS_PER_S - 1, wrapper=wrapper)
    assert Point.SETPOINT_W not in written
    written, _ = decide(0.0, permit_of(), memory, now_ns=T0 + NS_PER_S, wrapper=wrapper)
    assert Point.SETPOINT_W in written
    # Seldom is no reason to be written less often than its revert timer wants.
    traits = {Point.SETPOINT_W: PointTraits(refresh_ns=60 * NS_PER_S)}
    wrapper = InverterSafetyWrapper(build_site().storage[0], USUAL, traits)
    written, _ = decide(0.0, permit_of(), memory, now_ns=T0 + 2 * NS_PER_S, wrapper=wrapper)
    assert Point.SETPOINT_W in written


# Traits of the table. -----------------------------------------------------------------------------


def test_the_inverters_powers_are_kept_in_the_steps_of_its_table_and_its_timer_is_not():
    unit = build_site(unit_content(inverter=device("generic_hybrid"))).storage[0]
    traits = dict.fromkeys(Point, PointTraits(step=70.0))
    wrapper = InverterSafetyWrapper(unit, (*USUAL, LIMIT), traits)
    permit = permit_of(-5000.0, 5000.0, export_limit_w=500.0)
    writes, _, _ = wrapper.decide(1000.0, permit, snapshot_of(healthy=False), {}, force=False)
    assert {write.point: write.value for write in writes} == {
        Point.SETPOINT_W: 980.0,
        Point.ENABLE: 1.0,
        Point.REVERT_TIMEOUT_S: 5.0,
        LIMIT: 490.0,
    }


# A rule of its own. -------------------------------------------------------------------------------

MODE = Point.DEVICE_MODE
LOAD_FIRST, GRID_FIRST = DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST


def led(*modes, points=(*USUAL, MODE)):
    unit = build_site(unit_content(inverter=device("generic_hybrid"))).storage[0]
    traits = {MODE: PointTraits(modes=frozenset(modes))} if modes else {}
    return InverterSafetyWrapper(unit, points, traits)


def test_left_to_a_rule_of_its_own_it_is_told_that_in_the_place_of_a_setpoint():
    written, memory = decide(300.0, permit_of(device_mode=LOAD_FIRST), wrapper=led())
    assert written == {MODE: 1.0, Point.ENABLE: 1.0, Point.REVERT_TIMEOUT_S: 5.0}
    assert Point.SETPOINT_W not in memory
    written, memory = decide(300.0, permit_of(), memory, now_ns=T0 + NS_PER_S, wrapper=led())
    assert written == {Point.SETPOINT_W: 300.0, MODE: 0.0}
    assert list(written) == [Point.SETPOINT_W, MODE], "the setpoint first, which counts then"
    written, memory = decide(
        300.0, permit_of(device_mode=GRID_FIRST), memory, now_ns=T0 + 2 * NS_PER_S, wrapper=led()
    )
    assert written[MODE] == 3.0
    assert Point.SETPOINT_W not in written.keys() | memory.keys()


def test_without_a_mode_it_is_told_that_it_follows_its_setpoint():
    written, _ = decide(300.0, permit_of(), wrapper=led())
    assert (written[MODE], written[Point.SETPOINT_W]) == (0.0, 300.0)


@pytest.mark.parametrize(
    "how",
    [{"expires_ns": T0}, {"may_run": False}],
)
def test_what_permits_no_power_permits_no_mode(how):
    permit = permit_of(device_mode=LOAD_FIRST, **how)
    written, _ = decide(300.0, permit, wrapper=led())
    assert (written[MODE], written[Point.SETPOINT_W]) == (0.0, 0.0)
    assert led().mode_of(permit, T0) is None


def test_who_observes_leaves_it_to_no_mode():
    permit = permit_of(device_mode=LOAD_FIRST, may_write=False)
    assert decide(300.0, permit, wrapper=led()) == ({}, {})
    assert led().mode_of(permit, T0) is None


def test_an_emergency_writes_the_setpoint_whatever_the_permit_says():
    written, _ = decide(300.0, permit_of(device_mode=LOAD_FIRST), wrapper=led(), force=True)
    assert written[MODE] == 0.0
    assert {Point.SETPOINT_W, Point.ENABLE} <= written.keys()


def test_a_mode_that_its_table_lacks_is_told_as_a_power():
    wrapper = led(GRID_FIRST)
    permit = permit_of(device_mode=LOAD_FIRST)
    assert wrapper.mode_of(permit, T0) is None
    assert decide(300.0, permit, wrapper=wrapper)[0][Point.SETPOINT_W] == 300.0
    permit = permit_of(device_mode=GRID_FIRST)
    assert wrapper.mode_of(permit, T0) is GRID_FIRST
    assert decide(300.0, permit, wrapper=wrapper)[0][MODE] == 3.0


def test_an_inverter_without_modes_is_left_to_none():
    permit = permit_of(device_mode=LOAD_FIRST)
    assert WRAPPER.mode_of(permit, T0) is None
    assert decide(300.0, permit)[0][Point.SETPOINT_W] == 300.0
    assert MODE not in decide(300.0, permit)[0]
    traits = {MODE: PointTraits(modes=frozenset({LOAD_FIRST}))}
    unit = build_site().storage[0]
    assert InverterSafetyWrapper(unit, USUAL, traits).mode_of(permit, T0) is None


@pytest.mark.parametrize("revert_timeout_s", [1, 5, 60])
def test_a_mode_is_refreshed_as_a_setpoint_is(revert_timeout_s):
    site = build_site(
        unit_content(
            inverter=device("generic_hybrid"),
            inverter_hardware={"revert_timeout_s": revert_timeout_s},
        )
    )
    wrapper = InverterSafetyWrapper(site.storage[0], (*USUAL, MODE))
    permit, memory, times = permit_of(device_mode=LOAD_FIRST), {}, []
    for ms in range(0, 2 * revert_timeout_s * 1000, 20):
        now_ns = T0 + ms * NS_PER_MS
        written, memory = decide(0.0, permit, memory, now_ns=now_ns, wrapper=wrapper)
        times += [now_ns] * (MODE in written)
    gaps = [b - a for a, b in pairwise(times)]
    assert max(gaps) <= ns_from_s(revert_timeout_s) / 3 + 20 * NS_PER_MS
    assert min(gaps) >= ns_from_s(revert_timeout_s) // 3


def test_a_mode_that_is_not_kept_is_an_ignored_setpoint_and_one_that_somebody_writes_is_found():
    for shown, row in ((0.0, "inverter_setpoint_ignored"), (4.0, "inverter_setpoint_ignored")):
        memory, wrapper = {}, led()
        for ms in range(0, 5000, 100):
            now_ns = T0 + ms * NS_PER_MS
            snapshot = snapshot_of({Signal.DEVICE_MODE: shown}, now_ns=now_ns, healthy=False)
            _, memory, findings = wrapper.decide(
                0.0, permit_of(device_mode=LOAD_FIRST), snapshot, memory, force=False
            )
        assert [found.row for found in findings] == [row]
    memory, wrapper = {}, led()
    for ms, shown in ((0, 0.0), (600, 1.0), (800, 3.0)):
        now_ns = T0 + ms * NS_PER_MS
        snapshot = snapshot_of({Signal.DEVICE_MODE: shown}, now_ns=now_ns, healthy=False)
        writes, memory, findings = wrapper.decide(
            0.0, permit_of(device_mode=LOAD_FIRST), snapshot, memory, force=False
        )
    assert [found.row for found in findings] == ["inverter_setpoint_overwritten"]
    assert [(write.point, write.value) for write in writes] == [(MODE, 1.0)]


@pytest.mark.parametrize("of_bms", [Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W])
def test_an_inverter_whose_bms_takes_powers_is_left_to_none(of_bms):
    wrapper = led(points=(*USUAL, MODE, of_bms))
    assert wrapper.mode_of(permit_of(device_mode=LOAD_FIRST), T0) is None


def test_from_one_mode_to_the_next_is_a_change():
    _, memory = decide(0.0, permit_of(device_mode=LOAD_FIRST), wrapper=led())
    permit = permit_of(device_mode=DeviceMode.BATTERY_FIRST)
    written, _ = decide(0.0, permit, memory, now_ns=T0 + NS_PER_S, wrapper=led())
    assert written == {MODE: 2.0}


# Islands, and rules of its own. -------------------------------------------------------------------

AS_HOUSES_NEED, GIVEN_BACK = (
    number_of(mode) for mode in (DeviceMode.LOAD_FIRST, DeviceMode.OWN_RULE)
)
NONE_OF_OURS = {DeviceMode.OWN_RULE, DeviceMode.GRID_FIRST}


def leading(*modes, points=(), settle_ns=0, step=0.0, **hardware):
    """The wrapper of an inverter that knows these modes."""
    unit = build_site(
        unit_content(inverter=device("generic_hybrid"), inverter_hardware=hardware)
    ).storage[0]
    traits = {
        Point.DEVICE_MODE: PointTraits(modes=frozenset(modes), step=step),
        Point.SETPOINT_W: PointTraits(settle_ns=settle_ns),
    }
    return InverterSafetyWrapper(unit, (*USUAL, Point.DEVICE_MODE, *points), traits)


@pytest.mark.parametrize(
    ("modes", "told"),
    [
        (NONE_OF_OURS, GIVEN_BACK),
        ({DeviceMode.LOAD_FIRST, DeviceMode.BACKUP_RESERVE}, AS_HOUSES_NEED),
        (set(DeviceMode), GIVEN_BACK),
    ],
)
@pytest.mark.parametrize("points", [(), (Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W)])
def test_one_that_carries_an_island_is_given_back_in_the_place_of_a_setpoint(modes, told, points):
    _, memory = decide(-600.0, permit_of(), wrapper=leading(*modes))
    wrapper = leading(*modes, points=points)
    island = permit_of(islanded=True, device_mode=DeviceMode.GRID_FIRST)
    written, memory = decide(0.0, island, memory, now_ns=T0 + NS_PER_S, wrapper=wrapper)
    assert written == {Point.DEVICE_MODE: told}
    assert Point.SETPOINT_W not in memory
    assert wrapper.mode_of(island, T0) is not None


@pytest.mark.parametrize("modes", [(), (DeviceMode.GRID_FIRST, DeviceMode.BACKUP_RESERVE)])
def test_one_that_knows_no_rule_for_an_island_is_told_0_w(modes):
    wrapper = leading(*modes)
    written, _ = decide(0.0, permit_of(islanded=True), wrapper=wrapper)
    assert (written[Point.SETPOINT_W], written[Point.DEVICE_MODE]) == (0.0, 0.0)
    assert decide(0.0, permit_of(islanded=True))[0][Point.SETPOINT_W] == 0.0


@pytest.mark.parametrize("how", [{"may_run": False}, {"expires_ns": T0}])
def test_what_ends_a_discharge_ends_it_on_an_island_too(how):
    wrapper = leading(DeviceMode.OWN_RULE)
    _, memory = decide(0.0, permit_of(islanded=True), wrapper=wrapper)
    permit = permit_of(**{"islanded": True} | how)
    written, _ = decide(0.0, permit, memory, now_ns=T0 + 1, wrapper=wrapper)
    assert written[Point.SETPOINT_W] == written[Point.DEVICE_MODE] == written[Point.ENABLE] == 0.0


def test_an_emergency_stop_ends_it_as_well_and_who_observes_gives_nothing_back():
    wrapper = leading(DeviceMode.OWN_RULE)
    _, memory = decide(0.0, permit_of(islanded=True), wrapper=wrapper)
    forced, _ = decide(
        0.0, permit_of(islanded=True), memory, now_ns=T0 + 1, force=True, wrapper=wrapper
    )
    assert (forced[Point.SETPOINT_W], forced[Point.DEVICE_MODE]) == (0.0, 0.0)
    observing = permit_of(islanded=True, may_write=False)
    assert decide(0.0, observing, memory, wrapper=wrapper) == ({}, {})


def test_once_the_grid_is_back_its_setpoint_counts_again():
    wrapper = leading(DeviceMode.OWN_RULE)
    _, memory = decide(0.0, permit_of(islanded=True), wrapper=wrapper)
    written, _ = decide(0.0, permit_of(), memory, now_ns=T0 + 1, wrapper=wrapper)
    assert (written[Point.SETPOINT_W], written[Point.DEVICE_MODE]) == (0.0, 0.0)


def test_a_mode_is_no_number_to_be_rounded_whatever_its_table_says():
    memory, wrapper = {}, leading(*DeviceMode, step=5.0)
    for ms in range(0, 5000, 100):
        snapshot = snapshot_of({Signal.DEVICE_MODE: 3.0}, now_ns=T0 + ms * NS_PER_MS, healthy=False)
        _, memory, findings = wrapper.decide(
            0.0, permit_of(device_mode=DeviceMode.LOAD_FIRST), snapshot, memory, force=False
        )
    assert [found.row for found in findings] == ["inverter_setpoint_ignored"]


def test_nobody_can_ask_for_its_own_rule_while_there_is_a_grid():
    wrapper = leading(*DeviceMode)
    assert wrapper.mode_of(permit_of(device_mode=DeviceMode.OWN_RULE), T0) is None
    assert wrapper.mode_of(permit_of(device_mode=DeviceMode.LOAD_FIRST), T0) is not None
    takes_powers = leading(*DeviceMode, points=(Point.CHARGE_POWER_W,))
    assert takes_powers.mode_of(permit_of(device_mode=DeviceMode.LOAD_FIRST), T0) is None


@pytest.mark.parametrize(
    ("shown", "after_ms", "again"),
    [(GIVEN_BACK, 500, True), (GIVEN_BACK, 499, False), (0.0, 500, False), (None, 500, False)],
)
def test_one_that_has_left_its_setpoint_for_a_rule_of_its_own_is_told_it_again(
    shown, after_ms, again
):
    """It shows a setpoint of 0 W then, which was asked for."""
    wrapper = leading(DeviceMode.OWN_RULE)
    _, memory = decide(0.0, permit_of(), wrapper=wrapper)
    now_ns = T0 + after_ms * NS_PER_MS
    values = {Signal.DEVICE_MODE: shown, Signal.SETPOINT_READBACK_W: 0.0}
    snapshot = snapshot_of(values, now_ns=now_ns, healthy=False)
    writes, _, _ = wrapper.decide(0.0, permit_of(), snapshot, memory, force=False)
    assert (Point.SETPOINT_W in {write.point for write in writes}) is again


def test_a_slow_one_is_given_its_time_to_show_what_it_was_told():
    """All that while no heartbeat is due."""
    wrapper = leading(DeviceMode.OWN_RULE, settle_ns=4 * NS_PER_S, revert_timeout_s=30)
    _, memory = decide(0.0, permit_of(), wrapper=wrapper)
    for after_s, again in ((0.5, False), (3.9, False), (4.0, True)):
        values = {Signal.DEVICE_MODE: GIVEN_BACK, Signal.SETPOINT_READBACK_W: 0.0}
        snapshot = snapshot_of(values, now_ns=T0 + ns_from_s(after_s), healthy=False)
        permit = permit_of(may_increase=False)
        writes, _, _ = wrapper.decide(0.0, permit, snapshot, memory, force=False)
        written = [write.value for write in writes if write.point is Point.SETPOINT_W]
        assert written == ([0.0] if again else [])


def test_before_the_first_setpoint_a_rule_of_its_own_forces_nothing():
    wrapper = leading(DeviceMode.OWN_RULE)
    snapshot = snapshot_of({Signal.DEVICE_MODE: GIVEN_BACK}, healthy=False)
    writes, _, _ = wrapper.decide(0.0, permit_of(), snapshot, {}, force=False)
    assert [write.value for write in writes if write.point is Point.SETPOINT_W] == [0.0]
