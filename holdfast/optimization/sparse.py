"""A mixed-integer program is put together from blocks of columns and rows, for HiGHS."""

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import PlanFailed
from holdfast.optimization.problem import Array
from holdfast.optimization.solver import new_solver

Block = NDArray[np.int32]
"""They are indices of columns or rows."""


class Blocks:
    """Columns and rows come block by block. All arrays of one block have its length."""

    def __init__(self) -> None:
        self.columns = self.rows = 0
        self._cost: list[Array] = []
        self._bounds: list[tuple[Array, Array]] = []
        self._row_bounds: list[tuple[Array, Array]] = []
        self._entries: list[tuple[Block, Block, Array]] = []

    def add_columns(
        self, count: int, lower: Array | float, upper: Array | float, cost: Array | float = 0.0
    ) -> Block:
        """Adds new columns and returns their indices."""
        block = np.arange(self.columns, self.columns + count, dtype=np.int32)
        self.columns += count
        self._bounds.append((_full(lower, count), _full(upper, count)))
        self._cost.append(_full(cost, count))
        return block

    def add_rows(
        self, lower: Array | float, upper: Array | float, *terms: tuple[Block, Array | float]
    ) -> Block:
        """Adds rows, one for each column of the terms: lower <= sum of the terms <= upper."""
        count = len(terms[0][0])
        block = np.arange(self.rows, self.rows + count, dtype=np.int32)
        self.rows += count
        self._row_bounds.append((_full(lower, count), _full(upper, count)))
        for columns, factor in terms:
            self.add_entries(block, columns, factor)
        return block

    def add_entries(self, rows: Block, columns: Block, factor: Array | float) -> None:
        """Adds entries to existing rows."""
        self._entries.append((rows, columns, _full(factor, len(columns))))

    def build(self, options: dict[str, bool | int | float | str]) -> Any:
        """Returns the program, loaded."""
        highs = new_solver(options)
        rows, columns, values = (
            np.concatenate([entry[part] for entry in self._entries]) for part in range(3)
        )
        order = np.lexsort((rows, columns))
        starts = np.searchsorted(columns[order], np.arange(self.columns)).astype(np.int32)
        lower, upper = (np.concatenate([b[side] for b in self._bounds]) for side in range(2))
        row_lower, row_upper = (
            np.concatenate([b[side] for b in self._row_bounds]) for side in range(2)
        )
        highs.passModel(
            self.columns,
            self.rows,
            len(values),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            np.concatenate(self._cost),
            lower,
            upper,
            row_lower,
            row_upper,
            starts,
            rows[order].astype(np.int32),
            values[order],
            np.zeros(self.columns, dtype=np.int32),
        )
        return highs


def run(highs: Any) -> Array:
    """Solves and returns the values of the columns. Raises PlanFailed if there is no answer."""
    highs.run()
    status = highs.getModelStatus()
    if status not in _ANSWERED or highs.getInfo().primal_solution_status != _FEASIBLE:
        raise PlanFailed(f"the solver ended with: {highs.modelStatusToString(status)}")
    return np.array(highs.getSolution().col_value)


def is_proven(highs: Any) -> bool:
    """Says whether the last run came to its end; it was cut short by a limit otherwise."""
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


_ANSWERED = (
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kTimeLimit,
    highspy.HighsModelStatus.kSolutionLimit,
    highspy.HighsModelStatus.kIterationLimit,
)
_FEASIBLE = 2
"""This is SolutionStatus::kSolutionStatusFeasible of HiGHS."""


def _full(value: Array | float, count: int) -> Array:
    return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)))
