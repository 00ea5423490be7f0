"""Who reads our output as JSON must not find the solver's in it."""

import subprocess
import sys

PROGRAM = """
from holdfast.optimization.solver import new_solver

for _ in range(2):
    solver = new_solver({"time_limit": 10.0})
    solver.addVar(1.0, 2.0)
    solver.changeColCost(0, 1.0)
    solver.run()
    assert solver.getObjectiveValue() == 1.0
    assert solver.getOptionValue("time_limit")[1] == 10.0
"""


def test_the_solver_prints_nothing():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
