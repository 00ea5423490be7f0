"""How late the real controller wakes for its cycles, alone and under load.

The controller process runs a simulated site; the simulator, and the watchdog without which
nothing starts, have processes of their own. "alone" is that; "loaded" adds planner, gateway
and processes that take all CPU time they get. cyclictest runs beside both, at the same period
and just above the controller's priority.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.background import CyclicTest, cpu_hogs
from benchmarks.recording_controller import CycleTimes, Tick, read_cycles, read_ticks
from benchmarks.report import (
    Budget,
    CannotRun,
    Report,
    at_least_one,
    at_most,
    new_parser,
    run,
    summarise,
)
from benchmarks.running_site import SiteProcesses, make_site, wait_for_running
from holdfast.core.units import NS_PER_S

LATENESS_US = 300.0
LATENESS_RATIO = 2.0
CYCLE_MEDIAN_US, CYCLE_P99_9_US = 300.0, 1000.0
MEMORY_MB = 80.0
_CONTROLLER = "benchmarks.recording_controller"
_SETTLE_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Phase:
    name: str
    ticks: list[Tick]
    cycles: list[CycleTimes]
    reference: CyclicTest
    memory_mb: list[float]
    """At the start, at the end."""

    def results(self) -> dict[str, Any]:
        return {
            "wake-up late": self.lateness_us() | {"missed": self.missed},
            "cyclictest": self.reference.result,
            "cycle": self.cycle_us(),
            "housekeeping": summarise([cycle.housekeeping_ns / 1e3 for cycle in self.cycles]),
            "memory": {"start_mb": self.memory_mb[0], "end_mb": self.memory_mb[-1]},
        }

    def lateness_us(self) -> dict[str, float]:
        return summarise([(tick.woke_ns - tick.deadline_ns) / 1e3 for tick in self.ticks])

    def cycle_us(self) -> dict[str, float]:
        return summarise([cycle.cycle_ns / 1e3 for cycle in self.cycles])

    @property
    def missed(self) -> int:
        return sum(tick.missed for tick in self.ticks)

    def budgets(self) -> list[Budget]:
        allowed_us = max(LATENESS_RATIO * self.reference.value("p99_9"), LATENESS_US)
        missed = self.reference.value("missed")
        cycle_us = self.cycle_us()
        return [
            at_most(f"{self.name}: missed deadlines", "deadlines", missed, float(self.missed)),
            at_most(
                f"{self.name}: wake-up lateness p99.9",
                "µs",
                allowed_us,
                self.lateness_us()["p99_9"],
            ),
            at_most(f"{self.name}: cycle, median", "µs", CYCLE_MEDIAN_US, cycle_us["p50"]),
            at_most(f"{self.name}: cycle, p99.9", "µs", CYCLE_P99_9_US, cycle_us["p99_9"]),
            at_most(f"{self.name}: controller memory", "MB", MEMORY_MB, max(self.memory_mb)),
        ]


def measure(options: argparse.Namespace) -> Report:
    """Both phases."""
    phases = [
        _measure_phase("alone", options, hogs=0, others=()),
        _measure_phase(
            "loaded",
            options,
            hogs=options.hogs,
            others=("holdfast.runtime.planner", "holdfast.runtime.gateway"),
        ),
    ]
    return Report(
        settings={"seconds": options.seconds, "hogs": options.hogs, "period_ms": options.period_ms},
        results={phase.name: phase.results() for phase in phases},
        unit="µs",
        budgets=[budget for phase in phases for budget in phase.budgets()],
        notes=sorted({phase.reference.note for phase in phases} - {""}),
    )


def _measure_phase(
    name: str, options: argparse.Namespace, *, hogs: int, others: Sequence[str]
) -> _Phase:
    period_us = options.period_ms * 1000
    reference = CyclicTest(period_us, options.seconds + 10.0)
    with tempfile.TemporaryDirectory(prefix="holdfast-loop-") as path:
        folder = make_site(Path(path), period_ms=options.period_ms)
        with SiteProcesses(folder) as processes:
            processes.start("holdfast.simulation.servers.site_server")
            processes.start("holdfast.runtime.watchdog")
            controller = processes.start(_CONTROLLER)
            for module in others:
                processes.start(module)
            wait_for_running(folder, processes)
            with cpu_hogs(hogs, options.seconds + 30.0):
                time.sleep(_SETTLE_S)
                memory_mb = [_memory_mb(controller)]
                with reference:
                    start_ns = time.monotonic_ns()
                    time.sleep(options.seconds)
                    end_ns = time.monotonic_ns()
                memory_mb.append(_memory_mb(controller))
                processes.check()
            processes.stop(_CONTROLLER)
        ticks = [tick for tick in read_ticks(folder.files) if start_ns < tick.deadline_ns < end_ns]
        cycles = [item for item in read_cycles(folder.files) if start_ns < item.end_ns < end_ns]
    _check_complete(ticks, (end_ns - start_ns) / NS_PER_S * 1e6 / period_us)
    return _Phase(name=name, ticks=ticks, cycles=cycles, reference=reference, memory_mb=memory_mb)


def _check_complete(ticks: list[Tick], expected: float) -> None:
    """Every deadline is accounted for: served, or counted as missed."""
    accounted = len(ticks) + sum(tick.missed for tick in ticks)
    if abs(accounted - expected) > 2 + max((tick.missed for tick in ticks), default=0):
        raise CannotRun(f"{accounted} deadlines were recorded where {expected:.0f} have passed")


def _memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise CannotRun("the controller has no resident memory: it has ended")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("loop", "Wake-up lateness of the real controller, beside cyclictest.")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each phase")
    parser.add_argument("--hogs", type=int, default=2, help="processes that take CPU when loaded")
    parser.add_argument("--period-ms", type=at_least_one, default=20, help="cycle period")
    options = parser.parse_args(arguments)
    return run("loop", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
