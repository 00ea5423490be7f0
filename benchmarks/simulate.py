"""How much faster than real time the accelerated days run, on one core.

Plant, cycle at one step a second, and a new plan every quarter hour, as ``holdfast simulate``
runs them. What counts is the CPU time of this one thread, which others on the machine do not
change much; the wall time is told beside it.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.report import Report, at_least, new_parser, run
from holdfast.backtest.run import Job, Run
from holdfast.backtest.simulated_days import simulated_days
from holdfast.backtest.strategies import Strategy
from holdfast.simulation.demo_site import sample_site_prices, simulated_site

TIMES_REAL_TIME = 2000.0
_DAY_S = 86_400.0


def measure(options: argparse.Namespace) -> Report:
    """One run."""
    site = simulated_site()
    days = simulated_days(sample_site_prices(site), days=options.days, step_s=1.0)
    planned = Run(Job(site=site, scenario=days, strategy=Strategy.FORECAST))
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    result = planned.run()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    simulated_s = days.data.days * _DAY_S
    return Report(
        settings={"days": options.days, "step_s": 1.0},
        results={
            "times_real_time_by_cpu": simulated_s / cpu_s,
            "times_real_time_by_wall": simulated_s / wall_s,
            "cpu_s": cpu_s,
            "wall_s": wall_s,
            "us_per_step": cpu_s / result.cycles * 1e6,
            "plans": sum(result.plans.values()),
        },
        unit="as named",
        budgets=[
            at_least("simulation, by CPU time", "x real time", TIMES_REAL_TIME, simulated_s / cpu_s)
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("simulate", "Speed of the accelerated simulation on one core.")
    parser.add_argument("--days", type=float, default=1.0, help="to simulate, 0.02 to 9")
    options = parser.parse_args(arguments)
    if not 0.02 <= options.days <= 9:
        parser.error("--days: from 0.02 to 9, which is as far as the sample prices reach")
    return run("simulate", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
