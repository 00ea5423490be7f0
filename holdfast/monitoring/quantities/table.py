"""The table of the quantities that Holdfast sets has one row for each kind of actuator.

Status, metrics, audit log, explanation and the view in a terminal loop over what comes of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.device_mode import number_of
from holdfast.core.plan import PlanSlot
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.devices.load_safety_wrapper import FROST_PROTECTION_C
from holdfast.devices.roles import ROLE_OF
from holdfast.devices.written_point import DeviceMemory
from holdfast.monitoring.quantities.quantity import METRIC_UNITS, Quantity, QuantityName
from holdfast.monitoring.throttle import Allowance
from holdfast.safety.bounds import rated_power
from holdfast.safety.envelope import Envelope

GRID_CONNECTION = "grid_connection"
"""This asks for an export limit where no plan does."""
ISLAND = "island"
"""While the grid is away this asks for a rule of the inverter's own, where there is one."""
ROOM_FOR_IMPORT = "room_for_import"
"""For want of it PV is let through though a plan has it off."""
_SERVED_W = 0.5
"""A request is served whole if no more than this is left out."""
_SHARE_OF_POWER = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Holds what a cycle decided of one quantity, up to the ramp, in fields of a ``Quantity``."""

    asked: float | None
    asked_of_site: float | None = None
    source: str
    reason: str
    low: float | None = None
    low_by: str = ""
    high: float | None = None
    high_by: str = ""
    limited_by: str = ""
    permitted: float | None
    ramped: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRule:
    """Tells which changes of a quantity get a line of the audit log, of those that are written."""

    allowance: Allowance
    """A value that becomes zero does not wait for it."""
    steps: Callable[[Site], Mapping[str, float]] = lambda _: {}
    """By owner, smaller moves from what was last shown are only counted. Absent: any is shown."""
    resolution: float = 0.0
    """Smaller changes are not written: the end of a ramp may be as far off."""
    why: bool = False
    """Another source, reason or limit is shown as well, and so is the end of a ramp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityRow:
    """A row is one kind of actuator."""

    name: QuantityName
    point: Point
    """The device is told by this point."""
    read_back: Signal
    measured: Signal | None = None
    """By this signal it can be seen that the device does it; in the same unit."""
    decided: Callable[[str, DeviceMemory, CycleRecord], Decided | None]
    """Decides from owner, what its device was told, and the cycle; None if it takes none."""
    lines: LineRule
    beside: tuple[Signal, ...] = ()
    """Names readings of the owner that explain it."""

    @property
    def unit(self) -> str:
        """Returns the unit of all its values."""
        return SIGNALS[self.read_back].unit

    @property
    def is_of_load(self) -> bool:
        """Says whether it is told to a load switch, or else to the inverter of a storage unit."""
        return ROLE_OF[self.point] is Role.LOAD_SWITCH

    def quantity(self, owner: str, memory: DeviceMemory, record: CycleRecord) -> Quantity | None:
        """Returns it after a cycle that left ``memory`` behind; None if the device takes none."""
        decided = self.decided(owner, memory, record)
        if decided is None:
            return None
        written, good = memory.get(self.point), record.snapshot.good
        return Quantity(
            owner=owner,
            name=self.name,
            unit=self.unit,
            asked=decided.asked,
            asked_of_site=decided.asked_of_site,
            source=decided.source,
            reason=decided.reason,
            low=decided.low,
            low_by=decided.low_by,
            high=decided.high,
            high_by=decided.high_by,
            limited_by=decided.limited_by,
            permitted=decided.permitted,
            ramped=decided.ramped,
            written=None if written is None else written.value,
            read_back=good(owner, self.read_back),
            measured=None if self.measured is None else good(owner, self.measured),
        )


def quantities(state: CycleState, record: CycleRecord) -> tuple[Quantity, ...]:
    """Returns all quantities after the cycle that led to ``state``, in the order of the table."""
    return tuple(
        quantity
        for row in QUANTITIES
        for owner in (state.loads if row.is_of_load else state.units)
        if (quantity := row.quantity(owner, memory_of(row, owner, state), record)) is not None
    )


def memory_of(row: QuantityRow, owner: str, state: CycleState) -> DeviceMemory:
    """Returns what the device was told."""
    return state.loads[owner] if row.is_of_load else state.units[owner].inverter


# ---------------------------------------------------------------------- rows


def _battery_power(unit: str, _: DeviceMemory, record: CycleRecord) -> Decided:
    request, setpoint = record.request, record.setpoints[unit]
    envelope = record.permits[unit].envelope
    return Decided(
        asked=setpoint.asked_w,
        asked_of_site=request.power_w,
        source=request.source,
        reason=request.reason,
        low=envelope.min_w,
        low_by=envelope.min_by,
        high=envelope.max_w,
        high_by=envelope.max_by,
        limited_by=_limited_by(envelope, record),
        permitted=setpoint.permitted_w,
        ramped=setpoint.power_w,
    )


def _limited_by(envelope: Envelope, record: CycleRecord) -> str:
    """A unit is limited if all of them together cannot do what is asked of the site."""
    asked_w = record.request.power_w
    envelopes = [permit.envelope for permit in record.permits.values()]
    if asked_w - sum(each.max_w for each in envelopes) > _SERVED_W:
        return envelope.max_by
    if sum(each.min_w for each in envelopes) - asked_w > _SERVED_W:
        return envelope.min_by
    # Where nothing is permitted nothing may be asked: in BOOT or IDLE the wish is 0 W as well.
    return envelope.max_by if envelope.min_w == envelope.max_w == 0.0 else ""


def _power_steps(site: Site) -> dict[str, float]:
    return {unit.name: _SHARE_OF_POWER * rated_power(unit) for unit in site.storage}


def _device_mode(unit: str, memory: DeviceMemory, record: CycleRecord) -> Decided | None:
    if Point.DEVICE_MODE not in memory:
        return None
    if record.permits[unit].islanded:
        number = memory[Point.DEVICE_MODE].value
        return Decided(asked=number, source=ISLAND, reason="its load decides", permitted=number)
    slot, asked = _slot_followed(record), record.request.device_mode
    permitted = record.permits[unit].device_mode
    source, reason = AskedBy.PASSIVE, "it follows its setpoint"
    if slot is not None and asked is not None:
        source, reason = AskedBy.PLAN, slot.reason
    return Decided(
        asked=number_of(asked),
        source=source,
        reason=reason,
        limited_by=_limit_of_mode(record.permits[unit].envelope) if permitted is not asked else "",
        permitted=number_of(permitted),
    )


def _limit_of_mode(envelope: Envelope) -> str:
    """Returns what sets the end that is nearer: in a mode an inverter may do all it can."""
    return envelope.max_by if envelope.max_w <= -envelope.min_w else envelope.min_by


def _export_limit(unit: str, memory: DeviceMemory, record: CycleRecord) -> Decided | None:
    if Point.EXPORT_LIMIT_W not in memory:
        return None
    slot = _slot_followed(record)
    source, reason = GRID_CONNECTION, "the grid connection permits no more"
    if slot is not None and slot.export_limit_w is not None:
        source, reason = AskedBy.PLAN, slot.reason
    return Decided(
        asked=record.request.export_limit_w,
        source=source,
        reason=reason,
        permitted=record.permits[unit].export_limit_w,
    )


def _pv_switch(unit: str, memory: DeviceMemory, record: CycleRecord) -> Decided | None:
    if Point.PV_ON not in memory:
        return None
    slot = _slot_followed(record)
    asked = slot is None or slot.pv_on
    permitted = record.permits[unit].pv_on
    source, reason = AskedBy.PASSIVE, "nobody asks for less"
    if slot is not None and not slot.pv_on:
        source, reason = AskedBy.PLAN, slot.reason
    return Decided(
        asked=float(asked),
        source=source,
        reason=reason,
        limited_by=ROOM_FOR_IMPORT if permitted and not asked else "",
        permitted=float(permitted),
    )


def _slot_followed(record: CycleRecord) -> PlanSlot | None:
    plan, running = record.inputs.plan, record.moved.state is State.RUNNING
    return plan.slot_at(record.inputs.now_ns) if plan is not None and running else None


def _load(name: str, _: DeviceMemory, record: CycleRecord) -> Decided:
    """A thermostat is on or off by itself: it has this row as well, and is told nothing of it."""
    request, permit = record.load_requests[name], record.load_permits[name]
    on, high = float(request.on), float(permit.may_run)
    return Decided(
        asked=on,
        source=request.source,
        reason=request.reason,
        low=0.0,
        high=high,
        high_by=permit.blocked_by,
        limited_by=permit.blocked_by,
        permitted=min(on, high),
    )


def _room_setpoint(name: str, _: DeviceMemory, record: CycleRecord) -> Decided | None:
    request, permit = record.load_requests[name], record.load_permits[name]
    if request.setpoint_c is None:
        return None
    return Decided(
        asked=request.setpoint_c,
        source=request.source,
        reason=request.reason,
        high=None if permit.may_run else FROST_PROTECTION_C,
        high_by=permit.blocked_by,
        limited_by=permit.blocked_by,
        permitted=request.setpoint_c if request.on and permit.may_run else FROST_PROTECTION_C,
    )


_PER_LOAD = LineRule(allowance=Allowance(at_once=4, every_ns=300 * NS_PER_S))
"""A plan moves a relay twice in a quarter hour."""
_PER_SLOT = LineRule(allowance=Allowance(at_once=4, every_ns=900 * NS_PER_S))
"""Prices change with the quarter hour, and below zero they mostly stay for hours."""

QUANTITIES = (
    QuantityRow(
        name=QuantityName.BATTERY_POWER,
        point=Point.SETPOINT_W,
        read_back=Signal.SETPOINT_READBACK_W,
        measured=Signal.BATTERY_POWER_W,
        decided=_battery_power,
        lines=LineRule(
            allowance=Allowance(at_once=1, every_ns=1 * NS_PER_S),
            steps=_power_steps,
            resolution=10.0,
            why=True,
        ),
        beside=(
            Signal.SOC_PCT,
            Signal.PACK_VOLTAGE_V,
            Signal.CHARGE_CURRENT_LIMIT_A,
            Signal.DISCHARGE_CURRENT_LIMIT_A,
        ),
    ),
    QuantityRow(
        name=QuantityName.DEVICE_MODE,
        point=Point.DEVICE_MODE,
        read_back=Signal.DEVICE_MODE,
        decided=_device_mode,
        lines=_PER_SLOT,
    ),
    QuantityRow(
        name=QuantityName.EXPORT_LIMIT,
        point=Point.EXPORT_LIMIT_W,
        read_back=Signal.EXPORT_LIMIT_READBACK_W,
        decided=_export_limit,
        lines=_PER_SLOT,
    ),
    QuantityRow(
        name=QuantityName.PV_SWITCH,
        point=Point.PV_ON,
        read_back=Signal.PV_ON,
        decided=_pv_switch,
        lines=_PER_SLOT,
    ),
    QuantityRow(
        name=QuantityName.LOAD,
        point=Point.LOAD_ON,
        read_back=Signal.LOAD_ON,
        decided=_load,
        lines=_PER_LOAD,
        beside=(Signal.ROOM_TEMPERATURE_C,),
    ),
    QuantityRow(
        name=QuantityName.ROOM_SETPOINT,
        point=Point.ROOM_SETPOINT_C,
        read_back=Signal.ROOM_SETPOINT_READBACK_C,
        measured=Signal.ROOM_TEMPERATURE_C,
        decided=_room_setpoint,
        lines=_PER_LOAD,
        beside=(Signal.ROOM_TEMPERATURE_C,),
    ),
)
_SERVING = {
    Point.ENABLE, Point.REVERT_TIMEOUT_S, Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W,
    Point.CONTACTOR, Point.PRECHARGE, Point.LOAD_REVERT_S,
}  # fmt: skip
"""These points are written for the sake of a quantity and tell nothing of their own."""

ROW_OF: Mapping[Point, QuantityRow] = {row.point: row for row in QUANTITIES}

assert [row.name for row in QUANTITIES] == list(QuantityName), "one row a name, in their order"
assert sorted(chain(_SERVING, (row.point for row in QUANTITIES))) == sorted(Point), (
    "each point has one row, or serves one"
)
assert {row.unit for row in QUANTITIES} == METRIC_UNITS.keys(), "each unit has a word in metrics"
assert all(ROLE_OF[row.point] in (Role.INVERTER, Role.LOAD_SWITCH) for row in QUANTITIES)
assert all(SIGNALS[row.read_back].producer is ROLE_OF[row.point] for row in QUANTITIES)
assert all(SIGNALS[row.measured].unit == row.unit for row in QUANTITIES if row.measured is not None)
