"""A course is what the battery would do, slot by slot, if it kept to given modes, and its cost.

It is simulated at the forecast and the prices that a plan rests on. So a plan, what people put in
its place, and what was rejected are compared by one rule.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from holdfast.core.abilities import Abilities
from holdfast.core.asked_slot import NO_TERMS, AskedSlot
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan, PlanSlot
from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.answer import battery_cost
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.slot_cost import exchange_at
from holdfast.scheduling.plan_problem import plan_problem
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.precedence import Overlaid
from holdfast.scheduling.slot_wish import COMMANDED, Expected, SlotWish, expected_w

_HOUR = timedelta(hours=1)


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


def follow(problem: PlanProblem, wishes: Iterable[SlotWish]) -> Course:
    """Returns what comes of ``wishes``, one a slot, within what battery and grid permit.

    There may be more than ``problem`` has slots; those are passed over.
    """
    wished = list(islice(wishes, problem.slots))
    return walk(problem, lambda slot, _: wished[slot])


def walk(problem: PlanProblem, wish: Callable[[int, float], SlotWish]) -> Course:
    """Returns what comes of a rule that is asked slot by slot, and told how many Wh are stored."""
    battery, net_w = problem.battery, problem.net_load_w.tolist()
    least_w, most_w = _grid_bounds(problem)
    direct_w = problem.direct_w.tolist()
    battery_w, soc_wh = np.empty(problem.slots), np.empty(problem.slots)
    now_wh = battery.soc_now_wh
    for slot in range(problem.slots):
        hours = float(problem.dt_h[slot])
        here = Expected(
            net_w=net_w[slot],
            stored_wh=now_wh,
            hours=hours,
            export_max_w=problem.export_max_w,
            battery=battery,
            direct_w=direct_w[slot],
        )
        wanted_w = expected_w(wish(slot, now_wh), here)
        wanted_w = min(max(wanted_w, float(least_w[slot])), float(most_w[slot]))
        done_w, gained_wh = _within_stored(here, wanted_w)
        now_wh += gained_wh
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


def planned_wishes(slots: Sequence[PlanSlot]) -> list[SlotWish]:
    """Returns what each slot is planned to do: its power, where one is expected."""
    return [
        SlotWish(
            mode=slot.mode if slot.grid_power_w is None else SlotMode.POWER,
            power_w=slot.battery_power_w,
            terms=slot.terms if slot.grid_power_w is None else NO_TERMS,
        )
        for slot in slots
    ]


def wishes_of(overlaid: Overlaid) -> list[SlotWish]:
    """Returns what each slot asks for: what is planned, and from the first on that was asked for
    its mode and terms."""
    first, slots = overlaid.first_asked, overlaid.plan.slots
    asked = zip(slots[first:], overlaid.leaders[first:], strict=True)
    return planned_wishes(slots[:first]) + [_wish(slot, leader) for slot, leader in asked]


def _wish(slot: PlanSlot, leader: AskedSlot | None) -> SlotWish:
    return SlotWish(
        mode=slot.mode,
        power_w=slot.battery_power_w,
        terms=slot.terms,
        left_h=None if leader is None else (leader.end - slot.start) / _HOUR,
    )


def with_expectation(overlaid: Overlaid, course: Course) -> Plan:
    """Returns the plan with what is expected from the first slot on that was asked for."""
    plan, known = overlaid.plan, len(course.battery_w)
    slots = list(plan.slots)
    for index in range(overlaid.first_asked, known):
        slot = slots[index]
        commands = slot.mode in COMMANDED
        slots[index] = replace(
            slot,
            battery_power_w=slot.battery_power_w if commands else float(course.battery_w[index]),
            grid_power_w=float(course.grid_w[index]),
            soc_end_pct=float(course.soc_pct[index]),
        )
    whole = known == len(slots) and overlaid.first_asked < known
    cost = course.grid_cost if whole else plan.expected_cost
    return replace(plan, slots=tuple(slots), expected_cost=cost)


def paced(overlaid: Overlaid, soc_pct: float | None, now_utc: datetime) -> Overlaid:
    """Returns the plan in which each part of what is to reach a state of charge has a share of it.

    ``soc_pct`` is stored now, None if nobody knows: then each part has all of it.
    """
    slots, before_pct = [], soc_pct
    for slot, leader in zip(overlaid.plan.slots, overlaid.leaders, strict=True):
        target_pct = slot.terms.soc_target_pct
        if slot.mode is not SlotMode.SOC or leader is None or target_pct is None:
            before_pct = slot.soc_end_pct
        elif before_pct is not None:
            start = max(slot.start, now_utc)
            share = (slot.end - start) / (leader.end - start)
            before_pct += share * (target_pct - before_pct)
            slot = replace(slot, terms=replace(slot.terms, soc_target_pct=before_pct))
        slots.append(slot)
    return replace(overlaid, plan=replace(overlaid.plan, slots=tuple(slots)))


def _known_until(question: PlanQuestion) -> datetime:
    known = question.prices.known_until(question.now_utc) or question.now_utc
    return min(known, question.forecast.load.end_utc, question.forecast.pv.end_utc)


def _grid_bounds(problem: PlanProblem) -> tuple[Array, Array]:
    """Returns the least and most power of the battery in W that keep to its own and grid limits."""
    battery, net_w = problem.battery, problem.net_load_w
    sheddable_w = problem.pv_w * problem.pv_curtailable
    least_w = np.clip(-problem.export_max_w - net_w - sheddable_w, -battery.discharge_max_w, 0.0)
    most_w = np.clip(problem.import_max_w - net_w, 0.0, battery.charge_max_w)
    room_w = problem.hybrid_room_w
    return np.maximum(least_w, room_w[0]), np.minimum(most_w, room_w[1])


def _within_stored(here: Expected, power_w: float) -> tuple[float, float]:
    """Returns ``power_w`` as far as there is room, or energy that may be taken, for the slot, and
    the change in Wh of what is stored."""
    battery, hours, now_wh = here.battery, here.hours, here.stored_wh
    gained_w = here.stored_w(power_w)
    if power_w > 0.0:
        room_w = max(battery.soc_max_wh - now_wh, 0.0) / hours
        if battery.taper_per_h > 0.0:
            room_w = min(room_w, float(battery.most_stored_wh(now_wh, hours)) / hours)
        if gained_w > room_w:
            # Nothing goes the other way to make up for what the inverter draws.
            power_w = max(here.ac_w(room_w), 0.0)
            gained_w = here.stored_w(power_w)
    elif power_w < 0.0:
        left_w = max(now_wh - battery.soc_min_wh, 0.0) / hours
        if gained_w < -left_w:
            power_w = min(here.ac_w(-left_w), 0.0)
            gained_w = here.stored_w(power_w)
    return power_w, gained_w * hours
