"""The devices of a site, as physics has them, and what can go wrong between them and a cycle.

Left alone it is consistent: power follows setpoint, enable and contactor, current and voltage
follow power, the link follows the precharge, the meter adds up. What a rule breaks is broken on
purpose: a reading on its way, or a device that does not do what it was told.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site, StorageUnit
from holdfast.core.signals import SIGNALS, SITE, Producer, Signal
from tests.builders import HEALTHY_SITE, HEALTHY_UNIT

S = 1_000_000_000
PACK_OHM, LINK_OHM = 0.005, 50.0
LINK_TAU_S, LINK_FALL_S = 0.2, 30.0
_READBACKS = {
    Signal.SETPOINT_READBACK_W: Point.SETPOINT_W,
    Signal.INVERTER_ENABLED: Point.ENABLE,
    Signal.REVERT_TIMEOUT_READBACK_S: Point.REVERT_TIMEOUT_S,
    Signal.CHARGE_POWER_READBACK_W: Point.CHARGE_POWER_W,
    Signal.DISCHARGE_POWER_READBACK_W: Point.DISCHARGE_POWER_W,
    Signal.CONTACTOR_CLOSED: Point.CONTACTOR,
    Signal.PRECHARGE_CLOSED: Point.PRECHARGE,
}
Key = tuple[str, Signal]
Hear = Callable[[str, Signal, float, int], None]


@dataclass(slots=True)
class UnitWorld:
    """A battery, its inverter and its relays."""

    config: StorageUnit
    registers: dict[Point, float] = field(default_factory=lambda: dict.fromkeys(Point, 0.0))
    due: list[tuple[int, Point, float]] = field(default_factory=list)
    """Writes on their way."""
    deaf: set[Point] = field(default_factory=set)
    """Acknowledged, and not done."""
    delay_ns: int = 0
    told_ns: int = 0
    power_w: float = 0.0
    current_a: float = 0.0
    resting_v: float = HEALTHY_UNIT[Signal.PACK_VOLTAGE_V]
    link_v: float = 0.0
    changed: dict[Signal, float] = field(default_factory=dict)
    """What a rule has made true."""

    def take(self, write: Write, now_ns: int) -> None:
        """A write arrives, and is done after the device's delay."""
        self.due.append((now_ns + self.delay_ns, write.point, write.value))

    def advance(self, now_ns: int, dt_s: float) -> None:
        """Time passes."""
        for at_ns, point, value in [entry for entry in self.due if entry[0] <= now_ns]:
            self.due.remove((at_ns, point, value))
            if point in self.deaf:
                continue
            self.registers[point] = value
            if point is Point.SETPOINT_W:
                self.told_ns = now_ns
        revert_s = self.registers[Point.REVERT_TIMEOUT_S]
        if revert_s and now_ns - self.told_ns > revert_s * S:
            self.registers[Point.SETPOINT_W] = 0.0
        self._let_link_follow(dt_s)
        self._let_power_follow()

    def _let_link_follow(self, dt_s: float) -> None:
        pack_v = self.voltage_v
        if self.is_closed:
            self.link_v = pack_v
        elif self.registers[Point.PRECHARGE] == 1.0:
            self.link_v = pack_v - (pack_v - self.link_v) * math.exp(-dt_s / LINK_TAU_S)
        else:
            self.link_v *= math.exp(-dt_s / LINK_FALL_S)

    def _let_power_follow(self) -> None:
        runs = self.registers[Point.ENABLE] == 1.0 and self.is_closed
        self.power_w = self.registers[Point.SETPOINT_W] if runs else 0.0
        efficiency = self.config.inverter_hardware.efficiency_pct / 100
        battery_w = self.power_w * (efficiency if self.power_w > 0.0 else 1.0 / efficiency)
        self.current_a = battery_w / self.resting_v
        if self.registers[Point.PRECHARGE] == 1.0 and not self.is_closed:
            self.current_a -= (self.voltage_v - self.link_v) / LINK_OHM

    @property
    def is_closed(self) -> bool:
        """The main contactor conducts."""
        return self.registers[Point.CONTACTOR] == 1.0

    @property
    def voltage_v(self) -> float:
        """At the terminals."""
        return self.resting_v + PACK_OHM * self.current_a

    def truth(self, signal: Signal) -> float:
        """What a device that is not broken tells."""
        if signal in self.changed:
            return self.changed[signal]
        if signal in _READBACKS:
            return self.registers[_READBACKS[signal]]
        cells = self.config.battery.cells_in_series
        return {
            Signal.BATTERY_POWER_W: self.power_w,
            Signal.BATTERY_CURRENT_A: self.current_a,
            Signal.PACK_VOLTAGE_V: self.voltage_v,
            Signal.DC_LINK_VOLTAGE_V: self.link_v,
            Signal.CELL_VOLTAGE_MIN_V: self.voltage_v / cells - 0.01,
            Signal.CELL_VOLTAGE_MAX_V: self.voltage_v / cells + 0.01,
        }.get(signal, HEALTHY_UNIT[signal])


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nothing comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """The same value again and again, with a fresh time."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """``value`` in every ``every``-th sample: anything, a number or not."""

    value: float
    every: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """A time in the future, or before that of the last sample."""

    by_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What another unit says."""

    unit: str


Fault = Silent | Stuck | Wrong | Shifted | Swapped
_MEETS_GRID = {(SITE, Signal.GRID_POWER_W), (SITE, Signal.GRID_VOLTAGE_V)}
"""By what the meter sees a living grid."""


def _is_island(fault: Fault) -> bool:
    return isinstance(fault, Wrong) and fault.value == 1.0


class World:
    """The whole site, its time, and the faults on the way of its readings."""

    def __init__(self, site: Site, told: Mapping[str, Collection[Signal]], now_ns: int) -> None:
        self.site, self.now_ns = site, now_ns
        self.units = {unit.name: UnitWorld(unit, told_ns=now_ns) for unit in site.storage}
        self.keys: list[Key] = [
            (owner, signal) for owner in sorted(told) for signal in sorted(told[owner])
        ]
        self.load_w = 0.0
        """Load minus PV."""
        self.changed: dict[Signal, float] = {}
        self.faults: dict[Key, Fault] = {}
        self.poll_ns: dict[Producer, int] = {}
        """Of devices that do not speak before every cycle."""
        self._polled_ns: dict[Key, int] = {}
        self._count = 0

    def advance(self, dt_ns: int) -> None:
        """Time passes for all devices."""
        self.now_ns += dt_ns
        self._count += 1
        for unit in self.units.values():
            unit.advance(self.now_ns, dt_ns / S)

    def truth(self, owner: str, signal: Signal) -> float:
        """What is so."""
        if owner != SITE:
            return self.units[owner].truth(signal)
        if signal in self.changed:
            return self.changed[signal]
        if signal is Signal.GRID_POWER_W:
            return self.load_w + sum(unit.power_w for unit in self.units.values())
        if signal is Signal.GRID_FREQUENCY_HZ:
            return 50.0 + 0.01 * (self._count % 3)  # no grid stands still
        return HEALTHY_SITE[signal]

    def speak(self, hear: Hear) -> None:
        """Every device tells what it has to tell now."""
        for key in self.keys:
            owner, signal = key
            every_ns = self.poll_ns.get(SIGNALS[signal].producer, 0)
            if every_ns and self.now_ns - self._polled_ns.get(key, -every_ns) < every_ns:
                continue
            self._polled_ns[key] = self.now_ns
            sample = self._on_its_way(key)
            if sample is not None:
                hear(owner, signal, *sample)

    def _on_its_way(self, key: Key) -> tuple[float, int] | None:
        owner, signal = key
        match self.faults.get(key):
            case None:
                return self.truth(owner, signal), self.now_ns
            case Silent():
                return None
            case Stuck(value=value):
                return value, self.now_ns
            case Wrong(value=value, every=every):
                wrong = self._count % every == 0
                return value if wrong else self.truth(owner, signal), self.now_ns
            case Shifted(by_ns=by_ns):
                return self.truth(owner, signal), self.now_ns + by_ns
            case Swapped(unit=unit):
                return self.truth(unit, signal), self.now_ns

    def obey(self, writes: Collection[Write]) -> None:
        """Writes leave for the devices."""
        for write in writes:
            self.units[write.unit].take(write, self.now_ns)

    def break_(self, key: Key, fault: Fault) -> None:
        """From now on, until it is healed. Islanding is not in the reference: no island begins.

        An inverter may tell of one as long as the meter is right; from then on it is right first.
        """
        told = self._tells_of_island
        if key in told:
            del self.faults[key]
            return
        if key in _MEETS_GRID:
            for wrong in told:
                del self.faults[wrong]
        if key[1] is Signal.ISLANDED and _is_island(fault) and _MEETS_GRID & self.faults.keys():
            return
        self.faults[key] = fault

    @property
    def _tells_of_island(self) -> list[Key]:
        return [
            key for key, fault in self.faults.items()
            if key[1] is Signal.ISLANDED and _is_island(fault)
        ]  # fmt: skip

    def heal(self) -> None:
        """Everything is as it should be."""
        self.faults.clear()
        self.changed.clear()
        for unit in self.units.values():
            unit.changed.clear()
            unit.deaf.clear()
