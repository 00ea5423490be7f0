"""How often does a healthy site raise an alarm? Simulated days with noise and gaps.

The plant is sound and its environment ordinary, so every finding above a warning is false, but
for those that say what the owner wished (SOC limits) or what the BMS itself asks for.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.report import Report, at_most, new_parser, run
from holdfast.core.config import Site
from holdfast.core.signals import SIGNALS, Producer, Signal
from holdfast.safety.faults import Finding, Level
from holdfast.testing.demo_site import simulated_site
from holdfast.testing.plant import SitePlant
from holdfast.testing.plant.site import SiteSample
from holdfast.testing.simulation import Simulation

STEP_S = 2.0
START = datetime(2026, 4, 1, tzinfo=UTC)
NOISE = {"V": 0.002, "A": 0.5, "°C": 0.3, "W": 15.0, "Hz": 0.01}
"""Standard deviation by unit; a spike is ten times as much."""
SPIKE_SHARE = 0.0005
GAP_SHARE, GAP_S = 0.0002, 4.0
EXPECTED = ("soc_high", "soc_low", "bms_forbids_charge", "bms_forbids_discharge", "bms_alarm")


class NoisyPlant(SitePlant):
    """The same plant behind noisy sensors and a bus that loses data now and then."""

    noise: random.Random
    silent: dict[tuple[str, Producer], float]

    def samples(self) -> "list[SiteSample]":  # type: ignore[override]  # a list is iterable too
        """What all devices tell, with noise, spikes and gaps."""
        told = []
        for role, owner, signal, value in super().samples():
            device = (owner, role)
            if self.noise.random() < GAP_SHARE / 10:
                self.silent[device] = self.time_s + GAP_S * self.noise.random()
            if self.time_s < self.silent.get(device, 0.0):
                continue
            told.append((role, owner, signal, self._noisy(signal, value)))
        return told

    def _noisy(self, signal: Signal, value: float) -> float:
        deviation = NOISE.get(SIGNALS[signal].unit)
        if deviation is None or "readback" in signal or "limit" in signal:
            return value
        if self.noise.random() < SPIKE_SHARE:
            deviation *= 10.0
        row = SIGNALS[signal]
        return min(max(value + self.noise.gauss(0.0, deviation), row.low), row.high)


def count_alarms(site: Site, days: float, seed: int) -> tuple[Counter[str], int, float]:
    """Alarms by row, cycles not in RUNNING, and days run."""
    plant = NoisyPlant.from_site(site, seed=seed)
    plant.noise, plant.silent = random.Random(seed), {}
    simulation = Simulation(site, plant, start=START, step_s=STEP_S)
    simulation.start()
    alarms: Counter[str] = Counter()
    active: set[str] = set()
    for _ in range(round(days * 86400 / STEP_S)):
        record = simulation.step()
        now = {found.key: found for found in record.assessment.findings if _counts(found)}
        alarms.update(now[key].row for key in now.keys() - active)
        active = set(now)
    return alarms, simulation.tally.not_running_cycles, days


def _counts(found: Finding) -> bool:
    # Lost data were really lost; that is no false alarm but the gap that we made.
    lost = found.row.endswith(("_data_old", "_data_lost", "_data_missing"))
    return found.level >= Level.ALARM and found.row not in EXPECTED and not lost


def measure(options: argparse.Namespace) -> Report:
    """One run."""
    alarms, not_running, days = count_alarms(simulated_site(), options.days, options.seed)
    return Report(
        settings={"days": days, "step_s": STEP_S, "seed": options.seed},
        results={
            "alarms_a_day": sum(alarms.values()) / days,
            "cycles_not_running": float(not_running),
            **{f"alarms {row}": float(count) for row, count in sorted(alarms.items())},
        },
        unit="as named",
        budgets=[at_most("false alarms", "a day", 0.0, sum(alarms.values()) / days)],
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
