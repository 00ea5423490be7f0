"""The meter's sign: when the batteries take more, the grid must deliver more.

A meter that is mounted the wrong way round turns self-consumption into positive feedback: the
more it corrects, the larger the error. What the house and the sun do at the same time is not
known, so several steps must say the same; and they are counted while the power is still on its
way, since it goes to its limit only once.
"""

from dataclasses import dataclass, replace

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

STEP = 0.1
"""Of the rated power of all units: a smaller one is lost in what the house does."""
AT_REST = 0.01
"""Of the rated power. While the batteries move by less than this from one sample of the meter to
the next, what the meter shows is the house, and a step begins from there."""
SIMILAR = 0.25
"""A wrong meter moves against the batteries by as much as they, within this share. A load that
ramps twice as fast as they follow looks the same; hence not more."""
SAMPLES = (4, 5)
"""m of the last n steps."""
GAP_NS = ns_from_s(3.0)
"""Steps are not seen over a longer gap."""
HOLD_NS = ns_from_s(60.0)
"""After the last step the finding clears by itself, since at 0 W no step can acquit the meter. If
the sign is wrong it is back at once, and the fifth time trips (see the escalation)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What batteries and meter showed at one instant."""

    time_ns: int
    battery_w: float
    grid_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterMemory:
    """The last samples, where the present step began, and what the last steps showed."""

    battery: tuple[int, float] | None = None
    """Time and power of all units together."""
    grid: tuple[int, float] | None = None
    """A sample of the meter that waits for the batteries' next one."""
    step: tuple[Point, Point] | None = None
    """Where the present step began, and the last point."""
    wrong: tuple[bool, ...] = ()
    """What each of the last n steps showed."""
    found_since_ns: int | None = None
    stepped_ns: int = 0
    """Time of the last step."""


class MeterSign:
    """Compares the steps of all batteries with those of the meter. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        rated_w = sum(max(u.charge_power_max_w, u.discharge_power_max_w) for u in site.storage)
        self._step_w, self._at_rest_w = STEP * rated_w, AT_REST * rated_w

    def assess(
        self, snapshot: Snapshot, memory: MeterMemory
    ) -> tuple[tuple[Finding, ...], MeterMemory]:
        """Findings of this cycle and the memory for the next. Only new samples count."""
        grid = snapshot.readings[SITE].get(Signal.GRID_POWER_W)
        battery = self._battery(snapshot)
        if isinstance(grid, Good) and battery is not None:
            memory = self._matched(memory, (grid.time_ns, grid.value), battery)
        if memory.found_since_ns is None:
            return (), memory
        detail = f"it moved against the batteries in {SAMPLES[0]} of {SAMPLES[1]} steps"
        return (finding("meter_sign_wrong", SITE, memory.found_since_ns, detail),), memory

    def _battery(self, snapshot: Snapshot) -> tuple[int, float] | None:
        """Time of the oldest, and power of all units; None unless all are known."""
        time_ns, power_w = snapshot.time_ns, 0.0
        for unit in self._units:
            reading = snapshot.readings[unit].get(Signal.BATTERY_POWER_W)
            if not isinstance(reading, Good):
                return None
            time_ns, power_w = min(time_ns, reading.time_ns), power_w + reading.value
        return time_ns, power_w

    def _matched(
        self, memory: MeterMemory, grid: tuple[int, float], battery: tuple[int, float]
    ) -> MeterMemory:
        """Meter and inverters are not asked at the same instant: what the batteries did when the
        meter was read lies on the line between their samples before and after."""
        before = memory.battery
        if before is None or battery[0] - before[0] > GAP_NS:
            return replace(memory, battery=battery, grid=None)
        waiting = memory.grid
        if waiting is None and grid[0] >= before[0]:
            waiting = grid
            memory = replace(memory, grid=grid)
        if battery[0] <= before[0]:
            return memory
        if waiting is None or waiting[0] > battery[0]:
            return replace(memory, battery=battery)
        share = (waiting[0] - before[0]) / (battery[0] - before[0])
        point = Point(
            time_ns=waiting[0],
            battery_w=before[1] + share * (battery[1] - before[1]),
            grid_w=waiting[1],
        )
        return self._stepped(replace(memory, battery=battery, grid=None), point)

    def _stepped(self, memory: MeterMemory, point: Point) -> MeterMemory:
        if memory.step is None or point.time_ns - memory.step[1].time_ns > GAP_NS:
            return replace(memory, step=(point, point))
        start, last = memory.step
        moved_w = point.battery_w - start.battery_w
        if abs(moved_w) >= self._step_w:
            wrong = abs((point.grid_w - start.grid_w) / moved_w + 1.0) <= SIMILAR
            memory = _judged(memory, point.time_ns, wrong=wrong)
            start = point
        elif abs(point.battery_w - last.battery_w) < self._at_rest_w:
            memory = _forgiven(memory, point.time_ns)
            start = point
        return replace(memory, step=(start, point))


def _judged(memory: MeterMemory, time_ns: int, *, wrong: bool) -> MeterMemory:
    shown = (*memory.wrong, wrong)[-SAMPLES[1] :]
    since_ns = time_ns if memory.found_since_ns is None else memory.found_since_ns
    found = sum(shown) >= SAMPLES[0]
    return replace(
        memory, wrong=shown, found_since_ns=since_ns if found else None, stepped_ns=time_ns
    )


def _forgiven(memory: MeterMemory, time_ns: int) -> MeterMemory:
    if memory.found_since_ns is None or time_ns - memory.stepped_ns < HOLD_NS:
        return memory
    return replace(memory, wrong=(), found_since_ns=None)
