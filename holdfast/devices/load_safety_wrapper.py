"""The load switch's safety wrapper is the last check before the wire. It knows nothing of why.

A person may turn a switch or a thermostat by hand. It is told again, and its disobedience is
logged; nothing of the battery rests on it.
"""

from collections.abc import Collection
from typing import ClassVar

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Missing, Stale
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.point_traits import NO_TRAITS, Traits
from holdfast.devices.written_point import DeviceMemory, PointRules, keep_points
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.permit import LoadPermit

REVERT_S = 60.0
"""It is assumed to be long enough for a wireless switch that loses two commands, and a controller
that starts anew; a minute of heat too much harms nothing."""
FROST_PROTECTION_C = 7.0
"""A thermostat that may not run keeps this: it is the usual mark on one."""
COMFORT_C = (5.0, 35.0)
"""site.yaml can have a comfort between these; anything else is no setpoint."""
_SETTLE_NS = 5 * NS_PER_S
"""It is assumed that a wireless switch, or one behind a gateway, has done it by then."""

_RULES = (
    # The timer is armed before anything is switched on.
    PointRules(
        point=Point.LOAD_REVERT_S,
        readback=Signal.LOAD_REVERT_READBACK_S,
        fault="load_silent",
        resolution=1.0,
        refresh_ns=60 * NS_PER_S,
        settle_ns=_SETTLE_NS,
        exact=True,
    ),
    PointRules(
        point=Point.LOAD_ON,
        readback=Signal.LOAD_ON,
        fault="load_silent",
        resolution=1.0,
        refresh_ns=20 * NS_PER_S,  # a third of REVERT_S: two may get lost
        settle_ns=_SETTLE_NS,
        exact=True,
    ),
    PointRules(
        point=Point.ROOM_SETPOINT_C,
        readback=Signal.ROOM_SETPOINT_READBACK_C,
        fault="load_silent",
        resolution=0.5,  # many thermostats know no finer step
        refresh_ns=600 * NS_PER_S,  # it keeps its setpoint; one that does not shows it
        settle_ns=_SETTLE_NS,
    ),
)


class LoadSafetyWrapper:
    """Keeps one load switch or thermostat. Holds no state."""

    KEEPS: ClassVar[frozenset[Point]] = frozenset(rule.point for rule in _RULES)

    def __init__(self, name: str, points: Collection[Point], traits: Traits = NO_TRAITS) -> None:
        """Takes the ``name`` of the flexible load or heated room."""
        self._name = name
        self._rules = tuple(rule.of_device(traits) for rule in _RULES if rule.point in points)

    def decide(
        self,
        permit: LoadPermit,
        snapshot: Snapshot,
        memory: DeviceMemory,
        *,
        on: bool,
        setpoint_c: float | None,
    ) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:
        """Returns writes to make now, the next cycle's memory, and what is wrong with the switch.

        Without a fresh permit it is off, and a thermostat protects from frost.
        """
        lost = self._lost(snapshot)
        if not permit.may_write:
            return (), {}, lost
        runs = on and permit.may_run and permit.is_fresh(snapshot.time_ns)
        wanted = {
            Point.LOAD_REVERT_S: REVERT_S,
            Point.LOAD_ON: float(runs),
            Point.ROOM_SETPOINT_C: _kept_c(setpoint_c if runs else None),
        }
        writes, after, findings = keep_points(
            self._name, Role.LOAD_SWITCH, wanted, self._rules, snapshot, memory
        )
        return writes, after, (*lost, *findings)

    def _lost(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Finds a switch that cannot be read, since its last sample."""
        now_ns = snapshot.time_ns
        match snapshot.read(self._name, Signal.LOAD_ON):
            case Good():
                return ()
            case Stale(time_ns=since_ns):
                detail = "it is silent"
            case Bad(time_ns=since_ns, reason=detail):
                since_ns = min(since_ns, now_ns)  # a sample may come from the future
            case Missing():
                since_ns, detail = now_ns, "it was never heard of"
        return (finding("load_silent", self._name, since_ns, detail, device=Role.LOAD_SWITCH),)


def _kept_c(setpoint_c: float | None) -> float:
    """Returns ``setpoint_c`` if it can be one; else frost protection."""
    low_c, high_c = COMFORT_C
    if setpoint_c is None or not low_c <= setpoint_c <= high_c:
        return FROST_PROTECTION_C
    return setpoint_c
