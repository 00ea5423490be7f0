"""The BMS's safety wrapper, for a BMS that takes a power: two registers, one of them always 0."""

from collections.abc import Collection
from dataclasses import replace

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.write_budget import NO_BUDGETS, Budgets
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

    def __init__(
        self, unit: StorageUnit, points: Collection[Point], budgets: Budgets = NO_BUDGETS
    ) -> None:
        self._unit = unit.name
        self._rules = tuple(
            replace(rule, writes_per_day=budgets.get(rule.point))
            for rule in _RULES
            if rule.point in points
        )

    def decide(
        self, power_w: float, permit: Permit, snapshot: Snapshot, memory: DeviceMemory, *,
        force: bool,
    ) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:  # fmt: skip
        """Writes to make now, the memory for the next cycle, and what the BMS ignores.

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
        return keep_points(self._unit, Producer.BMS, wanted, rules, snapshot, memory, forced)
