"""Prices of loads that wait are raised and lowered until what is bought is what is sold.

Each step proves a bound, and shows a pattern of either-or near the best. With a pattern kept the
program of the site is linear but for loads that run through: its answer, followed by what the
battery does best beside its loads, is tried in turn until nothing is found any more. It is counted
in steps: a slow computer takes longer and finds the same, unless a plan would come too late.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdfast.optimization.priced_loads import EitherOr, PricedLoads
from holdfast.optimization.problem import Array
from holdfast.optimization.site_problem import SiteProblem

STEPS = 40
_FIRST_TRY, _TRIES_IN_VAIN, _LATE_TRIES = 2, 4, 8
"""Patterns are tried from this step on; after so many that were no better only each eighth."""
_NEAR = 2e-3
"""An answer this close to the best, as a share, is worth another look at its battery."""
_ROUNDS = 5
_REACH = 0.02
"""So much of the cost a step aims above the bound at most: the first steps know no better."""
_INERTIA = 0.5
_PATIENCE = 4
"""After so many steps that were no better they become half as long."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatternAnswer:
    """Tells what came of a pattern."""

    pattern: EitherOr
    cost: float
    values: Array
    """They are those of the program's columns."""
    taken_kwh: Array
    """It is what the loads take together, shape (slots,)."""


Try = Callable[[EitherOr], PatternAnswer | None]
"""It tells the best answer with a pattern; None if none was found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """Holds what a search found."""

    best: PatternAnswer | None
    bound: float
    """No answer costs less."""


def search(
    problem: SiteProblem, price: Array, attempt: Try, *, gap: float, is_late: Callable[[], bool]
) -> Searched:
    """Searches from ``price`` per kWh, shape (loads,), until the ``gap`` is closed (a share)."""
    priced = PricedLoads(problem)
    patterns = _Patterns(priced, attempt)
    ascent = _Ascent(problem, price, priced.share)
    for step in range(STEPS):
        answer = priced.at(ascent.price)
        ascent.take(answer.bound, answer.wanting_kwh)
        if step >= _FIRST_TRY and (patterns.in_vain < _TRIES_IN_VAIN or step % _LATE_TRIES == 0):
            patterns.look_at(answer.pattern)
        best = patterns.best
        if best is not None and best.cost - ascent.bound <= gap * abs(best.cost):
            break
        if is_late():
            break
        ascent.move(patterns.cost)
    return Searched(best=patterns.best, bound=ascent.bound)


class _Patterns:
    """Remembers the best pattern, and what was tried."""

    def __init__(self, priced: PricedLoads, attempt: Try) -> None:
        self._priced, self._attempt = priced, attempt
        self._tried: dict[bytes, PatternAnswer | None] = {}
        self.best: PatternAnswer | None = None
        self.in_vain = 0

    @property
    def cost(self) -> float:
        return np.inf if self.best is None else self.best.cost

    def look_at(self, pattern: EitherOr) -> None:
        """Tries ``pattern``, and if that is good what the battery does best beside its loads."""
        before = self.cost
        for _ in range(_ROUNDS):
            found, is_new = self._try(pattern)
            if found is None or not is_new or found.cost > self.cost + _NEAR * abs(self.cost):
                break
            if found.cost < self.cost:
                self.best = found
            pattern = self._priced.beside(found.taken_kwh)
        self.in_vain = 0 if self.cost < before else self.in_vain + 1

    def _try(self, pattern: EitherOr) -> tuple[PatternAnswer | None, bool]:
        key = b"".join(
            each.tobytes() for each in (pattern.charges, pattern.imports, pattern.pv_off)
        )
        is_new = key not in self._tried
        if is_new:
            self._tried[key] = self._attempt(pattern)
        return self._tried[key], is_new


class _Ascent:
    """Moves prices towards the highest bound: a step is as long as what is missing (Polyak)."""

    def __init__(self, problem: SiteProblem, price: Array, share: Array) -> None:
        self._share, self._most = share, problem.base.penalty_per_kwh
        self.price = np.where(share > 0.0, np.clip(price, -self._most, self._most)[:, None], 0.0)
        self.bound, self._scale, self._in_vain = -np.inf, 1.0, 0
        self._way = np.zeros_like(share)
        self._here = self._best = (-np.inf, self.price, self._way)

    def take(self, bound: float, wanting_kwh: Array) -> None:
        """Takes note of what the present prices lead to."""
        self._here = (bound, self.price, wanting_kwh)
        self._in_vain += 1
        if bound > self.bound + _TINY:
            self.bound, self._best, self._in_vain = bound, self._here, 0

    def move(self, cost: float) -> None:
        """Goes on from here, or from the best prices if none were better for long."""
        if self._in_vain >= _PATIENCE:
            self._scale, self._in_vain, self._here = self._scale / 2.0, 0, self._best
            self._way = np.zeros_like(self._way)
        bound, price, wanting_kwh = self._here
        self._way = wanting_kwh + _INERTIA * self._way
        missing = min(cost, self.bound + _REACH * abs(self.bound)) - bound
        length = float((self._share * self._way**2).sum())
        step = self._scale * max(missing, _TINY) / max(length, _TINY)
        self.price = np.clip(price + step * self._way, -self._most, self._most)
