"""A unit whose inverter has the only contactor."""

import pytest

from holdfast.control.storage.power_ramper import Setpoint
from holdfast.control.storage.unit import UnitControl, UnitMemory
from holdfast.core.commands import Point
from holdfast.core.config import StorageUnit
from holdfast.devices.contactor.memory import RelayMemory, Wear
from holdfast.devices.contactor.none import NoContactor
from tests.builders import UNIT, permit_of, snapshot_of, unit_content

OWN = StorageUnit.model_validate(unit_content() | {"relays": {"none": "the inverter has its own"}})
POINTS = {Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S}


def applied(power_w, memory=None, **permit):
    setpoint = Setpoint(unit=UNIT, asked_w=power_w, permitted_w=power_w, power_w=power_w)
    return UnitControl(OWN, POINTS).apply(
        setpoint, permit_of(**permit), snapshot_of(), memory or UnitMemory(), force=False
    )


def test_it_is_known_that_there_is_none():
    assert not OWN.has_contactor
    assert StorageUnit.model_validate(unit_content()).has_contactor


def test_power_flows_at_once_and_nothing_is_written_to_relays():
    writes, memory, findings = applied(1000.0)
    assert {write.point: write.value for write in writes} == {
        Point.SETPOINT_W: 1000.0, Point.ENABLE: 1.0, Point.REVERT_TIMEOUT_S: 5.0,
    }  # fmt: skip
    assert (memory.setpoint_w, memory.relays, findings) == (1000.0, RelayMemory(), ())


def test_without_leave_to_run_setpoint_and_power_stage_are_all_that_can_be_taken_away():
    writes, *_ = applied(1000.0, may_run=False, may_connect=False)
    assert {write.point: write.value for write in writes} == {
        Point.SETPOINT_W: 0.0, Point.ENABLE: 0.0, Point.REVERT_TIMEOUT_S: 5.0,
    }  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True])
def test_whatever_is_asked_nothing_is_done_and_what_was_counted_stays(at_once):
    memory = RelayMemory(wear=Wear(closings=3))
    none = NoContactor()
    assert none.is_ready(memory)
    assert none.decide(permit_of(), snapshot_of(), memory, at_once=at_once) == ((), memory, ())


@pytest.mark.parametrize("connected", [False, True])
def test_power_may_flow_while_the_unit_is_to_run(connected):
    assert NoContactor().is_connected(RelayMemory(), permit_of(may_connect=connected)) is connected
    _, memory, _ = applied(0.0, may_connect=connected)
    assert bool(memory.seen.seen_ns) is connected  # who sees its power is asked only then
