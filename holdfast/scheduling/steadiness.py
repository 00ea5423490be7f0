"""Steady plans: what was planned before is kept, unless the change is worth something.

Forecasts move a little with every measurement, and among plans that cost nearly the same each
plan would be another. A plan that flaps wears contactors, registers and trust.
"""

from datetime import datetime

import numpy as np

from holdfast.core.plan import Plan, PlanSlot, SlotMode
from holdfast.optimization.problem import Array, PlanProblem

_ROOM_W = 20.0
"""A kept power may differ by as much: time has gone by, and energy with it."""


def keeping(
    problem: PlanProblem, starts: tuple[datetime, ...], previous: Plan
) -> tuple[Array, Array] | None:
    """Bounds on the battery's power, slot by slot, that keep to ``previous``.

    Free where it says nothing. None if it says nothing at all.
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
        if slot is None or not slot.start <= start:
            continue
        least[index], most[index] = _bounds(slot, float(net_w[index]))
        kept = True
    return (least, most) if kept else None


def keeps(battery_w: Array, least_w: Array, most_w: Array) -> bool:
    """True if ``battery_w`` is within the bounds as it is."""
    return bool(((battery_w >= least_w - _ROOM_W) & (battery_w <= most_w + _ROOM_W)).all())


def _bounds(slot: PlanSlot, net_w: float) -> tuple[float, float]:
    """What the slot's mode lets the battery do at this load and PV."""
    surplus_w = max(-net_w, 0.0)
    match slot.mode:
        case SlotMode.SELF_CONSUMPTION:
            return -max(net_w, 0.0), surplus_w
        case SlotMode.HOLD:
            return 0.0, surplus_w
        case SlotMode.POWER:
            power_w = slot.battery_power_w
            if power_w >= 0.0:
                return 0.0, power_w + _ROOM_W * (power_w > 0.0)
            return power_w - _ROOM_W, 0.0
