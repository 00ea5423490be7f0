"""Frozen data: a device that repeats its last values while another one shows that they moved.

A fresh time stamp proves that a device answers, not that its value is alive. A converter whose
BMS is gone goes on sending the last set; a gateway answers for its meter. So each device is
watched by one that does not share its cause: what flows through the inverter must show in the
BMS's current and in the meter, and the other way round.

The witness has to stay away from where it was when the values came: a short pulse between two
samples of a slow device shows in neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Missing
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.safety.bounds import rated_power, site_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.island import any_islanded
from holdfast.safety.pack_power import pack_power
from holdfast.safety.rest_of_site import fed

MOVED = 0.05
"""Share of the rated power by which the witness must be away from where it was,"""
MOVED_A = 2.0
"""and at least this current at the pack: coarse BMSs tell whole amperes and hide the first."""
MOVED_W = 200.0
"""For a meter at least this much: there are some that tell steps of 100 W."""
SAMPLES = 5
"""So many samples in a row after that show the same values, bit for bit,"""
PATIENCE_NS = ns_from_s(2.0)
"""for at least this long: the witness may be ahead by a poll."""
BMS_PATIENCE_NS = ns_from_s(10.0)
"""For a BMS: there are gateways that answer ten times a second, and ask their BMS every five."""
LAG_NS = ns_from_s(5.0)
"""Where the BMS is the witness it may be behind by its maximum age: what it shows sooner after a
change may be from before it."""
PERIODS = 2.5
"""A meter gets so many of its own periods: one with a new value every 10 s is slow, not frozen."""
CHANGES = 8
"""The period is the shortest interval between this many changes: a house that draws the same for
a minute makes an interval long, nothing makes it short."""
UNKNOWN_PERIOD_NS = ns_from_s(5.0)
"""Before three intervals are known (assumption; twelve seconds of patience)."""
LONGEST_PERIOD_NS = ns_from_s(15.0)
"""A meter that is slower than that is no meter to control by (assumption)."""
SLOW_NS = ns_from_s(1.5)
"""A period beyond this is told: control waits for each value, and so follows late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A device whose values another one must see move."""

    owner: str
    role: Role
    signals: tuple[Signal, ...]
    witness: Callable[[Snapshot], Good | None]
    """A sample of the power, W, as others show it; None while they do not."""
    moved_w: float
    lag_ns: int = 0
    """The witness may be behind its own time stamp by so much."""
    patience_ns: int = PATIENCE_NS
    learns: bool = False
    """Its period is learned."""
    is_cut_off: Callable[[Snapshot], bool] = lambda _: False
    """What the witness shows does not pass this device."""

    @property
    def key(self) -> str:
        """The name under which its memory is kept."""
        return f"{self.owner}/{self.role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """How long a device has shown the same values, and what its witness did meanwhile."""

    values: tuple[float, ...]
    changed_ns: int
    """The sample that showed these values first."""
    sample_ns: int
    witness_w: float | None = None
    """What the witness showed then; None while it has shown nothing."""
    moved_ns: int | None = None
    """Since when the witness has been far enough from that."""
    samples: int = 0
    """New samples since it is."""
    found_since_ns: int | None = None
    intervals_ns: tuple[int, ...] = ()
    """Between the last changes, the oldest first."""

    @property
    def period_ns(self) -> int | None:
        """The device's own period as far as it has been learned."""
        return min(self.intervals_ns) if len(self.intervals_ns) >= 3 else None


FrozenMemory = Mapping[str, Standstill]
"""By owner and role."""


class FrozenData:
    """Watches BMS, inverter and meter of a site. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._watched = [row for unit in site.storage for row in _of_unit(unit)]
        self._watched.append(_meter(site))

    def assess(
        self, snapshot: Snapshot, memory: FrozenMemory
    ) -> tuple[tuple[Finding, ...], FrozenMemory]:
        """Returns the findings of this cycle and the memory for the next."""
        findings: list[Finding] = []
        changed: dict[str, Standstill] = {}
        for watched in self._watched:
            before = memory.get(watched.key)
            after = _followed(watched, snapshot, before)
            if after is None:
                continue
            if after is not before:
                changed[watched.key] = after
            findings += _findings(watched, after)
        return tuple(findings), ({**memory, **changed} if changed else memory)


def _of_unit(unit: StorageUnit) -> tuple[Watched, Watched]:
    battery = unit.battery
    coarse_w = MOVED_A * battery.cells_in_series * battery.cell_voltage_max_v
    moved_w = max(MOVED * rated_power(unit), coarse_w)
    name = unit.name
    return (
        Watched(
            owner=name,
            role=Role.BMS,
            signals=(
                Signal.PACK_VOLTAGE_V,
                Signal.BATTERY_CURRENT_A,
                Signal.CELL_VOLTAGE_MIN_V,
                Signal.CELL_VOLTAGE_MAX_V,
            ),
            witness=partial(_inverter_power, name),
            moved_w=moved_w,
            patience_ns=BMS_PATIENCE_NS,
        ),
        Watched(
            owner=name,
            role=Role.INVERTER,
            signals=(Signal.BATTERY_POWER_W,),
            witness=partial(pack_power, name),
            moved_w=moved_w,
            lag_ns=LAG_NS,
        ),
    )


def _meter(site: Site) -> Watched:
    units = site.unit_names
    return Watched(
        owner=SITE,
        role=Role.METER,
        signals=(Signal.GRID_POWER_W,),
        witness=partial(fed, units),
        moved_w=max(MOVED * site_power(site), MOVED_W),
        learns=True,
        is_cut_off=partial(any_islanded, units),
    )


def _inverter_power(unit: str, snapshot: Snapshot) -> Good | None:
    power = snapshot.read(unit, Signal.BATTERY_POWER_W)
    return power if isinstance(power, Good) else None


def _followed(watched: Watched, snapshot: Snapshot, before: Standstill | None) -> Standstill | None:
    """Returns what is known after this cycle; None while the device shows nothing."""
    readings = [snapshot.read(watched.owner, signal) for signal in watched.signals]
    told = [reading for reading in readings if not isinstance(reading, Missing)]
    good = [reading for reading in told if isinstance(reading, Good)]
    if not good or len(good) < len(told):
        return None
    values = tuple(reading.value for reading in good)
    sample_ns = min(reading.time_ns for reading in good)
    if before is None or values != before.values:
        return Standstill(
            values=values,
            changed_ns=sample_ns,
            sample_ns=sample_ns,
            intervals_ns=_intervals_ns(watched, before, sample_ns),
        )
    if watched.is_cut_off(snapshot):
        return _forgotten(before)
    seen = _witnessed(watched, before, watched.witness(snapshot), snapshot.time_ns)
    return _stood(watched, seen, sample_ns)


def _forgotten(before: Standstill) -> Standstill:
    """Forgets the witness, and what was found by it."""
    if before.witness_w is None:
        return before
    return replace(before, witness_w=None, moved_ns=None, samples=0, found_since_ns=None)


def _intervals_ns(watched: Watched, before: Standstill | None, sample_ns: int) -> tuple[int, ...]:
    if before is None or not watched.learns:
        return ()
    return (*before.intervals_ns, sample_ns - before.changed_ns)[-CHANGES:]


def _witnessed(watched: Watched, before: Standstill, power: Good | None, now_ns: int) -> Standstill:
    """Notes where the witness was after the change, and since when it has been far from there."""
    if power is not None and power.time_ns < before.changed_ns + watched.lag_ns:
        return before
    if before.witness_w is None:
        return before if power is None else replace(before, witness_w=power.value)
    if power is None or abs(power.value - before.witness_w) < watched.moved_w:
        return before if before.moved_ns is None else replace(before, moved_ns=None, samples=0)
    return before if before.moved_ns is not None else replace(before, moved_ns=now_ns)


def _stood(watched: Watched, memory: Standstill, sample_ns: int) -> Standstill:
    """Counts a new sample that shows the same values although the witness has moved."""
    if memory.moved_ns is None or sample_ns <= max(memory.sample_ns, memory.moved_ns):
        return memory
    samples = memory.samples + 1
    found_since_ns = memory.found_since_ns
    stood_ns = sample_ns - memory.moved_ns
    if found_since_ns is None and samples >= SAMPLES and stood_ns >= _patience_ns(watched, memory):
        found_since_ns = sample_ns
    return replace(memory, sample_ns=sample_ns, samples=samples, found_since_ns=found_since_ns)


def _patience_ns(watched: Watched, memory: Standstill) -> float:
    if not watched.learns:
        return watched.patience_ns
    period_ns = UNKNOWN_PERIOD_NS if memory.period_ns is None else memory.period_ns
    return max(watched.patience_ns, PERIODS * min(period_ns, LONGEST_PERIOD_NS))


def _findings(watched: Watched, memory: Standstill) -> list[Finding]:
    if memory.found_since_ns is not None:
        detail = f"the same though another device has moved by {watched.moved_w:.0f} W"
        return [
            finding(
                "data_frozen", watched.owner, memory.found_since_ns, detail, device=watched.role
            )
        ]
    period_ns = memory.period_ns
    if period_ns is not None and period_ns >= SLOW_NS:
        detail = f"a new value every {s_from_ns(period_ns):.1f} s"
        return [finding("data_slow", watched.owner, memory.changed_ns, detail, device=watched.role)]
    return []
