"""The inverter's safety wrapper is the last check before the wire. It knows nothing of why."""

from collections.abc import Collection
from typing import ClassVar

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.device_mode import NO_MODE, ON_ISLAND, PLANNED, DeviceMode, number_of
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.point_traits import NO_TRAITS, PLAIN, Traits
from holdfast.devices.written_point import DeviceMemory, PointMemory, PointRules, keep_points
from holdfast.safety.finding import Finding
from holdfast.safety.permit import Permit

_FORCED = frozenset({Point.SETPOINT_W, Point.ENABLE})
_EXPORT_LIMIT = PointRules(
    point=Point.EXPORT_LIMIT_W,
    readback=Signal.EXPORT_LIMIT_READBACK_W,
    fault="export_limit_ignored",
    resolution=10.0,
    refresh_ns=60 * NS_PER_S,
    # No battery is in danger: a register that is not obeyed is not to be worn out as well.
    gives_up=True,
)
"""It is kept where the inverter has PV behind it and measures at the grid connection. Each unit of
a site gets the site's whole limit, since each of them sees the whole export. Nothing reverts it
when Holdfast is gone: it keeps the site within what it may export, as it did before."""
_PV_SWITCH = PointRules(
    point=Point.PV_ON,
    readback=Signal.PV_ON,
    fault="pv_switch_ignored",
    resolution=1.0,
    refresh_ns=60 * NS_PER_S,
    gives_up=True,
    exact=True,
    safe=1.0,
)
"""It is kept where the inverter can switch off the PV behind it. The revert timer lifts it, as it
ends a setpoint, and the watchdog does."""
_OF_BMS = frozenset({Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W})
_USUAL = (Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S)
"""An inverter takes these, unless its table says in words that it does not."""


class InverterSafetyWrapper:
    """Keeps setpoint, enable, revert timer and what its PV may do, of one inverter.

    Holds no state.
    """

    KEEPS: ClassVar[frozenset[Point]] = frozenset(
        {*_USUAL, Point.DEVICE_MODE, Point.EXPORT_LIMIT_W, Point.PV_ON}
    )

    def __init__(
        self, unit: StorageUnit, points: Collection[Point] = _USUAL, traits: Traits = NO_TRAITS
    ) -> None:
        """Takes the ``points`` that the unit's devices have."""
        self._unit = unit.name
        self._revert_timeout_s = float(round(unit.inverter_hardware.revert_timeout_s))
        rules: tuple[PointRules, ...] = (
            PointRules(
                point=Point.SETPOINT_W,
                readback=Signal.SETPOINT_READBACK_W,
                fault="setpoint_ignored",
                resolution=10.0,
                # A heartbeat may get lost twice before the inverter reverts.
                refresh_ns=ns_from_s(self._revert_timeout_s / 3),
                exclusive=True,
            ),
            PointRules(
                # It comes after the setpoint, which counts again once it is 0.
                point=Point.DEVICE_MODE,
                readback=Signal.DEVICE_MODE,
                fault="setpoint_ignored",
                resolution=1.0,
                refresh_ns=ns_from_s(self._revert_timeout_s / 3),
                exclusive=True,
                exact=True,
            ),
            PointRules(
                point=Point.ENABLE,
                readback=Signal.INVERTER_ENABLED,
                fault="setpoint_ignored",
                resolution=1.0,
                refresh_ns=5 * NS_PER_S,
                exact=True,
            ),
            PointRules(
                point=Point.REVERT_TIMEOUT_S,
                readback=Signal.REVERT_TIMEOUT_READBACK_S,
                fault="setpoint_ignored",
                resolution=1.0,
                refresh_ns=60 * NS_PER_S,
                exact=True,
            ),
        )
        rules = (*rules, _EXPORT_LIMIT, _PV_SWITCH)
        self._rules = tuple(rule.of_device(traits) for rule in rules if rule.point in points)
        # When it shows what it was told.
        self._settle_ns = max((rule.settle_ns for rule in self._rules), default=0)
        takes_modes = Point.DEVICE_MODE in points
        modes = traits.get(Point.DEVICE_MODE, PLAIN).modes if takes_modes else frozenset()
        # A BMS that takes powers would have to know what the inverter does by itself. On an island
        # it lets either direction pass anyway.
        self._modes = modes.intersection(PLANNED) if _OF_BMS.isdisjoint(points) else frozenset()
        self._on_island = next((mode for mode in ON_ISLAND if mode in modes), None)

    def mode_of(self, permit: Permit, now_ns: int) -> DeviceMode | None:
        """Returns the rule of its own to which the inverter is left, if it is to one at all.

        One that carries an island is left to itself: told 0 W it might leave the house dark.
        """
        if not (permit.may_write and permit.may_run and permit.is_fresh(now_ns)):
            return None
        if permit.islanded:
            return self._on_island
        return permit.device_mode if permit.device_mode in self._modes else None

    def decide(
        self,
        power_w: float,
        permit: Permit,
        snapshot: Snapshot,
        memory: DeviceMemory,
        *,
        force: bool,
    ) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:
        """Returns writes to make now, the memory for the next cycle, and what the inverter ignores.

        A power that the permit does not cover becomes 0 W. ``force`` writes setpoint and enable
        even if nothing has changed. An inverter that is left to a rule of its own is told that in
        the place of a setpoint.
        """
        if not permit.may_write:
            return (), {}, ()
        now_ns = snapshot.time_ns
        fresh = permit.is_fresh(now_ns)
        may_run = permit.may_run and fresh
        if not (may_run and permit.covers(power_w, now_ns)):
            power_w = 0.0
        mode = None if force else self.mode_of(permit, now_ns)
        last = memory.get(Point.SETPOINT_W)
        forced = _FORCED if force else frozenset()
        if last is not None and not permit.envelope.contains(last.value):
            # However small the change: what the device holds now is no longer permitted.
            forced |= {Point.SETPOINT_W}
        if mode is None and self._is_led(last, snapshot):
            forced |= {Point.SETPOINT_W}
        wanted = {
            Point.SETPOINT_W: power_w,
            Point.DEVICE_MODE: number_of(mode),
            Point.ENABLE: float(may_run),
            Point.REVERT_TIMEOUT_S: self._revert_timeout_s,
            Point.EXPORT_LIMIT_W: permit.export_limit_w,
            Point.PV_ON: float(permit.pv_on or not fresh),
        }
        rules = self._rules
        if mode is not None:
            rules = tuple(rule for rule in rules if rule.point is not Point.SETPOINT_W)
            memory = {
                point: kept for point, kept in memory.items() if point is not Point.SETPOINT_W
            }
        return keep_points(self._unit, Role.INVERTER, wanted, rules, snapshot, memory, forced)

    def _is_led(self, last: PointMemory | None, snapshot: Snapshot) -> bool:
        """Says whether the inverter keeps a rule of its own though it was told a setpoint: what it
        shows as that is 0 W then, and would pass for what was asked."""
        shown = snapshot.read(self._unit, Signal.DEVICE_MODE)
        return (
            last is not None
            and isinstance(shown, Good)
            and shown.value != NO_MODE
            and shown.time_ns >= last.written_ns + self._settle_ns
        )
