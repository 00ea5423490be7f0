"""The meter's sign: when the batteries take more, the grid must deliver more.

A meter that is mounted the wrong way round turns self-consumption into positive feedback: the
more it corrects, the larger the error. What the house and the sun do at the same time is not
known, so several steps must say the same; and they are counted while the power is still on its
way, since it goes to its limit only once. The median of what they say is the meter's gain: a
wild step among them, in which a kettle was switched on, turns no verdict.

A meter whose gain is none, since it measures something else, is as wrong as one with the wrong
sign. There the house has another excuse: a load that ramps as fast as the batteries follow hides
them. But then the grid is near 0 W, and a meter far from it has not been hidden.
"""

from dataclasses import dataclass, replace
from statistics import median

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s
from holdfast.safety.bounds import site_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

STEP = 0.1
"""The share is of the rated power of all units: a smaller step is lost in what the house does."""
AT_REST = 0.01
"""The share is of the rated power. While the batteries move by less than this from one sample of
the meter to the next, what the meter shows is the house, and a step begins from there."""
SIMILAR = 0.25
"""The gain of a wrong meter is -1 or 0, within this. A load that ramps twice as fast as the
batteries follow looks like -1; hence not more."""
FAR = 0.1
"""The share is of the rated power: a meter without gain is this far from 0 W all the while,"""
STAYS_NS = ns_from_s(5.0)
"""and for this long after it showed no gain. A load that was followed has ramped by then."""
SAMPLES = (4, 5)
"""m of the last n steps must be on the wrong side of these:"""
AGAINST, UNMOVED = 0.0, 0.5
"""a gain of -1 is below the first, and one of 0 not further from 0 than the second."""
GAP_NS = ns_from_s(15.0)
"""Steps are not seen over a longer gap: a slow meter has a new value every 10 s."""
HOLD_NS = ns_from_s(60.0)
"""After the last step the finding clears by itself, since at 0 W no step can acquit the meter. If
the sign is wrong it is back at once, and the fifth time trips (see the escalation)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSample:
    """Holds what batteries and meter showed at one instant."""

    time_ns: int
    battery_w: float
    grid_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterStep:
    """Holds what the meter showed of one step of the batteries."""

    gain: float
    """1 for a meter that shows what is."""
    is_far: bool
    """The meter was far from 0 W before and after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterMemory:
    """Holds the last samples, where the present step began, and what the last steps showed."""

    battery: tuple[int, float] | None = None
    """Holds time and power of all units together."""
    grid: tuple[int, float] | None = None
    """Holds a sample of the meter that waits for the batteries' next one."""
    grid_w: float | None = None
    """Tells the meter's last value: only another one is a sample, for a slow meter repeats it."""
    step: tuple[MeterSample, MeterSample] | None = None
    """Tells where the present step began, and the last point."""
    steps: tuple[MeterStep, ...] = ()
    """Holds the last n steps."""
    unmoved_ns: int | None = None
    """Tells since when the steps show no gain and the meter has been far from 0 W."""
    found_since_ns: int | None = None
    stepped_ns: int = 0
    """Tells the time of the last step."""


class MeterSign:
    """Compares the steps of all batteries with those of the meter. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        rated_w = site_power(site)
        self._step_w, self._at_rest_w = STEP * rated_w, AT_REST * rated_w
        self._far_w = FAR * rated_w

    def assess(
        self, snapshot: Snapshot, memory: MeterMemory
    ) -> tuple[tuple[Finding, ...], MeterMemory]:
        """Returns this cycle's findings and the memory for the next. Only new samples count."""
        grid = snapshot.readings[SITE].get(Signal.GRID_POWER_W)
        battery = self._battery(snapshot)
        if isinstance(grid, Good) and battery is not None:
            memory = self._matched(memory, (grid.time_ns, grid.value), battery)
            memory = self._stayed(memory, grid)
        memory = _forgiven(memory, snapshot.time_ns)
        if memory.found_since_ns is None:
            return (), memory
        gain = median(step.gain for step in memory.steps)
        detail = f"of {SAMPLES[1]} steps it showed {gain:.2f} times as much"
        return (finding("meter_sign_wrong", SITE, memory.found_since_ns, detail),), memory

    def _stayed(self, memory: MeterMemory, grid: Good) -> MeterMemory:
        """Judges a meter whose steps showed no gain by what it shows in the seconds after."""
        if memory.unmoved_ns is None:
            return memory
        if abs(grid.value) < self._far_w:
            return replace(memory, unmoved_ns=None)
        if memory.found_since_ns is not None or grid.time_ns - memory.unmoved_ns < STAYS_NS:
            return memory
        return replace(memory, found_since_ns=grid.time_ns)

    def _battery(self, snapshot: Snapshot) -> tuple[int, float] | None:
        """Returns the time of the oldest, and the power of all units; None unless all are known."""
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
        """Matches meter and batteries, which are not asked at the same instant: what the batteries
        did when the meter was read lies on the line between their samples before and after."""
        before = memory.battery
        if before is None or battery[0] - before[0] > GAP_NS:
            return replace(memory, battery=battery, grid=None)
        waiting = memory.grid
        if waiting is None and grid[0] >= before[0] and grid[1] != memory.grid_w:
            waiting = grid
            memory = replace(memory, grid=grid, grid_w=grid[1])
        if battery[0] <= before[0]:
            return memory
        if waiting is None or waiting[0] > battery[0]:
            return replace(memory, battery=battery)
        share = (waiting[0] - before[0]) / (battery[0] - before[0])
        point = MeterSample(
            time_ns=waiting[0],
            battery_w=before[1] + share * (battery[1] - before[1]),
            grid_w=waiting[1],
        )
        return self._stepped(replace(memory, battery=battery, grid=None), point)

    def _stepped(self, memory: MeterMemory, point: MeterSample) -> MeterMemory:
        if memory.step is None or point.time_ns - memory.step[1].time_ns > GAP_NS:
            return replace(memory, step=(point, point))
        start, last = memory.step
        moved_w = point.battery_w - start.battery_w
        if abs(moved_w) >= self._step_w:
            step = MeterStep(
                gain=(point.grid_w - start.grid_w) / moved_w,
                is_far=min(abs(point.grid_w), abs(start.grid_w)) >= self._far_w,
            )
            memory = _judged(memory, point.time_ns, step)
            start = point
        elif abs(point.battery_w - last.battery_w) < self._at_rest_w:
            start = point
        return replace(memory, step=(start, point))


def _judged(memory: MeterMemory, time_ns: int, step: MeterStep) -> MeterMemory:
    steps = (*memory.steps, step)[-SAMPLES[1] :]
    memory = replace(memory, steps=steps, stepped_ns=time_ns)
    if _is_against(steps):
        since_ns = time_ns if memory.found_since_ns is None else memory.found_since_ns
        return replace(memory, found_since_ns=since_ns)
    if _is_unmoved(steps):
        unmoved_ns = time_ns if memory.unmoved_ns is None else memory.unmoved_ns
        return replace(memory, unmoved_ns=unmoved_ns)
    return replace(memory, found_since_ns=None, unmoved_ns=None)


def _is_against(steps: tuple[MeterStep, ...]) -> bool:
    """Says whether the steps together show a gain of -1."""
    against = sum(step.gain < AGAINST for step in steps)
    return against >= SAMPLES[0] and abs(median(s.gain for s in steps) + 1.0) <= SIMILAR


def _is_unmoved(steps: tuple[MeterStep, ...]) -> bool:
    """Says whether the steps together show no gain, far from 0 W."""
    unmoved = sum(abs(step.gain) <= UNMOVED and step.is_far for step in steps)
    return unmoved >= SAMPLES[0] and abs(median(s.gain for s in steps)) <= SIMILAR


def _forgiven(memory: MeterMemory, time_ns: int) -> MeterMemory:
    if memory.found_since_ns is None or time_ns - memory.stepped_ns < HOLD_NS:
        return memory
    return replace(memory, steps=(), unmoved_ns=None, found_since_ns=None)
