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
from holdfast.optimization.problem import Array, PlanProblem
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


def follow_marks(problem: PlanProblem, marks: Marks) -> Array:
    """Returns the change in stored energy of each slot, in kWh, if things come as expected."""
    stage = _Stage(
        ScenarioProblem(base=problem, load_w=problem.load_w[None], pv_w=problem.pv_w[None])
    )
    stored, gained = problem.battery.soc_now_wh / 1e3, np.empty(problem.slots)
    for slot in range(problem.slots):
        through = stage.through_kwh(
            slot, np.array([[stored]]), marks.table_kwh[slot][:, None, None]
        )
        gained[slot] = float(stage.gained_kwh(through)[0, 0])
        stored += gained[slot]
    return gained


class _Stage:
    """Holds what is needed to step backwards through the slots."""

    def __init__(self, problem: ScenarioProblem) -> None:
        base = problem.base
        battery, hours = base.battery, base.dt_h / 1e3
        limits = stored_limits(base)
        self._charge, self._discharge = battery.charge_efficiency, battery.discharge_efficiency
        self._wear = battery.wear_cost_per_kwh
        self._penalty = base.penalty_per_kwh
        low, high = float(limits.low_kwh.min()), float(limits.high_kwh.max())
        self.levels_kwh = np.linspace(low, max(high, low + 1e-6), LEVELS)
        levels = self.levels_kwh[None]
        outside = np.maximum(limits.low_kwh[:, None] - levels, 0.0)
        outside += np.maximum(levels - limits.high_kwh[:, None], 0.0)
        aged = np.maximum(levels - min(limits.aged_above_kwh, high), 0.0)
        self._holding = (
            levels * limits.cost_per_kwh[:, None]
            + aged * limits.ageing_per_kwh[:, None]
            + self._penalty * outside
        )
        # Where PV may be switched off it is: what is imported is paid for.
        pv_w = np.where(base.may_switch_pv, 0.0, problem.pv_w)
        net_w = problem.load_w - pv_w
        self._net = (net_w * hours).T[:, :, None].copy()
        sheddable_w = pv_w if base.pv_curtailable else np.zeros_like(pv_w)
        least_w = np.clip(-base.export_max_w - net_w - sheddable_w, -battery.discharge_max_w, 0.0)
        most_w = np.clip(base.import_max_w - net_w, 0.0, battery.charge_max_w)
        if not base.sells_stored:
            least_w = np.maximum(least_w, -np.maximum(net_w, 0.0))
        if base.least_w is not None:
            least_w = np.maximum(least_w, np.minimum(base.least_w, most_w))
        if base.most_w is not None:
            most_w = np.minimum(most_w, np.maximum(base.most_w, least_w))
        self._least = (least_w * hours).T[:, :, None].copy()
        self._most = (most_w * hours).T[:, :, None].copy()
        self._import_max = np.broadcast_to(base.import_max_w, hours.shape) * hours
        self._export_max = base.export_max_w * hours
        self._bought = base.import_price_per_kwh
        sold = base.export_price_per_kwh
        self._sold = np.maximum(sold, 0.0) if base.pv_curtailable else sold
        self._counts = problem.weights
        self._classes = _classes(net_w * hours, self._counts)
        # What a kWh in the battery costs or earns by each mark, (slots, marks).
        self._worth = np.column_stack(
            [
                self._bought / self._charge,
                self._sold / self._charge,
                (self._bought - self._wear) * self._discharge,
                (self._sold - self._wear) * self._discharge,
            ]
        )

    def before(self, slot: int, later: Array) -> tuple[Array, Array]:
        """Returns the value function before ``slot`` and its marks, both by class."""
        levels = self.levels_kwh
        weight = self._weight(slot)
        then = self._classes[slot + 1]
        after = (later + self._holding[slot])[then]
        marks = self._marks(self._worth[slot], weight @ after)
        each = marks[self._classes[slot]].T[:, :, None]
        through = self.through_kwh(slot, levels[None], each)
        stored = levels + self.gained_kwh(through)
        cost = self._cost(slot, through) + self._at(after, stored)
        return weight @ cost, marks

    def through_kwh(self, slot: int, stored: Array, marks: Array) -> Array:
        """Returns the AC energy of the battery in ``slot`` (+ charging): what ``marks`` make of it.

        The marks come as (4, paths, 1), what is ``stored`` as (paths or 1, levels).
        """
        buy, store, serve, sell = marks
        net, least, most = self._net[slot], self._least[slot], self._most[slot]
        stores = np.maximum(store - stored, 0.0) / self._charge
        serves = np.maximum(stored - serve, 0.0) * self._discharge
        through = np.minimum(np.maximum(-net, -serves), stores)
        through = np.maximum(
            through, np.where(stored < buy, (buy - stored) / self._charge, -np.inf)
        )
        sells = np.where(stored > sell, (sell - stored) * self._discharge, np.inf)
        through = np.minimum(through, sells)
        return np.asarray(np.minimum(np.maximum(through, least), most))

    def gained_kwh(self, through: Array) -> Array:
        """Returns the change in stored energy."""
        return np.asarray(
            np.where(through > 0.0, through * self._charge, through / self._discharge)
        )

    def _cost(self, slot: int, through: Array) -> Array:
        grid = self._net[slot] + through
        bought = np.maximum(grid, 0.0)
        sold = np.minimum(np.maximum(-grid, 0.0), self._export_max[slot])
        over = np.maximum(bought - self._import_max[slot], 0.0)
        delivered = np.maximum(-through, 0.0)
        cost = self._bought[slot] * bought - self._sold[slot] * sold
        return np.asarray(cost + self._penalty * over + self._wear * delivered)

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
