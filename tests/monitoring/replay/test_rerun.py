"""A recording is run again: all as it was, or where it first differs."""

import math
from dataclasses import replace

import pytest

from holdfast.control.cycle import Cycle
from holdfast.core.commands import Command, Point
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.replay.kept_cycle import RaisedCycle
from holdfast.monitoring.replay.reading import IncidentRecording, parse_recording
from holdfast.monitoring.replay.rerun import RAISED, STATE_BEFORE, rerun
from tests.builders import build_site, load_content
from tests.monitoring.replay.recordings import (
    KeepingBench,
    content_of,
    first_difference,
    rebuilt,
)


@pytest.fixture(scope="module")
def bench() -> KeepingBench:
    """A site that ran, tripped on a cell and was stopped."""
    bench = KeepingBench(build_site(loads=[load_content()]))
    bench.start()
    bench.load_w = 900.0
    for _ in range(20):
        bench.step()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.75)
    for _ in range(100):
        bench.step()
    bench.step(Command.EMERGENCY_STOP)
    bench.step()
    assert bench.state.machine is State.STOPPED
    return bench


@pytest.fixture(scope="module")
def recording(bench: KeepingBench) -> IncidentRecording:
    return bench.recording()


def test_all_is_decided_as_it_was(recording: IncidentRecording) -> None:
    assert first_difference(recording) is None
    assert recording.end is not None
    assert recording.end.cycles == len(recording.cycles) > 100


STAGES = {
    "assessment": ("assessor", "assess", lambda out: (replace(out[0], blocks=()), out[1])),
    "request": (
        "_modes",
        "step",
        lambda out: replace(out, request=replace(out.request, power_w=out.request.power_w + 1e-9)),
    ),
    "permits": (
        "_gate",
        "authorise",
        lambda out: {
            unit: replace(permit, expires_ns=permit.expires_ns + 1) for unit, permit in out.items()
        },
    ),
    "state": ("_guard", "step", lambda out: replace(out, stop_cause="another")),
    "load_permits": ("_loads", "step", lambda out: replace(out, permits={})),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_decides_otherwise_is_named(recording: IncidentRecording, stage: str) -> None:
    holder_name, name, change = STAGES[stage]
    cycle = rebuilt(recording)
    holder = getattr(cycle, holder_name)
    decide = getattr(holder, name)

    class Changed:
        """Decides as the stage, but for the change."""

        def __getattr__(self, key):
            return getattr(holder, key)

    changed = Changed()
    setattr(changed, name, lambda *args, **kwargs: change(decide(*args, **kwargs)))
    setattr(cycle, holder_name, changed)
    found = first_difference(recording, cycle)
    assert found is not None
    assert found.stage == stage
    assert found.recorded != found.found


def test_what_only_the_next_cycle_is_handed_is_found_at_the_next_state(
    recording: IncidentRecording,
) -> None:
    cycle = rebuilt(recording)
    step = cycle.step

    def counts_one_more(state, inputs):
        after, record = step(state, inputs)
        return replace(after, ignored_events=after.ignored_events + 1), record

    cycle.step = counts_one_more  # type: ignore[method-assign]
    found = first_difference(recording, cycle)
    assert found is not None
    assert (found.stage, found.place, found.cycle) == (STATE_BEFORE, "ignored_events", 11)


def test_the_place_and_both_values_are_told(recording: IncidentRecording) -> None:
    cycle = rebuilt(recording)
    ramp = cycle._ramp
    cycle._ramp = lambda *args: {  # type: ignore[method-assign]
        unit: replace(found, power_w=found.power_w * (1 + 2**-52))
        for unit, found in ramp(*args).items()
    }
    found = first_difference(recording, cycle)
    assert found is not None
    assert (found.stage, found.place) == ("setpoints", "battery.power_w")
    assert math.isclose(float(found.recorded), float(found.found), rel_tol=1e-12)


def test_a_cycle_that_raised_raises_again_and_one_that_does_not_is_told(
    bench: KeepingBench, recording: IncidentRecording
) -> None:
    last = bench.kept[-1].inputs
    error = "ValueError: no"
    raised = RaisedCycle(inputs=last, error=error, before=bench.state)
    recorded = parse_recording(content_of(bench.site, [*bench.kept, raised]))
    assert recorded.cycles[-1].raised == error
    found = first_difference(recorded)
    assert found is not None
    assert (found.stage, found.recorded, found.found) == (RAISED, f'"{error}"', '"nothing"')

    cycle = rebuilt(recorded)
    step, count = cycle.step, 0

    def raises(state, inputs):
        nonlocal count
        count += 1
        if count == len(recorded.cycles):
            raise ValueError("no")
        return step(state, inputs)

    cycle.step = raises  # type: ignore[method-assign]
    assert first_difference(recorded, cycle) is None


def test_nothing_runs_behind_a_cycle_that_raises(recording: IncidentRecording) -> None:
    cycle = rebuilt(recording)

    def raises(*_):
        raise ZeroDivisionError

    cycle.step = raises  # type: ignore[method-assign]
    (only,) = rerun(cycle, recording)
    assert only.record is None


def test_the_cycle_is_built_of_the_recording_alone(recording: IncidentRecording) -> None:
    cycle = rebuilt(recording)
    assert isinstance(cycle, Cycle)
    assert Point.SETPOINT_W in cycle.points["battery"]
