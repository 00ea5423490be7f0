"""A campaign: every chosen mutant meets its tests, by as many workers as asked."""

import ast
import gc
import importlib
import json
import os
import selectors
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import grimp

from mutants.fate import Fate, Verdict
from mutants.names import Vocabulary
from mutants.process import Subject, in_a_process, judge
from mutants.safety_path import PACKAGES, is_below
from mutants.site import Site, mutated_tree, source_of
from mutants.targets import Target

LIMIT_FACTOR = 10
LEAST_LIMIT_S = 5.0
CHUNK = 40
"""Sites that one worker takes at a time."""


class CampaignError(Exception):
    """The campaign itself cannot be trusted; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A mutant and its fate."""

    site: Site
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Some sites of one target."""

    target: Target
    sites: tuple[Site, ...]


def jobs_of(chosen: Sequence[tuple[Target, Sequence[Site]]]) -> list[Job]:
    """The work in pieces."""
    return [
        Job(target=target, sites=tuple(sites[start : start + CHUNK]))
        for target, sites in chosen
        for start in range(0, len(sites), CHUNK)
    ]


def baseline(
    target: Target, known: dict[tuple[str, ...], float] | None = None
) -> tuple[float, ...]:
    """Processor time that each stage may take, each tried in a process of its own.

    A stage of the same tests is tried once, and then ``known``. Raises CampaignError unless the
    module as it is passes at least one test in each.
    """
    known = {} if known is None else known
    for tests in target.stages:
        if tests in known:
            continue
        tree = ast.parse(source_of(target.module))
        verdict = _run(target, tests, tree, limit_s=600.0)
        if verdict.fate is not Fate.SURVIVED or not verdict.tests:
            raise CampaignError(
                f"{target.module} without a change: {verdict.fate} {verdict.by}"
                f" ({', '.join(tests)})"
            )
        known[tests] = max(LIMIT_FACTOR * verdict.cpu_s, LEAST_LIMIT_S)
    if not target.stages:
        raise CampaignError(f"{target.module}: no tests")
    return tuple(known[tests] for tests in target.stages)


def run_site(
    target: Target, site: Site, limits: Sequence[float], vocabulary: Vocabulary
) -> Verdict:
    """One mutant through the stages, until one of them settles its fate."""
    tree = mutated_tree(site, vocabulary)
    tests, cpu_s = 0, 0.0
    for stage, limit_s in zip(target.stages, limits, strict=True):
        verdict = _run(target, stage, tree, limit_s=limit_s)
        tests, cpu_s = tests + verdict.tests, cpu_s + verdict.cpu_s
        verdict = replace(verdict, tests=tests, cpu_s=cpu_s)
        if verdict.fate is not Fate.SURVIVED:
            return verdict
    return verdict


def run(
    jobs: Sequence[Job],
    vocabulary: Vocabulary,
    *,
    workers: int,
    say: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """The fate of every site of ``jobs``. Raises CampaignError if one stays unknown."""
    results: list[Result] = []
    waiting = list(jobs)
    _import_graph()  # the workers inherit it
    known: dict[tuple[str, ...], float] = {}
    with selectors.DefaultSelector() as selector:
        busy: dict[int, _Worker] = {}
        while waiting or busy:
            while waiting and len(busy) < workers:
                job = waiting.pop(0)
                worker = _Worker(job, baseline(job.target, known), vocabulary)
                busy[worker.reader] = worker
                selector.register(worker.reader, selectors.EVENT_READ)
            for key, _ in selector.select():
                worker = busy[key.fd]
                for result in worker.read():
                    results.append(result)
                    say(result)
                if worker.ended:
                    selector.unregister(key.fd)
                    del busy[key.fd]
                    worker.close()
    return results


class _Worker:
    """A process that has imported what the target rests on, and forks one process a mutant."""

    def __init__(self, job: Job, limits: tuple[float, ...], vocabulary: Vocabulary) -> None:
        self.job = job
        self.ended = False
        self._rest = b""
        self._told = 0
        self.reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self.reader)
            _work(job, limits, vocabulary, writer)
        os.close(writer)

    def read(self) -> Iterator[Result]:
        """The results that have come."""
        part = os.read(self.reader, 1 << 16)
        self.ended = not part
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            verdict = Verdict(
                fate=Fate(fields["fate"]),
                by=fields["by"],
                tests=fields["tests"],
                cpu_s=fields["cpu_s"],
            )
            yield Result(site=self.job.sites[self._told], verdict=verdict)
            self._told += 1

    def close(self) -> None:
        """Raises CampaignError if it has not told the fate of every site."""
        os.close(self.reader)
        _, status = os.waitpid(self._pid, 0)
        if self._told != len(self.job.sites) or status != 0:
            raise CampaignError(
                f"{self.job.target.module}: the worker ended with {status} after {self._told} "
                f"of {len(self.job.sites)} mutants"
            )


def _work(job: Job, limits: tuple[float, ...], vocabulary: Vocabulary, writer: int) -> None:
    code = 1
    try:
        _import_apart(job.target.module)
        gc.collect()
        gc.freeze()
        for site in job.sites:
            verdict = run_site(job.target, site, limits, vocabulary)
            line = {
                "fate": verdict.fate,
                "by": verdict.by,
                "tests": verdict.tests,
                "cpu_s": verdict.cpu_s,
            }
            os.write(writer, json.dumps(line).encode() + b"\n")
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may return into the copy of the parent
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(target: Target, tests: tuple[str, ...], tree: ast.Module, *, limit_s: float) -> Verdict:
    subject = Subject(module=target.module, tree=tree, tests=tests, doctests=target.doctests)
    return in_a_process(lambda: judge(subject), limit_s=limit_s)


def _import_apart(module: str) -> None:
    """Import what does not rest on ``module``, once for all its mutants.

    What rests on it each mutant imports for itself.
    """
    for name in apart_from(module):
        importlib.import_module(name)
    if module in sys.modules:
        raise CampaignError(f"{module} is imported by what does not rest on it")


def apart_from(module: str) -> tuple[str, ...]:
    """Modules of the safety path that do not rest on ``module``, nor does what they import.

    Whoever imports a module imports the packages around it as well.
    """
    graph = _import_graph()
    resting, new = {module}, {module}
    while new:
        below = {name for one in new & graph.modules for name in graph.find_downstream_modules(one)}
        inside = {name for name in graph.modules if not new.isdisjoint(_with_packages(name))}
        new = (below | inside) - resting
        resting |= new
    return tuple(name for name in sorted(graph.modules - resting) if is_below(name, PACKAGES))


def _with_packages(name: str) -> list[str]:
    """``name`` and the packages around it, which are imported before it."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph("holdfast", cache_dir=None)
