"""When an outcome is reached. Nothing here knows what was injected."""

from collections.abc import Callable, Mapping

from holdfast.core.commands import Point
from holdfast.core.state_machine import State
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import DERATE_FACTOR, Reaction
from holdfast.testing.faults.bench import UNIT, FaultBench
from holdfast.testing.faults.fault import FaultOutcome

_LIVES = {State.IDLE, State.RUNNING}


def _envelope(bench: FaultBench) -> Envelope:
    return bench.seen.assessment.envelopes[UNIT]


def _strongest(bench: FaultBench) -> Reaction:
    found = bench.seen.assessment.findings
    return max((one.reaction for one in found), default=Reaction.LOG)


def _goes_on(bench: FaultBench) -> bool:
    carries = abs(bench.setpoint_w + bench.house_w) < 200.0
    runs = bench.state.machine is State.IDLE or (bench.state.machine is State.RUNNING and carries)
    return runs and _strongest(bench) is Reaction.LOG


def _is_told(bench: FaultBench) -> bool:
    return _goes_on(bench) and bool(bench.seen.assessment.findings)


def _is_derated(bench: FaultBench) -> bool:
    unit, envelope = bench.site.storage[0], _envelope(bench)
    return (
        bench.state.machine in _LIVES
        and envelope.max_w <= unit.charge_power_max_w * DERATE_FACTOR
        and envelope.min_w >= -unit.discharge_power_max_w * DERATE_FACTOR
        and envelope.contains(bench.setpoint_w)
    )


def _is_charge_derated(bench: FaultBench) -> bool:
    half_w = bench.site.storage[0].charge_power_max_w * DERATE_FACTOR
    lives = bench.state.machine in _LIVES
    return lives and _envelope(bench).max_w <= half_w and bench.setpoint_w <= half_w


def _charges_not(bench: FaultBench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.max_w == 0.0 > envelope.min_w and bench.setpoint_w <= 0.0


def _discharges_not(bench: FaultBench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.min_w == 0.0 < envelope.max_w and bench.setpoint_w >= 0.0


def _is_at_zero(bench: FaultBench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.min_w == envelope.max_w == bench.setpoint_w == 0.0


def _is_off(bench: FaultBench) -> bool:
    """The inverter was told 0 W and off."""
    unit = bench.state.units[UNIT]
    return unit.inverter[Point.SETPOINT_W].value == unit.inverter[Point.ENABLE].value == 0.0


REACHED: Mapping[FaultOutcome, Callable[[FaultBench], bool]] = {
    FaultOutcome.GOES_ON: _goes_on,
    FaultOutcome.RUNS: lambda bench: bench.state.machine is State.RUNNING,
    FaultOutcome.TOLD: _is_told,
    FaultOutcome.DERATED: _is_derated,
    FaultOutcome.CHARGE_DERATED: _is_charge_derated,
    FaultOutcome.NO_CHARGE: _charges_not,
    FaultOutcome.NO_DISCHARGE: _discharges_not,
    FaultOutcome.ZERO: _is_at_zero,
    FaultOutcome.TRIPPED: lambda bench: bench.state.machine is State.ERROR and _is_off(bench),
    FaultOutcome.STOPPED: lambda bench: bench.state.machine is State.STOPPED and _is_off(bench),
    FaultOutcome.STAYS_IN_BOOT: lambda bench: bench.state.machine is State.BOOT,
}
assert REACHED.keys() == set(FaultOutcome)


def is_disconnected(bench: FaultBench) -> bool:
    """The contactor was told to open."""
    return not bench.unit.contactor.commanded
