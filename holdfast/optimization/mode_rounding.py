"""Modes in whole numbers that permit, as far as may be, what an answer with parts of modes does."""

import numpy as np

from holdfast.core.device_mode import DeviceMode
from holdfast.optimization.problem import Array
from holdfast.optimization.site_problem import ModeRules, SiteProblem
from holdfast.optimization.site_program import SiteColumns, dwell_ends, mode_limits


def nearest_modes(
    problem: SiteProblem, rules: ModeRules, columns: SiteColumns, values: Array
) -> tuple[DeviceMode, ...]:
    """Returns a mode for each slot, kept as ``rules`` say, which permits most of ``values``.

    Found by a dynamic program over the stretches for which a mode is kept: a kWh that a mode does
    not permit counts as much as any other, and a change hardly.
    """
    beyond = _beyond_kwh(problem, rules, columns, values)
    slots, ends = problem.base.slots, dwell_ends(problem.base.dt_h, rules.dwell_slots)
    least = np.full(slots + 1, np.inf)
    least[0] = 0.0
    came: list[tuple[int, int]] = [(0, 0)] * (slots + 1)
    for start in range(slots):
        for row, mode in enumerate(rules.allowed):
            goes_on = start == 0 and mode is rules.now
            if start == 0 and rules.kept_slots and not goes_on:
                continue
            first = max(rules.kept_slots, 1) if goes_on else min(ends[start], slots)
            cost = least[start] + beyond[row, first:] - beyond[row, start] + _CHANGE_KWH
            better = cost < least[first:]
            least[first:][better] = cost[better]
            for end in (first + np.flatnonzero(better)).tolist():
                came[end] = (start, row)
    modes: list[DeviceMode] = []
    end = slots
    while end > 0:
        start, row = came[end]
        modes[:0] = [rules.allowed[row]] * (end - start)
        end = start
    return tuple(modes)


_CHANGE_KWH = 1e-4


def _beyond_kwh(
    problem: SiteProblem, rules: ModeRules, columns: SiteColumns, values: Array
) -> Array:
    """Returns the kWh that each mode does not permit, from the first slot on to before each."""
    slots = problem.base.slots
    charge = sum((values[unit.charge] for unit in columns.units), np.zeros(slots))
    discharge = sum((values[unit.discharge] for unit in columns.units), np.zeros(slots))
    flexible = sum((values[room] for room in columns.rooms), np.zeros(slots))
    for load, each in zip(problem.loads, columns.loads, strict=True):
        flexible[load.slots] += values[each.run]
    flows = np.stack([charge, discharge, discharge - flexible, values[columns.grid.imported]])
    beyond = [np.maximum(flows - mode_limits(problem, mode), 0.0).sum(0) for mode in rules.allowed]
    return np.pad(np.cumsum(beyond, axis=1), ((0, 0), (1, 0)))
