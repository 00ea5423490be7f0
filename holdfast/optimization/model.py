"""One persistent linear program in HiGHS, re-solved with changed costs and bounds.

In kWh per slot, so that the matrix holds nothing but efficiencies and neither prices nor
slot lengths touch it. Columns of slot t, with net = load - PV:

=========  =========================  =====================================================
charge     0 .. charge_max            AC energy into the battery
discharge  0 .. discharge_max         AC energy out of the battery
imported   0 .. import_max            energy from the grid, within its limit
slack      -curtailed .. +over        over: import above the limit; curtailed: PV not taken
stored     low .. high                in the battery at the end of the slot
=========  =========================  =====================================================

and two rows; the first is a range, which spares a column for the export:

    net <= imported + slack - charge + discharge <= net + export_max
    stored[t] - stored[t-1] - charge * eta_c + discharge / eta_d = 0

It is never infeasible: ``slack`` may reach just what load or surplus exceed a grid limit
by, at a price above every other, and a battery that starts outside its limits gets limits
that lead back (``program.py``).

What a linear program cannot say, "either or", matters in two cases:

* Charging and discharging at once burns energy, which pays at negative prices. Slots that
  do it are held to the stronger direction and the program is solved again, at most
  ``_PASSES`` times; what is left is netted and the state of charge simulated forward
  inside all limits. The plan is then feasible, and may be slightly worse than the best.
* Importing and exporting at once pays where export earns more than import costs. There one
  price is used for both: the export price where surplus is above what the battery can
  take, else the import price. Reported costs use the true prices.
"""

from typing import Any

import highspy
import numpy as np

from holdfast.core.errors import PlanFailed
from holdfast.optimization.answer import TINY_KWH, build_solution
from holdfast.optimization.problem import Array, PlanProblem, PlanSolution
from holdfast.optimization.program import Program, build_matrix, build_program

_PASSES = 3
_ITERATIONS_PER_ROW = 50
"""Far above what a solve takes; a limit on work, unlike one on time, is repeatable."""
_OPTIONS: dict[str, bool | int | str] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "presolve": "off",  # costs more than it saves on a matrix this sparse
    "solver": "simplex",
}


class PlanModel:
    """A linear program for a fixed number of slots. Not safe to share between threads."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._columns = np.arange(5 * slots, dtype=np.int32)
        self._rows = np.arange(2 * slots, dtype=np.int32)
        self._efficiencies: tuple[float, float] | None = None
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS.items():
            self._highs.setOptionValue(option, value)
        self._highs.setOptionValue("simplex_iteration_limit", _ITERATIONS_PER_ROW * 2 * slots)

    def solve(self, problem: PlanProblem, *, warm: bool = True) -> PlanSolution:
        """Best answer to ``problem``, which must have as many slots as this model.

        A warm start takes less than half the time, but where several answers cost the same,
        the one it finds depends on what was solved before; without it nothing does.

        Raises PlanFailed if the solver gives up.
        """
        if problem.slots != self.slots:
            raise PlanFailed(f"a model of {self.slots} slots was asked for {problem.slots}")
        program = build_program(problem)
        if not warm:
            self._highs.clearSolver()
        self._load(problem, program)
        values, stored_values = self._run()
        for _ in range(_PASSES):
            burning = (values[0] > TINY_KWH) & (values[1] > TINY_KWH)
            if not burning.any():
                break
            self._hold_to_stronger(program, values, burning)
            try:
                values, stored_values = self._run()
            except PlanFailed:
                break  # a limit is kept only by the weaker direction; netting settles it
        return build_solution(problem, program, values, stored_values)

    def _load(self, problem: PlanProblem, program: Program) -> None:
        battery = problem.battery
        efficiencies = (battery.charge_efficiency, battery.discharge_efficiency)
        if efficiencies != self._efficiencies:
            self._pass_model(program, efficiencies)
            self._efficiencies = efficiencies
            return
        highs, rows = self._highs, self._rows
        highs.changeColsCost(len(self._columns), self._columns, program.costs)
        self._change_bounds(program)
        highs.changeRowsBounds(len(rows), rows, program.row_lower, program.row_upper)

    def _pass_model(self, program: Program, efficiencies: tuple[float, float]) -> None:
        starts, indices, entries = build_matrix(self.slots, *efficiencies)
        self._highs.passModel(
            len(self._columns),
            len(self._rows),
            len(entries),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            program.costs,
            program.lower,
            program.upper,
            program.row_lower,
            program.row_upper,
            starts,
            indices,
            entries,
            np.zeros(len(self._columns), dtype=np.int32),
        )

    def _change_bounds(self, program: Program) -> None:
        columns = self._columns
        self._highs.changeColsBounds(len(columns), columns, program.lower, program.upper)

    def _hold_to_stronger(self, program: Program, values: Array, burning: Array) -> None:
        charges = values[0] >= values[1]
        program.upper[: self.slots][burning & ~charges] = 0.0
        program.upper[self.slots : 2 * self.slots][burning & charges] = 0.0
        self._change_bounds(program)

    def _run(self) -> tuple[Array, Array]:
        """Columns, shape (5, slots), and what a stored kWh is worth, shape (slots,)."""
        highs = self._highs
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            highs.clearSolver()  # the basis of another day may be a bad place to start from
            highs.run()
        status = highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            self._efficiencies = None
            raise PlanFailed(f"the solver ended with: {highs.modelStatusToString(status)}")
        solution = highs.getSolution()
        values = np.array(solution.col_value).reshape(5, self.slots)
        # Minimising: one more kWh in a storage row is a gift, so its dual is negative.
        return values, -np.array(solution.row_dual)[self.slots :]
