"""What runs beside a measurement: processes that take the CPU, and cyclictest as the reference.

``cyclictest`` (package rt-tests) measures how late the kernel itself wakes a real-time thread.
On a virtual machine that is most of what any program can measure, so figures are compared with
what it saw in the same minute.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.report import PERCENTILES, rank
from holdfast.runtime.controller import PRIORITY

_HOG = """\
import os, signal, sys
signal.alarm(int(sys.argv[1]))
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""
_LONGEST_US = 200_000
_STOP_S = 10.0


@contextmanager
def cpu_hogs(count: int, limit_s: float) -> Iterator[None]:
    """``count`` processes of normal priority that do nothing but take CPU time.

    They end with this process, and after ``limit_s`` at the latest.
    """
    hogs = [
        subprocess.Popen([sys.executable, "-c", _HOG, str(max(round(limit_s), 1))])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
        for hog in hogs:
            hog.wait()


class CyclicTest:
    """cyclictest beside a measurement: one thread a core, just above the controller's priority.

    ``result`` is None, and ``note`` says why, where it is not installed or not permitted.
    """

    def __init__(self, interval_us: int, limit_s: float) -> None:
        self.interval_us = interval_us
        self.result: dict[str, Any] | None = None
        self.note = ""
        self._limit_s = limit_s
        self._folder = tempfile.TemporaryDirectory(prefix="holdfast-cyclictest-")
        self._file = Path(self._folder.name) / "result.json"
        self._errors = Path(self._folder.name) / "errors.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "CyclicTest":
        program = shutil.which("cyclictest")
        if program is None:
            self.note = "cyclictest (package rt-tests) is not installed: nothing to compare with"
            return self
        command = [
            program, "--smp", "--mlockall", "--quiet",
            # It would keep the CPU from idling deeply, which helps everybody's figures.
            "--default-system",
            f"--priority={PRIORITY + 1}", f"--interval={self.interval_us}",
            f"--histogram={_LONGEST_US}", f"--duration={max(round(self._limit_s), 1)}",
            f"--json={self._file}",
        ]  # fmt: skip
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._read()
        self._folder.cleanup()

    def _read(self) -> None:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            self.result = summarise_threads([*content["thread"].values()], self.interval_us)
        except (OSError, ValueError, KeyError) as error:
            said = " ".join(self._errors.read_text(errors="replace").split())
            self.note = f"cyclictest gave no result, nothing to compare with: {said or error}"

    def value(self, name: str) -> float:
        """One figure of the result in µs; 0 where there is none, which is the stricter bound."""
        return 0.0 if self.result is None else float(self.result[name])


def summarise_threads(threads: Sequence[Mapping[str, Any]], interval_us: int) -> dict[str, Any]:
    """Percentiles of all threads together; missed deadlines of the thread that missed most."""
    latencies: Counter[int] = Counter()
    missed = []
    for thread in threads:
        counts = {int(us): int(count) for us, count in thread["histogram"].items()}
        beyond = int(thread["cycles"]) - sum(counts.values())
        if beyond > 0:  # longer than the histogram reaches: the longest is all that is known
            counts[int(thread["max"])] = counts.get(int(thread["max"]), 0) + beyond
        latencies.update(counts)
        missed.append(sum(count * (us // interval_us) for us, count in counts.items()))
    ordered = sorted(latencies)
    total = latencies.total()
    found = {}
    for name, percent in PERCENTILES.items():
        seen = 0
        for us in ordered:
            seen += latencies[us]
            if seen >= rank(percent, total):
                found[name] = us
                break
    return {
        "count": total,
        **found,
        "max": max(int(thread["max"]) for thread in threads),
        "over_1_ms": sum(count for us, count in latencies.items() if us > 1000),
        "missed": max(missed),
    }


def become_a_device() -> bool:
    """SCHED_FIFO for this process but not for what it starts; False if that is not permitted.

    A simulated device stands for one with a computer of its own, which no load here slows down.
    """
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    return True
