"""The reference's bound of power, from raw readings: naive, and never narrower than it must be.

It keeps whole histories and recomputes everything each time. A cycle may always permit less.
"""

import math
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from holdfast.core.config import LevelOverride, Site, StorageUnit
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.finding import Reaction
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, LimitRow

S = 1_000_000_000
RAMP_TO_ZERO_NS = S // 2
NOTHING = (0.0, 0.0)
CELL_V = (0.8, 5.0)
"""No cell of any chemistry has less or more: a pack's voltage beyond it is a wrong scale."""
NO_MATTER = {Signal.SOH_PCT, Signal.PV_POWER_W}
"""No safety rests on the state of health, which not every pack tells, nor on the sun."""
_MAX_AGE_NS = {signal: round(row.max_age_s * S) for signal, row in SIGNALS.items()}


# ---------------------------------------------------------------- readings


class Readings:
    """What devices have said: the last sample of each signal, raw."""

    def __init__(
        self, expected: Mapping[str, Collection[Signal]], cells: Mapping[str, int]
    ) -> None:
        self.expected = expected
        self.cells = cells
        """In series, by unit."""
        self.heard: dict[tuple[str, Signal], tuple[float, int]] = {}
        self.now_ns = 0
        self._shares: dict[str, float] = {}

    def advance(self, now_ns: int) -> None:
        """A cycle looks at what was heard."""
        self.now_ns = now_ns
        self._shares.clear()

    def hear(self, owner: str, signal: Signal, value: float, time_ns: int) -> None:
        """A sample came. One that is older than the last says nothing."""
        before = self.heard.get((owner, signal))
        if before is None or time_ns >= before[1]:
            self.heard[owner, signal] = (value, time_ns)

    def is_true(self, owner: str, signal: Signal) -> bool:
        """False for what cannot be: not finite, out of range, from the future, never heard."""
        if (owner, signal) not in self.heard:
            return False
        value, time_ns = self.heard[owner, signal]
        row, low, high = SIGNALS[signal], *CELL_V
        if signal is Signal.PACK_VOLTAGE_V and not low <= value / self.cells[owner] <= high:
            return False
        return math.isfinite(value) and row.low <= value <= row.high and time_ns <= self.now_ns

    def good(self, owner: str, signal: Signal) -> float | None:
        """A true and young value, or None."""
        sample = self.sample(owner, signal)
        return None if sample is None else sample[0]

    def sample(self, owner: str, signal: Signal) -> tuple[float, int] | None:
        """The same with its time."""
        if not self.is_true(owner, signal):
            return None
        value, time_ns = self.heard[owner, signal]
        return (value, time_ns) if self.now_ns - time_ns <= _MAX_AGE_NS[signal] else None

    def share_left(self, owner: str) -> float:
        """Of the power: by the age of the owner's data and by what cannot be true."""
        if owner not in self._shares:
            signals = set(self.expected[owner]) | {s for o, s in self.heard if o == owner}
            shares = (self._share_left(owner, s) for s in signals - NO_MATTER)
            self._shares[owner] = min(shares, default=1.0)
        return self._shares[owner]

    def _share_left(self, owner: str, signal: Signal) -> float:
        if not self.is_true(owner, signal):
            return 0.0
        age_ns, most_ns = self.now_ns - self.heard[owner, signal][1], _MAX_AGE_NS[signal]
        if age_ns > most_ns:
            return min(max(1.0 - (age_ns - most_ns) / RAMP_TO_ZERO_NS, 0.0), 0.5)
        return 0.5 if age_ns > most_ns // 2 else 1.0

    def derived(self, unit: StorageUnit, signal: Signal) -> tuple[float, int] | None:
        """What several readings say together, as old as the oldest of them."""
        if signal not in _DERIVED:
            return self.sample(unit.name, signal)
        parts, combine = _DERIVED[signal]
        samples = [self.sample(unit.name, part) for part in parts]
        known = [sample for sample in samples if sample is not None]
        if len(known) < len(samples):
            return None
        return combine(unit, *(value for value, _ in known)), min(at for _, at in known)


def _mismatch_v(unit: StorageUnit, pack_v: float, low_v: float, high_v: float) -> float:
    cells = unit.battery.cells_in_series
    return max(cells * low_v - pack_v, pack_v - cells * high_v, 0.0)


def _mismatch_w(unit: StorageUnit, power_w: float, voltage_v: float, current_a: float) -> float:
    efficiency = unit.inverter_hardware.efficiency_pct / 100
    battery_w = voltage_v * current_a
    return abs(power_w - (battery_w / efficiency if battery_w > 0 else battery_w * efficiency))


_LOW_V, _HIGH_V = Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V
_COLD_C, _HOT_C = Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C
_PACK_V, _PACK_A = Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A
_DERIVED: dict[Signal, tuple[tuple[Signal, ...], Any]] = {
    Signal.CELL_IMBALANCE_V: ((_LOW_V, _HIGH_V), lambda _, low, high: high - low),
    Signal.CELL_TEMPERATURE_SPREAD_K: ((_COLD_C, _HOT_C), lambda _, low, high: high - low),
    Signal.PACK_MISMATCH_V: ((_PACK_V, _LOW_V, _HIGH_V), _mismatch_v),
    Signal.POWER_MISMATCH_W: ((Signal.BATTERY_POWER_W, _PACK_V, _PACK_A), _mismatch_w),
}


# ---------------------------------------------------------------- the limit table


def level_of(row: LimitRow, subject: StorageUnit | Site, name: str) -> float | None:
    """The value of a row's level, tightened by the owner."""
    distance = getattr(row, name)
    if distance is None:
        return None
    wanted = getattr(subject.limits.get(row.id, LevelOverride()), name)
    bound = row.bound(subject)
    scale = abs(bound) if row.of_bound else 1.0
    return wanted if wanted is not None else bound - row.side * distance * scale


class WatchedRow:
    """A row of the limit table and all that was seen of its signal."""

    def __init__(self, owner: str, row: LimitRow, subject: StorageUnit | Site) -> None:
        self.owner, self.row, self.hold_ns = owner, row, round(row.hold_s * S)
        self.alarm = level_of(row, subject, "alarm")
        self.trip = level_of(row, subject, "trip")
        scale = abs(row.bound(subject)) if row.of_bound else 1.0
        self.clear = self.alarm - row.side * row.hysteresis * scale
        self.values: deque[float] = deque(maxlen=row.samples[1])
        self.sample_ns: int | None = None
        self.must_alarm = self.must_trip = False
        """m of the last n samples are beyond the level."""
        self.since_ns: int | None = None
        self.outside_ns = 0

    def _beyond(self, value: float, level: float) -> bool:
        return value >= level if self.row.side > 0 else value <= level

    def _shown(self, level: float | None) -> bool:
        if level is None:
            return False
        return sum(self._beyond(value, level) for value in self.values) >= self.row.samples[0]

    def see(self, sample: tuple[float, int] | None, now_ns: int) -> None:
        """Take note of a reading of this cycle; the same one again is no proof."""
        if sample is not None and sample[1] != self.sample_ns:
            value, self.sample_ns = sample
            self.values.append(value)
            self.must_alarm, self.must_trip = self._shown(self.alarm), self._shown(self.trip)
            if self._beyond(value, self.clear):
                self.outside_ns = now_ns
        if self.must_alarm:
            self.since_ns = now_ns if self.since_ns is None else self.since_ns
        elif self.since_ns is not None and now_ns - self.outside_ns >= self.hold_ns:
            self.since_ns = None

    def share_left(self, now_ns: int) -> tuple[float, float]:
        """Of charging and of discharging."""
        if self.since_ns is None:
            return 1.0, 1.0
        left = max(1.0 - (now_ns - self.since_ns) / RAMP_TO_ZERO_NS, 0.0)
        return {
            Reaction.DERATE: (0.5, 0.5),
            Reaction.BLOCK_CHARGE: (0.0, 1.0),
            Reaction.BLOCK_DISCHARGE: (1.0, 0.0),
            Reaction.RAMP_TO_ZERO: (left, left),
            Reaction.TRIP: (0.0, 0.0),
        }.get(self.row.reaction, (1.0, 1.0))


# ---------------------------------------------------------------- the bound of power


class Bounds:
    """The most that each unit may be charged and discharged with, in W, both positive."""

    def __init__(self, site: Site, expected: Mapping[str, Collection[Signal]]) -> None:
        self.site = site
        self.readings = Readings(
            expected, {unit.name: unit.battery.cells_in_series for unit in site.storage}
        )
        self.rows = [WatchedRow(SITE, row, site) for row in SITE_LIMITS]
        self.rows += [
            WatchedRow(unit.name, row, unit) for unit in site.storage for row in UNIT_LIMITS
        ]
        self._rest: tuple[float, float, float | None] | None = None
        """What the meter showed when its value last changed; the rest of the site then, and PV."""
        self._units = {unit.name: unit for unit in site.storage}
        self._known: dict[str, tuple[float, float]] = {}
        """Of this cycle."""

    def advance(self, now_ns: int) -> None:
        """A cycle looks at what was heard."""
        self.readings.advance(now_ns)
        self._known.clear()
        self._see_rest()
        for watched in self.rows:
            signal, owner = watched.row.signal, watched.owner
            sample = (
                self.readings.sample(SITE, signal)
                if owner == SITE
                else self.readings.derived(self._units[owner], signal)
            )
            watched.see(sample, now_ns)

    def of(self, unit: StorageUnit) -> tuple[float, float]:
        """(charge, discharge) of a unit in a site that runs."""
        if unit.name not in self._known:
            self._known[unit.name] = self._of(unit)
        return self._known[unit.name]

    def _of(self, unit: StorageUnit) -> tuple[float, float]:
        if not self.may_run(unit):
            return NOTHING
        limits = (self._hardware(unit), self._battery(unit), self._soc_and_cells(unit))
        charge_w, discharge_w = (min(side) for side in zip(*limits, strict=True))
        charge, discharge = self._shares(unit)
        charge_w, discharge_w = charge_w * charge, discharge_w * discharge
        mode = self.site.operating_mode
        if self.site.authority == "observe" or mode == "passive":
            return NOTHING
        if self.site.authority == "limited":
            share_w = self.site.limited_power_w / len(self.site.storage)
            charge_w, discharge_w = min(charge_w, share_w), min(discharge_w, share_w)
        return charge_w, 0.0 if mode == "charge_only" else discharge_w

    def may_run(self, unit: StorageUnit) -> bool:
        """The contactor is known to be closed, and the precharge to be over."""
        good = self.readings.good
        over = good(unit.name, Signal.PRECHARGE_CLOSED) == 0.0
        told = (unit.name, Signal.PRECHARGE_CLOSED) in self.readings.heard
        return good(unit.name, Signal.CONTACTOR_CLOSED) == 1.0 and (over or not told)

    def of_site(self) -> tuple[float, float]:
        """What the grid connection leaves for all units together."""
        rest_w = self.rest_w()
        if rest_w is None:
            return math.inf, math.inf
        grid = self.site.grid
        return max(grid.import_max_w - rest_w, 0.0), max(grid.export_max_w + rest_w, 0.0)

    def rest_w(self) -> float | None:
        """What the grid would deliver if the batteries stood still; None if not known.

        It is as old as the meter's last change: what a slow meter shows is not of this moment. What
        the sun is seen to do meanwhile is.
        """
        grid_w, battery_w = self._grid_and_batteries()
        if grid_w is None or battery_w is None or self._rest is None:
            return None
        _, rest_w, pv_then_w = self._rest
        pv_w = self.readings.good(SITE, Signal.PV_POWER_W)
        return rest_w if pv_w is None or pv_then_w is None else rest_w + (pv_then_w - pv_w)

    def _see_rest(self) -> None:
        grid_w, battery_w = self._grid_and_batteries()
        if grid_w is None or (self._rest is not None and self._rest[0] == grid_w):
            return
        pv_w = self.readings.good(SITE, Signal.PV_POWER_W)
        self._rest = None if battery_w is None else (grid_w, grid_w - battery_w, pv_w)

    def _grid_and_batteries(self) -> tuple[float | None, float | None]:
        grid_w = self.readings.good(SITE, Signal.GRID_POWER_W)
        powers = [self.readings.good(u.name, Signal.BATTERY_POWER_W) for u in self.site.storage]
        known = [power_w for power_w in powers if power_w is not None]
        return grid_w, sum(known) if len(known) == len(powers) else None

    def _hardware(self, unit: StorageUnit) -> tuple[float, float]:
        return unit.charge_power_max_w, unit.discharge_power_max_w

    def _battery(self, unit: StorageUnit) -> tuple[float, float]:
        """The pack's current, ours and the BMS's limit, times its voltage."""
        voltage_v = self.readings.good(unit.name, Signal.PACK_VOLTAGE_V)
        if voltage_v is None:
            return NOTHING
        battery = unit.battery
        charge_a = self._limit_a(unit, Signal.CHARGE_CURRENT_LIMIT_A)
        discharge_a = self._limit_a(unit, Signal.DISCHARGE_CURRENT_LIMIT_A)
        efficiency = unit.inverter_hardware.efficiency_pct / 100
        return (
            min(battery.charge_current_max_a, charge_a) * voltage_v,
            min(battery.discharge_current_max_a, discharge_a) * voltage_v * efficiency,
        )

    def _limit_a(self, unit: StorageUnit, signal: Signal) -> float:
        """What the BMS said last; a BMS that says nothing of it does not limit."""
        if (unit.name, signal) not in self.readings.heard:
            return math.inf
        value, _ = self.readings.heard[unit.name, signal]
        return value if self.readings.is_true(unit.name, signal) else 0.0

    def _soc_and_cells(self, unit: StorageUnit) -> tuple[float, float]:
        """Nothing at all at the data sheet's bounds, without any debounce."""
        battery, wish = unit.battery, unit.operation
        most = {
            Signal.SOC_PCT: (wish.soc_max_pct, math.inf),
            _HIGH_V: (battery.cell_voltage_max_v, math.inf),
            _HOT_C: (battery.charge_temperature_max_c, battery.discharge_temperature_max_c),
            Signal.INVERTER_TEMPERATURE_C: (math.inf, 85.0),
        }
        least = {
            Signal.SOC_PCT: (-math.inf, wish.soc_min_pct),
            _LOW_V: (-math.inf, battery.cell_voltage_min_v),
            _COLD_C: (battery.charge_temperature_min_c, battery.discharge_temperature_min_c),
        }
        charge_w = discharge_w = math.inf
        for sign, table in ((1.0, most), (-1.0, least)):
            for signal, (at_charge, at_discharge) in table.items():
                value = self.readings.good(unit.name, signal)
                if value is not None and sign * value >= sign * at_charge:
                    charge_w = 0.0
                if value is not None and sign * value >= sign * at_discharge:
                    discharge_w = 0.0
        return charge_w, discharge_w

    def _shares(self, unit: StorageUnit) -> tuple[float, float]:
        """The smallest share in each direction: by the data and by the limit table."""
        owners = (unit.name, SITE)
        shares = [(self.readings.share_left(owner),) * 2 for owner in owners]
        shares += [
            watched.share_left(self.readings.now_ns)
            for watched in self.rows
            if watched.owner in owners
        ]
        charge, discharge = zip(*shares, strict=True)
        return min(charge), min(discharge)
