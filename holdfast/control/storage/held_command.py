"""A held command: what is permitted stays unlike what is written, and nobody else would say so.

What a permit takes away has a finding or a limit behind it that is told. What is lost after it, by
a ramp that may not go on or by the last check before the wire, shows only as a battery that does
nothing.
"""

from dataclasses import dataclass

from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.config import StorageUnit
from holdfast.core.units import NS_PER_S
from holdfast.devices.point_traits import PointTraits
from holdfast.safety.bounds import rated_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

HELD_NS = 2 * NS_PER_S
"""A request that is carried out does not stay unlike what is written for so long."""
UNLIKE = 0.01
"""Share of the rated power; a smaller difference is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMemory:
    """Holds what was written last, and since when that has been unlike what is permitted."""

    written_w: float = 0.0
    since_ns: int | None = None


NOTHING_HELD = HeldMemory()


class HeldCommand:
    """Watches the setpoint of one unit on its way to the device. Holds no state."""

    def __init__(self, unit: StorageUnit, point: PointTraits) -> None:
        self._unit = unit.name
        self._point = point
        self._unlike_w = UNLIKE * rated_power(unit)

    def check(
        self, setpoint: Setpoint, written_w: float | None, memory: HeldMemory, now_ns: int
    ) -> tuple[HeldMemory, tuple[Finding, ...]]:
        """Returns the memory, and a finding that names the stage that holds the setpoint.

        A setpoint on its way is none: each time another one is written it begins anew. Without
        ``written_w`` the device is not expected to carry out anything.
        """
        if written_w is None or not self._is_unlike(setpoint.permitted_w, written_w):
            return NOTHING_HELD, ()
        since_ns = memory.since_ns
        if since_ns is None or written_w != memory.written_w:
            since_ns = now_ns
        memory = HeldMemory(written_w=written_w, since_ns=since_ns)
        if now_ns - since_ns < HELD_NS:
            return memory, ()
        stage = "ramp" if self._is_unlike(setpoint.permitted_w, setpoint.power_w) else "wrapper"
        detail = (
            f"{setpoint.permitted_w:.0f} W, and {written_w:.0f} W is written; held by the {stage}"
        )
        return memory, (finding("command_held", self._unit, since_ns, detail),)

    def _is_unlike(self, permitted_w: float, other_w: float) -> bool:
        """Says whether two setpoints are not the same to the device."""
        away_w = self._point.kept(permitted_w) - self._point.kept(other_w)
        return not abs(away_w) <= self._unlike_w
