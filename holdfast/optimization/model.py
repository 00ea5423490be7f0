"""The best plan for one storage unit is a persistent linear program, exact where it has to be.

The linear program works on the lower convex hull of each slot's curve (``slot_cost.py``). Where
the curve itself is convex, and it is unless prices are negative or export earns more than import
costs, its answer is exact. Elsewhere it is a lower bound, and evaluating its answer on the true
curves gives an upper one, since every answer can be followed. If the two differ, an exact
dynamic program (``value_function.py``) decides; it takes some twenty times as long.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from holdfast.core.errors import PlanFailed
from holdfast.optimization.answer import build_solution
from holdfast.optimization.dynamic_program import cheapest_course
from holdfast.optimization.problem import Array, PlanProblem, PlanSolution
from holdfast.optimization.slot_cost import (
    Curves,
    build_curves,
    convex_pieces,
    preference_limit,
)
from holdfast.optimization.storage_limits import StoredLimits, stored_limits
from holdfast.optimization.storage_program import StorageProgram
from holdfast.optimization.value_function import Taper, simplified

GAP = 5e-5
"""It is a share of the objective.

An answer of the linear program that is proven to be this close is taken.
"""
_LEAST_GAP = 1e-6
"""It is in money."""
_CURVED_GAP_PER_KWH = 5e-4
"""It is in money per kWh of a battery whose losses are a curve: half a cent for 10 kWh.

Little power loses much, so hardly a slot's curve is convex, and the exact program would take half
a second for what nobody meters.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Holds an answer in the terms of the search."""

    gained_kwh: Array
    """It is the change in stored energy, shape (slots,)."""
    value_per_kwh: Array
    """It is what one more stored kWh would be worth."""
    cost: float
    """It is taken on the true curves."""
    bound: float
    """Nothing costs less."""


class PlanModel:
    """Answers problems with a fixed number of slots. Not safe to share between threads."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._programs: dict[int, StorageProgram] = {}
        """They are kept by their pieces: what more of them would do depends on who needed them."""
        self._last: StorageProgram | None = None

    def solve(self, problem: PlanProblem, *, warm: bool = True) -> PlanSolution:
        """Returns the best answer to ``problem``, which must have as many slots as this model.

        A warm start takes less time, but where several answers cost the same, the one it finds
        depends on what was solved before; without it nothing does.

        Raises PlanFailed if the solver gives up.
        """
        if problem.slots != self.slots:
            raise PlanFailed(f"a model of {self.slots} slots was asked for {problem.slots}")
        curves, limits = build_curves(problem), stored_limits(problem)
        found = self._by_program(problem, curves, limits, warm=warm)
        if found.cost - found.bound > max(GAP * abs(found.cost), _least_gap(problem)):
            found = _by_dynamic_program(problem, curves, limits)
        return build_solution(
            problem,
            found.gained_kwh,
            found.value_per_kwh,
            cost=found.cost,
            bound=found.bound - preference_limit(problem),
        )

    def _by_program(
        self, problem: PlanProblem, curves: Curves, limits: StoredLimits, *, warm: bool
    ) -> Found:
        pieces = convex_pieces(curves)
        taken = problem.taken_near_full
        program = self._program_for(len(pieces.length_kwh), taken, warm=warm)
        now_kwh = problem.battery.soc_now_wh / 1e3
        program.load(pieces, now_kwh, *limits.columns())
        if taken is not None:
            program.limit(taken, problem.battery.taper_end_wh / 1e3, now_kwh)
        objective, stored_kwh, value_per_kwh = program.solve()
        gained_kwh = np.diff(stored_kwh, prepend=now_kwh)
        cost = float(curves.cost_at(gained_kwh).sum()) + limits.cost_of(stored_kwh)
        return Found(
            gained_kwh=gained_kwh,
            value_per_kwh=value_per_kwh,
            cost=cost,
            bound=min(objective + float(pieces.start_cost.sum()), cost),
        )

    def _program_for(self, pieces: int, taken: Array | None, *, warm: bool) -> StorageProgram:
        if taken is not None:  # its matrix has numbers of the battery, and is not kept
            self._last = None
            return StorageProgram(self.slots, pieces, taken)
        last = self._last
        if warm and last is not None and last.pieces >= pieces:
            return last
        if pieces not in self._programs:
            self._programs[pieces] = StorageProgram(self.slots, pieces)
        self._last = self._programs[pieces]
        self._last.forget()
        return self._last


def _least_gap(problem: PlanProblem) -> float:
    battery = problem.battery
    if battery.conversion is None:
        return _LEAST_GAP
    return _CURVED_GAP_PER_KWH * battery.capacity_wh / 1e3


class PlanModels:
    """Keeps models by their number of slots, those that were used last. All who plan in one thread
    may share them: an answer that is found cold depends on nothing that was solved before."""

    def __init__(self, most: int = 1) -> None:
        """Keeps ``most`` of them, at least one."""
        self._most = most
        self._models: OrderedDict[int, PlanModel] = OrderedDict()

    def of(self, slots: int) -> PlanModel:
        """Returns the model for so many slots."""
        if slots not in self._models:
            self._models[slots] = PlanModel(slots)
        self._models.move_to_end(slots)
        while len(self._models) > self._most:
            self._models.popitem(last=False)
        return self._models[slots]


def _by_dynamic_program(problem: PlanProblem, curves: Curves, limits: StoredLimits) -> Found:
    now_kwh = problem.battery.soc_now_wh / 1e3
    taken, end_kwh = problem.taken_near_full, problem.battery.taper_end_wh / 1e3
    tapers: list[Taper | None] = [None] * problem.slots
    if taken is not None:
        tapers = [Taper(share=share, end=end_kwh) for share in taken.tolist()]
    lines = [simplified(x, y) for x, y in zip(curves.gained_kwh.T, curves.cost.T, strict=True)]
    course = cheapest_course(lines, limits, now_kwh, tapers)
    stored_kwh = now_kwh + np.cumsum(course.gained_kwh)
    cost = float(curves.cost_at(course.gained_kwh).sum()) + limits.cost_of(stored_kwh)
    return Found(
        gained_kwh=course.gained_kwh, value_per_kwh=course.value_per_kwh, cost=cost, bound=cost
    )
