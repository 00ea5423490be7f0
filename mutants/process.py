"""One mutant, one process: forked, given the mutated module, run, and judged from outside."""

import ast
import faulthandler
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from mutants.fate import Fate, Verdict
from mutants.site import ROOT, path_of

_MEMORY_BYTES = 4 << 30
_WALL_FACTOR = 20
"""A process may wait this many times as long as it may work, if others need the processor."""

_PYTEST = (
    "-x", "-q", "--no-header", "--no-summary", "-c", str(ROOT / "mutants" / "pytest.ini"),
    "--rootdir", str(ROOT), "-p", "no:cacheprovider", "-p", "no:faulthandler",
    "-p", "no:unraisableexception", "-p", "no:threadexception",
    "-p", "_hypothesis_pytestplugin", "-p", "pytest_asyncio.plugin",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A module as it is to be run, and the tests to run on it."""

    module: str
    tree: ast.Module
    tests: tuple[str, ...]
    """Files or single tests, relative to the repository."""
    doctests: bool = False


def prepare() -> None:
    """In the parent, once: import what every process needs, and nothing of the code under test."""
    for module in ("_hypothesis_pytestplugin", "pytest_asyncio.plugin"):
        importlib.import_module(module)
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


def in_a_process(work: Callable[[], Verdict], *, limit_s: float) -> Verdict:
    """What ``work`` finds in a process of its own that may use ``limit_s`` of processor time.

    Only what the process itself reports counts; one that dies without a word has crashed.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(work, writer, limit_s)
    os.close(writer)
    try:
        said = _read(reader, time.monotonic() + limit_s * _WALL_FACTOR)
    finally:
        os.close(reader)
    if said is None:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    cpu_s = usage.ru_utime + usage.ru_stime
    if said is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return Verdict(fate=Fate.TIMED_OUT, by=f"more than {limit_s:.0f} s", cpu_s=cpu_s)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return Verdict(fate=Fate.CRASHED, by=name, cpu_s=cpu_s)
    try:
        fields = json.loads(said)
        return Verdict(
            fate=Fate(fields["fate"]), by=fields["by"], tests=fields["tests"], cpu_s=cpu_s
        )
    except (ValueError, KeyError):
        code = os.waitstatus_to_exitcode(status)
        return Verdict(fate=Fate.CRASHED, by=f"ended with {code} and no report", cpu_s=cpu_s)


def judge(subject: Subject) -> Verdict:
    """Import the module of ``subject`` and run the tests. To be called in a process of its own."""
    if subject.module in sys.modules:
        return Verdict(fate=Fate.CRASHED, by="the module was imported before it was mutated")
    _settle_hypothesis()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.meta_path.insert(0, _Importer(subject))
    try:
        importlib.import_module(subject.module)
    except Exception as error:  # noqa: BLE001 - whatever a mutant raises
        return Verdict(fate=Fate.STILLBORN, by=f"{type(error).__name__}: {error}"[:200])
    watcher = _Watcher()
    args = [*_PYTEST, *subject.tests]
    if subject.doctests:
        args.append("--doctest-modules")
    code = pytest.main(args, plugins=[watcher])
    return watcher.verdict(int(code))


def _settle_hypothesis() -> None:
    """The same examples for every mutant, whatever the computer is doing."""
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),  # a busy computer kills no mutant
        phases=(Phase.explicit, Phase.generate),  # what failed need not become small
    )
    hypothesis.settings.load_profile("mutants")


class _Watcher:
    """Counts what pytest reports; its exit code alone would not tell a failure from a crash."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = ""
        self.broken = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Examples before properties, which take longer."""
        items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed, failed or been skipped."""
        if report.failed:
            self.failed = self.failed or report.nodeid
        elif report.when == "call" and report.passed:
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file could not even be read."""
        if report.failed:
            self.broken = self.broken or f"{report.nodeid} cannot be collected"

    def verdict(self, code: int) -> Verdict:
        """What all that means."""
        tests = self.passed + bool(self.failed)
        if self.failed:
            return Verdict(fate=Fate.KILLED, by=self.failed, tests=tests)
        if self.broken:
            return Verdict(fate=Fate.STILLBORN, by=self.broken)
        if code == pytest.ExitCode.NO_TESTS_COLLECTED or (code == 0 and not self.passed):
            return Verdict(fate=Fate.NO_TESTS)
        if code != 0:
            return Verdict(fate=Fate.CRASHED, by=f"pytest ended with {code}", tests=tests)
        return Verdict(fate=Fate.SURVIVED, tests=tests)


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the module from its syntax tree, all others as they are."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Only for the one module."""
        if fullname != self._subject.module:
            return None
        location = ROOT / path_of(fullname)
        return importlib.util.spec_from_file_location(fullname, location, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the mutated code."""
        location = str(ROOT / path_of(self._subject.module))
        exec(compile(self._subject.tree, location, "exec"), module.__dict__)


def _child(work: Callable[[], Verdict], writer: int, limit_s: float) -> NoReturn:
    code = 1
    try:
        faulthandler.disable()
        soft = max(int(limit_s + 0.999), 1)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        verdict = work()
        report = {"fate": verdict.fate, "by": verdict.by, "tests": verdict.tests}
        os.write(writer, json.dumps(report).encode())
        code = 0
    finally:
        os._exit(code)


def _read(reader: int, until_s: float) -> bytes | None:
    """All that is written until the other end is closed; None if that takes too long."""
    said = b""
    while True:
        ready, _, _ = select.select([reader], [], [], max(until_s - time.monotonic(), 0.0))
        if not ready:
            return None
        part = os.read(reader, 1 << 16)
        if not part:
            return said
        said += part
