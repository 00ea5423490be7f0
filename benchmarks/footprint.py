"""What a running site takes of its computer, and how soon it is back after a power cut.

The demonstration's site under `holdfast run --plain`, as its unit starts it, in RUNNING and
following plans; its simulated devices run beside it and do not count. Processor time, memory (the
proportional set: what is shared counts once) and bytes written to the disk are those of all its
processes together, as the kernel counts them; a day is extrapolated from the time that was
watched. Then all of them are killed at once and started again, with `resume: automatic`, until
power flows.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from benchmarks.report import CannotRun, Report, at_least_one, at_most, new_parser, run
from holdfast.client.control import ControlClient
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.state_machine import State
from holdfast.simulation.demo_site import DemoSite, make_demo_site
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import remove_memory_folder
from holdfast.site.site_file import load_site
from holdfast.testing.processes import Process, command_of, descendants
from holdfast.testing.waiting import TooLate, until

CPU_PCT, MEMORY_MB, DISK_MB_PER_DAY, BACK_S = 8.0, 250.0, 50.0, 60.0
SECONDS = 600
"""Two transactions of the history and two plans are in it."""
SETTLE_S = 150
"""What happens once, as the first backup of the history, is not extrapolated to a day."""
START_WITHIN_S = 120.0
_DAY_S = 86_400.0
_MB = 1e6
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PLANT = "holdfast.simulation.servers.site_server"
_IN_RAM = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one process has taken since it was started, with its children that have ended."""

    cpu_s: float
    written_bytes: int
    memory_mb: float


def usage(pid: int) -> Usage:
    """Reads what the kernel has counted. Raises OSError if the process has ended."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    io = _fields(folder / "io")
    memory = _fields(folder / "smaps_rollup")
    return Usage(
        cpu_s=sum(int(ticks) for ticks in fields[11:15]) / _TICKS_PER_S,
        written_bytes=int(io["write_bytes"]),
        memory_mb=int(memory["Pss"].split()[0]) * 1024 / _MB,
    )


def _fields(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def name_of(pid: int) -> str:
    """Says which process of a site it is: the module that was started, or the supervisor."""
    words = command_of(pid).decode(errors="replace").split("\0")
    module = words[words.index("-m") + 1] if "-m" in words else "child"
    return "supervisor" if module == "holdfast" else module.rpartition(".")[2]


class RunningSite:
    """The demonstration's site under its supervisor; its devices are served beside it."""

    def __init__(self, folder: Path) -> None:
        self._demo = _make(folder)
        self.files = SiteFiles.of(load_site(self._demo.config))
        self._status = StatusReader(self.files)
        self._folder = folder
        arguments = ("-m", _PLANT, "--config", str(self._demo.config), "--soc", "50")
        self._plant = Process(folder / "plant.log", *arguments)
        until(lambda: "plant ready" in self._plant.output, "the simulated devices are there")
        self._run = self._start()

    def _start(self) -> Process:
        arguments = ("-m", "holdfast", "run", "--plain", "--config", str(self._demo.config))
        os.environ["JOURNAL_STREAM"] = "0:0"  # what it prints is kept, as in its unit
        return Process(self._folder / "run.log", *arguments)

    @property
    def pids(self) -> list[int]:
        """Of all its processes."""
        return [self._run.pid, *descendants(self._run.pid)]

    def start_power(self) -> None:
        """Say `start` until power flows. Raises TooLate."""

        def runs() -> bool:
            try:
                with ControlClient(self.files.control_socket) as client:
                    client.command(Command.START)
            except NotRunning:
                return False
            return self._in_running()

        until(runs, "the site is in RUNNING", START_WITHIN_S, every_s=0.25)

    def cut_power(self) -> float:
        """Kill all at once, start again, and wait for RUNNING; gives how long that took, in s."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        self._run.end()
        # RAM does not outlive a power cut.
        remove_memory_folder(self.files.state_dir)
        until(lambda: self._status.fresh() is None, "nobody tells of the site any more")
        began_s = time.monotonic()
        self._run = self._start()
        until(self._in_running, "the site is in RUNNING again", START_WITHIN_S, every_s=0.05)
        return time.monotonic() - began_s

    def _in_running(self) -> bool:
        if not self._run.alive:
            raise CannotRun(f"the site has ended: {self._run.output.strip()[-300:]}")
        status = self._status.fresh()
        return status is not None and status.state is State.RUNNING

    def end(self) -> None:
        """End the site, then its devices."""
        self._run.end()
        self._plant.end()


def _make(folder: Path) -> DemoSite:
    demo = make_demo_site(folder, datetime.now(UTC))
    content = yaml.safe_load(demo.config.read_text(encoding="utf-8"))
    content["resume"] = "automatic"
    del content["planner"]  # as often as a site plans that says nothing else
    demo.config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return demo


@contextmanager
def _site(folder: Path) -> Iterator[RunningSite]:
    folder.mkdir(parents=True, exist_ok=True)
    if _file_system(folder) in _IN_RAM:
        raise CannotRun(f"{folder} lies in RAM, where no byte is written to a disk: --folder")
    site = RunningSite(folder)
    try:
        yield site
    finally:
        site.end()
        shutil.rmtree(folder)


def _file_system(folder: Path) -> str:
    """The kind of the file system that ``folder`` is on."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    above = [
        (len(words[1]), words[2]) for words in mounts if folder.resolve().is_relative_to(words[1])
    ]
    return max(above)[1]


def watched(site: RunningSite, seconds: float) -> dict[str, dict[str, float]]:
    """By process: what it took in ``seconds``."""
    before = {pid: usage(pid) for pid in site.pids}
    began_s = time.monotonic()
    time.sleep(seconds)
    after = {pid: usage(pid) for pid in site.pids}
    passed_s = time.monotonic() - began_s
    found: dict[str, dict[str, float]] = {}
    for pid, now in after.items():
        then = before.get(pid, Usage(cpu_s=0.0, written_bytes=0, memory_mb=0.0))
        written = now.written_bytes - then.written_bytes
        row = found.setdefault(name_of(pid), dict.fromkeys(_COLUMNS, 0.0))
        row["cpu_pct"] += 100.0 * (now.cpu_s - then.cpu_s) / passed_s
        row["memory_mb"] += now.memory_mb
        row["disk_mb_per_day"] += written / passed_s * _DAY_S / _MB
    return found


_COLUMNS = ("cpu_pct", "memory_mb", "disk_mb_per_day")


def totals(by_process: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """All processes together.

    >>> totals({"a": dict.fromkeys(_COLUMNS, 1.0), "b": dict.fromkeys(_COLUMNS, 2.0)})
    {'cpu_pct': 3.0, 'memory_mb': 3.0, 'disk_mb_per_day': 3.0}
    """
    return {column: sum(row[column] for row in by_process.values()) for column in _COLUMNS}


def measure(options: argparse.Namespace) -> Report:
    """Watch it, then cut its power."""
    try:
        with _site(options.folder) as site:
            site.start_power()
            time.sleep(options.settle)
            by_process = watched(site, options.seconds)
            back_s = site.cut_power()
    except TooLate as error:
        raise CannotRun(str(error)) from error
    all_of_it = totals(by_process)
    return Report(
        settings={"seconds": options.seconds, "settle": options.settle},
        results={**by_process, "together": all_of_it, "back in RUNNING, s": back_s},
        unit="",
        budgets=[
            at_most("processor", "% of a core", CPU_PCT, all_of_it["cpu_pct"]),
            at_most("memory", "MB", MEMORY_MB, all_of_it["memory_mb"]),
            at_most("written to disk", "MB a day", DISK_MB_PER_DAY, all_of_it["disk_mb_per_day"]),
            at_most("killed and started again, to RUNNING", "s", BACK_S, back_s),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("footprint", "What a running site takes of its computer.")
    parser.add_argument("--seconds", type=at_least_one, default=SECONDS, help="watched so long")
    parser.add_argument(
        "--settle", type=int, default=SETTLE_S, help="in RUNNING for so long before, in s"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("build/footprint"), help="made anew, on a disk"
    )
    options = parser.parse_args(arguments)
    return run("footprint", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
