"""One row in one scene, from the fault's beginning to the verdict."""

from dataclasses import dataclass

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.testing.faults.bench import UNIT, FaultBench, bench_in
from holdfast.testing.faults.fault import Fault, FaultOutcome
from holdfast.testing.faults.judgement import REACHED, is_disconnected
from holdfast.testing.faults.scenes import SiteScene

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


def run(fault: Fault, scene: SiteScene) -> FaultVerdict:
    """Runs a row."""
    bench = bench_in(scene)
    began_ns, reached_s, passed_s = bench.now_ns, None, 0.0
    pending = [*((0.0, one) for one in fault.begins), *fault.later]
    last_s = max(at_s for at_s, _ in (*fault.later, (0.0, None)))
    while passed_s <= max(fault.within_s, reached_s or 0.0, last_s) + fault.lasts_s:
        for entry in [entry for entry in pending if entry[0] <= passed_s]:
            pending.remove(entry)
            entry[1].begin(bench)
        bench.step()
        passed_s = s_from_ns(bench.now_ns - began_ns)
        if not REACHED[fault.outcome](bench):
            reached_s = None
        elif reached_s is None:
            reached_s = passed_s
        if reached_s is not None and passed_s >= max(reached_s, last_s) + fault.lasts_s:
            break
    wrong = tuple(_wrongs(fault, bench, reached_s))
    return FaultVerdict(reached_s=reached_s, rows=frozenset(bench.rows), wrong=wrong)


def _wrongs(fault: Fault, bench: FaultBench, reached_s: float | None) -> list[str]:
    late = reached_s is None or reached_s > fault.within_s + 1e-6
    damage = set(bench.plant.damage_counts.get(UNIT, {})) - fault.costs
    told = {
        f"{fault.outcome}: {'never' if reached_s is None else f'{reached_s:.2f} s'}": late,
        f"found {sorted(bench.rows)}": bool(fault.finding) and fault.finding not in bench.rows,
        f"damage: {sorted(damage)}": bool(damage),
        "the contactor is closed": fault.outcome is FaultOutcome.TRIPPED
        and not is_disconnected(bench),
        "its end": fault.ends is not None and not fault.ends(bench),
    }
    if bench.state.machine is not State.RUNNING and fault.outcome in _KEEPS_OFF:
        told["it started all the same"] = bench.step(Command.START).moved.state is State.RUNNING
    return [text for text, wrong in told.items() if wrong]
