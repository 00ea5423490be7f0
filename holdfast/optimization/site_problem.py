"""The question for a whole site has several storage units, flexible loads, modes, demand charges.

What one storage unit behind one meter needs is in :class:`PlanProblem`, and is answered faster
(``model.py``). This is everything else; energies and powers have the same signs.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from holdfast.core.device_mode import PLANNED, DeviceMode
from holdfast.core.errors import PlanFailed
from holdfast.optimization.problem import Array, BatteryModel, PlanProblem, PlanSolution


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRules:
    """One mode is in force at a time, each kept for a while."""

    allowed: tuple[DeviceMode, ...] = PLANNED
    dwell_slots: int = 4
    """A mode is kept for at least as many slots, or as long as those that are not shortened."""
    now: DeviceMode | None = None
    """It is in force when the plan begins; None if it is not known, or none that is allowed."""
    kept_slots: int = 0
    """In so many first slots ``now`` must go on."""

    def __post_init__(self) -> None:
        """Refuses rules that leave no choice. Raises PlanFailed."""
        if not self.allowed or self.dwell_slots < 1:
            raise PlanFailed("modes: needs a mode, and a dwell of at least one slot")
        if self.now is not None and self.now not in self.allowed:
            raise PlanFailed(f"modes: {self.now} goes on, and is not allowed")
        if self.kept_slots < 0 or (self.kept_slots and self.now is None):
            raise PlanFailed("modes: nothing is known that could be kept")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """A room with electric heat is a body of one temperature (first order).

    C dT/dt = heat + gains - loss x (T - outdoor). A relay is on for its share of the slot.
    """

    name: str
    power_max_w: float
    """It is electric, >= 0."""
    heat_per_power: float
    """It is heat per electric energy; 1 for a resistor, some 3 for a heat pump."""
    capacity_wh_per_k: float
    loss_w_per_k: float
    temperature_now_c: float
    outdoor_c: Array
    gains_w: Array
    """They are sun and people, shape (slots,)."""
    low_c: Array
    """It is the lower end of comfort, shape (slots,)."""
    high_c: Array
    discomfort_cost_per_k_h: float = 0.5
    """A kelvin outside the comfort bounds costs this in an hour."""
    end_cost_per_k: float = 0.0
    """A kelvin below ``low_c`` costs this at the end of the plan: it is heated up afterwards."""
    planned_w: float | None = None
    """The plan before told it for the first slot; None if it said nothing."""

    def __post_init__(self) -> None:
        """Refuses what is no room. Raises PlanFailed."""
        positive = (self.capacity_wh_per_k, self.loss_w_per_k, self.heat_per_power)
        if not all(0 < value < 1e9 for value in positive) or not 0 <= self.power_max_w < 1e9:
            raise PlanFailed(f"room {self.name}: capacity, loss and heat must be above 0")
        costs = (self.discomfort_cost_per_k_h, self.end_cost_per_k)
        if not (all(0 <= cost < 1e6 for cost in costs) and -50 < self.temperature_now_c < 100):
            raise PlanFailed(f"room {self.name}: its temperature or discomfort is none")
        for name in ("outdoor_c", "gains_w", "low_c", "high_c"):
            values: Array = getattr(self, name)
            if values.shape != self.outdoor_c.shape or not np.isfinite(values).all():
                raise PlanFailed(f"room {self.name}: {name} is not one finite number a slot")
        if not (self.low_c <= self.high_c).all():
            raise PlanFailed(f"room {self.name}: low_c must not be above high_c")
        _check_planned(self.name, self.planned_w, self.power_max_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftableLoad:
    """A shiftable load needs its energy between two slots, and does not care when."""

    name: str
    energy_wh: float
    power_max_w: float
    first_slot: int
    last_slot: int
    """It is the last slot in which the load may run."""
    runs_through: bool = False
    """Once started it runs at its full power to its end, as a washing machine does."""
    has_begun: bool = False
    """It runs through and goes on in ``first_slot``, come what may."""
    planned_w: float | None = None
    """The plan before told it for the plan's first slot; None if it said nothing."""

    def __post_init__(self) -> None:
        """Refuses what no load can be. Raises PlanFailed."""
        if not (0 <= self.energy_wh < 1e9 and 0 < self.power_max_w < 1e9):
            raise PlanFailed(f"load {self.name}: needs power_max_w above 0 and energy_wh >= 0")
        if not 0 <= self.first_slot <= self.last_slot:
            raise PlanFailed(f"load {self.name}: needs 0 <= first_slot <= last_slot")
        _check_planned(self.name, self.planned_w, self.power_max_w)
        if self.planned_w is not None and self.first_slot:
            raise PlanFailed(f"load {self.name}: nothing can be planned before its window")

    @property
    def slots(self) -> slice:
        """Returns the slots of its window."""
        return slice(self.first_slot, self.last_slot + 1)


def _check_planned(name: str, planned_w: float | None, most_w: float) -> None:
    if planned_w is not None and not 0 <= planned_w <= most_w:
        raise PlanFailed(f"{name}: planned_w {planned_w} is not within 0 to {most_w:g} W")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakPrice:
    """A peak price is paid for the highest mean import power of any slot in a period."""

    cost_per_kw: float
    peak_so_far_w: float = 0.0
    """It was already reached in this period: it is free up to there."""
    hours_only: tuple[bool, ...] | None = None
    """It tells by slot whether it counts; None if all do."""

    def __post_init__(self) -> None:
        """Refuses negative charges. Raises PlanFailed."""
        if not (0 <= self.cost_per_kw < 1e6 and 0 <= self.peak_so_far_w < 1e9):
            raise PlanFailed("demand charge: cost_per_kw and peak_so_far_w must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteProblem:
    """Holds a :class:`PlanProblem` (its ``battery`` is not used) and what a site has besides."""

    base: PlanProblem
    batteries: tuple[BatteryModel, ...]
    rooms: tuple[Room, ...] = ()
    loads: tuple[ShiftableLoad, ...] = ()
    demand: tuple[PeakPrice, ...] = ()
    modes: ModeRules | None = None
    change_cost: float = 0.0
    """It must be worth this to change a load, a room or the mode in the first slot.

    A load or a room is on, or off, otherwise than ``planned_w``: once for its full power, in
    proportion for less.
    """

    def __post_init__(self) -> None:
        """Refuses parts of other lengths. Raises PlanFailed."""
        slots = self.base.slots
        if not 0 <= self.change_cost < 1e6:
            raise PlanFailed("site: change_cost must not be negative")
        if not self.batteries:
            raise PlanFailed("site: needs at least one storage unit")
        for room in self.rooms:
            if len(room.outdoor_c) != slots:
                raise PlanFailed(f"room {room.name}: needs {slots} slots")
        for load in self.loads:
            if load.last_slot >= slots:
                raise PlanFailed(f"load {load.name}: last_slot {load.last_slot} is after the plan")
        for charge in self.demand:
            if charge.hours_only is not None and len(charge.hours_only) != slots:
                raise PlanFailed(f"demand charge: hours_only needs {slots} slots")


class SiteSlack(StrEnum):
    """Names a group of constraints that could not all be kept."""

    SOC = "soc"
    IMPORT_LIMIT = "import_limit"
    EXPORT_LIMIT = "export_limit"
    FINAL_SOC = "final_soc"
    COMFORT = "comfort"
    DEADLINE = "deadline"
    """A shiftable load does not get its energy in its window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteSolution:
    """Tells what is best for the site."""

    plan: PlanSolution
    """It is that of all units together; its ``relaxed`` holds what concerns battery and grid."""
    cost: float
    """The objective includes the price of what could not be kept, of changes, and of waiting."""
    relaxed: tuple[SiteSlack, ...]
    unit_w: Array
    """It is + charging, of shape (units, slots)."""
    unit_soc_wh: Array
    room_w: Array
    """It is electric, of shape (rooms, slots)."""
    room_c: Array
    """It is taken at the end of each slot."""
    load_w: Array
    """It is of the shiftable loads, shape (loads, slots)."""
    short_wh: Array
    """Each of them does not get this, shape (loads,)."""
    modes: tuple[DeviceMode, ...] | None
