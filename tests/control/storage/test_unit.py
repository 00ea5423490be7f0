"""One unit: its wrappers in their order, all that they find, and no power before it is ready."""

import pytest

from holdfast.control.storage.power_ramper import Setpoint
from holdfast.control.storage.unit import UnitControl, UnitMemory
from holdfast.core.commands import Point
from holdfast.core.device_mode import DeviceMode
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.contactor.memory import is_told_closed
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.power_follow_up import FollowUpMemory
from holdfast.devices.unseen_power import SeenMemory
from holdfast.safety.faults import finding
from tests.builders import (
    T0,
    UNIT,
    build_site,
    device,
    permit_of,
    points_of,
    snapshot_of,
    unit_content,
    worn,
)

SITE = build_site()
SETPOINT = Setpoint(unit=UNIT, asked_w=900.0, permitted_w=900.0, power_w=900.0)


@pytest.fixture
def control():
    return UnitControl(SITE.storage[0], points_of(SITE)[UNIT])


def apply(control, permit=None, memory=None, **how):
    writes, memory, findings = control.apply(
        SETPOINT,
        permit or permit_of(),
        snapshot_of(),
        memory or UnitMemory(),
        **{"force": False, **how},
    )
    return {write.point: write.value for write in writes}, memory, findings


def test_while_the_contactor_is_not_ready_there_is_no_power_and_no_enable(control, monkeypatch):
    monkeypatch.setattr(control._relays, "is_ready", lambda _: False)
    written, memory, _ = apply(control)
    assert written[Point.SETPOINT_W] == written[Point.ENABLE] == 0.0
    assert written[Point.CHARGE_POWER_W] == written[Point.DISCHARGE_POWER_W] == 0.0
    assert memory.setpoint_w == 0.0  # so that the ramp begins at zero once it is
    monkeypatch.setattr(control._relays, "is_ready", lambda _: True)
    written, memory, _ = apply(control)
    assert (written[Point.SETPOINT_W], written[Point.ENABLE]) == (900.0, 1.0)
    assert written[Point.CHARGE_POWER_W] == memory.setpoint_w == 900.0


def test_the_export_limit_goes_to_an_inverter_that_has_one_and_to_no_other(control):
    assert Point.EXPORT_LIMIT_W not in apply(control, permit_of(export_limit_w=100.0))[0]
    site = build_site(unit_content(inverter=device("generic_hybrid")))
    hybrid = UnitControl(site.storage[0], points_of(site)[UNIT], worn({Point.EXPORT_LIMIT_W: 7}))
    written, memory, _ = apply(hybrid, permit_of(export_limit_w=100.0))
    assert written[Point.EXPORT_LIMIT_W] == 100.0
    assert memory.inverter[Point.EXPORT_LIMIT_W].spent.budget == 7


def test_what_any_of_the_wrappers_finds_is_told(control, monkeypatch):
    def finds(name):
        return finding("setpoint_ignored", UNIT, T0, name)

    names = ("inverter", "bms", "relays", "life", "follow_up", "unseen")
    told = {name: finds(name) for name in names}
    for name in ("inverter", "bms", "relays"):
        wrapper = getattr(control, f"_{name}")
        decide = wrapper.decide
        monkeypatch.setattr(
            wrapper, "decide",
            lambda *args, _decide=decide, _name=name, **how: (
                *_decide(*args, **how)[:2], (told[_name],),
            ),
        )  # fmt: skip
    monkeypatch.setattr(control._life, "judge", lambda memory, _: (memory, (told["life"],)))
    monkeypatch.setattr(
        control._follow_up, "check", lambda *_: (FollowUpMemory(), (told["follow_up"],))
    )
    monkeypatch.setattr(
        control._unseen, "check", lambda *_, **__: (SeenMemory(), (told["unseen"],))
    )
    assert apply(control)[2] == tuple(told.values())


def test_only_a_setpoint_that_was_written_is_followed_up(control, monkeypatch):
    followed = []

    def check(setpoint_w, snapshot, memory):
        followed.append(setpoint_w)
        return FollowUpMemory(setpoint_w=setpoint_w), ()

    monkeypatch.setattr(control._follow_up, "check", check)
    _, memory, _ = apply(control)
    assert followed == [900.0]
    assert memory.follow_up == FollowUpMemory(setpoint_w=900.0)
    _, memory, _ = apply(control, permit_of(may_write=False), memory)
    assert followed == [900.0]
    assert memory.follow_up == FollowUpMemory()
    monkeypatch.setattr(control._inverter, "decide", lambda *_, **__: ((), {}, ()))
    _, memory, _ = apply(control)
    assert followed == [900.0]
    monkeypatch.undo()
    _, memory, _ = apply(control)
    monkeypatch.setattr(control._follow_up, "check", check)
    held = {Point.SETPOINT_W: memory.inverter[Point.SETPOINT_W]}
    monkeypatch.setattr(control._inverter, "decide", lambda *_, **__: ((), held, ()))
    apply(control, permit_of(may_write=False))
    assert followed == [900.0]


def test_nothing_is_opened_under_load_unless_it_is_said(control, monkeypatch):
    asked = []
    decide = control._relays.decide

    def watched(*args, at_once):
        asked.append(at_once)
        return decide(*args, at_once=at_once)

    monkeypatch.setattr(control._relays, "decide", watched)
    apply(control)
    apply(control, at_once=True)
    assert asked == [False, True]


def test_whether_power_is_seen_is_asked_while_the_contactor_is_told_to_be_closed(control):
    """From the very cycle in which it is told to close, and until it is told to open."""
    _, memory, findings = apply(control)
    assert is_told_closed(memory.relays)
    assert memory.seen.seen_ns == {Role.INVERTER: T0, Role.BMS: T0}
    later_ns = T0 + 5 * NS_PER_S
    silent = snapshot_of(
        {Signal.BATTERY_POWER_W: None, Signal.BATTERY_CURRENT_A: None}, now_ns=later_ns
    )
    _, after, findings = control.apply(SETPOINT, permit_of(), silent, memory, force=False)
    assert after.seen == memory.seen
    assert "battery/power_unseen" in {found.key for found in findings}
    not_any_more = permit_of(may_connect=False, may_run=False)
    writes, after, findings = control.apply(
        SETPOINT, not_any_more, silent, memory, force=False, at_once=True
    )
    assert (Point.CONTACTOR, 0.0) in {(write.point, write.value) for write in writes}
    assert after.seen == SeenMemory()
    assert "battery/power_unseen" not in {found.key for found in findings}


@pytest.mark.parametrize(
    ("may", "written_w"),
    [({}, 900.0), ({"may_run": False}, None), ({"may_write": False}, None)],
)
def test_only_one_that_runs_is_expected_to_carry_out_what_is_written(
    control, monkeypatch, may, written_w
):
    expected = []

    def check(_, written, memory, now_ns):
        expected.append(written)
        return memory, (finding("command_held", UNIT, now_ns, "held"),)

    monkeypatch.setattr(control._relays, "is_ready", lambda _: True)
    monkeypatch.setattr(control._held, "check", check)
    _, memory, _ = apply(control)  # what is written once is remembered
    expected.clear()
    _, _, findings = apply(control, permit_of(**may), memory)
    assert expected == [written_w]
    assert "command_held" in {found.row for found in findings}


def test_one_that_is_left_to_its_own_rule_starts_from_zero_and_is_judged_by_nothing(
    control, monkeypatch
):
    _, memory, _ = apply(control)
    expected = []
    monkeypatch.setattr(control._inverter, "mode_of", lambda *_: DeviceMode.LOAD_FIRST)
    monkeypatch.setattr(
        control._held, "check", lambda _, written, held, __: expected.append(written) or (held, ())
    )
    monkeypatch.setattr(control._follow_up, "check", None)
    written, memory, findings = apply(control, memory=memory)
    assert written[Point.CHARGE_POWER_W] == memory.setpoint_w == 0.0
    assert memory.follow_up == control._follow_up.excused(T0)
    assert expected == [None]
    assert findings == ()


@pytest.mark.parametrize(("step", "held"), [(0.0, True), (2000.0, False)])
def test_what_the_device_keeps_no_finer_is_not_held_back(step, held):
    traits = {Point.SETPOINT_W: PointTraits(step=step), Point.ENABLE: PointTraits()}
    unit = UnitControl(SITE.storage[0], points_of(SITE)[UNIT], traits)
    memory = unit._held.check(SETPOINT, 300.0, UnitMemory().held, T0)[0]
    assert (memory.since_ns is not None) is held
