"""The suites of the campaign are rows: what runs in each, and what comes of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from holdfast.core.errors import ConfigError
from holdfast.testing.campaign.evidence import WITHOUT, LayerResult, run_without
from holdfast.testing.campaign.pairs import PAIRS, run_pair
from holdfast.testing.campaign.pool import side_by_side
from holdfast.testing.campaign.quiet import QuietDay, quiet_day
from holdfast.testing.faults.fault import Fault
from holdfast.testing.faults.run import FaultVerdict, run
from holdfast.testing.faults.scenes import RUNNING, SiteScene
from holdfast.testing.faults.table import FAULTS

BY_NAME: Mapping[str, Fault] = {fault.name: fault for fault in FAULTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignAsked:
    """What somebody wants to run."""

    only: tuple[str, ...] = ()
    """The faults by name; none named: all."""
    without: tuple[str, ...] = ()
    """Layers that are taken out."""
    seed: int = 1
    days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """A fault in a scene."""

    fault: str
    kind: str
    scene: str
    outcome: str
    within_s: float
    reached_s: float | None
    found: tuple[str, ...]
    wrong: tuple[str, ...]
    damage: tuple[str, ...]
    outside: tuple[str, ...]
    recovered_by: str | None
    recovery_s: float | None
    points: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult:
    """Two faults in a scene."""

    faults: tuple[str, str]
    scene: str
    reached_s: tuple[float | None, float | None]
    wrong: tuple[str, ...]
    damage: tuple[str, ...]
    outside: tuple[str, ...]


SuiteResult = RowResult | PairResult | QuietDay | LayerResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A part of the campaign."""

    name: str
    text: str
    jobs: Callable[[CampaignAsked], Sequence[Any]]
    do: Callable[[Any], SuiteResult]

    def run(self, asked: CampaignAsked, *, processes: int) -> Iterator[SuiteResult]:
        """Yields what comes of each of its runs, in the order of the table."""
        yield from side_by_side(self.do, self.jobs(asked), processes=processes)


def is_passed(result: SuiteResult) -> bool:
    """Whether it was as it has to be."""
    match result:
        case RowResult() | PairResult():
            return not result.wrong
        case QuietDay():
            return not result.alarms
        case LayerResult():
            return True


def faults_named(names: Sequence[str]) -> tuple[Fault, ...]:
    """Returns the rows of these names; of none, all. Raises ConfigError."""
    for name in names:
        if name not in BY_NAME:
            near = [known for known in BY_NAME if name.lower() in known.lower()]
            near = near or get_close_matches(name, BY_NAME, n=5, cutoff=0.5)
            known = "; ".join(near or BY_NAME)
            raise ConfigError(f"no fault is called {name!r}; there are: {known}")
    return tuple(BY_NAME[name] for name in names) or FAULTS


def _row_jobs(asked: CampaignAsked) -> Sequence[Any]:
    return [
        (fault.name, scene, asked.without)
        for fault in faults_named(asked.only)
        for scene in fault.scenes
    ]


def _run_row(job: tuple[str, SiteScene, tuple[str, ...]]) -> RowResult:
    name, scene, without = job
    fault = BY_NAME[name]
    verdict = run(fault, scene, without=without, recovers=True, traced=True)
    return _row_result(fault, scene, verdict)


def _row_result(fault: Fault, scene: SiteScene, verdict: FaultVerdict) -> RowResult:
    recovery = verdict.recovery
    return RowResult(
        fault=fault.name,
        kind=fault.kind,
        scene=scene,
        outcome=fault.outcome,
        within_s=fault.within_s,
        reached_s=verdict.reached_s,
        found=tuple(sorted(verdict.rows)),
        wrong=verdict.wrong,
        damage=verdict.damage,
        outside=verdict.outside,
        recovered_by=None if recovery is None else recovery.how,
        recovery_s=None if recovery is None else recovery.took_s,
        points=verdict.points,
    )


def _pair_jobs(asked: CampaignAsked) -> Sequence[Any]:
    named = set(asked.only)
    faults_named(asked.only)
    return [
        (first.name, second.name, scene, asked.without)
        for first, second in PAIRS
        if named <= {first.name, second.name} or named & {first.name, second.name}
        for scene in RUNNING
    ]


def _run_pair(job: tuple[str, str, SiteScene, tuple[str, ...]]) -> PairResult:
    first, second, scene, without = job
    verdict = run_pair(BY_NAME[first], BY_NAME[second], scene, without)
    return PairResult(
        faults=(first, second),
        scene=scene,
        reached_s=verdict.reached_s,
        wrong=verdict.wrong,
        damage=verdict.damage,
        outside=verdict.outside,
    )


def _quiet_jobs(asked: CampaignAsked) -> Sequence[Any]:
    return [(asked.seed, day) for day in range(asked.days)]


def _run_quiet(job: tuple[int, int]) -> QuietDay:
    return quiet_day(*job)


def _layer_jobs(asked: CampaignAsked) -> Sequence[Any]:
    without = (asked.without,) if asked.without else WITHOUT
    return [(layers, tuple(f.name for f in faults_named(asked.only))) for layers in without]


def _run_layer(job: tuple[tuple[str, ...], tuple[str, ...]]) -> LayerResult:
    layers, names = job
    return run_without(layers, [BY_NAME[name] for name in names])


# fmt: off
_ROWS = (
    Suite(name="faults", text="each fault in each scene: reaction, time, damage, commands, and how it goes on", jobs=_row_jobs, do=_run_row),
    Suite(name="pairs", text="the twenty worst two by two, charging and discharging", jobs=_pair_jobs, do=_run_pair),
    Suite(name="quiet", text="days without a fault, with noisy devices: no alarm, no trip", jobs=_quiet_jobs, do=_run_quiet),
    Suite(name="layers", text="the faults with each layer of the safety path taken out: what it is good for", jobs=_layer_jobs, do=_run_layer),
)
# fmt: on
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in _ROWS}
