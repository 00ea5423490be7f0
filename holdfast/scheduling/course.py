"""A course is what the battery would do, slot by slot, if it kept to given modes, and its cost.

It is simulated at the forecast and the prices that a plan rests on. So a plan, what people put in
its place, and what was rejected are compared by one rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import assert_never

import numpy as np

from holdfast.core.abilities import Abilities
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan, PlanSlot, SlotMode
from holdfast.optimization.answer import battery_cost
from holdfast.optimization.problem import Array, BatteryModel, PlanProblem
from holdfast.optimization.slot_cost import exchange_at
from holdfast.scheduling.manual_overlay import Overlaid
from holdfast.scheduling.plan_problem import plan_problem
from holdfast.scheduling.plan_question import PlanQuestion

Wish = tuple[SlotMode, float]
"""Holds a mode, and the power in W that counts in mode POWER, + charging."""
REST: Wish = (SlotMode.POWER, 0.0)
FOLLOW: Wish = (SlotMode.SELF_CONSUMPTION, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """Tells what is to be expected. All arrays have shape (slots,)."""

    battery_w: Array
    grid_w: Array
    soc_pct: Array
    """It is taken at the end of each slot."""
    costs: Array
    """They are those of the energy at the grid connection, in the site's currency."""
    total_cost: float
    """It is the sum of them with wear and ageing, less what is stored at the end."""

    @property
    def grid_cost(self) -> float:
        """Returns the cost of the energy at the grid connection, in the site's currency."""
        return float(self.costs.sum())


def follow(problem: PlanProblem, wishes: Iterable[Wish]) -> Course:
    """Returns what comes of ``wishes``, one a slot, within what battery and grid permit.

    There may be more than ``problem`` has slots; those are passed over.
    """
    battery, net_w = problem.battery, problem.net_load_w.tolist()
    least_w, most_w = _grid_bounds(problem)
    battery_w, soc_wh = np.empty(problem.slots), np.empty(problem.slots)
    now_wh = battery.soc_now_wh
    for slot, (mode, power_w) in enumerate(islice(wishes, problem.slots)):
        hours = float(problem.dt_h[slot])
        wanted_w = _wanted_w(mode, power_w, net_w[slot])
        wanted_w = min(max(wanted_w, float(least_w[slot])), float(most_w[slot]))
        done_w = _within_stored(battery, wanted_w, now_wh, hours)
        now_wh += _gained_wh(battery, done_w, hours)
        battery_w[slot], soc_wh[slot] = done_w, now_wh
    exchange = exchange_at(problem, battery_w * problem.dt_h / 1e3)
    costs = exchange.cost
    return Course(
        battery_w=battery_w,
        grid_w=exchange.grid_kwh / problem.dt_h * 1e3,
        soc_pct=np.clip(soc_wh / battery.capacity_wh * 100.0, 0.0, 100.0),
        costs=costs,
        total_cost=float(costs.sum()) + battery_cost(problem, battery_w, soc_wh),
    )


def known_problem(
    site: Site, slots: Sequence[PlanSlot], question: PlanQuestion, abilities: Abilities
) -> PlanProblem | None:
    """Returns what is known over ``slots``, as far as prices and forecast reach.

    What loads and rooms take by these slots is part of the load. Returns None if nothing is known.
    """
    now_utc = question.now_utc
    intervals = [
        Interval(start=max(slot.start, now_utc), end=slot.end)
        for slot in slots
        if slot.end <= _known_until(question)
    ]
    if not intervals or slots[0].end <= now_utc:
        return None
    try:
        problem = plan_problem(
            site, question.soc_pct, intervals, question.prices, question.forecast, abilities
        )
    except HoldfastError:
        return None
    loads_w = [sum(load.power_w for load in slot.loads) for slot in slots[: problem.slots]]
    return replace(problem, load_w=problem.load_w + np.array(loads_w))


def wishes_of(slots: Sequence[PlanSlot], first_manual: int) -> list[Wish]:
    """Returns what each slot asks for: what is planned, and from ``first_manual`` on its mode."""
    return [
        (SlotMode.POWER, slot.battery_power_w)
        if index < first_manual and slot.grid_power_w is not None
        else (slot.mode, slot.battery_power_w)
        for index, slot in enumerate(slots)
    ]


def with_expectation(overlaid: Overlaid, course: Course) -> Plan:
    """Returns the plan with what is expected from the first slot on that was asked for."""
    plan, known = overlaid.plan, len(course.battery_w)
    slots = list(plan.slots)
    for index in range(overlaid.first_manual, known):
        slot = slots[index]
        commands = slot.mode is SlotMode.POWER
        slots[index] = replace(
            slot,
            battery_power_w=slot.battery_power_w if commands else float(course.battery_w[index]),
            grid_power_w=float(course.grid_w[index]),
            soc_end_pct=float(course.soc_pct[index]),
        )
    whole = known == len(slots) and overlaid.first_manual < known
    cost = course.grid_cost if whole else plan.expected_cost
    return replace(plan, slots=tuple(slots), expected_cost=cost)


def _known_until(question: PlanQuestion) -> datetime:
    known = question.prices.known_until(question.now_utc) or question.now_utc
    return min(known, question.forecast.load.end_utc, question.forecast.pv.end_utc)


def _wanted_w(mode: SlotMode, power_w: float, net_w: float) -> float:
    match mode:
        case SlotMode.SELF_CONSUMPTION:
            return -net_w
        case SlotMode.HOLD:
            return max(-net_w, 0.0)
        case SlotMode.POWER:
            return power_w
        case _:
            assert_never(mode)


def _grid_bounds(problem: PlanProblem) -> tuple[Array, Array]:
    """Returns the least and most power of the battery in W that keep to its own and grid limits."""
    battery, net_w = problem.battery, problem.net_load_w
    sheddable_w = problem.pv_w * problem.pv_curtailable
    least_w = np.clip(-problem.export_max_w - net_w - sheddable_w, -battery.discharge_max_w, 0.0)
    most_w = np.clip(problem.import_max_w - net_w, 0.0, battery.charge_max_w)
    return least_w, most_w


def _within_stored(battery: BatteryModel, power_w: float, now_wh: float, hours: float) -> float:
    """Returns ``power_w`` as far as there is room, or energy that may be taken, for so long."""
    if power_w > 0.0:
        room_wh = max(battery.soc_max_wh - now_wh, 0.0)
        return min(power_w, room_wh / battery.charge_efficiency / hours)
    stored_wh = max(now_wh - battery.soc_min_wh, 0.0)
    return max(power_w, -stored_wh * battery.discharge_efficiency / hours)


def _gained_wh(battery: BatteryModel, power_w: float, hours: float) -> float:
    if power_w > 0.0:
        return power_w * hours * battery.charge_efficiency
    return power_w * hours / battery.discharge_efficiency
