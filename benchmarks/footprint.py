"""What a running site takes of its computer, and how soon it is back after a power cut.

The demonstration's site under `holdfast run --plain`, as its unit starts it, in RUNNING and
following plans; its simulated devices run beside it and do not count. Processor time, memory (the
proportional set: what is shared counts once) and bytes written to the disk are those of all its
processes together, as the kernel counts them. A day of writing is extrapolated from the time that
was watched; what the history does once an hour counts 24 times, and only if a full hour was in that
time. What was written to which kind of file is seen by looking at the folder: what grew, and what
was replaced. Then all of them are killed at once and started again, with `resume: automatic`, until
power flows.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
"""One transaction of the history and two plans are in it."""
SETTLE_S = 400
"""What happens once is not extrapolated to a day: the first backup of the history, and, after five
minutes, what other ways would have cost on the days before."""
LOOK_EVERY_S, MEMORY_EVERY_S = 1.0, 5.0
HOURLY_BEGINS_S, HOURLY_ENDS_S = 85, 150
"""After a full hour, the history makes blocks of it."""
_HOUR_S = 3600
KINDS = {
    "history.": "history",
    "audit": "audit log",
    "plan": "plans",
    "forecast": "plans",
    "log": "logs",
    "run.log": "logs",
}
"""Kinds of files, by how the first part of a name in the folder of a site or its state begins."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen in some time."""

    by_process: dict[str, dict[str, float]]
    hourly_mb_a_day: float | None
    """What is done once an hour, 24 times; None: no full hour was in it."""
    most_memory_mb: float
    by_file_mb_a_day: dict[str, float]


class FileWatch:
    """Sees what is written to which kind of file below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = self._found()
        self.written_bytes: Counter[str] = Counter()

    def _found(self) -> dict[Path, tuple[int, int, int]]:
        found = {}
        for path in self._folder.rglob("*"):
            with suppress(OSError):
                status = path.stat()
                if path.is_file() and not path.name.endswith("-shm"):
                    found[path] = status.st_ino, status.st_size, status.st_mtime_ns
        return found

    def look(self) -> None:
        """Looks once."""
        now = self._found()
        for path, seen in now.items():
            before = self._known.get(path, (0, 0, 0))
            if seen != before:
                grew = seen[1] - before[1] if seen[0] == before[0] else seen[1]
                self.written_bytes[kind_of(path.relative_to(self._folder))] += max(grew, 0)
        self._known = now


def kind_of(path: Path) -> str:
    """What a file of a site is about.

    >>> kind_of(Path("state/history.db-wal")), kind_of(Path("state/wear.json"))
    ('history', 'other')
    """
    name = path.parts[1] if path.parts[0] == "state" and len(path.parts) > 1 else path.parts[0]
    return next((kind for start, kind in KINDS.items() if name.startswith(start)), "other")


def watched(site: RunningSite, seconds: float) -> Watched:
    """Watches for ``seconds``."""
    before = _usages(site)
    files = FileWatch(site.files.state_dir.parent)
    began_s, memory_s, most_mb = time.monotonic(), 0.0, 0.0
    hourly, last = 0, _written_by(site, "gateway")
    while time.monotonic() - began_s < seconds:
        time.sleep(LOOK_EVERY_S)
        files.look()
        written = _written_by(site, "gateway")
        if HOURLY_BEGINS_S <= time.time() % _HOUR_S <= HOURLY_ENDS_S:
            hourly += written - last
        last = written
        if time.monotonic() - memory_s >= MEMORY_EVERY_S:
            memory_s = time.monotonic()
            most_mb = max(most_mb, sum(each.memory_mb for each in _usages(site).values()))
    after, passed_s = _usages(site), time.monotonic() - began_s
    most_mb = max(most_mb, sum(each.memory_mb for each in after.values()))
    found: dict[str, dict[str, float]] = {}
    for pid, now in after.items():
        then = before.get(pid, Usage(cpu_s=0.0, written_bytes=0, memory_mb=0.0))
        name, written = name_of(pid), now.written_bytes - then.written_bytes
        row = found.setdefault(name, dict.fromkeys(_COLUMNS, 0.0))
        row["cpu_pct"] += 100.0 * (now.cpu_s - then.cpu_s) / passed_s
        row["memory_mb"] += now.memory_mb
        steadily = written - (hourly if name == "gateway" else 0)
        row["disk_mb_per_day"] += steadily / passed_s * _DAY_S / _MB
    saw_hour = (time.time() - HOURLY_ENDS_S) // _HOUR_S != (
        time.time() - passed_s - HOURLY_BEGINS_S
    ) // _HOUR_S
    return Watched(
        by_process=found,
        hourly_mb_a_day=hourly * _DAY_S / _HOUR_S / _MB if saw_hour else None,
        most_memory_mb=most_mb,
        by_file_mb_a_day={
            kind: count / passed_s * _DAY_S / _MB for kind, count in files.written_bytes.items()
        },
    )


def _usages(site: RunningSite) -> dict[int, Usage]:
    """What each of its processes has taken; one may end meanwhile."""
    found = {}
    for pid in site.pids:
        with suppress(OSError, KeyError):
            found[pid] = usage(pid)
    return found


def _written_by(site: RunningSite, name: str) -> int:
    written = 0
    for pid in site.pids:
        with suppress(OSError):
            if name_of(pid) == name:
                written += int(_fields(Path(f"/proc/{pid}/io"))["write_bytes"])
    return written


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
            seen = watched(site, options.seconds)
            back_s = site.cut_power()
    except TooLate as error:
        raise CannotRun(str(error)) from error
    all_of_it = totals(seen.by_process)
    all_of_it["disk_mb_per_day"] += seen.hourly_mb_a_day or 0.0
    return Report(
        settings={"seconds": options.seconds, "settle": options.settle},
        results={
            **seen.by_process,
            "together": all_of_it,
            "most memory, MB": seen.most_memory_mb,
            "hourly, MB a day": seen.hourly_mb_a_day,
            "seen in files, MB a day": seen.by_file_mb_a_day,
            "back in RUNNING, s": back_s,
        },
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
