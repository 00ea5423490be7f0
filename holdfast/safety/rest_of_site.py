"""The rest of the site is what the grid would deliver if the batteries stood still: load less PV.

A meter that has a new value every ten seconds answers ten times a second. What it shows belongs
to the instant at which its value changed, less the meter's own delay: from that the batteries'
power *of that instant* is taken away, and the result holds until the meter shows another value. So
a control that follows it neither winds up behind a meter that stands still nor swings behind a
slow or late one.

Where the delay is known only within a window, and the batteries moved in that time, several rests
explain what the meter shows. Then the one that is nearest to what was known before is taken: what
the batteries may have done themselves moves nothing.

What holds is the load: PV that is seen to change meanwhile is taken into account. Where the
inverter throttles PV so that nothing is exported, the meter rests at 0 W while sun and batteries
rise together. Meanwhile begins when PV is read after the meter's change: what a slower PV meter
shows late the grid's meter has shown already, and counted twice a cloud would move the batteries
by the sun that it took.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal
from holdfast.safety.meter_delay import DelayMemory, Window, declared, learned
from holdfast.safety.power_past import Past, noted, powers_between


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfSite:
    """What the meter showed when its value last changed, and what follows from it."""

    grid_w: float
    rest_w: float
    changed_ns: int = 0
    """When the meter measured it."""
    pv_w: float | None = None
    """First read since; None if it has not been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestMemory:
    """Holds what the follower hands from one cycle to the next."""

    pair: RestOfSite | None = None
    """None until meter and batteries have been seen together."""
    past: Past = ()
    delay: DelayMemory = field(default_factory=DelayMemory)


class RestFollower:
    """Follows meter and batteries of a site. Holds no state."""

    def __init__(self, units: Iterable[str], meter_delay_s: float | None = None) -> None:
        """Takes the ``meter_delay_s`` that the owner has told; None: it is learned."""
        self._units = tuple(units)
        self._window = None if meter_delay_s is None else declared(meter_delay_s)

    def follow(self, snapshot: Snapshot, memory: RestMemory) -> tuple[Snapshot, RestMemory]:
        """Adds the rest of the site to ``snapshot``; returns the memory for the next cycle.

        Nothing is added while the meter or a battery cannot be read. An inverter that lags behind
        its setpoint changes nothing: what it does not deliver yet, the meter shows.
        """
        battery = _batteries(self._units, snapshot)
        if battery is not None:
            past = noted(memory.past, battery.time_ns, battery.value)
            if past is not memory.past:
                memory = replace(memory, past=past)
        grid = snapshot.read(SITE, Signal.GRID_POWER_W)
        if not isinstance(grid, Good):
            return snapshot, memory
        pv = snapshot.read(SITE, Signal.PV_POWER_W)
        pv_w = pv.value if isinstance(pv, Good) else None
        pair = memory.pair
        if pair is None or grid.value != pair.grid_w:
            if battery is None:  # a change whose battery power nobody saw is no pair
                return snapshot, RestMemory(delay=replace(memory.delay, rests_w=()))
            pair, memory = self._changed(memory, grid, pv_w)
        elif battery is None:
            return snapshot, memory
        if pair.pv_w is None and isinstance(pv, Good) and pv.time_ns >= pair.changed_ns:
            pair = replace(pair, pv_w=pv.value)
            memory = replace(memory, pair=pair)
        rest = Good(value=_rest_now_w(pair, pv_w), time_ns=grid.time_ns)
        of_site = {**snapshot.readings[SITE], Signal.REST_OF_SITE_W: rest}
        return replace(snapshot, readings={**snapshot.readings, SITE: of_site}), memory

    def window(self, memory: RestMemory) -> Window:
        """Returns the least and the most that the meter's delay may be, in ns."""
        return memory.delay.window if self._window is None else self._window

    def swing_w(self, memory: RestMemory, snapshot: Snapshot) -> tuple[float, float]:
        """Returns how much less, and how much more, the batteries may have done when the meter
        measured than they do now, W."""
        grid = snapshot.read(SITE, Signal.GRID_POWER_W)
        if not (isinstance(grid, Good) and memory.past):
            return 0.0, 0.0
        least_ns, most_ns = self.window(memory)
        low_w, high_w = powers_between(memory.past, grid.time_ns - most_ns, grid.time_ns - least_ns)
        now_w = memory.past[-1][1]
        return low_w - now_w, high_w - now_w

    def _changed(
        self, memory: RestMemory, grid: Good, pv_w: float | None
    ) -> tuple[RestOfSite, RestMemory]:
        """Returns the pair and the memory after the meter has shown a new value."""
        if self._window is None:
            delay = learned(memory.delay, memory.past, grid.time_ns, grid.value)
            memory = replace(memory, delay=delay)
        least_ns, most_ns = self.window(memory)
        low_w, high_w = powers_between(memory.past, grid.time_ns - most_ns, grid.time_ns - least_ns)
        before = memory.pair
        # Without a rest before, the batteries' last power counts.
        known_w = grid.value - memory.past[-1][1] if before is None else _rest_now_w(before, pv_w)
        rest_w = min(max(known_w, grid.value - high_w), grid.value - low_w)
        pair = RestOfSite(grid_w=grid.value, rest_w=rest_w, changed_ns=grid.time_ns)
        return pair, replace(memory, pair=pair)


def _rest_now_w(pair: RestOfSite, pv_w: float | None) -> float:
    """Returns the rest of the site, W, with the PV that there is now."""
    if pair.pv_w is None or pv_w is None:
        return pair.rest_w
    return pair.rest_w + (pair.pv_w - pv_w)


def _batteries(units: Iterable[str], snapshot: Snapshot) -> Good | None:
    """Returns the measured power of all ``units``, W, as old as the oldest; None unless all are
    good."""
    total_w, time_ns = 0.0, snapshot.time_ns
    for unit in units:
        power = snapshot.read(unit, Signal.BATTERY_POWER_W)
        if not isinstance(power, Good):
            return None
        total_w += power.value
        time_ns = min(time_ns, power.time_ns)
    return Good(value=total_w, time_ns=time_ns)


def batteries_w(units: Iterable[str], snapshot: Snapshot) -> float | None:
    """Returns the measured power of all ``units``, W, + charging; None unless each is good."""
    battery = _batteries(units, snapshot)
    return None if battery is None else battery.value


def fed(units: Iterable[str], snapshot: Snapshot) -> Good | None:
    """Returns what batteries and PV do at the grid connection, W, + import: what a meter must show
    besides the load. It is as old as the oldest battery; None unless each of them is good, while PV
    that is not known counts as none."""
    readings = [snapshot.read(unit, Signal.BATTERY_POWER_W) for unit in units]
    good = [reading for reading in readings if isinstance(reading, Good)]
    if len(good) < len(readings):
        return None
    pv_w = snapshot.good(SITE, Signal.PV_POWER_W) or 0.0
    time_ns = min(reading.time_ns for reading in good)
    return Good(value=sum([reading.value for reading in good]) - pv_w, time_ns=time_ns)


def load_of_site_w(snapshot: Snapshot) -> float | None:
    """Returns the load, W, which PV does not change; None where it is not known."""
    rest_w, pv_w = rest_of_site_w(snapshot), snapshot.good(SITE, Signal.PV_POWER_W)
    return None if rest_w is None or pv_w is None else rest_w + pv_w


def rest_of_site_w(snapshot: Snapshot) -> float | None:
    """Returns load less PV, W; None where it is not known."""
    return snapshot.good(SITE, Signal.REST_OF_SITE_W)
