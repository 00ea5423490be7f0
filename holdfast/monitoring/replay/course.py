"""A course tells what cycles led to, line by line: as it was, or as it would have been."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from holdfast.control.request import Request
from holdfast.control.state_guard import Moved
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.commands import Command
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.replay.coding import MalformedRecord
from holdfast.monitoring.replay.reading import RecordedCycle
from holdfast.monitoring.replay.recording import DECIDED
from holdfast.monitoring.replay.rerun import RerunCycle
from holdfast.safety.assessment import Assessment

_TOLD: Final = tuple(
    (stage, DECIDED[stage]) for stage in ("assessment", "state", "request", "setpoints")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """Tells one change."""

    at_s: float
    """Counts from the cause of the recording."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCourse:
    """Tells what cycles led to."""

    lines: tuple[TimedLine, ...]
    setpoints_w: Mapping[str, tuple[float, float]]
    """Gives the lowest and the highest setpoint of each storage unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseStep:
    """Holds what a course is told by, of one cycle."""

    now_ns: int
    commands: tuple[Command, ...]
    assessment: Assessment
    moved: Moved
    request: Request
    setpoints: Mapping[str, Setpoint]


def recorded_steps(cycles: Iterable[RecordedCycle]) -> Iterator[CourseStep]:
    """Yields what was recorded; what another version decided, and this one has no words for, is
    left out."""
    for cycle in cycles:
        if cycle.raised is not None:
            continue
        with suppress(MalformedRecord):
            assessment, moved, request, setpoints = (
                coding.decode(json.loads(cycle.decided[stage])) for stage, coding in _TOLD
            )
            yield CourseStep(
                now_ns=cycle.inputs.now_ns,
                commands=tuple(cycle.inputs.commands),
                assessment=assessment,
                moved=moved,
                request=request,
                setpoints=setpoints,
            )


def rerun_step(again: RerunCycle) -> CourseStep | None:
    """Returns what a cycle that was run again decided; None of one that raised."""
    record = again.record
    if record is None:
        return None
    return CourseStep(
        now_ns=record.inputs.now_ns,
        commands=tuple(record.inputs.commands),
        assessment=record.assessment,
        moved=record.moved,
        request=record.request,
        setpoints=record.setpoints,
    )


def course_of(steps: Iterable[CourseStep], zero_ns: int) -> IncidentCourse:
    """Returns the course of cycles; ``zero_ns`` is the time from which it counts."""
    lines: list[TimedLine] = []
    bounds: dict[str, tuple[float, float]] = {}
    last: CourseStep | None = None
    for step in steps:
        at_s = (step.now_ns - zero_ns) / NS_PER_S
        lines += [TimedLine(at_s=at_s, text=text) for text in _changes(last, step)]
        for unit, setpoint in step.setpoints.items():
            low_w, high_w = bounds.get(unit, (setpoint.power_w, setpoint.power_w))
            bounds[unit] = min(low_w, setpoint.power_w), max(high_w, setpoint.power_w)
        last = step
    return IncidentCourse(lines=tuple(lines), setpoints_w=bounds)


def _changes(last: CourseStep | None, step: CourseStep) -> Iterator[str]:
    yield from (f"command {command}" for command in step.commands)
    yield from (f"refused {command}: {why}" for command, why in step.moved.refused.items())
    before = {} if last is None else {f.key: f for f in last.assessment.findings}
    now = {found.key: found for found in step.assessment.findings}
    for key, found in now.items():
        if key not in before or before[key].reaction is not found.reaction:
            yield f"{found.reaction.name.lower()} {key}: {found.text}"
    yield from (f"over {key}" for key in before if key not in now)
    if last is None or last.moved.state is not step.moved.state:
        yield step.moved.state.name if last is None else f"to {step.moved.state.name}"
    asked = step.request
    if last is None or (asked.source, asked.mode) != (last.request.source, last.request.mode):
        yield f"{asked.source} asks for {asked.power_w:.0f} W: {asked.reason}"
