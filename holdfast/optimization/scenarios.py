"""What stored energy is worth is found against many ways in which load and PV may come.

A plan on one forecast is wrong in one direction. Here each slot is met by as many loads and PV
powers as there are paths, and the battery answers each of them as it will at the meter: by four
marks, states of charge up to which buying or storing pays, and down to which serving or selling
does. So what is found is a value function, backwards in time: the expected cost of a slot and all
later ones against what is stored, and the marks are where its slope meets the slot's prices.

A path that was above the mean for some hours tends to stay there. So paths are in a class by how
far they were off of late, and each class has its own value function; nobody knows more of what is
to come than that. The present is known: all paths begin in one class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import PlanFailed
from holdfast.optimization.marks_met import MarksMet, worth_by_mark
from holdfast.optimization.problem import Array, Mask, PlanProblem
from holdfast.optimization.storage_limits import stored_limits

LEVELS = 48
"""The value function is known at so many states of charge, and straight between them."""
CLASSES = 2
_OF_OTHER_CLASSES = 0.1
"""So much counts a path of another class: a class has few paths, and they are no law."""
_REMEMBERED_SLOTS = 12.0
"""How far a path was off fades by 1/e in so many slots."""
_SAME_COST = 1e-9

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioProblem:
    """Holds a question with many ways in which it may come. Arrays have shape (paths, slots)."""

    base: PlanProblem
    """It tells of all but load and PV; and what is expected of these."""
    load_w: Array
    """It is >= 0."""
    pv_w: Array
    """It is >= 0."""
    weight: Array | None = None
    """It is how much each path counts, > 0, of shape (paths,). None: all alike."""

    def __post_init__(self) -> None:
        """Refuses paths of another length, and numbers that are none. Raises PlanFailed."""
        for name in ("load_w", "pv_w"):
            values: Array = getattr(self, name)
            if values.ndim != 2 or values.shape[1] != self.base.slots or not len(values):
                raise PlanFailed(f"scenarios: {name} is not one number a path and slot")
            if not (values >= 0.0).all() or not np.isfinite(values).all():
                raise PlanFailed(f"scenarios: {name} holds what is no power")
        if self.load_w.shape != self.pv_w.shape:
            raise PlanFailed("scenarios: load_w and pv_w have different paths")
        weight = self.weights
        if weight.shape != (len(self.load_w),) or not ((weight > 0.0) & (weight < np.inf)).all():
            raise PlanFailed("scenarios: weight is not one number above 0 a path")

    @property
    def weights(self) -> Array:
        """Returns how much each path counts."""
        return np.ones(len(self.load_w)) if self.weight is None else self.weight


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """Holds what a battery does by what is stored."""

    table_kwh: Array
    """It has a row a slot: below the first the battery is charged from the grid, below the second
    surplus is stored, above the third load is served, above the fourth stored energy exported."""
    lowest_kwh: float
    highest_kwh: float
    """No mark is beyond these: one that is there is never reached."""


def find_marks(problem: ScenarioProblem) -> Marks:
    """Returns the marks of each slot: the first is of the present, later ones of a mean class."""
    stage = _Stage(problem)
    found = np.empty((problem.base.slots, 4))
    value = np.broadcast_to(0.0, (CLASSES, LEVELS))
    for slot in range(problem.base.slots - 1, -1, -1):
        value, marks = stage.before(slot, value)
        found[slot] = marks[0] if slot == 0 else marks.mean(axis=0)
    return Marks(
        table_kwh=found,
        lowest_kwh=float(stage.levels_kwh[0]),
        highest_kwh=float(stage.levels_kwh[-1]),
    )


def cost_to_come(problem: ScenarioProblem) -> tuple[Array, Array]:
    """Returns states of charge in kWh, rising, and what all slots are expected to cost from each.

    It is for who does not follow marks: whose power is fixed before a slot begins.
    """
    stage = _Stage(problem)
    value = np.broadcast_to(0.0, (CLASSES, LEVELS))
    for slot in range(problem.base.slots - 1, -1, -1):
        value, _ = stage.before(slot, value)
    return stage.levels_kwh, np.asarray(value[0])


def follow_marks(problem: PlanProblem, marks: Marks, pv_off: Mask | None = None) -> Array:
    """Returns the change in stored energy of each slot, in kWh, if things come as expected.

    PV is off in the slots of ``pv_off``; None: in none.
    """
    stage = _Stage(
        ScenarioProblem(base=problem, load_w=problem.load_w[None], pv_w=problem.pv_w[None])
    )
    stored, gained = problem.battery.soc_now_wh / 1e3, np.empty(problem.slots)
    for slot in range(problem.slots):
        off = pv_off is not None and bool(pv_off[slot])
        met = stage.ways(slot)[-1 if off else 0]
        _, change = met.moved(slot, np.array([[stored]]), marks.table_kwh[slot][:, None, None])
        gained[slot] = float(change[0, 0])
        stored += gained[slot]
    return gained


class _Stage:
    """Holds what is needed to step backwards through the slots."""

    def __init__(self, problem: ScenarioProblem) -> None:
        base = problem.base
        hours = base.dt_h / 1e3
        limits = stored_limits(base)
        low, high = float(limits.low_kwh.min()), float(limits.high_kwh.max())
        self.levels_kwh = np.linspace(low, max(high, low + 1e-6), LEVELS)
        levels = self.levels_kwh[None]
        outside = np.maximum(limits.low_kwh[:, None] - levels, 0.0)
        outside += np.maximum(levels - limits.high_kwh[:, None], 0.0)
        aged = np.maximum(levels - min(limits.aged_above_kwh, high), 0.0)
        self._holding = (
            levels * limits.cost_per_kwh[:, None]
            + aged * limits.ageing_per_kwh[:, None]
            + base.penalty_per_kwh * outside
        )
        self._on = MarksMet(base, problem.load_w, problem.pv_w, limits.low_kwh)
        self._off: MarksMet | None = None
        """It is the same with PV off, where it may be."""
        self._may_be_off = base.may_switch_pv
        if self._may_be_off.any():
            self._off = MarksMet(base, problem.load_w, problem.pv_w, limits.low_kwh, pv_on=False)
        self._counts = problem.weights
        net_w = problem.load_w - problem.pv_w
        self._classes = _classes(net_w * hours, self._counts)
        self._worth = worth_by_mark(base, net_w, self._counts)

    def before(self, slot: int, later: Array) -> tuple[Array, Array]:
        """Returns the value function before ``slot`` and its marks, both by class."""
        levels = self.levels_kwh
        weight = self._weight(slot)
        then = self._classes[slot + 1]
        after = (later + self._holding[slot])[then]
        marks = self._marks(self._worth[slot], weight @ after)
        each = marks[self._classes[slot]].T[:, :, None]
        costs = []
        for met in self.ways(slot):
            through, gained = met.moved(slot, levels[None], each)
            costs.append(weight @ (met.cost(slot, through) + self._at(after, levels + gained)))
        return np.minimum.reduce(costs), marks

    def ways(self, slot: int) -> list[MarksMet]:
        """Returns how a slot may go: with PV on and, where it may be, off."""
        off = self._off if self._may_be_off[slot] else None
        return [self._on] if off is None else [self._on, off]

    def _at(self, after: Array, stored: Array) -> Array:
        """Returns the value functions ``after``, one a path, at what is ``stored``."""
        levels = self.levels_kwh
        place = (stored - levels[0]) * ((LEVELS - 1) / (levels[-1] - levels[0]))
        left = np.minimum(np.maximum(place.astype(np.int64), 0), LEVELS - 2)
        share = place - left
        rows = np.arange(len(after))[:, None] * LEVELS
        flat = after.ravel()
        low = flat[rows + left]
        return np.asarray(low + share * (flat[rows + left + 1] - low))

    def _weight(self, slot: int) -> Array:
        """Returns how much each path counts for each class, (classes, paths)."""
        own = self._classes[slot] == np.arange(CLASSES)[:, None]
        weight = np.where(own, 1.0, _OF_OTHER_CLASSES) * self._counts
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def _marks(self, worth: Array, value: Array) -> Array:
        """Returns the marks of each class, (classes, 4), from the value of what is stored then.

        Among equals the battery moves least.
        """
        levels = self.levels_kwh
        costs = worth[:, None] * levels + value[:, None]
        good = costs <= costs.min(axis=2, keepdims=True) + _SAME_COST
        first, last = good.argmax(axis=2), LEVELS - 1 - good[:, :, ::-1].argmax(axis=2)
        place = np.where(np.arange(4) < 2, first, last)
        buy, store, serve, sell = levels[place].T
        return np.stack(
            [buy, np.maximum(store, buy), np.maximum(serve, buy), np.maximum(sell, serve)], axis=1
        )


def _classes(net_kwh: Array, counts: Array) -> Whole:
    """Returns the class of each path at the start of each slot and at the end, (slots + 1, paths).

    It goes by how far the path was off the mean of late.
    """
    paths, slots = net_kwh.shape
    off = net_kwh - counts @ net_kwh / counts.sum()
    keeps = 1.0 - 1.0 / _REMEMBERED_SLOTS
    found = np.zeros((slots + 1, paths), dtype=np.int64)
    late, place = np.zeros(paths), np.empty(paths, dtype=np.int64)
    for slot in range(slots):
        late = keeps * late + off[:, slot]
        place[late.argsort(kind="stable")] = np.arange(paths)
        found[slot + 1] = place * CLASSES // paths
    return found
