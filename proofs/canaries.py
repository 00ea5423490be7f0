"""Code that is broken on purpose: a proof that would not notice proves nothing.

A canary changes a few characters of one function of the product, compiles the result in that
function's own module, and runs a proof on it. The proof has to fail, with a counterexample that
the broken code reproduces. A change that no longer fits the source is an error.
"""

import inspect
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from holdfast.control import plan_gate, state_guard
from holdfast.control.pv_wishes import PvWishes
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.control.storage import dispatch
from holdfast.control.storage.power_ramper import PowerRamper
from holdfast.core import state_machine
from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.signals import SignalRow
from holdfast.core.state_machine import TRANSITIONS, Event, State
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.safety import (
    battery_limits,
    clearing,
    derating,
    envelope,
    grid_limits,
    rising,
    trend_analyzer,
)
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import Finding
from holdfast.safety.limits import Limit
from holdfast.safety.permit import Permit
from holdfast.safety.rest_of_site import RestFollower
from proofs import state_machine_model
from proofs.proof import Failure, Proof, prove
from proofs.state_machine_model import Model, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """``old`` becomes ``new`` in ``of.name``, and ``proof`` has to notice."""

    proof: str
    of: Any
    """A class or a module."""
    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.name}: {self.old!r} -> {self.new!r}"


CANARIES = (
    Canary(
        proof="envelope.construct", of=Envelope, name="__post_init__",
        old="not (-math.inf < self.min_w <= 0.0 <= self.max_w < math.inf)",
        new="self.min_w > 0.0 or self.max_w < 0.0",
    ),
    Canary(
        proof="envelope.construct", of=Envelope, name="__post_init__",
        old="self.max_w < math.inf", new="self.max_w <= math.inf",
    ),
    Canary(
        proof="envelope.contains", of=Envelope, name="contains",
        old="self.min_w <= power_w <= self.max_w",
        new="not (power_w < self.min_w or power_w > self.max_w)",
    ),
    Canary(
        proof="envelope.contains", of=Envelope, name="contains",
        old="power_w <= self.max_w", new="power_w < self.max_w",
    ),
    Canary(
        proof="envelope.clamp", of=Envelope, name="clamp",
        old="min(power_w, self.max_w)", new="max(power_w, self.max_w)",
    ),
    Canary(
        proof="envelope.clamp", of=Envelope, name="clamp",
        old="if power_w < 0.0:", new="if not power_w >= 0.0:",
    ),
    Canary(
        proof="envelope.intersect", of=Envelope, name="intersect",
        old="other.max_w < max_w", new="other.max_w > max_w",
    ),
    Canary(
        proof="envelope.up_to", of=envelope, name="_magnitude",
        old="0.0 <= power_w < math.inf", new="not power_w < 0.0",
    ),
    Canary(
        proof="finding.narrow.ramp_to_zero", of=Finding, name="narrow",
        old="max(left, 0.0)", new="left",
    ),
    Canary(
        proof="finding.narrow.ramp_to_zero", of=Finding, name="narrow",
        old="1.0 - (now_ns - self.since_ns) / RAMP_TO_ZERO_NS",
        new="(now_ns - self.since_ns) / RAMP_TO_ZERO_NS",
    ),
    Canary(
        proof="finding.narrow.block_charge", of=Finding, name="narrow",
        old="charge, discharge = 0.0, 1.0", new="charge, discharge = 1.0, 0.0",
    ),
    Canary(
        proof="permit.covers", of=Permit, name="is_fresh",
        old="now_ns < self.expires_ns", new="now_ns <= self.expires_ns",
    ),
    Canary(
        proof="permit.covers", of=Permit, name="covers",
        old="self.is_fresh(now_ns) and ", new="",
    ),
    Canary(
        proof="ramp.inside", of=PowerRamper, name="approach",
        old="power_w=permit.envelope.clamp(power_w)", new="power_w=power_w",
    ),
    Canary(
        proof="ramp.rate", of=PowerRamper, name="approach",
        old="permit.may_increase and math.isfinite(dt_s)", new="permit.may_increase",
    ),
    Canary(
        proof="ramp.rate", of=PowerRamper, name="approach",
        old="permit.may_increase and math.isfinite(dt_s)", new="math.isfinite(dt_s)",
    ),
    Canary(
        proof="ramp.rate", of=PowerRamper, name="approach",
        old="last_w if last_w * permitted_w > 0.0 else 0.0", new="last_w",
    ),
    Canary(
        proof="ramp.rate", of=PowerRamper, name="approach",
        old="min(max(dt_s, 0.0), MAX_STEP_S)", new="max(dt_s, 0.0)",
    ),
    Canary(
        proof="dispatch.2_units", of=dispatch, name="divide",
        old="min(abs(power_w) / total_w, 1.0)", new="abs(power_w) / total_w",
    ),
    Canary(
        proof="dispatch.sum.1_units", of=dispatch, name="headroom_w",
        old="return -permit.envelope.min_w", new="return permit.envelope.min_w",
    ),
    Canary(
        proof="limit.level_of.high.3_levels", of=Limit, name="level_of",
        old="not side * value < side * threshold - inside_by",
        new="side * value >= side * threshold - inside_by",
    ),
    Canary(
        proof="sample.soc_pct", of=SignalRow, name="is_plausible",
        old="self.low <= value <= self.high",
        new="not (value < self.low or value > self.high)",
    ),
    Canary(
        proof="derating.cell_voltage_charge",
        of=derating,
        name="fraction",
        old="not distance > first[0]",
        new="distance <= first[0]",
    ),
    Canary(
        proof="rising",
        of=rising,
        name="follow",
        old="if max_w > highest_w:",
        new="if max_w < highest_w:",
    ),
    Canary(
        proof="predicted_cell_voltage_high",
        of=trend_analyzer,
        name="_left",
        old="max(LEAST_LEFT, min(in_s / horizon_s, 1.0))",
        new="min(in_s / horizon_s, 1.0)",
    ),
    Canary(
        proof="rest_of_site.2_units",
        of=RestFollower,
        name="follow",
        old="grid.value != pair.grid_w",
        new="grid.value > pair.grid_w",
    ),
    Canary(
        proof="rest_of_site.2_units",
        of=RestFollower,
        name="_changed",
        old="grid.value - high_w), grid.value - low_w",
        new="grid.value + high_w), grid.value + low_w",
    ),
    Canary(
        proof="rest_of_site.late",
        of=RestFollower,
        name="_changed",
        old="min(max(known_w, grid.value - high_w), grid.value - low_w)",
        new="grid.value - low_w",
    ),
    Canary(
        proof="grid.sum.1_units",
        of=grid_limits,
        name="_share",
        old="permitted_w / wanted_w if permitted_w < wanted_w else 1.0",
        new="1.0",
    ),
    Canary(
        proof="plan.slot",
        of=plan_gate,
        name="_check_within",
        old="not low <= value <= high",
        new="value < low or value > high",
    ),
    Canary(
        proof="plan.export_limit", of=PvWishes, name="export_limit_w",
        old="max(0.0, min(slot.export_limit_w, self._export_max_w))",
        new="max(min(slot.export_limit_w, self._export_max_w), 0.0)",
    ),
    Canary(
        proof="plan.export_limit", of=PvWishes, name="export_limit_w",
        old="min(slot.export_limit_w, self._export_max_w)", new="slot.export_limit_w",
    ),
    Canary(
        proof="battery_limits.good.bad.stale", of=battery_limits, name="_limit_a",
        old="bms_a = 0.0", new="bms_a = math.inf",
    ),
    Canary(
        proof="charge_voltage.bad", of=battery_limits, name="_left_near_charge_voltage",
        old="return 0.0", new="return 1.0",
    ),
    Canary(
        proof="charge_voltage.good", of=battery_limits, name="_left_near_charge_voltage",
        old="min(limit_v / cells, row.bound(unit))", new="row.bound(unit)",
    ),
    Canary(
        proof="gate.full.auto.running", of=SafetyWrapper, name="_envelope",
        old="not now_ns < request.expires_ns", new="not now_ns <= request.expires_ns",
    ),
    Canary(
        proof="gate.full.auto.idle", of=SafetyWrapper, name="_permit",
        old="writes and state is State.RUNNING and", new="writes and",
    ),
    Canary(
        proof="gate.full.auto.running", of=SafetyWrapper, name="_mode_within",
        old="envelope.contains(charge_w) and", new="charge_w > 0.0 and",
    ),
    Canary(
        proof="inverter.rule_after_setpoint", of=InverterSafetyWrapper, name="decide",
        old="None if force else self.mode_of(permit, now_ns)", new="self.mode_of(permit, now_ns)",
    ),
    Canary(
        proof="inverter.first_rule", of=InverterSafetyWrapper, name="mode_of",
        old="permit.may_write and permit.may_run and", new="permit.may_write and",
    ),
    Canary(
        proof="inverter.first_write", of=InverterSafetyWrapper, name="decide",
        old="not (may_run and permit.covers(power_w, now_ns))", new="not may_run",
    ),
    Canary(
        proof="inverter.unread", of=InverterSafetyWrapper, name="decide",
        old="not permit.envelope.contains(last.value)",
        new="abs(last.value) > permit.envelope.max_w",
    ),
    Canary(
        proof="bms.later", of=BmsSafetyWrapper, name="decide",
        old="self._rules if power_w <= 0.0 else self._rules[::-1]", new="self._rules",
    ),
    Canary(
        proof="relays.closed", of=RelayController, name="decide",
        old="permit.may_connect and permit.is_fresh(snapshot.time_ns)", new="permit.may_connect",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a canary."""

    canary: str
    found: bool
    by: str
    """The counterexample, or why there is none."""
    seconds: float


@contextmanager
def broken(canary: Canary) -> Iterator[None]:
    """The product with ``canary`` in it."""
    function = inspect.unwrap(inspect.getattr_static(canary.of, canary.name))
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(canary.old) != 1:
        raise AssertionError(f"{canary} does not fit the source any more")
    made: dict[str, Any] = {}
    # The function's own module gives it its globals: what it calls is what it always calls.
    exec(source.replace(canary.old, canary.new), function.__globals__, made)
    with mock.patch.object(canary.of, canary.name, made[canary.name]):
        yield


def find(canary: Canary, proofs: dict[str, Proof]) -> Found:
    """Run the proof on the broken code."""
    started = time.process_time()
    with broken(canary):
        result = prove(proofs[canary.proof], until=_replayed)
    seen = [failure for failure in result.failures if _replayed(failure)]
    return Found(
        canary=str(canary),
        found=bool(seen),
        seconds=time.process_time() - started,
        by=str(seen[0]) if seen else f"{canary.proof} noticed nothing that the code reproduces",
    )


def _replayed(failure: Failure) -> bool:
    return failure.replayed


# The state machine. -------------------------------------------------------------------------------


@contextmanager
def table(rows: tuple[tuple[State, Event, State], ...]) -> Iterator[None]:
    """The state machine with another table."""
    listed = frozenset((source, event) for source, event, _ in rows)
    with (
        mock.patch.object(state_machine, "TRANSITIONS", rows),
        mock.patch.object(state_machine, "_LISTED", listed),
    ):
        yield


@contextmanager
def reset_clears_everything() -> Iterator[None]:
    """Any reset that is taken forgets all latches."""
    original = state_guard.StateGuard.step

    def step(self: Any, *args: Any) -> state_guard.Moved:
        moved = original(self, *args)
        if moved.taken is not Event.RESET:
            return moved
        return replace(moved, latches=Latches())

    with mock.patch.object(state_guard.StateGuard, "step", step):
        yield


@contextmanager
def service_is_no_more_than_an_operator() -> Iterator[None]:
    """What only service may clear, nobody may."""
    original = state_guard._refusal

    def refusal(command: Command, *args: Any) -> str | None:
        asked = Command.RESET if command is Command.SERVICE_RESET else command
        return original(asked, *args)

    with mock.patch.object(state_guard, "_refusal", refusal):
        yield


def _patched(target: Any, name: str, new: object) -> Callable[[], Any]:
    return lambda: mock.patch.object(target, name, new)


def _without(row: tuple[State, Event, State]) -> Callable[[], Any]:
    return lambda: table(tuple(other for other in TRANSITIONS if other != row))


_START_IN_BOOT = (State.BOOT, Event.START, State.RUNNING)
_RESET_TO_IDLE = tuple(
    (source, event, State.IDLE if event is Event.RESET else target)
    for source, event, target in TRANSITIONS
)

MODEL_CANARIES: dict[str, Callable[[], Any]] = {
    **{
        f"no row {row[0].name} --{row[1].name}--> {row[2].name}": _without(row)
        for row in TRANSITIONS
    },
    "START is taken in BOOT": lambda: table((*TRANSITIONS, _START_IN_BOOT)),
    "RESET leads to IDLE": lambda: table(_RESET_TO_IDLE),
    "RESET clears all latches": reset_clears_everything,
    "an unreadable loop counts as released": _patched(state_guard, "is_released", lambda _: True),
    "an open loop is not looked at": _patched(state_guard, "emergency_cause", lambda *_: None),
    "START and RESET beat STOP": _patched(state_guard, "_LET_POWER_FLOW", frozenset()),
    "an operator clears what is for service": _patched(
        state_guard, "is_for_service", lambda _: False
    ),
    "a corrupt latch file is an operator's to clear": _patched(
        clearing, "_OPERATORS", clearing._OPERATORS | {"latch_file_corrupt"}
    ),
    "an operator may clear nothing": _patched(state_guard, "is_for_service", lambda _: True),
    "service is treated as an operator": service_is_no_more_than_an_operator,
    "nothing is refused": _patched(state_guard, "_refusal", lambda *_, **__: None),
    "a corrupt latch file passes for an empty one": (
        _patched(state_machine_model, "decode", lambda _: Latches())
    ),
}
_REPORT_FIRST = "latches are reported before they are on disk"


def find_in_model(name: str) -> Found:
    """Search the broken machine."""
    started = time.process_time()
    if name == _REPORT_FIRST:
        result = check(Model(report_first=True), first_only=True)
    else:
        with MODEL_CANARIES[name]():
            result = check(Model(), first_only=True)
    rules = list(result.violations)
    trace = (f"{rules[0]}:", *result.violations[rules[0]]) if rules else ("no rule was broken",)
    return Found(
        canary=name,
        found=bool(rules),
        by="\n    ".join(trace),
        seconds=time.process_time() - started,
    )


ALL_IN_MODEL = (*MODEL_CANARIES, _REPORT_FIRST)
