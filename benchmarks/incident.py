"""What it costs to keep cycles for a recording, and what a recording is.

The demonstration's site in RUNNING as ``benchmarks.cycle`` has it, each of its cycles told to the
recorder of the controller. "kept" is what that costs while nothing happens, "collector" the
collector's work for what is kept, each time it is called; "slice" is what the recorder does behind
a cycle while an incident is encoded. Memory is counted by Python: what the kept cycles hold that
would otherwise be free. CPU time is counted, not wall time.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cycle import MANY_SIGNALS, Bench, site_with
from benchmarks.report import (
    Budget,
    CannotRun,
    Report,
    at_most,
    new_parser,
    run,
    summarise,
)
from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.monitoring.replay.reading import read_recording
from holdfast.monitoring.replay.rerun import build_recorded, difference_in, rerun
from holdfast.monitoring.replay.scrubbing import site_of
from holdfast.runtime.control_loop import COLLECT_EVERY_NS
from holdfast.runtime.incident_folder import IncidentFolder
from holdfast.runtime.incident_recorder import (
    MOST_AFTER,
    MOST_BEFORE,
    IncidentRecorder,
    wiring_of,
)
from holdfast.runtime.realtime import collect_young

SHARE_OF_PERIOD = 0.01
SLICE_SHARE = 0.1
"""A key frame of many units is one piece."""
MEMORY_MB = 10.0
FILE_MB = 1.0
_UNITS = 5


class _ToldCycle:
    """Tells a recorder of each cycle, and what that took."""

    def __init__(self, cycle: Cycle, recorder: IncidentRecorder) -> None:
        self._step = cycle.step
        self._recorder = recorder
        self.took_us: list[float] = []

    def step(self, state: CycleState, inputs: Inputs) -> tuple[CycleState, CycleRecord]:
        after, record = self._step(state, inputs)
        began_ns = time.thread_time_ns()
        self._recorder.ran(state, record)
        self.took_us.append((time.thread_time_ns() - began_ns) / 1e3)
        return after, record


async def _recorded(site: Site, folder: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """The site runs and stops; times, and the figures of what is kept."""
    wiring = wiring_of(site)  # several units on one wire, which no real site may have
    cycle = Cycle(site, wiring.expected, wiring.points, wiring.traits, wiring.ages)
    recorder = IncidentRecorder(site, IncidentFolder(folder), None)
    told = _ToldCycle(cycle, recorder)
    cycle.step = told.step  # type: ignore[method-assign]
    bench = Bench(site, cycle)
    bench.start()
    tracemalloc.start()
    recorder._ring.clear()  # noqa: SLF001 - what it holds from here on is counted
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(MOST_BEFORE):
        bench.step()
    gc.collect()
    memory_mb = (tracemalloc.get_traced_memory()[0] - before) / 1e6
    tracemalloc.stop()
    told.took_us.clear()
    collector_us = []
    every = COLLECT_EVERY_NS // (site.cycle.period_ms * 1_000_000)
    for number in range(MOST_BEFORE):
        bench.step()
        if number % every == 0:
            began_ns = time.thread_time_ns()
            collect_young()
            collector_us.append((time.thread_time_ns() - began_ns) / 1e3)
    kept_us = told.took_us.copy()
    told.took_us.clear()
    bench.step((Command.EMERGENCY_STOP,))
    while recorder._open is not None:  # noqa: SLF001 - until all of it is encoded
        bench.step()
        if len(told.took_us) > MOST_BEFORE + MOST_AFTER:
            raise CannotRun("the incident does not end")
    began_s = time.perf_counter()
    await recorder.close()
    save_ms = (time.perf_counter() - began_s) * 1e3
    figures = {
        "memory, MB": memory_mb,
        "encoded after so many cycles": len(told.took_us),
        "saving, ms": save_ms,
    }
    times = {
        "kept": summarise(kept_us),
        "collector": summarise(collector_us),
        "slice": summarise(told.took_us),
    }
    return times, figures


def _replayed(path: Path) -> dict[str, float]:
    """Figures of a recording; it is run again."""
    began_s = time.thread_time()
    recording = read_recording(path)
    again = rerun(build_recorded(recording, site_of(recording.site)), recording)
    if any(difference_in(one) for one in again):
        raise CannotRun("the recording decides something else")
    return {
        "replay, s": time.thread_time() - began_s,
        "file, MB": path.stat().st_size / 1e6,
        "cycles": len(recording.cycles),
    }


def measure(options: argparse.Namespace) -> Report:
    """One storage unit, then as many as make 100 signals."""
    del options
    results: dict[str, Any] = {}
    budgets: list[Budget] = []
    notes: list[str] = []
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for units in (1, _UNITS):
            site = site_with(units)
            with tempfile.TemporaryDirectory() as folder:
                times, figures = asyncio.run(_recorded(site, Path(folder)))
                figures |= _replayed(next(Path(folder).glob("*.json.gz")))
            name = f"{units} unit" if units == 1 else f"{units} units, {MANY_SIGNALS}+ signals"
            results[name] = times
            notes.append(f"{name}: " + ", ".join(f"{k} {v:.3g}" for k, v in figures.items()))
            budgets += _budgets(name, site.cycle.period_ms * 1e3, times, figures)
    finally:
        gc.enable()
    return Report(settings={}, results=results, unit="µs", budgets=budgets, notes=notes)


def _budgets(
    name: str, period_us: float, times: dict[str, Any], figures: dict[str, float]
) -> list[Budget]:
    most = SHARE_OF_PERIOD * period_us
    slice_us = SLICE_SHARE * period_us
    return [
        at_most(f"kept cycle, {name}, p99", "µs", most, times["kept"]["p99"]),
        at_most(f"slice, {name}, p99", "µs", slice_us, times["slice"]["p99"]),
        at_most(f"memory of what is kept, {name}", "MB", MEMORY_MB, figures["memory, MB"]),
        at_most(f"recording, {name}", "MB", FILE_MB, figures["file, MB"]),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("incident", "What it costs to record incidents.")
    options = parser.parse_args(arguments)
    return run("incident", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
