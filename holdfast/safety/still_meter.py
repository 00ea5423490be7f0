"""A still meter: one that tells of a grid which does not breathe, while power rests on it.

A meter may freeze while the batteries stand at their power, and then no witness moves. But a grid
moves by a hundredth of a hertz or a tenth of a volt within seconds: a meter that tells either of
them, and shows all its values the same, bit for bit, for half a minute, tells of no grid.
"""

from dataclasses import dataclass, replace

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.safety.bounds import site_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.island import any_islanded
from holdfast.safety.rest_of_site import batteries_w

STILL_NS = ns_from_s(30.0)
"""So long no living grid stands still (assumption)."""
GAP_NS = ns_from_s(10.0)
"""Over a longer gap between two samples nothing is known to have stood still."""
BREATHES = (Signal.GRID_VOLTAGE_V, Signal.GRID_FREQUENCY_HZ)
"""One of them has to be told."""
SHOWN = (*BREATHES, Signal.GRID_POWER_W, Signal.PV_POWER_W)
RESTS_ON_IT = 0.05
"""Share of the rated power: with less than this nothing rests on the meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillMemory:
    """Holds what the meter shows, and since when it has shown the same."""

    values: tuple[float | None, ...] = ()
    since_ns: int = 0
    sample_ns: int = 0
    found_since_ns: int | None = None


class StillMeter:
    """Watches the meter of a site. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        self._rests_w = RESTS_ON_IT * site_power(site)

    def assess(
        self, snapshot: Snapshot, memory: StillMemory
    ) -> tuple[tuple[Finding, ...], StillMemory]:
        """Returns the findings of this cycle and the memory for the next.

        What has been found stands until the meter shows another value.
        """
        memory = self._followed(snapshot, memory)
        if memory.found_since_ns is None:
            return (), memory
        detail = f"grid and all for {s_from_ns(memory.sample_ns - memory.since_ns):.0f} s"
        found = finding("data_frozen", SITE, memory.found_since_ns, detail, device=Role.METER)
        return (found,), memory

    def _followed(self, snapshot: Snapshot, memory: StillMemory) -> StillMemory:
        grid = snapshot.read(SITE, Signal.GRID_POWER_W)
        values = tuple(snapshot.good(SITE, signal) for signal in SHOWN)
        breathes = any(value is not None for value in values[: len(BREATHES)])
        if not isinstance(grid, Good) or not breathes:
            return StillMemory()
        if values != memory.values or grid.time_ns - memory.sample_ns > GAP_NS:
            return StillMemory(values=values, since_ns=grid.time_ns, sample_ns=grid.time_ns)
        memory = replace(memory, sample_ns=grid.time_ns)
        still = grid.time_ns - memory.since_ns >= STILL_NS
        if not still or memory.found_since_ns is not None or not self._rests_on_it(snapshot):
            return memory
        return replace(memory, found_since_ns=grid.time_ns)

    def _rests_on_it(self, snapshot: Snapshot) -> bool:
        if any_islanded(self._units, snapshot):
            return False
        battery_w = batteries_w(self._units, snapshot)
        return battery_w is not None and abs(battery_w) >= self._rests_w
