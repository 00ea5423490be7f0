"""One row in one scene, from the fault's beginning to the verdict, and back to operation."""

from dataclasses import dataclass

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.testing.faults.bench import HOUSE_W, UNIT, FaultBench, bench_in
from holdfast.testing.faults.fault import Fault, FaultOutcome, Injection
from holdfast.testing.faults.judgement import REACHED, is_disconnected
from holdfast.testing.faults.recovery import Recovery, recovered
from holdfast.testing.faults.scenes import SiteScene
from holdfast.testing.faults.trace import Trace

_KEEPS_OFF = {
    FaultOutcome.ZERO,
    FaultOutcome.TRIPPED,
    FaultOutcome.STOPPED,
    FaultOutcome.STAYS_IN_BOOT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultVerdict:
    """What was seen of one run."""

    reached_s: float | None
    """When it was reached for good; None if it was not at the end."""
    rows: frozenset[str]
    """All that was found."""
    wrong: tuple[str, ...]
    """What was not as it has to be."""
    damage: tuple[str, ...] = ()
    """What of the plant was damaged beyond what the row says that it costs."""
    outside: tuple[str, ...] = ()
    """The commands outside of what was permitted."""
    recovery: Recovery | None = None
    """How it went on after the fault; None if that was not tried."""
    points: tuple[tuple[float, float, float, float, float], ...] = ()
    """What :class:`Trace` has taken down, if it was asked."""


class Progress:
    """A fault that goes on at a bench: what of it is still to come, and when."""

    def __init__(self, bench: FaultBench, fault: Fault) -> None:
        self._bench, self._began_ns = bench, bench.now_ns
        self._pending: list[tuple[float, Injection]] = [
            *((0.0, one) for one in fault.begins),
            *fault.later,
        ]

    @property
    def passed_s(self) -> float:
        """How long ago it began."""
        return s_from_ns(self._bench.now_ns - self._began_ns)

    def inject(self) -> None:
        """Lets happen what is due."""
        passed_s = self.passed_s
        for entry in [entry for entry in self._pending if entry[0] <= passed_s]:
            self._pending.remove(entry)
            entry[1].begin(self._bench)


def run(
    fault: Fault,
    scene: SiteScene,
    *,
    without: tuple[str, ...] = (),
    recovers: bool = False,
    traced: bool = False,
) -> FaultVerdict:
    """Runs a row; the layers of the names in ``without`` are missing."""
    bench = bench_in(scene, without)
    if traced:
        bench.trace = Trace(bench.now_ns)
    progress, reached_s, passed_s = Progress(bench, fault), None, 0.0
    while passed_s <= max(fault.within_s, reached_s or 0.0, fault.last_s) + fault.lasts_s:
        progress.inject()
        bench.step()
        passed_s = progress.passed_s
        if not REACHED[fault.outcome](bench):
            reached_s = None
        elif reached_s is None:
            reached_s = passed_s
        if reached_s is not None and passed_s >= max(reached_s, fault.last_s) + fault.lasts_s:
            break
    wrong = _wrongs(fault, bench, reached_s)
    rows, recovery = frozenset(bench.rows), None
    if recovers and not wrong and fault.recovers_s is not None:
        recovery = recovered(bench, fault, HOUSE_W.get(scene), runs=scene is not SiteScene.IDLE)
        if recovery.problem:
            wrong.append(recovery.problem)
    damage = sorted(set(bench.plant.damage_counts.get(UNIT, {})) - fault.costs)
    told = (*wrong, *(f"damage: {one}" for one in damage), *bench.watch.outside)
    return FaultVerdict(
        reached_s=reached_s,
        rows=rows,
        wrong=told,
        damage=tuple(damage),
        outside=tuple(bench.watch.outside),
        recovery=recovery,
        points=() if bench.trace is None else tuple(bench.trace.points),
    )


def _wrongs(fault: Fault, bench: FaultBench, reached_s: float | None) -> list[str]:
    late = reached_s is None or reached_s > fault.within_s + 1e-6
    tripped = fault.outcome is FaultOutcome.TRIPPED
    told = {
        f"{fault.outcome}: {'never' if reached_s is None else f'{reached_s:.2f} s'}": late,
        f"found {sorted(bench.rows)}": bool(fault.finding) and fault.finding not in bench.rows,
        "the contactor is closed": tripped and not is_disconnected(bench),
        "its end": fault.ends is not None and not fault.ends(bench),
    }
    if bench.state.machine is not State.RUNNING and fault.outcome in _KEEPS_OFF:
        told["it started all the same"] = bench.step(Command.START).moved.state is State.RUNNING
    return [text for text, wrong in told.items() if wrong]
