"""What was not taken is run through the same forecast and prices as the plan, to be set beside it.

==================  ==========================================================
no_battery          the battery rests
self_consumption    it follows load and PV
previous_plan       what was planned before goes on
without_override    what was asked for is left out, and the plan followed
==================  ==========================================================
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.plan import Plan, PlanSlot
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.slot_cost import exchange_at
from holdfast.scheduling.course import Course, follow, planned_wishes, wishes_of
from holdfast.scheduling.precedence import Overlaid
from holdfast.scheduling.slot_wish import FOLLOW, REST, SlotWish

NO_BATTERY, SELF_CONSUMPTION = "no_battery", "self_consumption"
PREVIOUS_PLAN, WITHOUT_OVERRIDE = "previous_plan", "without_override"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alternatives:
    """Holds the course of a plan and of what could be done instead."""

    plan: Course
    others: dict[str, Course]
    """They are keyed by the names in the table above."""
    rest_costs: Array
    """It is what each slot would cost at the grid connection if the battery rested in it."""


def alternatives(
    problem: PlanProblem,
    overlaid: Overlaid,
    *,
    planned: Plan | None,
    previous: Plan | None,
) -> Alternatives:
    """Returns what could be done instead of ``overlaid``, as far as ``problem`` reaches.

    ``planned`` is the plan without what was asked for, and ``previous`` the plan before; either
    may be None.
    """
    slots = overlaid.plan.slots[: problem.slots]
    wishes: dict[str, list[SlotWish]] = {
        NO_BATTERY: [REST] * len(slots),
        SELF_CONSUMPTION: [FOLLOW] * len(slots),
    }
    if previous is not None and _covers(previous, slots[0]):
        wishes[PREVIOUS_PLAN] = _planned(previous, slots)
    if planned is not None and overlaid.first_asked < len(slots):
        wishes[WITHOUT_OVERRIDE] = _planned(planned, slots)
    return Alternatives(
        plan=follow(problem, wishes_of(overlaid)),
        others={name: follow(problem, each) for name, each in wishes.items()},
        rest_costs=exchange_at(problem, np.zeros(problem.slots)).cost,
    )


def _covers(plan: Plan, slot: PlanSlot) -> bool:
    return plan.slots[0].start <= slot.start < plan.slots[-1].end


def _planned(plan: Plan, slots: Sequence[PlanSlot]) -> list[SlotWish]:
    """Returns what ``plan`` has for each of ``slots``: FOLLOW where it says nothing."""
    wishes = planned_wishes(plan.slots)
    starts = [slot.start for slot in plan.slots]
    return [
        wishes[bisect_right(starts, slot.start) - 1]
        if starts[0] <= slot.start < plan.slots[-1].end
        else FOLLOW
        for slot in slots
    ]
