"""Loads behind switches, on real protocols: plans, local rules, and everything that fails.

The switches are behind the gateway that the inverter and its relays are behind.
"""

import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.plan import Plan, PlannedLoad
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.devices.load_safety_wrapper import FROST_PROTECTION_C, REVERT_S
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.testing.plans import plan_of
from holdfast.testing.processes import Process
from holdfast.testing.rig import LOAD_W, Rig

BOILER_W = 2000.0
SILENT = "load_switch_load_silent"
"""The finding about a switch that does not answer or obey."""
SWITCH_S = 5.0
"""A switch is polled once a second; what it is told is told in the same cycle."""


@pytest.fixture(scope="module")
def site_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("loads"), with_loads=True) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(site_rig: Rig) -> Iterator[Rig]:
    """RUNNING on the local rule; the rooms are warm, so that every load is off."""
    site_rig.set(room_temperature_c=22.0)
    site_rig.to_running()
    assert not any(is_on(site_rig, name) for name in ("boiler", "parlour", "bath"))
    yield site_rig
    site_rig.clear()
    assert site_rig.damage() == {}


def load_of(rig: Rig, name: str = "boiler") -> dict[str, Any]:
    """What a load is really like."""
    load: dict[str, Any] = rig.plant()["loads"][name]
    return load


def is_on(rig: Rig, name: str = "boiler") -> bool:
    return bool(load_of(rig, name)["power_w"] > 0.0)


def plan_with(start_s: float, end_s: float, *loads: PlannedLoad) -> Plan:
    """One slot in which the battery covers the house and ``loads`` run."""
    plan = plan_of((start_s, end_s, 0.0))
    slot = replace(plan.slots[0], mode=SlotMode.SELF_CONSUMPTION, loads=loads)
    return replace(plan, slots=(slot,))


def load(rig: Rig, name: str = "boiler") -> Quantity:
    """As the status tells it."""
    return rig.until(lambda: rig.quantity(QuantityName.LOAD, name), "in the status")


def boil(rig: Rig, for_s: float = 60.0) -> None:
    """Let the boiler run by a plan."""
    reply = rig.send_plan(plan_with(-1, for_s, PlannedLoad(name="boiler", power_w=BOILER_W)))
    assert reply.accepted, reply.reason
    rig.until(lambda: is_on(rig), "the boiler on", SWITCH_S)


def rest(rig: Rig) -> None:
    """A plan in which no load runs."""
    assert rig.send_plan(plan_with(-1, 60)).accepted


def test_a_plan_gives_the_boiler_half_a_slot_and_then_it_goes_off(rig: Rig) -> None:
    """Were its share of the slot not looked at, it would run through and take twice as much."""
    before_wh = load_of(rig)["energy_wh"]
    slot_s = 12.0
    plan = plan_with(0, slot_s, PlannedLoad(name="boiler", power_w=BOILER_W / 2))
    assert rig.send_plan(plan).accepted
    rig.until(lambda: is_on(rig), "the boiler on", SWITCH_S)
    rig.until(lambda: load(rig).read_back, "seen on", SWITCH_S)
    told = load(rig)
    assert (told.asked, told.source, told.high, told.limited_by) == (1.0, "plan", 1.0, "")
    # What it takes is load as any other: the battery covers it.
    rig.until_power(-LOAD_W - BOILER_W, within_s=15.0)  # calmly, after so many steps
    rig.until(lambda: not is_on(rig), "the boiler off", slot_s)
    taken_wh = load_of(rig)["energy_wh"] - before_wh
    whole_wh = BOILER_W * slot_s / 3600.0
    assert 0.3 * whole_wh < taken_wh < 0.7 * whole_wh
    shown = rig.cli("status")
    assert "boiler" in shown.stdout
    on_record = "load boiler on: plan asks on (planned for the first 50 % of this slot)"
    log = ("audit", "show", "--last", "500")
    rig.until(lambda: on_record in rig.cli(*log).stdout, "on record", every_s=0.5)


def test_without_a_plan_a_room_is_kept_by_its_thermometer(rig: Rig) -> None:
    """Were there no local rule, the cold room would stay cold."""
    rig.until(lambda: load(rig).source == "local_rule", "no plan")
    rig.set(room_temperature_c=19.0)
    rig.until(lambda: is_on(rig, "parlour"), "the heater on", SWITCH_S)
    rig.until(lambda: is_on(rig, "bath"), "the thermostat heats", SWITCH_S)
    assert load_of(rig, "bath")[Signal.ROOM_SETPOINT_READBACK_C] == 20.0
    assert not is_on(rig), "a boiler without a plan is off"
    rig.set(room_temperature_c=20.6)
    rig.until(lambda: not is_on(rig, "parlour"), "the heater off", SWITCH_S)
    rig.until(lambda: not is_on(rig, "bath"), "the thermostat rests", SWITCH_S)
    rig.until(lambda: load(rig, "parlour").asked == 0.0, "told in the status")
    assert load(rig, "parlour").source == "local_rule"


def test_a_plan_warms_a_room_beyond_its_lower_end(rig: Rig) -> None:
    """Were the plan's temperature not followed, both rooms would rest: they are warm enough."""
    loads = [
        PlannedLoad(name="parlour", power_w=1500, temperature_c=22.5),
        PlannedLoad(name="bath", power_w=800, temperature_c=22.5),
    ]
    rig.set(room_temperature_c=21.0)
    assert rig.send_plan(plan_with(-1, 60, *loads)).accepted
    rig.until(lambda: is_on(rig, "parlour") and is_on(rig, "bath"), "both heated", SWITCH_S)
    assert load_of(rig, "bath")[Signal.ROOM_SETPOINT_READBACK_C] == 22.5
    # Whatever the plan says: not beyond the comfort.
    rig.set(room_temperature_c=23.1)
    rig.until(lambda: not is_on(rig, "parlour"), "the heater off", SWITCH_S)
    rest(rig)


def test_the_emergency_stop_switches_all_loads_off(rig: Rig) -> None:
    """Were loads not blocked in STOPPED, the plan would go on with them."""
    boil(rig)
    rig.set(room_temperature_c=19.0)
    heat = [PlannedLoad(name=name, power_w=800, temperature_c=22.0) for name in ("parlour", "bath")]
    loads = (PlannedLoad(name="boiler", power_w=BOILER_W), *heat)
    assert rig.send_plan(plan_with(-1, 60, *loads)).accepted
    rig.until(lambda: is_on(rig) and is_on(rig, "bath"), "all on", SWITCH_S)
    assert rig.command(Command.EMERGENCY_STOP).accepted
    rig.until(
        lambda: not any(is_on(rig, name) for name in ("boiler", "parlour", "bath")), "all off", 2.0
    )
    assert load_of(rig, "bath")[Signal.ROOM_SETPOINT_READBACK_C] == FROST_PROTECTION_C
    rig.until(lambda: load(rig).limited_by == "state_stopped", "told why")
    rest(rig)


@pytest.mark.parametrize(
    ("kind", "value"), [("absent", None), ("slow", 3.0), ("exception", 4), ("reset", None)]
)
def test_a_load_switch_that_fails_on_its_wire_does_not_touch_the_battery(
    rig: Rig, kind: str, value: float | None
) -> None:
    """Were writes to all devices made one after the other, or loads part of what must keep coming,
    the battery would stand still, or go to 0 W."""
    boil(rig)
    before = rig.status
    assert before is not None
    name = "boiler/load_switch"
    rig.until_power(-LOAD_W - BOILER_W, within_s=15.0)  # calmly, after so many steps
    rig.fault("load_switch", kind, value, of="boiler")
    try:
        rest(rig)  # it is told to go off, and is not told anything any more
        for load_w in (900.0, 300.0, 900.0):
            rig.set(load_override_w=load_w)
            rig.until(lambda w=load_w: abs(rig.plant()["grid_power_w"]) < 50.0, f"{load_w} W", 15.0)
        assert rig.state is State.RUNNING
        assert not [row for row, reaction in rig.findings().items() if reaction != "log"]
        rig.until(
            lambda: rig.status and rig.status.comms[name].errors > before.comms[name].errors,
            "errors counted",
        )
        status = rig.status
        assert status is not None
        assert status.loop.missed - before.loop.missed < 10
        rig.clear()
        rig.until(lambda: not is_on(rig), "the boiler off", REVERT_S / 2)
    finally:
        rig.clear()
        rig.set(load_override_w=LOAD_W)


def test_a_load_switch_that_does_not_obey_is_logged_and_trips_nothing(rig: Rig) -> None:
    """Were it treated as an inverter is, the site would trip; were it not read back, nobody would
    know."""
    rig.fault("load_switch", "ignore_setpoint", of="boiler")
    plan = plan_with(-1, 120, PlannedLoad(name="boiler", power_w=BOILER_W))
    assert rig.send_plan(plan).accepted
    rig.until(lambda: SILENT in rig.findings(), "the finding", 40.0)
    assert rig.findings()[SILENT] == "log"
    assert not is_on(rig)
    assert rig.state is State.RUNNING
    rig.until_power(-LOAD_W)
    rig.clear()
    rig.until(lambda: is_on(rig), "the boiler on", 15.0)
    rig.until(lambda: SILENT not in rig.findings(), "the finding gone", 15.0)
    rest(rig)
    rig.until(lambda: not is_on(rig), "the boiler off", SWITCH_S)


def test_when_the_controller_is_killed_the_switch_goes_off_by_its_own_timer(rig: Rig) -> None:
    """Were the timer not armed, the boiler would stay on for ever."""
    boil(rig)
    assert load_of(rig)[Signal.LOAD_REVERT_READBACK_S] == REVERT_S
    rig.processes["controller"].signal(signal.SIGKILL)
    rig.processes["controller"].wait()
    rig.until(lambda: rig.is_safe, "0 W by the watchdog", 5.0)
    assert is_on(rig), "nobody switches it off but itself"
    rig.set(load_switch_silence_s=REVERT_S - 10.0)
    rig.until(lambda: not is_on(rig), "the boiler off", 12.0)
    rig.start("controller")


def test_loads_go_off_when_the_controller_ends_and_a_dead_switch_does_not_hold_it_up(
    rig: Rig,
) -> None:
    """Were they left to their timers, the boiler would run on for a minute; were the dead switch's
    read-back waited for, the site would not be seen at rest, and the controller say so."""
    boil(rig)
    rig.fault("load_switch", "absent", of="parlour")
    controller: Process = rig.processes["controller"]
    controller.signal(signal.SIGTERM)
    assert controller.wait() == 0
    assert not is_on(rig)
    assert rig.is_safe
    # Nor does it hold up a start. Nobody has heard of it since, and that is told.
    rig.start("controller")
    rig.until_running(lambda: rig.is_connected, "its contactor closed")
    rig.until(lambda: rig.findings().get(SILENT) == "log", "the finding")
    rig.clear()
    rig.until(lambda: SILENT not in rig.findings(), "the finding gone", 15.0)
    power = rig.quantity(QuantityName.BATTERY_POWER)
    assert power is not None
    assert power.written is not None
