"""When an outcome is reached. Nothing here knows what was injected."""

from collections.abc import Callable, Mapping

from holdfast.core.commands import Point
from holdfast.core.state_machine import State
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import DERATE_FACTOR, Reaction
from holdfast.testing.faults.bench import UNIT, FaultBench
from holdfast.testing.faults.fault import FaultOutcome

_NOTHING_W = 100.0
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


def _is_discharge_derated(bench: FaultBench) -> bool:
    half_w = bench.site.storage[0].discharge_power_max_w * DERATE_FACTOR
    lives = bench.state.machine in _LIVES
    return lives and _envelope(bench).min_w >= -half_w <= bench.setpoint_w


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
    FaultOutcome.DISCHARGE_DERATED: _is_discharge_derated,
    FaultOutcome.NO_CHARGE: _charges_not,
    FaultOutcome.NO_DISCHARGE: _discharges_not,
    FaultOutcome.ZERO: _is_at_zero,
    FaultOutcome.TRIPPED: lambda bench: bench.state.machine is State.ERROR and _is_off(bench),
    FaultOutcome.STOPPED: lambda bench: bench.state.machine is State.STOPPED and _is_off(bench),
    FaultOutcome.STAYS_IN_BOOT: lambda bench: bench.state.machine is State.BOOT,
}
assert REACHED.keys() == set(FaultOutcome)


def _is_stopped(bench: FaultBench) -> bool:
    return bench.state.machine is State.STOPPED and _is_off(bench)


def _is_tripped(bench: FaultBench) -> bool:
    latched = bench.state.machine in {State.ERROR, State.STOPPED}
    return latched and _is_off(bench)


def _may_not(bench: FaultBench, *, charge: bool, discharge: bool) -> bool:
    """Neither may happen, nor is it commanded."""
    permitted, setpoint_w = bench.seen.permits[UNIT].envelope, bench.setpoint_w
    no_charge = permitted.max_w == 0.0 and setpoint_w <= 0.0
    no_discharge = permitted.min_w == 0.0 and setpoint_w >= 0.0
    return (no_charge or not charge) and (no_discharge or not discharge)


def _has_half(bench: FaultBench, *, charge: bool, discharge: bool) -> bool:
    permitted, unit = bench.seen.permits[UNIT].envelope, bench.site.storage[0]
    charges_less = permitted.max_w <= unit.charge_power_max_w * DERATE_FACTOR
    gives_less = permitted.min_w >= -unit.discharge_power_max_w * DERATE_FACTOR
    half = (charges_less or not charge) and (gives_less or not discharge)
    return half and permitted.contains(bench.setpoint_w)


AS_SAFE: Mapping[FaultOutcome, Callable[[FaultBench], bool]] = {
    FaultOutcome.GOES_ON: lambda _: True,
    FaultOutcome.RUNS: lambda _: True,
    FaultOutcome.TOLD: lambda _: True,
    FaultOutcome.DERATED: lambda bench: _has_half(bench, charge=True, discharge=True),
    FaultOutcome.CHARGE_DERATED: lambda bench: _has_half(bench, charge=True, discharge=False),
    FaultOutcome.DISCHARGE_DERATED: lambda bench: _has_half(bench, charge=False, discharge=True),
    FaultOutcome.NO_CHARGE: lambda bench: _may_not(bench, charge=True, discharge=False),
    FaultOutcome.NO_DISCHARGE: lambda bench: _may_not(bench, charge=False, discharge=True),
    FaultOutcome.ZERO: lambda bench: _may_not(bench, charge=True, discharge=True),
    FaultOutcome.TRIPPED: _is_tripped,
    FaultOutcome.STOPPED: _is_stopped,
    FaultOutcome.STAYS_IN_BOOT: lambda bench: bench.state.machine is not State.RUNNING,
}
"""When what holds is no less strict than an outcome, whatever else is wrong at the same time."""
assert AS_SAFE.keys() == set(FaultOutcome)


def flows_nothing(bench: FaultBench) -> bool:
    """Whether no power is asked, and none flows."""
    return bench.setpoint_w == 0.0 and abs(bench.plant.battery_power_w) < _NOTHING_W


def is_disconnected(bench: FaultBench) -> bool:
    """The contactor was told to open."""
    return not bench.unit.contactor.commanded
