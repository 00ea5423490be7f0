"""One storage unit becomes a chain: the linear program over the convex pieces of each slot.

All is in kWh. Columns come in blocks of one per slot: first the pieces, then what is stored:

========  ===============  ================================================================
piece j   0 .. length      how far the battery goes on the j-th piece of the slot's hull
stored    low .. high      in the battery at the end of the slot
aged      0 .. room        of that, what lies above the level from which it ages the cells
========  ===============  ================================================================

and one row per slot, whose entries are all ones, so that neither prices, limits, efficiencies
nor slot lengths ever touch the matrix:

    stored[t] + aged[t] - stored[t-1] - aged[t-1] - sum_j piece[j, t] = start of the first piece

A battery that takes less when it is nearly full has another row a slot, whose one number beside
ones is the share k of what is missing that it takes in the slot:

    stored[t] + aged[t] - (1 - k[t]) (stored[t-1] + aged[t-1]) <= k[t] x end of the taper
"""

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from holdfast.core.errors import PlanFailed
from holdfast.optimization.problem import Array
from holdfast.optimization.slot_cost import Pieces
from holdfast.optimization.solver import new_solver

_SCALE = 1000.0
"""Costs are passed in thousandths: the solver's tolerance for them is absolute."""
_ITERATIONS_PER_ROW = 100
"""It is far above what a solve takes; a limit on work, unlike one on time, is repeatable."""
_OPTIONS: dict[str, bool | int | str] = {
    "threads": 1,
    "parallel": "off",
    "presolve": "off",  # costs more than it saves on a matrix this sparse
    "solver": "simplex",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Holds bounds and costs of a block of columns, each of shape (slots,)."""

    lower: Array
    upper: Array
    cost: Array


class StorageProgram:
    """Solves a linear program for a fixed number of slots and pieces, again with other data."""

    def __init__(self, slots: int, pieces: int, taken: Array | None = None) -> None:
        """``taken`` is the share of what is missing that the battery takes in each slot, as it is
        nearly full; None: it takes all. That of the first slot may be another one later."""
        self.slots, self.pieces = slots, pieces
        self._taken = taken
        self._columns = np.arange((pieces + 2) * slots, dtype=np.int32)
        self._rows = np.arange(slots, dtype=np.int32)
        self._highs = new_solver(
            {**_OPTIONS, "simplex_iteration_limit": _ITERATIONS_PER_ROW * slots}
        )
        self._pass_model()

    def load(self, pieces: Pieces, stored_now_kwh: float, stored: Columns, aged: Columns) -> None:
        """Takes up a problem."""
        lengths, costs = self._padded(pieces)
        self._set_columns(
            self._columns,
            np.concatenate([costs, stored.cost, aged.cost]),
            np.concatenate([np.zeros(len(lengths)), stored.lower, aged.lower]),
            np.concatenate([lengths, stored.upper, aged.upper]),
        )
        starts = pieces.start_kwh.copy()
        starts[0] += stored_now_kwh
        self._highs.changeRowsBounds(self.slots, self._rows, starts, starts)

    def limit(self, taken: Array, end_kwh: float, stored_now_kwh: float) -> None:
        """Takes up where a taper ends; ``taken`` is as at the start but for the first slot."""
        most = taken * end_kwh
        most[0] += (1.0 - taken[0]) * stored_now_kwh
        rows = self._rows + np.int32(self.slots)
        self._highs.changeRowsBounds(self.slots, rows, np.full(self.slots, -np.inf), most)

    def forget(self) -> None:
        """Starts the next solve afresh."""
        self._highs.clearSolver()

    def solve(self) -> tuple[float, Array, Array]:
        """Returns the columns' cost; stored energy and its worth per kWh, each of shape (slots,).

        Raises PlanFailed if the solver gives up.
        """
        highs = self._highs
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            highs.clearSolver()  # the basis of another day may be a bad place to start from
            highs.run()
        status = highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            highs.clearSolver()
            raise PlanFailed(f"the solver ended with: {highs.modelStatusToString(status)}")
        solution = highs.getSolution()
        values = np.array(solution.col_value)[self.pieces * self.slots :]
        stored = values[: self.slots] + values[self.slots :]
        # Minimising: one more kWh in a storage row is a gift, so its dual is negative.
        worth = -np.array(solution.row_dual)[: self.slots] / _SCALE
        return highs.getObjectiveValue() / _SCALE, stored, worth

    def _padded(self, pieces: Pieces) -> tuple[Array, Array]:
        lengths, costs = np.zeros((2, self.pieces, self.slots))
        lengths[: len(pieces.length_kwh)] = pieces.length_kwh
        costs[: len(pieces.length_kwh)] = pieces.cost_per_kwh
        return lengths.ravel(), costs.ravel()

    def _set_columns(self, columns: Any, costs: Array, lower: Array, upper: Array) -> None:
        self._highs.changeColsCost(len(columns), columns, _SCALE * costs)
        self._highs.changeColsBounds(len(columns), columns, lower, upper)

    def _pass_model(self) -> None:
        slots, columns = self.slots, len(self._columns)
        piece_rows = np.arange(slots, dtype=np.int32)[:, None]
        kept = [_chain(np.ones(slots), 0)]
        if self._taken is not None:
            kept.append(_chain(1.0 - self._taken, slots))
        rows = np.hstack([row for row, _ in kept])
        values = np.hstack([value for _, value in kept])
        there = rows >= 0
        per_column = np.concatenate([np.ones(self.pieces * slots), np.tile(there.sum(axis=1), 2)])
        starts = np.concatenate([[0], np.cumsum(per_column)[:-1]]).astype(np.int32)
        zero, one = np.zeros(columns), np.ones(columns)
        count = slots * len(kept)
        self._highs.passModel(
            columns,
            count,
            int(per_column.sum()),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            zero,
            zero,
            one,
            np.zeros(count),
            np.zeros(count),
            starts,
            np.concatenate(
                [np.tile(piece_rows.ravel(), self.pieces), rows[there], rows[there]]
            ).astype(np.int32),
            np.concatenate([-np.ones(self.pieces * slots), values[there], values[there]]),
            np.zeros(columns, dtype=np.int32),
        )


def _chain(kept: Array, first_row: int) -> tuple[Array, Array]:
    """Returns the rows of what is stored in each slot, and its entries: 1 in its own, and in the
    next less what is ``kept`` there. A row of -1 is none."""
    slots = len(kept)
    own = np.arange(slots) + first_row
    following = np.where(np.arange(slots) < slots - 1, own + 1, -1)
    less = -np.concatenate([kept[1:], [0.0]])
    return np.column_stack([own, following]), np.column_stack([np.ones(slots), less])
