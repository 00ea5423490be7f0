"""A plan: what the planner proposes for the coming hours. The controller trusts none of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SlotMode(StrEnum):
    """What the battery does during a slot."""

    SELF_CONSUMPTION = "self_consumption"
    """Keep the grid connection at 0 W."""
    POWER = "power"
    """Hold ``battery_power_w``."""
    HOLD = "hold"
    """Store PV surplus, but serve no load."""


class DeviceMode(StrEnum):
    """What an inverter can be told to do when it takes modes and no setpoints."""

    LOAD_FIRST = "load_first"
    BATTERY_FIRST = "battery_first"
    GRID_FIRST = "grid_first"
    TIME_OF_USE = "time_of_use"
    BACKUP_RESERVE = "backup_reserve"


class PlanStatus(StrEnum):
    """Which rung of the ladder made the plan, the best first."""

    OPTIMAL = "optimal"
    RELAXED = "relaxed"
    """Some limit cannot be kept; the plan says which."""
    LAST_GOOD = "last_good"
    """The optimizer failed: what it planned before goes on for a while."""
    TIME_OF_USE = "time_of_use"
    """By a rule on prices alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoad:
    """What a flexible load or a heated room does during a slot."""

    name: str
    power_w: float
    """Mean over the slot: at full power for its share of it."""
    temperature_c: float | None = None
    """Expected in the room at the end of the slot; None for other loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSlot:
    """One interval of a plan, start included, end not."""

    start: datetime
    """Aware, UTC."""
    end: datetime
    """Aware, UTC."""
    mode: SlotMode
    battery_power_w: float
    """+ charging. In other modes than POWER: what is expected, not what is commanded; 0 W where
    nothing is."""
    grid_power_w: float | None
    """Expected at the grid connection, + import. None: made without a forecast."""
    soc_end_pct: float | None
    """Expected at the end of the slot. None: made without a forecast."""
    import_price_per_kwh: float
    """In the site's currency."""
    reason: str
    """In words, for the owner."""
    export_limit_w: float | None = None
    """PV is throttled to export no more; None: what the grid connection permits."""
    loads: tuple[PlannedLoad, ...] = ()
    device_mode: DeviceMode | None = None
    """None: the inverter is not led by modes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A sequence of slots without gap or overlap."""

    plan_id: str
    created: datetime
    """Aware, UTC."""
    expires: datetime
    """Aware, UTC; from then on nobody follows this plan."""
    status: PlanStatus
    expected_cost: float
    """Over the horizon, in the site's currency."""
    slots: tuple[PlanSlot, ...]
    note: str = ""
    """What could not be kept, or why a lower rung was taken; in words."""
