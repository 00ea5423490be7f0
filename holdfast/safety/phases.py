"""What each phase of the grid connection carries without the batteries.

As with the rest of the site (:mod:`holdfast.safety.rest_of_site`), what the meter shows belongs to
the instant at which its values changed: the batteries' power of that instant is taken away, by the
phases that they are on, and what is left holds until the meter shows something else.

A current without a sign has that of the power of its phase; where a meter tells no currents they
are taken from the powers, which leaves out what only heats the fuse (reactive current).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import (
    PHASE_CURRENT_A,
    PHASE_POWER_W,
    PHASE_REST_A,
    PHASE_REST_W,
    SITE,
    Signal,
)

FUSE_SHARE = 0.95
"""So much of what a fuse carries is used: what is measured is late, and a little wrong."""
LIKELY_VOLTAGE = (0.8, 1.2)
"""Share of the nominal voltage: one outside of it is none of a phase with the grid there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseMemory:
    """Holds what the meter showed of its phases when that last changed, and what follows."""

    shown: tuple[float | None, ...]
    rest_w: tuple[float, ...]
    rest_a: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRest:
    """Tells what one phase carries without the batteries, + import."""

    number: int
    power_w: float
    current_a: float


class PhaseFollower:
    """Follows the phases of a site's meter. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._numbers = site.grid.phase_numbers
        self._nominal_v = site.grid.nominal_voltage_v
        self._shares = unit_shares(site)
        self._share_of_all = site_shares(site)

    def follow(
        self,
        snapshot: Snapshot,
        memory: PhaseMemory | None,
        swing_w: tuple[float, float] = (0.0, 0.0),
    ) -> tuple[Snapshot, PhaseMemory | None]:
        """Adds what each phase carries without the batteries to ``snapshot``; returns the memory
        for the next cycle. Nothing is added while meter or batteries cannot be read.

        ``swing_w`` tells how much less, and how much more, the batteries may have done when the
        meter measured: what they may have done themselves moves nothing.
        """
        if not self._numbers:
            return snapshot, None
        powers = self._powers(snapshot)
        batteries_w = self._batteries_w(snapshot)
        if powers is None or batteries_w is None:
            return snapshot, None
        told_w = tuple(power.value for power in powers)
        shown = (*told_w, *self._told_a(snapshot))
        if memory is None or memory.shown != shown:
            memory = self._changed(snapshot, memory, shown, batteries_w, swing_w)
        time_ns = min(power.time_ns for power in powers)
        added: dict[Signal, Good] = {}
        for index, number in enumerate(self._numbers):
            for names, values in ((PHASE_REST_W, memory.rest_w), (PHASE_REST_A, memory.rest_a)):
                added[names[number - 1]] = Good(value=values[index], time_ns=time_ns)
        of_site = {**snapshot.readings[SITE], **added}
        return replace(snapshot, readings={**snapshot.readings, SITE: of_site}), memory

    def _changed(
        self,
        snapshot: Snapshot,
        before: PhaseMemory | None,
        shown: tuple[float | None, ...],
        batteries_w: tuple[float, ...],
        swing_w: tuple[float, float],
    ) -> PhaseMemory:
        """Returns the memory after the meter has shown new values."""
        volts = phase_voltage_v(snapshot, self._nominal_v)
        rest_w, rest_a = [], []
        for index, share in enumerate(self._share_of_all):
            power_w, told_a = shown[index] or 0.0, shown[index + len(self._numbers)]
            current_a = _signed_a(told_a, power_w, volts)
            low_w, high_w = (batteries_w[index] + share * moved_w for moved_w in swing_w)
            known_w = power_w - batteries_w[index] if before is None else before.rest_w[index]
            known_a = current_a - batteries_w[index] / volts
            if before is not None:
                known_a = before.rest_a[index]
            rest_w.append(min(max(known_w, power_w - high_w), power_w - low_w))
            rest_a.append(min(max(known_a, current_a - high_w / volts), current_a - low_w / volts))
        return PhaseMemory(shown=shown, rest_w=tuple(rest_w), rest_a=tuple(rest_a))

    def _powers(self, snapshot: Snapshot) -> tuple[Good, ...] | None:
        names = (Signal.GRID_POWER_W,) if len(self._numbers) == 1 else self._named(PHASE_POWER_W)
        readings = [snapshot.read(SITE, name) for name in names]
        good = tuple(reading for reading in readings if isinstance(reading, Good))
        return good if len(good) == len(readings) else None

    def _told_a(self, snapshot: Snapshot) -> tuple[float | None, ...]:
        return tuple(snapshot.good(SITE, name) for name in self._named(PHASE_CURRENT_A))

    def _named(self, names: tuple[Signal, ...]) -> tuple[Signal, ...]:
        return tuple(names[number - 1] for number in self._numbers)

    def _batteries_w(self, snapshot: Snapshot) -> tuple[float, ...] | None:
        """Returns what the batteries do on each phase; None unless each of them can be read."""
        total_w = [0.0] * len(self._numbers)
        for unit, shares in self._shares.items():
            power_w = snapshot.good(unit, Signal.BATTERY_POWER_W)
            if power_w is None:
                return None
            for index, share in enumerate(shares):
                total_w[index] += share * power_w
        return tuple(total_w)


def unit_shares(site: Site) -> Mapping[str, tuple[float, ...]]:
    """Returns which share of each unit's power is on each phase of the connection."""
    numbers = site.grid.phase_numbers
    shares = {}
    for unit in site.storage:
        on = unit.inverter_hardware.phases or numbers
        shares[unit.name] = tuple(1.0 / len(on) if number in on else 0.0 for number in numbers)
    return shares


def site_shares(site: Site) -> tuple[float, ...]:
    """Returns which share of all batteries' power is on each phase, if each unit gives as much of
    its own as the others."""
    on_phases = unit_shares(site)
    rated_w = {
        unit.name: unit.charge_power_max_w + unit.discharge_power_max_w for unit in site.storage
    }
    total_w = sum(rated_w.values())
    return tuple(
        sum(rated_w[unit] * on[index] for unit, on in on_phases.items()) / total_w
        for index in range(len(site.grid.phase_numbers))
    )


def phase_voltage_v(snapshot: Snapshot, nominal_v: float) -> float:
    """Returns the voltage of a phase to neutral: as measured, if it can be that."""
    low, high = LIKELY_VOLTAGE
    measured_v = snapshot.good(SITE, Signal.GRID_VOLTAGE_V)
    if measured_v is not None and low * nominal_v <= measured_v <= high * nominal_v:
        return measured_v
    return nominal_v


def phase_rests(site: Site, snapshot: Snapshot) -> tuple[PhaseRest, ...]:
    """Returns what each phase carries without the batteries; empty where that is not known."""
    rests = []
    for number in site.grid.phase_numbers:
        power_w = snapshot.good(SITE, PHASE_REST_W[number - 1])
        current_a = snapshot.good(SITE, PHASE_REST_A[number - 1])
        if power_w is None or current_a is None:
            return ()
        rests.append(PhaseRest(number=number, power_w=power_w, current_a=current_a))
    return tuple(rests)


def import_room_a(site: Site, rest: PhaseRest) -> float:
    """Returns how much more the fuse of a phase lets the batteries take, in A."""
    fuse_a = site.grid.fuse_a
    return float("inf") if fuse_a is None else FUSE_SHARE * fuse_a - rest.current_a


def export_room_a(site: Site, rest: PhaseRest) -> float:
    """Returns how much the batteries may still feed into a phase, in A."""
    fuse_a, export_a = site.grid.fuse_a, site.grid.export_max_a
    most_a = float("inf") if fuse_a is None else FUSE_SHARE * fuse_a
    if export_a is not None:
        most_a = min(most_a, export_a)
    return most_a + rest.current_a


def _signed_a(told_a: float | None, power_w: float, volts: float) -> float:
    if told_a is None:
        return power_w / volts
    return abs(told_a) if power_w >= 0.0 else -abs(told_a)
