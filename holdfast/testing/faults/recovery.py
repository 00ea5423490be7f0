"""After a fault has ended the site goes on by itself, or stays latched until somebody resets it."""

from dataclasses import dataclass

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.safety.clearing import is_for_service
from holdfast.safety.finding import Reaction
from holdfast.testing.faults.bench import CYCLE_S, SLOW_S, FaultBench
from holdfast.testing.faults.fault import Fault, FaultOutcome
from holdfast.testing.faults.judgement import REACHED

LATCHED = {State.ERROR, State.STOPPED}
_LATCH_HOLDS_S = 3.0
_AGAIN_S = 1.0
"""An operator who was refused tries again after so long."""
_STARTS_S = 30.0
"""From a reset to operation: self-test, start, precharge and ramp."""
_USUAL_HOUSE_W = 800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How a site went on after a fault."""

    how: str
    """By itself, or by whose reset."""
    took_s: float | None
    """From the end of the fault; None if it did not."""
    problem: str = ""


def recovered(bench: FaultBench, fault: Fault, house_w: float | None, *, runs: bool) -> Recovery:
    """Ends the fault, and sees whether the site does again what it did; ``runs`` if it ran."""
    assert fault.recovers_s is not None
    for injection in fault.all_injections:
        injection.end(bench)
    bench.house(_USUAL_HOUSE_W if house_w is None else house_w)
    began_ns = bench.now_ns
    how = "by itself"
    if bench.state.machine in LATCHED:
        problem, how = reset(bench, fault.recovers_s)
        if problem:
            return Recovery(how=how, took_s=None, problem=problem)
    goes_on = REACHED[FaultOutcome.GOES_ON]
    most_s = fault.recovers_s + _STARTS_S
    while (passed_s := s_from_ns(bench.now_ns - began_ns)) <= most_s:
        if goes_on(bench) and (bench.state.machine is State.RUNNING) >= runs:
            bench.cycle_s = CYCLE_S
            return Recovery(how=how, took_s=passed_s)
        starts = runs and bench.state.machine is State.IDLE
        bench.cycle_s = SLOW_S if _waits(bench) else CYCLE_S
        bench.step(*((Command.START,) if starts else ()))
    bench.cycle_s = CYCLE_S
    found = sorted({one.row for one in bench.seen.assessment.findings})
    problem = f"{bench.state.machine.name} {most_s:g} s after its end, {bench.setpoint_w:.0f} W"
    return Recovery(how=how, took_s=None, problem=f"{problem}, found {found}")


def _waits(bench: FaultBench) -> bool:
    """Nothing but a hold time has to pass."""
    held = any(one.reaction > Reaction.HOLD for one in bench.seen.assessment.findings)
    return held and bench.state.machine in {State.IDLE, State.RUNNING}


def reset(bench: FaultBench, within_s: float) -> tuple[str, str]:
    """Returns what was wrong with the latch, and who it was that could reset it."""
    for _ in range(round(_LATCH_HOLDS_S / CYCLE_S)):
        bench.step(Command.START)
        if bench.state.machine not in LATCHED:
            return "it was latched, and started without a reset", "by itself"
    service = any(map(is_for_service, bench.state.latches.faults))
    if service and bench.step(Command.RESET).moved.state not in LATCHED:
        return "an operator could reset what is for service", "by operator"
    who, command = ("service", Command.SERVICE_RESET) if service else ("operator", Command.RESET)
    tries = round(within_s / _AGAIN_S)
    for _ in range(tries):
        if bench.step(command).moved.state not in LATCHED:
            return "", f"by {who}"
        bench.pass_s(_AGAIN_S, SLOW_S)
    why = "; ".join(bench.step(command).moved.refused.values())
    return f"no reset within {within_s:g} s: {why}", f"by {who}"
