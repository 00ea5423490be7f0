"""A recording is what users attach to a report of a bug: some seconds of cycles around an incident.

It is gzip of JSON, a line each: what Holdfast and which site it was; then the cycles, each with
what has changed since the one before; at the end, why they were kept. A state of the controller
stands before a cycle now and then, and the others follow from it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, get_type_hints

from holdfast.control.cycle import CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.ages import Ages
from holdfast.core.commands import Command, Point
from holdfast.core.data_store import Image
from holdfast.core.reading import Sample
from holdfast.core.signals import Signal
from holdfast.devices.point_traits import PointTraits
from holdfast.monitoring.replay.coding import Json, canonical, coding_of
from holdfast.monitoring.replay.kept_cycle import (
    Decisions,
    KeptCycle,
    RaisedCycle,
    RanCycle,
    decisions_of,
)

FORMAT: Final = 1
"""Another one is for what no reader before could make anything of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Holds what the cycle knows of the devices, from their tables; it knows no more of them."""

    expected: Mapping[str, Collection[Signal]]
    points: Mapping[str, Collection[Point]]
    traits: Mapping[str, Mapping[Point, PointTraits]]
    ages: Mapping[str, Ages]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUsed:
    """Tells of a device which table it follows and how it is reached, but not where it is."""

    owner: str
    role: str
    table: str
    """Names it; one of the owner's is told as such."""
    connection: str
    """Is the kind of connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingHead:
    """Tells what a recording was made by, and where."""

    version: str
    """Names the version of Holdfast."""
    python: str
    configuration: str
    """Is the digest of site.yaml and the tables: two recordings of one site have the same."""
    wiring: Wiring
    tables: tuple[TableUsed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingCause:
    """Tells why cycles were kept."""

    utc: datetime
    now_ns: int
    """Tells the monotonic time of the cycle that it was in."""
    row: str
    """Names the row of a table, or what happened, in the form of one."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEnd:
    """Stands at the end: a recording without it is not whole."""

    cycles: int
    causes: tuple[RecordingCause, ...]
    left_out: int = 0
    """Counts incidents since the last recording that got none of their own."""


HEAD: Final = coding_of(RecordingHead)
END: Final = coding_of(RecordingEnd)
STATE: Final = coding_of(CycleState)
PLAN: Final = coding_of(AcceptedPlan)
COMMANDS: Final = coding_of(tuple[Command, ...])
SAMPLES: Final = coding_of(Mapping[Signal, Sample])
_HINTS = get_type_hints(Decisions)
DECIDED: Final = {field.name: coding_of(_HINTS[field.name]) for field in fields(Decisions)}
"""Has the coding of what each stage decides, in their order."""


def line_of(content: Json) -> bytes:
    """Returns a line of a recording."""
    return canonical(content).encode() + b"\n"


def head_line(head: RecordingHead, site: Json) -> bytes:
    """Returns the first line; ``site`` is what site.yaml says, as far as it may be told."""
    return line_of({"recording": FORMAT, "head": HEAD.encode(head), "site": site})


def end_line(end: RecordingEnd) -> bytes:
    """Returns the last line."""
    return line_of({"end": END.encode(end)})


def texts_of(decided: Decisions) -> dict[str, str]:
    """Returns what each stage decided, as text: equal only if it is the same, bit for bit."""
    return {
        stage: canonical(coding.encode(getattr(decided, stage)))
        for stage, coding in DECIDED.items()
    }


class CycleEncoder:
    """Encodes cycles in their order, each by what has changed."""

    def __init__(self) -> None:
        self._image: Image = {}
        self._plan: AcceptedPlan | None = None
        self._decided: Decisions | None = None
        self._texts: dict[str, str] = {}

    def lines(self, kept: KeptCycle) -> bytes:
        """Returns the lines of one cycle."""
        before = b"" if kept.before is None else line_of({"state": STATE.encode(kept.before)})
        content = self._inputs(kept.inputs)
        match kept:
            case RanCycle(record=record):
                content["decided"] = self._changed(decisions_of(record))
            case RaisedCycle(error=error):
                content["raised"] = error
        return before + line_of(content)

    def _inputs(self, inputs: Inputs) -> dict[str, Json]:
        content: dict[str, Json] = {"now_ns": inputs.now_ns, "utc_ns": inputs.utc_ns}
        if inputs.commands:
            content["commands"] = COMMANDS.encode(inputs.commands)
        if inputs.plan is not self._plan:
            content["plan"] = None if inputs.plan is None else PLAN.encode(inputs.plan)
            self._plan = inputs.plan
        content["image"] = image = {}
        for owner, samples in inputs.image.items():
            last = self._image.get(owner, {})
            if not last.keys() <= samples.keys():
                content.setdefault("anew", []).append(owner)
                last = {}
            image[owner] = SAMPLES.encode(
                {signal: one for signal, one in samples.items() if last.get(signal) is not one}
            )
        self._image = inputs.image
        return content

    def _changed(self, decided: Decisions) -> dict[str, Json]:
        changed: dict[str, Json] = {}
        for stage, coding in DECIDED.items():
            value = getattr(decided, stage)
            if self._decided is not None and getattr(self._decided, stage) is value:
                continue
            content = coding.encode(value)
            text = canonical(content)
            if self._texts.get(stage) != text:
                self._texts[stage] = text
                changed[stage] = content
        self._decided = decided
        return changed
