"""Follow-up: does the battery physically do what the inverter says that it was told?

An acknowledged and read-back setpoint is still only a number in a register. What counts is the
measured power: too much, the wrong way, or too little. Two devices measure it that do not share
a cause, and each of them is judged for itself: an inverter that reports 0 W does not outweigh a
BMS that shows a current. On an island the power follows the load, so there is nothing to judge.

What is in force is what was written and confirmed. A write that no read-back has confirmed may
not have arrived: what was in force before still may be, until the inverter's own timer ends it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import ns_from_s
from holdfast.safety.bounds import rated_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.island import is_islanded
from holdfast.safety.pack_power import ac_power_w, pack_power

SAMPLES = (3, 5)
"""m of the last n new samples."""
TOLERANCE = 0.05
"""Of the unit's rated power, for what the inverter measures itself."""
TOLERANCE_W = 100.0
"""At least this much; small inverters measure no better."""
BMS_TOLERANCE = 0.1
"""Of the power asked for, for what the BMS measures behind the inverter's losses. At 0 W it is
the break current that counts, at the voltage of the moment: a contactor may open below it, and
must not be needed above."""
BMS_LAG_S = 2.0
"""A pack that speaks every two seconds shows what was then (Pylontech US5000)."""


class Delivery(IntEnum):
    """A delivery is what a sample shows."""

    RIGHT = 0
    SHORT = 1
    TOO_MUCH = 2
    WRONG_WAY = 3


_ROWS = {
    Delivery.SHORT: "under_delivery",
    Delivery.TOO_MUCH: "over_delivery",
    Delivery.WRONG_WAY: "wrong_sign",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Holds what the last samples of one witness showed."""

    sample_ns: int = 0
    last: tuple[Delivery, ...] = (Delivery.RIGHT,) * SAMPLES[1]
    found_since_ns: int = 0

    @property
    def worst(self) -> Delivery:
        """Returns the worst that m of the last n samples show."""
        return sorted(self.last)[-SAMPLES[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpMemory:
    """Holds the setpoints of the last seconds and what each witness has shown of them."""

    setpoint_w: float = 0.0
    replaced: tuple[tuple[float, int], ...] = ()
    """Earlier setpoints, each with the time until which it was in force."""
    confirmed_ns: int = 0
    """The last read-back: by then what was written had arrived."""
    excused_ns: int = 0
    """Samples up to this time are not judged: an island, and the way back from it."""
    shown: Mapping[Role, Shown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Holds the power at the AC side as one witness shows it."""

    power_w: float
    time_ns: int
    least_w: float
    """It is right within this at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Witness:
    role: Role
    read: Callable[[Snapshot], _Sample | None]
    lag_ns: int
    tolerance: float
    """Of the largest power that may be in force."""
    tells_short: bool


class PowerFollowUp:
    """Compares the measured power of one unit with what was asked of it. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        self._response_ns = ns_from_s(unit.inverter_hardware.response_time_s)
        self._revert_ns = ns_from_s(unit.inverter_hardware.revert_timeout_s)
        self._witnesses = (_inverter(unit), _bms(unit))

    def check(
        self, setpoint_w: float, snapshot: Snapshot, memory: FollowUpMemory
    ) -> tuple[FollowUpMemory, tuple[Finding, ...]]:
        """Takes note of the setpoint that is in force from now on, and judges new samples.

        An inverter that is on its way from one setpoint to another may be anywhere between
        those of its response time.
        """
        now_ns = snapshot.time_ns
        if is_islanded(self._unit, snapshot):
            return self.excused(now_ns, setpoint_w), ()
        readback = snapshot.read(self._unit, Signal.SETPOINT_READBACK_W)
        if isinstance(readback, Good):
            memory = replace(memory, confirmed_ns=readback.time_ns)
        samples = {witness.role: witness.read(snapshot) for witness in self._witnesses}
        shown = {
            witness.role: self._judged(witness, samples[witness.role], memory, now_ns)
            for witness in self._witnesses
        }
        memory = replace(memory, shown=shown)
        if setpoint_w != memory.setpoint_w:
            oldest_ns = self._oldest_ns(memory, now_ns - max(w.lag_ns for w in self._witnesses))
            kept = tuple(entry for entry in memory.replaced if entry[1] >= oldest_ns)
            replaced = (*kept, (memory.setpoint_w, now_ns))
            memory = replace(memory, setpoint_w=setpoint_w, replaced=replaced)
        return memory, self._findings(memory, samples)

    def excused(self, now_ns: int, setpoint_w: float = 0.0) -> FollowUpMemory:
        """Returns the memory of an inverter that decides by itself now, and a response time on."""
        return FollowUpMemory(setpoint_w=setpoint_w, excused_ns=now_ns + self._response_ns)

    def _judged(
        self, witness: _Witness, sample: _Sample | None, memory: FollowUpMemory, now_ns: int
    ) -> Shown:
        shown = memory.shown.get(witness.role, Shown())
        if sample is None or sample.time_ns <= max(shown.sample_ns, memory.excused_ns):
            return shown
        last = (*shown.last[1:], self._judge(witness, sample, memory))
        after = replace(shown, sample_ns=sample.time_ns, last=last)
        return after if after.worst is shown.worst else replace(after, found_since_ns=now_ns)

    def _oldest_ns(self, memory: FollowUpMemory, measured_ns: int) -> int:
        """Returns since when a replaced setpoint may have been in force at ``measured_ns``."""
        recent_ns = measured_ns - self._response_ns
        return max(min(recent_ns, memory.confirmed_ns), recent_ns - self._revert_ns)

    def _judge(self, witness: _Witness, sample: _Sample, memory: FollowUpMemory) -> Delivery:
        oldest_ns = self._oldest_ns(memory, sample.time_ns - witness.lag_ns)
        in_force = [power_w for power_w, until_ns in memory.replaced if until_ns >= oldest_ns]
        in_force.append(memory.setpoint_w)
        low_w, high_w = min(in_force), max(in_force)
        power_w = sample.power_w
        tolerance_w = max(witness.tolerance * max(-low_w, high_w), sample.least_w)
        # Written so that NaN is never right, as everywhere; a Good reading holds none.
        if not min(low_w, 0.0) - tolerance_w <= power_w <= max(high_w, 0.0) + tolerance_w:
            wrong_way = power_w < 0.0 < high_w or low_w < 0.0 < power_w
            return Delivery.WRONG_WAY if wrong_way else Delivery.TOO_MUCH
        if witness.tells_short and (
            (low_w > 0.0 and power_w < low_w - tolerance_w)
            or (high_w < 0.0 and power_w > high_w + tolerance_w)
        ):
            return Delivery.SHORT
        return Delivery.RIGHT

    def _findings(
        self, memory: FollowUpMemory, samples: Mapping[Role, _Sample | None]
    ) -> tuple[Finding, ...]:
        findings = []
        for role, shown in memory.shown.items():
            if shown.worst is Delivery.RIGHT:
                continue
            sample = samples[role]
            measured = "not known" if sample is None else f"{sample.power_w:.0f} W"
            detail = f"asked {memory.setpoint_w:.0f} W, measured {measured}"
            row, since_ns = _ROWS[shown.worst], shown.found_since_ns
            findings.append(finding(row, self._unit, since_ns, detail, device=role))
        return tuple(findings)


def _inverter(unit: StorageUnit) -> _Witness:
    """The inverter measures its own power, at once, and sees what is missing."""
    least_w = max(TOLERANCE * rated_power(unit), TOLERANCE_W)

    def read(snapshot: Snapshot) -> _Sample | None:
        power = snapshot.read(unit.name, Signal.BATTERY_POWER_W)
        if not isinstance(power, Good):
            return None
        return _Sample(power_w=power.value, time_ns=power.time_ns, least_w=least_w)

    return _Witness(role=Role.INVERTER, read=read, lag_ns=0, tolerance=0.0, tells_short=True)


def _bms(unit: StorageUnit) -> _Witness:
    """The BMS measures at the pack: behind the inverter's losses, and a burst late."""
    break_current_a = unit.battery.contactor_break_current_a

    def read(snapshot: Snapshot) -> _Sample | None:
        power = pack_power(unit.name, snapshot)
        voltage_v = snapshot.good(unit.name, Signal.PACK_VOLTAGE_V)
        if power is None or voltage_v is None:
            return None
        breakable_w = math.copysign(break_current_a * voltage_v, power.value)
        return _Sample(
            power_w=ac_power_w(unit, power.value),
            time_ns=power.time_ns,
            least_w=max(abs(ac_power_w(unit, breakable_w)), TOLERANCE_W),
        )

    return _Witness(
        role=Role.BMS,
        read=read,
        lag_ns=ns_from_s(BMS_LAG_S),
        tolerance=BMS_TOLERANCE,
        tells_short=False,
    )
