"""How often does a healthy site raise an alarm? Simulated days with noise and gaps."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from benchmarks.report import Report, at_most, new_parser, run
from holdfast.simulation.demo_site import simulated_site
from holdfast.testing.campaign.quiet import METERS, STEP_S, count_alarms

AT_REST_SHARE = 0.001
"""Of all cycles: what does not run raises no alarm, and would prove nothing."""


def measure(options: argparse.Namespace) -> Report:
    """One run."""
    alarms: Counter[str] = Counter()
    not_running, days = 0, options.days
    for name, meter in METERS.items():
        found, cycles = count_alarms(simulated_site(), days / len(METERS), options.seed, meter)
        alarms.update({f"{name} meter: {row}": count for row, count in found.items()})
        not_running += cycles
    at_rest = not_running / (days * 86400 / STEP_S)
    return Report(
        settings={"days": days, "meters": list(METERS), "step_s": STEP_S, "seed": options.seed},
        results={
            "alarms_a_day": sum(alarms.values()) / days,
            "cycles_not_running": float(not_running),
            **{f"alarms {row}": float(count) for row, count in sorted(alarms.items())},
        },
        unit="as named",
        budgets=[
            at_most("false alarms", "a day", 0.0, sum(alarms.values()) / days),
            at_most("not in RUNNING", "of all cycles", AT_REST_SHARE, at_rest),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("false_alarms", "False alarms of a healthy, noisy site.")
    parser.add_argument("--days", type=float, default=30.0, help="to simulate")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    return run("false_alarms", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
