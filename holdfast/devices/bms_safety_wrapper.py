"""The BMS's safety wrapper is for a BMS that takes a power: one of two registers is always 0."""

from collections.abc import Collection
from typing import ClassVar

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.point_traits import NO_TRAITS, Traits
from holdfast.devices.written_point import DeviceMemory, PointRules, keep_points
from holdfast.safety.finding import Finding
from holdfast.safety.permit import Permit

_RULES = tuple(
    PointRules(
        point=point,
        readback=readback,
        fault="setpoint_ignored",
        resolution=20.0,
        refresh_ns=2 * NS_PER_S,
        exclusive=True,
    )
    for point, readback in (
        (Point.CHARGE_POWER_W, Signal.CHARGE_POWER_READBACK_W),
        (Point.DISCHARGE_POWER_W, Signal.DISCHARGE_POWER_READBACK_W),
    )
)


class BmsSafetyWrapper:
    """Keeps the charge and discharge power of one BMS. Holds no state."""

    KEEPS: ClassVar[frozenset[Point]] = frozenset(rule.point for rule in _RULES)

    def __init__(
        self, unit: StorageUnit, points: Collection[Point], traits: Traits = NO_TRAITS
    ) -> None:
        self._unit = unit.name
        self._rules = tuple(rule.of_device(traits) for rule in _RULES if rule.point in points)

    def decide(
        self,
        power_w: float,
        permit: Permit,
        snapshot: Snapshot,
        memory: DeviceMemory,
        *,
        force: bool,
    ) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:
        """Returns writes to make now, the memory for the next cycle, and what the BMS ignores.

        The direction that becomes 0 is written first, so that there is no moment in which
        both are set. On an island, where the load decides, both hold what is permitted.
        """
        if not permit.may_write:
            return (), {}, ()
        may_run = permit.may_run and permit.covers(power_w, snapshot.time_ns)
        if not may_run:
            power_w = 0.0
        wanted = {
            Point.CHARGE_POWER_W: max(power_w, 0.0),
            Point.DISCHARGE_POWER_W: max(-power_w, 0.0),
        }
        held = {
            Point.CHARGE_POWER_W: permit.envelope.max_w,
            Point.DISCHARGE_POWER_W: -permit.envelope.min_w,
        }
        if permit.islanded and may_run:
            wanted = held
        forced = frozenset(
            point
            for point, limit_w in held.items()
            if force or ((last := memory.get(point)) is not None and not last.value <= limit_w)
        )
        rules = self._rules if power_w <= 0.0 else self._rules[::-1]
        return keep_points(self._unit, Role.BMS, wanted, rules, snapshot, memory, forced)
