"""The rest of the site is what the grid would deliver if the batteries stood still: load less PV.

A meter that has a new value every ten seconds answers ten times a second. What it shows belongs
to the instant at which its value changed: from that the batteries' power *of that instant* is
taken away, and the result holds until the meter shows another value. So a control that follows
it neither winds up behind a meter that stands still nor swings behind a slow one.

What holds is the load: PV that is seen to change meanwhile is taken into account. Where the
inverter throttles PV so that nothing is exported, the meter rests at 0 W while sun and batteries
rise together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfSite:
    """What the meter showed when its value last changed, and what follows from it."""

    grid_w: float
    rest_w: float
    pv_w: float | None = None
    """At the same instant; None if it was not known."""


class RestFollower:
    """Follows meter and batteries of a site. Holds no state."""

    def __init__(self, units: Iterable[str]) -> None:
        self._units = tuple(units)

    def follow(
        self, snapshot: Snapshot, memory: RestOfSite | None
    ) -> tuple[Snapshot, RestOfSite | None]:
        """Adds the rest of the site to ``snapshot``; returns the memory for the next cycle.

        Nothing is added while the meter or a battery cannot be read. An inverter that lags behind
        its setpoint changes nothing: what it does not deliver yet, the meter shows.
        """
        grid = snapshot.read(SITE, Signal.GRID_POWER_W)
        if not isinstance(grid, Good):
            return snapshot, memory
        battery_w, pv_w = batteries_w(self._units, snapshot), snapshot.good(SITE, Signal.PV_POWER_W)
        if memory is None or grid.value != memory.grid_w:
            if battery_w is None:
                return snapshot, None  # a change whose battery power nobody saw is no pair
            memory = RestOfSite(grid_w=grid.value, rest_w=grid.value - battery_w, pv_w=pv_w)
        elif battery_w is None:
            return snapshot, memory
        rest_w = memory.rest_w
        if memory.pv_w is not None and pv_w is not None:
            rest_w += memory.pv_w - pv_w
        rest = Good(value=rest_w, time_ns=grid.time_ns)
        of_site = {**snapshot.readings[SITE], Signal.REST_OF_SITE_W: rest}
        return replace(snapshot, readings={**snapshot.readings, SITE: of_site}), memory


def batteries_w(units: Iterable[str], snapshot: Snapshot) -> float | None:
    """Returns the measured power of all ``units``, W, + charging; None unless each is good."""
    total_w = 0.0
    for unit in units:
        power_w = snapshot.good(unit, Signal.BATTERY_POWER_W)
        if power_w is None:
            return None
        total_w += power_w
    return total_w


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
