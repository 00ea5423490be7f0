"""The cheapest course of one battery through lines of cost, one for each slot: found exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array
from holdfast.optimization.storage_limits import StoredLimits
from holdfast.optimization.value_function import PiecewiseLinear, Taper, best_step, earlier


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredCourse:
    """Tells what a battery does. Arrays have shape (slots,)."""

    gained_kwh: Array
    """It is the change in stored energy."""
    value_per_kwh: Array
    """It is what one more stored kWh would be worth."""


def cheapest_course(
    lines: Sequence[PiecewiseLinear],
    limits: StoredLimits,
    now_kwh: float,
    tapers: Sequence[Taper | None] | None = None,
) -> StoredCourse:
    """Returns the cheapest course; ``lines`` are against the change in stored energy.

    ``tapers`` tell by slot how a nearly full battery takes less; None: it does not.
    """
    tapers = [None] * len(lines) if tapers is None else tapers
    # Of being somewhere at the end of each slot: what it costs there, and from there on.
    later = [limits.holding_line(len(lines) - 1)]
    for slot in range(len(lines) - 1, 0, -1):
        holding = limits.holding_line(slot - 1)
        low, high = float(holding.x[0]), float(holding.x[-1])
        moving = earlier(lines[slot], later[-1], low, high, tapers[slot])
        later.append(moving.plus(holding))
    later.reverse()
    gained_kwh, value_per_kwh = np.empty((2, len(lines)))
    stored_kwh = now_kwh
    for slot, (line, rest) in enumerate(zip(lines, later, strict=True)):
        gained_kwh[slot] = best_step(line, rest, stored_kwh, tapers[slot])
        stored_kwh += gained_kwh[slot]
        value_per_kwh[slot] = -rest.slope_at(stored_kwh)
    return StoredCourse(gained_kwh=gained_kwh, value_per_kwh=value_per_kwh)
