"""Steady plans keep what was planned before, unless the change is worth something.

Forecasts move a little with every measurement, and among plans that cost nearly the same each
plan would be another. A plan that flaps wears contactors, registers and trust.

For one battery alone a whole plan is kept or not. Beside loads and rooms each of these is kept in
the slot that is running: a change there has to save ``change_worth``.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from holdfast.core.interval import Interval
from holdfast.core.plan import SHARE_MAX, SHARE_MIN, Plan, PlanSlot
from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.site_problem import Room, ShiftableLoad, SiteProblem

_ROOM_W = 20.0
"""A kept power may differ by as much: time has gone by, and energy with it."""


def keeping(
    problem: PlanProblem, starts: tuple[datetime, ...], previous: Plan
) -> tuple[Array, Array] | None:
    """Returns bounds on the battery's power, in W, slot by slot, that keep to ``previous``.

    They are free where it says nothing, or leaves it to marks, which are kept by themselves; and
    within those that ``problem`` has. Returns None if it says nothing at all.
    """
    least = np.full(problem.slots, -problem.battery.discharge_max_w)
    most = np.full(problem.slots, problem.battery.charge_max_w)
    net_w = problem.net_load_w
    kept = False
    slots = iter(previous.slots)
    slot = next(slots, None)
    for index, start in enumerate(starts):
        while slot is not None and slot.end <= start:
            slot = next(slots, None)
        if slot is None or not slot.start <= start or slot.mode is SlotMode.STORED_VALUE:
            continue
        least[index], most[index] = _bounds(slot, float(net_w[index]))
        kept = True
    if problem.least_w is not None and problem.most_w is not None:
        least, most = (np.clip(bound, problem.least_w, problem.most_w) for bound in (least, most))
    return (least, most) if kept else None


def keeps(battery_w: Array, least_w: Array, most_w: Array) -> bool:
    """Says whether ``battery_w`` is within the bounds as it is."""
    return bool(((battery_w >= least_w - _ROOM_W) & (battery_w <= most_w + _ROOM_W)).all())


def with_planned(problem: SiteProblem, now: Interval, previous: Plan | None) -> SiteProblem:
    """Returns ``problem`` in which loads and rooms know what ``previous`` has them do in ``now``.

    ``now`` is the first slot.
    """
    slots = () if previous is None else previous.slots
    slot = next((slot for slot in slots if slot.start <= now.start < slot.end), None)
    if slot is None:
        return problem
    planned = {load.name: load.power_w for load in slot.loads}
    return replace(
        problem,
        rooms=tuple(_planned_room(room, planned, slot, now) for room in problem.rooms),
        loads=tuple(_planned_load(load, planned, slot, now) for load in problem.loads),
    )


def _planned_room(room: Room, planned: dict[str, float], slot: PlanSlot, now: Interval) -> Room:
    power_w = planned.get(room.name)
    if power_w is None:
        return room
    return replace(room, planned_w=_rest_w(power_w, room.power_max_w, slot, now))


def _planned_load(
    load: ShiftableLoad, planned: dict[str, float], slot: PlanSlot, now: Interval
) -> ShiftableLoad:
    power_w = planned.get(load.name)
    if power_w is None or load.first_slot > 0 or load.has_begun:
        return load
    return replace(load, planned_w=_rest_w(power_w, load.power_max_w, slot, now))


def _rest_w(power_w: float, most_w: float, slot: PlanSlot, now: Interval) -> float:
    """Returns the mean W over ``now`` of a load that is on when ``slot`` starts for its share."""
    share = power_w / most_w
    share = 0.0 if share < SHARE_MIN else 1.0 if share > SHARE_MAX else share
    on_until = slot.start + share * (slot.end - slot.start)
    rest = (on_until - now.start) / max(now.end - now.start, timedelta(seconds=1))
    return min(max(rest, 0.0), 1.0) * most_w


def _bounds(slot: PlanSlot, net_w: float) -> tuple[float, float]:
    """Returns what the slot's mode lets the battery do at this load and PV, in W."""
    surplus_w = max(-net_w, 0.0)
    match slot.mode:
        case SlotMode.HOLD:
            return 0.0, surplus_w
        case SlotMode.POWER:
            power_w = slot.battery_power_w
            if power_w >= 0.0:
                return 0.0, power_w + _ROOM_W * (power_w > 0.0)
            return power_w - _ROOM_W, 0.0
        case _:  # the optimizer plans no other that has bounds of its own
            return -max(net_w, 0.0), surplus_w
