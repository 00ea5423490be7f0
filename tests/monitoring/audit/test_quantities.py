"""Quantities in the audit log: what matters, with its way through the layers, and no flood."""

from dataclasses import replace

import pytest

from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Command, Point
from holdfast.core.plan import PlannedLoad
from holdfast.core.signals import Signal
from holdfast.core.texts import MAX_REASON
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit.events import decode_event, encode_event
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.quantities.table import ROW_OF
from holdfast.monitoring.throttle import NEVER_NS
from tests.builders import (
    LOAD,
    UNIT,
    build_site,
    device,
    load_content,
    room_content,
    unit_content,
)
from tests.monitoring.audit.test_observer import AuditBench, a_plan
from tests.monitoring.quantities.test_table import limiting

# The battery's power. --------------------------------------------------------------------------


def test_a_setpoint_is_on_record_with_its_way_through_the_layers() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(1.5)
    bench.set(Signal.CHARGE_CURRENT_LIMIT_A, 45.0)
    bench.set(Signal.PACK_VOLTAGE_V, 53.2)
    plan = a_plan(bench, 4000.0)
    bench.run(4.0, plan=plan)
    last = bench.powers[-1]
    power = last.quantity
    assert (power.owner, power.unit, power.source, power.reason) == (UNIT, "W", "plan", "cheap")
    assert last.slot is not None
    assert (last.slot.plan_id, last.slot.mode, last.slot.battery_power_w) == ("p1", "power", 4000.0)
    assert (power.asked_of_site, power.asked) == (4000.0, 2394.0)
    assert (power.high, power.high_by, power.limited_by) == (
        2394.0,
        "charge_current_limit_a",
        "charge_current_limit_a",
    )
    assert power.permitted == power.ramped == power.written == 2394.0
    assert last.beside == {
        "soc_pct": 50.0,
        "pack_voltage_v": 53.2,
        "charge_current_limit_a": 45.0,
        "discharge_current_limit_a": 200.0,
    }
    assert last.grid_power_w == pytest.approx(2394.0, abs=20.0)  # of the cycle before


def test_a_block_is_on_record_with_its_cause() -> None:
    bench = AuditBench()
    bench.start()
    plan = a_plan(bench, 4000.0)
    bench.run(3.0, plan=plan)
    bench.set(Signal.SOC_PCT, 96.0)
    bench.run(0.1, plan=plan)
    last = bench.powers[-1]
    assert (last.quantity.written, last.quantity.limited_by) == (0.0, "soc_high")
    assert "soc_pct above 95 %: 96" in [cause.text for cause in last.causes]
    bench.set(Signal.SOC_PCT, 50.0)
    bench.set(Signal.CONTACTOR_CLOSED, None)
    bench.run(3.0, plan=plan)
    assert bench.powers[-1].quantity.limited_by == "contactor_confirmed"


def test_zero_is_on_record_at_once_and_everything_else_once_a_second() -> None:
    bench = AuditBench(build_site(unit_content(operation={"ramp_w_per_s": 1e6})))
    bench.start()
    up, down = a_plan(bench, 4000.0), a_plan(bench, 3700.0)  # too little to be an oscillation
    times: list[tuple[int, float | None]] = []
    for index in range(1000):
        before = len(bench.powers)
        bench.step(plan=(up, down)[index // 3 % 2])
        times += [(bench.now_ns, event.quantity.written) for event in bench.powers[before:]]
    seconds = 20
    assert seconds - 2 <= len([1 for _, power_w in times if power_w]) <= seconds
    assert len(times) <= 2 * seconds
    bench.step(plan=up)
    bench.run(3.0, plan=up)
    bench.step(Command.EMERGENCY_STOP)
    assert bench.powers[-1].quantity.written == 0.0


def test_a_change_that_came_too_soon_gets_its_line_a_second_after_the_last() -> None:
    bench = AuditBench(build_site(unit_content(operation={"ramp_w_per_s": 1e6})))
    bench.start()
    bench.run(3.0)
    bench.run(0.3, plan=a_plan(bench, 1000.0))
    assert bench.powers[-1].quantity.written == 1000.0
    bench.run(0.6, plan=a_plan(bench, 2000.0))
    assert bench.powers[-1].quantity.written == 1000.0
    record = bench.run(0.12, plan=a_plan(bench, 2000.0))
    assert not record.writes  # it does not wait for the next write
    assert bench.powers[-1].quantity.written == 2000.0


def test_the_end_of_a_ramp_gets_its_line() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(1.5)
    bench.run(2.5, plan=a_plan(bench, 500.0))
    shown = len(bench.powers)
    bench.run(0.2, plan=a_plan(bench, 1000.0))
    bench.step(plan=a_plan(bench, 500.0))
    bench.run(1.5, plan=a_plan(bench, 1000.0))
    assert [event.quantity.written for event in bench.powers[shown:]] == [900.0, 1000.0]


def test_small_changes_get_no_line_and_are_counted_in_the_next() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(4.0, plan=a_plan(bench, 1000.0))
    shown = len(bench.powers)
    for power_w in (1100.0, 1150.0, 900.0):
        bench.run(0.5, plan=a_plan(bench, power_w))
    assert len(bench.powers) == shown
    bench.run(2.0, plan=a_plan(bench, 2000.0))
    event = bench.powers[shown]
    assert event.left_out > 3
    assert (event.lowest, event.highest) == (900.0, event.quantity.written)


def test_another_reason_is_worth_a_line_at_the_next_write() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(4.0, plan=a_plan(bench, 1000.0))
    shown = len(bench.powers)
    bench.run(3.0, plan=a_plan(bench, 1000.0, "x" * MAX_REASON))
    (event,) = bench.powers[shown:]
    assert len(event.quantity.reason) == MAX_REASON


# Export limits, loads and rooms. ---------------------------------------------------------------

WHY = "throttles PV: export costs 3.0 ct now"


def hybrid() -> AuditBench:
    """In RUNNING, with nothing but the grid connection to limit the export."""
    bench = AuditBench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.start()
    bench.run(1.0)
    return bench


def with_loads() -> AuditBench:
    bench = AuditBench(
        build_site(
            loads=[load_content()], rooms=[room_content(switch=device("generic_thermostat"))]
        )
    )
    bench.set(Signal.ROOM_TEMPERATURE_C, 20.4567, "parlour")
    bench.start()
    return bench


def heated(bench: AuditBench, power_w: float) -> AcceptedPlan:
    """A plan in which the boiler runs with ``power_w``."""
    accepted = a_plan(bench, 0.0)
    load = PlannedLoad(name=LOAD, power_w=power_w)
    slots = tuple(replace(slot, loads=(load,)) for slot in accepted.plan.slots)
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


def test_what_a_device_is_told_first_is_on_record_and_so_is_each_change() -> None:
    bench = hybrid()
    (first,) = bench.told(QuantityName.EXPORT_LIMIT)
    assert (first.quantity.written, first.quantity.source) == (10_000.0, "grid_connection")
    bench.run(130.0, plan=limiting(bench, 100.0), dt_s=0.2)
    refreshed = [w for r in bench.records for w in r.writes if w.point is Point.EXPORT_LIMIT_W]
    assert len(refreshed) > 3, "and a refresh is not"
    bench.run(1.0)
    told = bench.told(QuantityName.EXPORT_LIMIT)[1:]
    assert [
        (e.quantity.written, e.quantity.source, e.quantity.reason, e.left_out) for e in told
    ] == [
        (100.0, "plan", WHY, 0),
        (10_000.0, "grid_connection", "the grid connection permits no more", 0),
    ]
    assert describe(told[0]) == f"export limit battery 100 W: plan asks 100 W ({WHY})"
    assert decode_event(encode_event(told[0])) == told[0]


def test_a_plan_gone_mad_gets_few_lines_and_they_count_the_others() -> None:
    bench = hybrid()
    allowance = ROW_OF[Point.EXPORT_LIMIT_W].lines.allowance
    bench.events.clear()
    for number in range(40):
        bench.run(
            0.2, plan=limiting(bench, 100.0 + 50.0 * (number % 2), "mad " * (MAX_REASON // 4))
        )
    told = bench.told(QuantityName.EXPORT_LIMIT)
    # One of those at once was that of the start.
    assert [event.left_out for event in told] == [0] * (allowance.at_once - 1)
    assert all(len(event.quantity.reason) == MAX_REASON for event in told)
    bench.now_ns += allowance.every_ns - 20 * NS_PER_S
    bench.state = replace(bench.state, time_ns=bench.now_ns)
    bench.run(30.0, dt_s=0.2)
    (late,) = bench.told(QuantityName.EXPORT_LIMIT)[len(told) :]
    assert (late.quantity.written, late.left_out) == (10_000.0, 37)
    assert describe(late).endswith("(37 more before)")


def test_a_load_that_is_switched_gets_a_line_with_who_asked_and_why() -> None:
    bench = with_loads()
    bench.run(1.0, plan=heated(bench, 2000.0))
    first, on = bench.told(QuantityName.LOAD)
    assert (first.quantity.owner, first.quantity.written) == (LOAD, 0.0)
    assert on.quantity.source == "plan"
    assert describe(on) == (
        "load boiler on: plan asks on (planned for the first 100 % of this slot)"
    )
    bench.step(Command.EMERGENCY_STOP, plan=heated(bench, 2000.0))
    off = bench.told(QuantityName.LOAD)[-1]
    assert (off.quantity.written, off.quantity.limited_by) == (0.0, "state_stopped")
    assert describe(off).endswith("limited by state_stopped, permitted off")


def test_a_load_that_flaps_gets_few_lines_and_they_count_the_others() -> None:
    bench = with_loads()
    allowance = ROW_OF[Point.LOAD_ON].lines.allowance
    bench.run(2.0)
    bench.events.clear()
    for number in range(2 * allowance.every_ns // NS_PER_S):
        bench.run(1.0, plan=heated(bench, 2000.0 * (number % 2)), dt_s=0.25)
    told = bench.told(QuantityName.LOAD)
    assert [event.quantity.written for event in told[:4]] == [1.0, 0.0] * 2
    assert [event.left_out for event in told[:4]] == [0] * 4
    assert 5 <= len(told) <= 7
    assert told[4].left_out == pytest.approx(allowance.every_ns / NS_PER_S, abs=5)


def test_what_was_put_off_gets_its_line_without_another_write() -> None:
    bench = with_loads()
    for number in range(6):
        bench.run(0.3, plan=heated(bench, 2000.0 * (number % 2 == 0)))
    on = heated(bench, 2000.0)
    bench.run(0.1, plan=on)
    key = (QuantityName.LOAD, LOAD)
    due_ns = bench.memory.due_ns
    assert due_ns == bench.memory.quantities[key].throttle.due_ns > bench.now_ns
    shown = len(bench.told(QuantityName.LOAD))
    bench.now_ns = due_ns - NS_PER_S
    bench.state = replace(bench.state, time_ns=bench.now_ns)
    record = bench.run(1.02, plan=on)
    assert not record.writes
    (event,) = bench.told(QuantityName.LOAD)[shown:]
    assert event.quantity.written == 1.0
    assert event.left_out > 0
    assert bench.memory.quantities[key].throttle.due_ns == NEVER_NS


def test_a_thermostat_gets_a_line_with_its_temperature_and_none_for_what_it_does_itself() -> None:
    bench = with_loads()
    bench.run(1.0)
    (event,) = bench.told(QuantityName.ROOM_SETPOINT)
    assert (event.quantity.written, event.quantity.measured) == (20.0, 20.457)
    assert event.beside == {"room_temperature_c": 20.457}
    assert describe(event) == (
        "room setpoint parlour 20.0 °C: local_rule asks 20.0 °C (the thermostat heats by itself), "
        "before it measured 20.5 °C"
    )
    assert {event.quantity.owner for event in bench.told(QuantityName.LOAD)} == {LOAD}
