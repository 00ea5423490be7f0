"""The relay controller: closes the contactor when permitted, opens it below its break current."""

from dataclasses import dataclass, field, replace

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.written_point import DeviceMemory, PointRules, keep_points
from holdfast.safety.faults import Finding
from holdfast.safety.permit import Permit

OPEN_AT_THE_LATEST_NS = 1 * NS_PER_S
"""After this the contactor opens under load too: a welded contact is worse than a worn one."""

_RULES = (
    PointRules(
        point=Point.CONTACTOR,
        readback=Signal.CONTACTOR_CLOSED,
        fault="contactor_stuck",
        resolution=1.0,
        refresh_ns=10 * NS_PER_S,
        settle_ns=1 * NS_PER_S,
        tries=5,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayMemory:
    """What was last written, and since when the contactor is to open."""

    points: DeviceMemory = field(default_factory=dict)
    opening_since_ns: int | None = None


class RelayController:
    """Decides when the main contactor of one unit closes and opens. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        self._break_current_a = unit.battery.contactor_break_current_a

    def decide(
        self, permit: Permit, snapshot: Snapshot, memory: RelayMemory, *, at_once: bool = False
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """Writes to make now, the memory for the next cycle, and a contactor that is stuck.

        ``at_once`` opens under load too: a stop of category 0.
        """
        if not permit.may_write:
            return (), RelayMemory(), ()
        feedback = snapshot.good(self._unit, Signal.CONTACTOR_CLOSED)
        last = memory.points.get(Point.CONTACTOR)
        # After a start it may be closed and under load, as long as nobody has seen it open.
        was_closed = feedback != 0.0 if last is None else last.value == 1.0
        close = permit.may_connect and permit.is_fresh(snapshot.time_ns)
        opening_since_ns = None
        if was_closed and not close and not at_once:
            opening_since_ns = memory.opening_since_ns or snapshot.time_ns
            waited_ns = snapshot.time_ns - opening_since_ns
            if waited_ns < OPEN_AT_THE_LATEST_NS and not self._may_break(
                snapshot, opening_since_ns
            ):
                return (), replace(memory, opening_since_ns=opening_since_ns), ()
        writes, points, findings = keep_points(
            self._unit,
            Producer.RELAYS,
            {Point.CONTACTOR: float(close)},
            _RULES,
            snapshot,
            memory.points,
        )
        return writes, RelayMemory(points=points, opening_since_ns=opening_since_ns), findings

    def _may_break(self, snapshot: Snapshot, since_ns: int) -> bool:
        """True if a measurement taken after ``since_ns`` shows a current that may be broken.

        The inverter's power tells it sooner than a BMS that speaks once a second.
        """
        power = snapshot.read(self._unit, Signal.BATTERY_POWER_W)
        voltage = snapshot.read(self._unit, Signal.PACK_VOLTAGE_V)
        if isinstance(power, Good) and isinstance(voltage, Good) and power.time_ns > since_ns:
            return abs(power.value / voltage.value) < self._break_current_a
        current = snapshot.read(self._unit, Signal.BATTERY_CURRENT_A)
        if isinstance(current, Good) and current.time_ns > since_ns:
            return abs(current.value) < self._break_current_a
        return False
