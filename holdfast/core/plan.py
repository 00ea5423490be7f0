"""A plan is what the planner proposes for the coming hours. The controller trusts none of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from holdfast.core.asked_slot import NO_TERMS, AskedBy, SlotTerms
from holdfast.core.device_mode import DeviceMode
from holdfast.core.slot_mode import SlotMode
from holdfast.core.texts import MAX_NOTE, MAX_REASON, shown

SHARE_MIN, SHARE_MAX = 0.05, 0.95
"""A load that has a smaller share of a slot is off in it, with a larger one on for all of it: no
relay moves for seconds."""
ROOM_C = (-50.0, 100.0)
"""A room can be expected to have so many °C; what a thermostat is told is narrower."""

PV_OFF_IMPORT_SHARE = 0.9
"""PV is switched off only while load and charging import no more than this share of what the grid
connection permits: a load that comes on finds room."""


class PlanStatus(StrEnum):
    """Tells which rung of the ladder made the plan, the best first."""

    OPTIMAL = "optimal"
    BEST_FOUND = "best_found"
    """The search was cut short: it is the best that was found, and says how much better another one
    may be."""
    RELAXED = "relaxed"
    """Some limit cannot be kept; the plan says which."""
    STRATEGY = "strategy"
    """A strategy that the owner picked in the place of the optimizer made the plan."""
    LAST_GOOD = "last_good"
    """The optimizer failed: what it planned before goes on for a while."""
    TIME_OF_USE = "time_of_use"
    """A rule on prices alone made the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoad:
    """Tells what a flexible load or a heated room does during a slot."""

    name: str
    power_w: float
    """Tells the mean over the slot: it is at full power for its share of it."""
    temperature_c: float | None = None
    """Tells what is expected in the room at the end of the slot; None for other loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSlot:
    """Describes one interval of a plan, start included, end not."""

    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC."""
    mode: SlotMode
    battery_power_w: float
    """Tells the power, + charging. In other modes than POWER it is what is expected, not what is
    commanded; 0 W where nothing is."""
    grid_power_w: float | None
    """Tells what is expected at the grid connection, + import. None: made without a forecast."""
    soc_end_pct: float | None
    """Tells what is expected at the end of the slot. None: made without a forecast."""
    import_price_per_kwh: float
    """Tells the price in the site's currency."""
    reason: str
    """Tells the owner why, in words."""
    export_limit_w: float | None = None
    """PV is throttled to export no more; None: what the grid connection permits."""
    pv_on: bool = True
    """False: PV is switched off, since importing is paid for."""
    loads: tuple[PlannedLoad, ...] = ()
    device_mode: DeviceMode | None = None
    """If None, the inverter is not led by modes."""
    by: AskedBy = AskedBy.PLAN
    """Tells who asks for the mode."""
    terms: SlotTerms = NO_TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Holds a sequence of slots without gap or overlap."""

    plan_id: str
    created: datetime
    """The time is aware, UTC."""
    expires: datetime
    """The time is aware, UTC; from then on nobody follows this plan."""
    status: PlanStatus
    expected_cost: float
    """Tells the cost over the horizon, in the site's currency."""
    slots: tuple[PlanSlot, ...]
    note: str = ""
    """Tells what could not be kept, or why a lower rung was taken; in words."""


def with_short_texts(plan: Plan) -> Plan:
    """Returns ``plan`` with its reasons and note as far as the controller takes them."""
    slots = tuple(replace(slot, reason=shown(slot.reason, MAX_REASON)) for slot in plan.slots)
    return replace(plan, slots=slots, note=shown(plan.note, MAX_NOTE))
