"""When an outcome is reached. Nothing here knows what was injected."""

from collections.abc import Callable, Mapping

from holdfast.core.commands import Point
from holdfast.core.state_machine import State
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import DERATE_FACTOR, Reaction
from tests.faults.bench import UNIT, Bench
from tests.faults.fault import Outcome

_LIVES = {State.IDLE, State.RUNNING}


def _envelope(bench: Bench) -> Envelope:
    return bench.seen.assessment.envelopes[UNIT]


def _strongest(bench: Bench) -> Reaction:
    found = bench.seen.assessment.findings
    return max((one.reaction for one in found), default=Reaction.LOG)


def _goes_on(bench: Bench) -> bool:
    carries = abs(bench.setpoint_w + bench.house_w) < 200.0
    runs = bench.state.machine is State.IDLE or (bench.state.machine is State.RUNNING and carries)
    return runs and _strongest(bench) is Reaction.LOG


def _is_told(bench: Bench) -> bool:
    return _goes_on(bench) and bool(bench.seen.assessment.findings)


def _is_derated(bench: Bench) -> bool:
    unit, envelope = bench.site.storage[0], _envelope(bench)
    return (
        bench.state.machine in _LIVES
        and envelope.max_w <= unit.charge_power_max_w * DERATE_FACTOR
        and envelope.min_w >= -unit.discharge_power_max_w * DERATE_FACTOR
        and envelope.contains(bench.setpoint_w)
    )


def _is_charge_derated(bench: Bench) -> bool:
    half_w = bench.site.storage[0].charge_power_max_w * DERATE_FACTOR
    lives = bench.state.machine in _LIVES
    return lives and _envelope(bench).max_w <= half_w and bench.setpoint_w <= half_w


def _charges_not(bench: Bench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.max_w == 0.0 > envelope.min_w and bench.setpoint_w <= 0.0


def _discharges_not(bench: Bench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.min_w == 0.0 < envelope.max_w and bench.setpoint_w >= 0.0


def _is_at_zero(bench: Bench) -> bool:
    envelope = _envelope(bench)
    lives = bench.state.machine in _LIVES
    return lives and envelope.min_w == envelope.max_w == bench.setpoint_w == 0.0


def _is_off(bench: Bench) -> bool:
    """The inverter was told 0 W and off."""
    unit = bench.state.units[UNIT]
    return unit.inverter[Point.SETPOINT_W].value == unit.inverter[Point.ENABLE].value == 0.0


REACHED: Mapping[Outcome, Callable[[Bench], bool]] = {
    Outcome.GOES_ON: _goes_on,
    Outcome.RUNS: lambda bench: bench.state.machine is State.RUNNING,
    Outcome.TOLD: _is_told,
    Outcome.DERATED: _is_derated,
    Outcome.CHARGE_DERATED: _is_charge_derated,
    Outcome.NO_CHARGE: _charges_not,
    Outcome.NO_DISCHARGE: _discharges_not,
    Outcome.ZERO: _is_at_zero,
    Outcome.TRIPPED: lambda bench: bench.state.machine is State.ERROR and _is_off(bench),
    Outcome.STOPPED: lambda bench: bench.state.machine is State.STOPPED and _is_off(bench),
    Outcome.STAYS_IN_BOOT: lambda bench: bench.state.machine is State.BOOT,
}
assert REACHED.keys() == set(Outcome)


def is_disconnected(bench: Bench) -> bool:
    """The contactor was told to open."""
    return not bench.unit.contactor.commanded
