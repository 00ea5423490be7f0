"""What the tests of the safety path are built from: a site, its readings, and a bench to run it."""

from collections.abc import Collection, Mapping
from typing import Any

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Command, Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore, Snapshot, freeze
from holdfast.core.device_mode import DeviceMode
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.profile import load_profile
from holdfast.safety.envelope import Envelope
from holdfast.safety.permit import LoadPermit, Permit
from holdfast.safety.rest_of_site import RestFollower, RestMemory

UNIT = "battery"
LOAD = "boiler"
T0 = 1_000 * NS_PER_S
"""A monotonic time long after the computer's start."""

HEALTHY_UNIT: dict[Signal, float] = {
    Signal.SOC_PCT: 50.0,
    Signal.SOH_PCT: 99.0,
    Signal.PACK_VOLTAGE_V: 52.8,
    Signal.BATTERY_CURRENT_A: 0.0,
    Signal.CELL_VOLTAGE_MIN_V: 3.29,
    Signal.CELL_VOLTAGE_MAX_V: 3.31,
    Signal.CELL_TEMPERATURE_MIN_C: 20.0,
    Signal.CELL_TEMPERATURE_MAX_C: 25.0,
    Signal.AMBIENT_TEMPERATURE_C: 20.0,
    Signal.INSULATION_KOHM: 5000.0,
    Signal.CHARGE_VOLTAGE_LIMIT_V: 56.8,
    Signal.CHARGE_CURRENT_LIMIT_A: 200.0,
    Signal.DISCHARGE_CURRENT_LIMIT_A: 200.0,
    Signal.CHARGE_ALLOWED: 1.0,
    Signal.DISCHARGE_ALLOWED: 1.0,
    Signal.BMS_PROTECTION: 0.0,
    Signal.BMS_ALARM: 0.0,
    Signal.CHARGE_POWER_READBACK_W: 0.0,
    Signal.DISCHARGE_POWER_READBACK_W: 0.0,
    Signal.BATTERY_POWER_W: 0.0,
    Signal.SETPOINT_READBACK_W: 0.0,
    Signal.INVERTER_ENABLED: 0.0,
    Signal.INVERTER_FAULT: 0.0,
    Signal.INVERTER_TEMPERATURE_C: 30.0,
    Signal.REVERT_TIMEOUT_READBACK_S: 5.0,
    Signal.ISLANDED: 0.0,
    Signal.CONTACTOR_CLOSED: 0.0,
    Signal.PRECHARGE_CLOSED: 0.0,
    Signal.DC_LINK_VOLTAGE_V: 0.0,
}
HEALTHY_LOAD: dict[Signal, float] = {
    Signal.LOAD_ON: 0.0,
    Signal.LOAD_REVERT_READBACK_S: 60.0,
    Signal.ROOM_TEMPERATURE_C: 21.0,
    Signal.ROOM_SETPOINT_READBACK_C: 7.0,
}
HEALTHY_SITE: dict[Signal, float] = {
    Signal.GRID_POWER_W: 0.0,
    Signal.GRID_VOLTAGE_V: 230.0,
    Signal.GRID_FREQUENCY_HZ: 50.0,
    Signal.PV_POWER_W: 0.0,
    Signal.EMERGENCY_LOOP_CLOSED: 1.0,
    Signal.WATCHDOG_ARMED: 1.0,
}


def device(profile: str, host: str = "192.0.2.1") -> dict[str, Any]:
    """A device of ``profile`` that nobody will connect to."""
    return {"profile": profile, "connection": {"kind": "modbus_tcp", "host": host}}


OWN_BMS = {
    "cell_overvoltage": "the pack's BMS opens at 3.65 V",
    "cell_undervoltage": "the pack's BMS opens at 2.5 V",
}
"""What the owner of a BMS accepts that tells nothing of its cells."""


def unit_content(name: str = UNIT, **changes: Any) -> dict[str, Any]:
    """A storage unit as site.yaml has it: 16 LFP cells, 100 A, 5 kW."""
    content: dict[str, Any] = {
        "name": name,
        "battery": {
            "cells_in_series": 16,
            "capacity_wh": 10_000,
            "charge_current_max_a": 100,
            "discharge_current_max_a": 100,
        },
        "inverter_hardware": {"charge_power_max_w": 5000, "discharge_power_max_w": 5000},
        "operation": {},
        "accepts": OWN_BMS,
        "bms": device("generic_bms", name),
        "inverter": device("generic_inverter", name),
        "relays": device("generic_relays", name),
    }
    for section, values in changes.items():
        if isinstance(values, dict):
            content[section] = {**content.get(section, {}), **values}
        else:
            content[section] = values
    return content


def load_content(**changes: Any) -> dict[str, Any]:
    """A boiler behind a switch, as site.yaml has it."""
    return {
        "name": "boiler",
        "power_w": 2000,
        "energy_wh": 4000,
        "switch": device("generic_load_switch"),
        **changes,
    }


def room_content(**changes: Any) -> dict[str, Any]:
    """A room of 20 m² with an electric heater, as site.yaml has it."""
    return {
        "name": "parlour",
        "power_max_w": 1500,
        "capacity_wh_per_k": 400,
        "loss_w_per_k": 50,
        "comfort": [{"low_c": 20, "high_c": 23}],
        "switch": device("generic_room_switch"),
        **changes,
    }


def site_content(*units: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A whole site as site.yaml has it, with full authority."""
    return {
        "name": "Test site",
        "authority": "full",
        "commissioning": {"none": "a site of these tests"},
        "grid": {"import_max_w": 10_000, "export_max_w": 10_000},
        "meter": device("generic_meter"),
        "emergency_input": device("generic_emergency_input"),
        "storage": list(units) or [unit_content()],
        **changes,
    }


def build_site(*units: dict[str, Any], **changes: Any) -> Site:
    """The same, checked."""
    return Site.model_validate(site_content(*units, **changes))


def owner_of(signal: Signal) -> str:
    """Who has ``signal``: the site, the storage unit or the load of these tests."""
    row = SIGNALS[signal]
    return SITE if row.of_site else LOAD if row.of_load else UNIT


def expected_signals(site: Site) -> dict[str, frozenset[Signal]]:
    """What must keep coming: what the devices' profiles provide, as far as safety rests on it."""
    expected = {
        SITE: load_profile(site.meter.profile).required
        | load_profile(site.emergency_input.profile).required
        | {Signal.WATCHDOG_ARMED}
    }
    for unit in site.storage:
        profiles = (unit.bms.profile, unit.inverter.profile, unit.relays.profile)
        expected[unit.name] = frozenset().union(*(load_profile(p).required for p in profiles))
    return expected


def points_of(site: Site) -> dict[str, frozenset[Point]]:
    """What can be written to each unit, and to each load that is switched."""
    units = {
        unit.name: frozenset().union(
            *(load_profile(p).points for p in (unit.bms.profile, unit.inverter.profile))
        )
        | frozenset(load_profile(unit.relays.profile).points)
        for unit in site.storage
    }
    return units | {
        name: frozenset(load_profile(switch.profile).points)
        for name, switch in site.switches.items()
    }


def worn(budgets: Mapping[Point, int]) -> dict[Point, PointTraits]:
    """Traits of points that wear out, by their writes a day."""
    return {point: PointTraits(writes_per_day=budget) for point, budget in budgets.items()}


def put(store: DataStore, owner: str, signal: Signal, value: float, time_ns: int) -> None:
    """Write one sample as the signal's own producer."""
    store.put(SIGNALS[signal].producer, owner, signal, value, time_ns)


def healthy_store(units: tuple[str, ...] = (UNIT,), time_ns: int = T0) -> DataStore:
    """A store in which everything is as it should be."""
    store = DataStore(units)
    for signal, value in HEALTHY_SITE.items():
        put(store, SITE, signal, value, time_ns)
    for unit in units:
        for signal, value in HEALTHY_UNIT.items():
            put(store, unit, signal, value, time_ns)
    return store


def snapshot_of(
    values: Mapping[Signal, float | None] | None = None,
    *,
    now_ns: int = T0,
    sampled_ns: int | None = None,
    healthy: bool = True,
) -> Snapshot:
    """A snapshot of one unit and the site; ``values`` come on top, None takes one away."""
    wanted: dict[Signal, float | None] = {**HEALTHY_SITE, **HEALTHY_UNIT} if healthy else {}
    wanted |= values or {}
    store = DataStore((UNIT,), (LOAD,))
    for signal, value in wanted.items():
        if value is not None:
            put(
                store, owner_of(signal), signal, value, now_ns if sampled_ns is None else sampled_ns
            )
    snapshot, _ = RestFollower((UNIT,)).follow(freeze(store.image(), now_ns), RestMemory())
    return snapshot


def permit_of(
    min_w: float = -5000.0,
    max_w: float = 5000.0,
    *,
    unit: str = UNIT,
    expires_ns: int = 2**62,
    may_write: bool = True,
    may_increase: bool = True,
    may_connect: bool = True,
    may_close: bool = True,
    may_run: bool = True,
    islanded: bool = False,
    export_limit_w: float = 10_000.0,
    pv_on: bool = True,
    device_mode: DeviceMode | None = None,
) -> Permit:
    """A permit that allows everything but what is said."""
    return Permit(
        unit=unit,
        envelope=Envelope(min_w=min_w, max_w=max_w, min_by="test", max_by="test"),
        expires_ns=expires_ns,
        may_write=may_write,
        may_increase=may_increase,
        may_connect=may_connect,
        may_close=may_close,
        may_run=may_run,
        islanded=islanded,
        export_limit_w=export_limit_w,
        pv_on=pv_on,
        device_mode=device_mode,
    )


def load_permit_of(
    *, may_write: bool = True, may_run: bool = True, expires_ns: int = 2**62
) -> LoadPermit:
    """A permit of a load that allows everything but what is said."""
    return LoadPermit(
        may_write=may_write,
        may_run=may_run,
        blocked_by="" if may_run else "test",
        expires_ns=expires_ns,
    )


HEALTHY_PV = {
    Point.EXPORT_LIMIT_W: (Signal.EXPORT_LIMIT_READBACK_W, 50_000.0),
    Point.PV_ON: (Signal.PV_ON, 1.0),
    Point.DEVICE_MODE: (Signal.DEVICE_MODE, 0.0),
}
"""What an inverter shows that takes such a point and was not told yet."""


class Bench:
    """A site with perfect devices: each write is done at once, each cycle sees fresh readings."""

    def __init__(self, site: Site | None = None, state: CycleState | None = None) -> None:
        self.site = site or build_site()
        self.cycle = Cycle(self.site, expected_signals(self.site), points_of(self.site))
        self.state = state or CycleState()
        self.now_ns = T0
        self.store = DataStore(self.site.unit_names, tuple(self.site.switches))
        self.values: dict[tuple[str, Signal], float | None] = {
            (SITE, signal): value for signal, value in HEALTHY_SITE.items()
        }
        self.values |= {
            (unit, signal): value
            for unit in self.site.unit_names
            for signal, value in HEALTHY_UNIT.items()
        }
        self.values |= {
            (unit, signal): value
            for unit, points in self.cycle.points.items()
            for point, (signal, value) in HEALTHY_PV.items()
            if point in points
        }
        self.values |= {
            (name, signal): HEALTHY_LOAD[signal]
            for name, switch in self.site.switches.items()
            for signal in load_profile(switch.profile).signals
        }
        self.fixed: set[tuple[str, Signal]] = set()
        """What a test has set: it follows nothing any more."""
        self.records: list[CycleRecord] = []
        self.load_w = 0.0
        """Load less PV: what the meter shows beside the batteries, unless a test has set it."""
        self.island_w: float | None = None
        self.led_w = 0.0
        """The power of an inverter that keeps a rule of its own."""
        """What the loads of an island ask of each battery, + charging; None: there is a grid."""
        self.deaf: set[Point] = set()
        """Points whose writes are acknowledged and not done."""

    def set(self, signal: Signal, value: float | None, unit: str = UNIT) -> None:
        """From now on ``signal`` reads ``value``; None: it is not read any more.

        ``unit`` may be a load.
        """
        owner = SITE if SIGNALS[signal].of_site else unit
        self.values[owner, signal] = value
        self.fixed.add((owner, signal))

    def go_island(self, load_w: float = 600.0) -> None:
        """The grid goes away: the inverters follow the load."""
        self.island_w = -load_w
        for unit in self.site.unit_names:
            self.set(Signal.ISLANDED, 1.0, unit)
        self.set(Signal.GRID_VOLTAGE_V, 0.0)

    def return_to_grid(self) -> None:
        """It is there again."""
        self.island_w = None
        for unit in self.site.unit_names:
            self.set(Signal.ISLANDED, 0.0, unit)
        self.set(Signal.GRID_VOLTAGE_V, 230.0)

    def step(
        self,
        *commands: Command,
        plan: AcceptedPlan | None = None,
        dt_s: float = 0.02,
    ) -> CycleRecord:
        """One cycle, ``dt_s`` after the last one."""
        self.now_ns += ns_from_s(dt_s)
        self._let_meter_follow()
        for (owner, signal), value in self.values.items():
            if value is not None:
                put(self.store, owner, signal, value, self.now_ns)
        inputs = Inputs(
            now_ns=self.now_ns, image=self.store.image(), plan=plan, commands=frozenset(commands)
        )
        self.state, record = self.cycle.step(self.state, inputs)
        self.obey(record.writes)
        self.records.append(record)
        return record

    def run(self, seconds: float, dt_s: float = 0.02, **kwargs: Any) -> CycleRecord:
        """Cycles for ``seconds``; the record of the last one."""
        for _ in range(round(seconds / dt_s)):
            record = self.step(dt_s=dt_s, **kwargs)
        return record

    def start(self) -> None:
        """From BOOT to RUNNING with a closed contactor."""
        self.run(0.1)
        self.step(Command.START)
        self.run(0.2)
        assert self.state.machine == "running"

    def obey(self, writes: Collection[Write]) -> None:
        """Do what the devices would do."""
        stored = {
            Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
            Point.ENABLE: Signal.INVERTER_ENABLED,
            Point.REVERT_TIMEOUT_S: Signal.REVERT_TIMEOUT_READBACK_S,
            Point.EXPORT_LIMIT_W: Signal.EXPORT_LIMIT_READBACK_W,
            Point.PV_ON: Signal.PV_ON,
            Point.DEVICE_MODE: Signal.DEVICE_MODE,
            Point.CHARGE_POWER_W: Signal.CHARGE_POWER_READBACK_W,
            Point.DISCHARGE_POWER_W: Signal.DISCHARGE_POWER_READBACK_W,
            Point.CONTACTOR: Signal.CONTACTOR_CLOSED,
            Point.PRECHARGE: Signal.PRECHARGE_CLOSED,
            Point.LOAD_ON: Signal.LOAD_ON,
            Point.LOAD_REVERT_S: Signal.LOAD_REVERT_READBACK_S,
            Point.ROOM_SETPOINT_C: Signal.ROOM_SETPOINT_READBACK_C,
        }
        for write in writes:
            if (
                write.point not in self.deaf
                and self.values[write.unit, stored[write.point]] is not None
            ):
                self.values[write.unit, stored[write.point]] = write.value
        for unit in self.site.unit_names:
            self._let_link_follow(unit)
            runs = (
                self.values[unit, Signal.INVERTER_ENABLED] == 1.0
                and self.values[unit, Signal.CONTACTOR_CLOSED] == 1.0
            )
            if self.values[unit, Signal.BATTERY_POWER_W] is not None:
                asked_w = self.values[unit, Signal.SETPOINT_READBACK_W]
                if self.values[unit, Signal.ISLANDED] == 1.0 and self.island_w is not None:
                    asked_w = self.island_w
                if self.values.get((unit, Signal.DEVICE_MODE)):
                    asked_w = self.led_w
                power_w = asked_w if runs else 0.0
                self.values[unit, Signal.BATTERY_POWER_W] = power_w
                self._let_current_follow(unit, power_w or 0.0)

    def _let_meter_follow(self) -> None:
        """The meter adds up, and the grid's frequency is never the same for long."""
        powers = [self.values[unit, Signal.BATTERY_POWER_W] for unit in self.site.unit_names]
        grid_w = self.load_w + sum(power_w for power_w in powers if power_w is not None)
        lives = {
            Signal.GRID_POWER_W: grid_w if self.island_w is None else 0.0,
            Signal.GRID_FREQUENCY_HZ: 50.0 + 0.01 * (len(self.records) % 3),
        }
        for signal, value in lives.items():
            if (SITE, signal) not in self.fixed and self.values[SITE, signal] is not None:
                self.values[SITE, signal] = value

    def _let_link_follow(self, unit: str) -> None:
        """Behind a closed contactor is the pack's voltage; an open one leaves it there."""
        if (unit, Signal.DC_LINK_VOLTAGE_V) in self.fixed:
            return
        if self.values[unit, Signal.CONTACTOR_CLOSED] == 1.0:
            pack_v = self.values[unit, Signal.PACK_VOLTAGE_V]
            self.values[unit, Signal.DC_LINK_VOLTAGE_V] = pack_v

    def _let_current_follow(self, unit: str, power_w: float) -> None:
        """The battery's current is what the inverter's losses leave of its power."""
        voltage_v = self.values[unit, Signal.PACK_VOLTAGE_V]
        if (unit, Signal.BATTERY_CURRENT_A) in self.fixed or not voltage_v:
            return
        (config,) = [u for u in self.site.storage if u.name == unit]
        efficiency = config.inverter_hardware.efficiency_pct / 100
        battery_w = power_w * efficiency if power_w > 0.0 else power_w / efficiency
        current_a = battery_w / voltage_v
        self.values[unit, Signal.BATTERY_CURRENT_A] = current_a
        if (unit, Signal.PACK_VOLTAGE_V) not in self.fixed:
            resting_v = HEALTHY_UNIT[Signal.PACK_VOLTAGE_V]
            self.values[unit, Signal.PACK_VOLTAGE_V] = resting_v + 0.005 * current_a


def written(record: CycleRecord, point: Point, unit: str = UNIT) -> list[float]:
    """What ``record`` writes to ``point``."""
    return [w.value for w in record.writes if w.point is point and w.unit == unit]
