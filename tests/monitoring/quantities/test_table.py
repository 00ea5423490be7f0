"""The table of quantities: what each actuator was asked, permitted and told, and what it shows."""

from dataclasses import replace

from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Command, Point
from holdfast.core.device_mode import DeviceMode
from holdfast.core.signals import Signal
from holdfast.devices.load_safety_wrapper import FROST_PROTECTION_C
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName, by_owner
from holdfast.monitoring.quantities.table import quantities
from tests.builders import (
    LOAD,
    UNIT,
    Bench,
    build_site,
    device,
    load_content,
    room_content,
    unit_content,
)
from tests.control.test_device_modes import plan_of as leading
from tests.control.test_device_modes import site as led_site
from tests.monitoring.audit.test_observer import a_plan

WHY = "throttles PV: export costs 3.0 ct now"
GRID_W = 10_000.0


def limiting(bench: Bench, limit_w: float | None, reason: str = WHY) -> AcceptedPlan:
    """A plan that limits the export."""
    accepted = a_plan(bench, 0.0, reason)
    slots = tuple(replace(slot, export_limit_w=limit_w) for slot in accepted.plan.slots)
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


def of(bench: Bench, name: QuantityName) -> dict[str, Quantity]:
    return by_owner(quantities(bench.state, bench.records[-1]), name)


def hybrid() -> Bench:
    """In RUNNING, with nothing but the grid connection to limit the export."""
    bench = Bench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.start()
    bench.run(1.0)
    return bench


def test_the_power_of_each_unit_is_its_share_and_limited_by_its_own_layer() -> None:
    bench = Bench(build_site(unit_content("left"), unit_content("right")))
    bench.start()
    bench.load_w = -4000.0  # a surplus that already takes its part of the export
    bench.set(Signal.CHARGE_CURRENT_LIMIT_A, 45.0, "left")
    bench.run(10.0, plan=a_plan(bench, 9000.0))
    units = of(bench, QuantityName.BATTERY_POWER)
    assert units.keys() == {"left", "right"}
    left, right = units["left"], units["right"]
    assert (left.asked_of_site, left.source, left.reason) == (9000.0, "plan", "cheap")
    assert left.asked == left.permitted == left.high == left.ramped
    assert (left.high_by, left.limited_by) == ("charge_current_limit_a", "charge_current_limit_a")
    assert (right.high, right.limited_by) == (5000.0, "site.yaml")
    assert (right.low_by, left.low_by) == ("grid_connection", "grid_connection")
    assert right.written == right.read_back == right.measured == right.ramped == 5000.0
    bench.run(1.0, plan=a_plan(bench, 3000.0))
    assert {unit.limited_by for unit in of(bench, QuantityName.BATTERY_POWER).values()} == {""}
    bench.set(Signal.SOC_PCT, 2.0, "left")
    bench.run(4.0, plan=a_plan(bench, -9000.0))
    left = of(bench, QuantityName.BATTERY_POWER)["left"]
    assert (left.low, left.low_by, left.limited_by) == (0.0, "soc_low", "soc_low")


def test_where_no_power_is_permitted_that_is_what_limits_it_though_none_is_asked() -> None:
    bench = Bench()
    bench.run(0.1)
    power = of(bench, QuantityName.BATTERY_POWER)[UNIT]
    assert (power.asked_of_site, power.limited_by) == (0.0, "state_idle")


def test_an_export_limit_is_the_plans_or_the_grid_connections() -> None:
    bench = hybrid()
    plain = of(bench, QuantityName.EXPORT_LIMIT)[UNIT]
    assert plain == Quantity(
        owner=UNIT,
        name="export_limit",
        unit="W",
        asked=GRID_W,
        source="grid_connection",
        reason="the grid connection permits no more",
        permitted=GRID_W,
        written=GRID_W,
        read_back=GRID_W,
        measured=None,
    )
    bench.run(1.0, plan=limiting(bench, 100.0))
    limit = of(bench, QuantityName.EXPORT_LIMIT)[UNIT]
    assert (limit.asked, limit.source, limit.reason) == (100.0, "plan", WHY)
    assert limit.permitted == limit.written == limit.read_back == 100.0
    bench.set(Signal.EXPORT_LIMIT_READBACK_W, None)
    bench.run(2.0, plan=limiting(bench, None))
    lost = of(bench, QuantityName.EXPORT_LIMIT)[UNIT]
    assert (lost.source, lost.asked, lost.read_back) == ("grid_connection", GRID_W, None)
    bench.step(Command.STOP, plan=limiting(bench, 100.0))
    stopped = of(bench, QuantityName.EXPORT_LIMIT)[UNIT]
    assert (stopped.source, stopped.asked) == ("grid_connection", GRID_W), "it is not followed"


def test_where_no_inverter_takes_a_limit_there_is_none() -> None:
    bench = Bench()
    bench.start()
    bench.run(0.5, plan=limiting(bench, 100.0))
    assert of(bench, QuantityName.EXPORT_LIMIT) == {}


def test_the_pv_switch_is_the_plans_while_there_is_room_for_the_import() -> None:
    bench = hybrid()

    def switch() -> Quantity:
        return of(bench, QuantityName.PV_SWITCH)[UNIT]

    def plan() -> AcceptedPlan:
        accepted = a_plan(bench, 0.0, "paid")
        slots = tuple(replace(slot, pv_on=False) for slot in accepted.plan.slots)
        return replace(accepted, plan=replace(accepted.plan, slots=slots))

    assert switch() == Quantity(
        owner=UNIT,
        name="pv_switch",
        unit="0/1",
        asked=1.0,
        source="passive",
        reason="nobody asks for less",
        permitted=1.0,
        written=1.0,
        read_back=1.0,
        measured=None,
    )
    bench.run(1.0, plan=plan())
    off = switch()
    assert (off.asked, off.source, off.reason, off.limited_by) == (0.0, "plan", "paid", "")
    assert off.permitted == off.written == off.read_back == 0.0
    bench.set(Signal.PV_POWER_W, None)
    bench.run(2.0, plan=plan())
    kept = switch()
    assert (kept.asked, kept.permitted, kept.written) == (0.0, 1.0, 1.0)
    assert (kept.source, kept.limited_by) == ("plan", "room_for_import")
    bench.step(Command.STOP, plan=plan())
    assert (switch().source, switch().asked) == ("passive", 1.0), "it is not followed"
    plain = Bench()
    plain.start()
    assert of(plain, QuantityName.PV_SWITCH) == {}


def with_loads(**changes: object) -> Bench:
    bench = Bench(
        build_site(
            loads=[load_content(without_plan="on")],
            rooms=[room_content(switch=device("generic_thermostat"))],
            **changes,
        )
    )
    bench.set(Signal.ROOM_TEMPERATURE_C, 19.0, "parlour")
    bench.start()
    bench.run(1.0)
    return bench


def test_a_load_is_on_or_off_and_a_thermostat_has_its_temperature_as_well() -> None:
    bench = with_loads()
    loads, rooms = of(bench, QuantityName.LOAD), of(bench, QuantityName.ROOM_SETPOINT)
    assert loads[LOAD] == Quantity(
        owner=LOAD,
        name="load",
        unit="0/1",
        asked=1.0,
        source="local_rule",
        reason="no plan for it: on",
        low=0.0,
        high=1.0,
        permitted=1.0,
        written=1.0,
        read_back=1.0,
        measured=None,
    )
    assert loads["parlour"].written is None, "it heats by itself"
    assert rooms == {
        "parlour": Quantity(
            owner="parlour",
            name="room_setpoint",
            unit="°C",
            asked=20.0,
            source="local_rule",
            reason="the thermostat heats by itself",
            permitted=20.0,
            written=20.0,
            read_back=20.0,
            measured=19.0,
        )
    }


def test_what_keeps_loads_off_limits_them_and_a_thermostat_to_frost_protection() -> None:
    bench = with_loads()
    bench.deaf.add(Point.LOAD_ON)
    bench.set(Signal.LOAD_ON, None, LOAD)
    bench.step(Command.EMERGENCY_STOP)
    bench.run(0.1)
    load, room = (
        of(bench, QuantityName.LOAD)[LOAD],
        of(bench, QuantityName.ROOM_SETPOINT)["parlour"],
    )
    assert (load.asked, load.permitted, load.high, load.high_by, load.limited_by) == (
        1.0,
        0.0,
        0.0,
        "state_stopped",
        "state_stopped",
    )
    assert load.written == 0.0
    assert (room.asked, room.permitted, room.high, room.limited_by) == (
        20.0,
        FROST_PROTECTION_C,
        FROST_PROTECTION_C,
        "state_stopped",
    )


def test_a_site_that_observes_tells_what_would_be_asked_and_writes_nothing() -> None:
    bench = Bench(build_site(authority="observe", loads=[load_content(without_plan="on")]))
    bench.run(0.5)
    found = quantities(bench.state, bench.records[-1])
    assert {(quantity.name, quantity.written) for quantity in found} == {
        ("battery_power", None),
        ("load", None),
    }
    assert {quantity.limited_by for quantity in found} == {"authority_observe"}


def test_a_device_mode_is_the_plans_and_told_with_what_keeps_it_from_the_inverter() -> None:
    site = led_site()
    bench = Bench(site)
    bench.start()

    def mode() -> Quantity:
        return of(bench, QuantityName.DEVICE_MODE)[UNIT]

    assert mode() == Quantity(
        owner=UNIT,
        name="device_mode",
        unit="mode",
        asked=0.0,
        source="passive",
        reason="it follows its setpoint",
        permitted=0.0,
        written=0.0,
        read_back=0.0,
        measured=None,
    )
    bench.run(1.0, plan=leading(DeviceMode.LOAD_FIRST, site, now_ns=bench.now_ns))
    assert (mode().asked, mode().source, mode().reason) == (1.0, "plan", "cheap")
    assert mode().permitted == mode().written == mode().read_back == 1.0
    assert mode().limited_by == ""
    bench.set(Signal.SOC_PCT, 2.0)
    bench.run(1.0, plan=leading(DeviceMode.LOAD_FIRST, site, now_ns=bench.now_ns))
    assert (mode().asked, mode().permitted, mode().limited_by) == (1.0, 0.0, "soc_low")
    bench.set(Signal.SOC_PCT, 99.0)
    bench.run(1.0, plan=leading(DeviceMode.LOAD_FIRST, site, now_ns=bench.now_ns))
    assert mode().limited_by == "soc_high"


def test_where_no_inverter_takes_a_mode_there_is_none() -> None:
    bench = Bench()
    bench.start()
    assert of(bench, QuantityName.DEVICE_MODE) == {}
