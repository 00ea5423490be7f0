"""Runs recorded cycles again, and says where what they decide is not what was recorded."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from holdfast.control.cycle import Cycle, CycleRecord, CycleState
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.replay.coding import Json, MalformedRecord, canonical
from holdfast.monitoring.replay.kept_cycle import STAGES, decisions_of
from holdfast.monitoring.replay.reading import IncidentRecording, RecordedCycle
from holdfast.monitoring.replay.recording import STATE, texts_of

RAISED: Final = "raised"
"""Stands for a stage where a cycle raised, and the other did not."""
STATE_BEFORE: Final = "state before"
"""Stands for what the cycle before handed over."""
NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Tells where two runs part."""

    cycle: int
    """Counts from 1."""
    utc_ns: int | None
    now_ns: int
    stage: str
    place: str
    """Tells where in what the stage decided; empty if that is all of it."""
    recorded: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunCycle:
    """Holds a cycle that was run again."""

    number: int
    """Counts from 1."""
    recorded: RecordedCycle
    before: CycleState
    record: CycleRecord | None
    """None: it raised."""
    raised: str | None


def build_recorded(recording: IncidentRecording, site: Site) -> Cycle:
    """Returns the control cycle of a recording with what ``site`` says.

    Raises ConfigError, and MalformedRecord where it is a cycle of no site.
    """
    wiring = recording.head.wiring
    try:
        return Cycle(site, wiring.expected, wiring.points, wiring.traits, wiring.ages)
    except HoldfastError:
        raise
    except Exception as error:  # noqa: BLE001 - it comes from a stranger, and is no mistake of ours
        raise MalformedRecord(f"has no such site: {told_error(error)}") from None


def rerun(cycle: Cycle, recording: IncidentRecording) -> Iterator[RerunCycle]:
    """Runs all cycles again from the first state on; ends behind one that raises."""
    state = recording.cycles[0].before
    assert state is not None, "the reader lets no such recording pass"
    for number, recorded in enumerate(recording.cycles, 1):
        before, record, raised = state, None, None
        try:
            state, record = cycle.step(before, recorded.inputs)
        except Exception as error:  # noqa: BLE001 - what a cycle does with its inputs is the answer
            raised = told_error(error)
        yield RerunCycle(
            number=number, recorded=recorded, before=before, record=record, raised=raised
        )
        if record is None:
            return


def told_error(error: Exception) -> str:
    """Tells what a cycle raised, in a line."""
    return shown(f"{type(error).__name__}: {error}", MAX_REASON)


def difference_in(again: RerunCycle) -> Difference | None:
    """Returns the first difference in one cycle, in the order of its stages; None without one."""
    recorded = again.recorded
    if recorded.before is not None:
        state = canonical(STATE.encode(again.before))
        if state != recorded.before_text:
            return _difference(again, STATE_BEFORE, recorded.before_text, state)
    if again.record is None or recorded.raised is not None:
        if again.raised == recorded.raised:
            return None
        old, new = (canonical(raised or NOTHING) for raised in (recorded.raised, again.raised))
        return _difference(again, RAISED, old, new)
    found = texts_of(decisions_of(again.record))
    for stage in STAGES:
        if found[stage] != recorded.decided[stage]:
            return _difference(again, stage, recorded.decided[stage], found[stage])
    return None


def _difference(again: RerunCycle, stage: str, recorded: str, found: str) -> Difference:
    place, old, new = _first_in("", json.loads(recorded), json.loads(found))
    inputs = again.recorded.inputs
    return Difference(
        cycle=again.number,
        utc_ns=inputs.utc_ns,
        now_ns=inputs.now_ns,
        stage=stage,
        place=place.removeprefix("."),
        recorded=shown(canonical(old), MAX_REASON),
        found=shown(canonical(new), MAX_REASON),
    )


def _first_in(place: str, old: Json, new: Json) -> tuple[str, Json, Json]:
    """Returns the first place at which two values differ, and what stands there."""
    match old, new:
        case dict(), dict() if list(old) == list(new):
            parts = ((f"{place}.{key}", old[key], new[key]) for key in old)
        case list(), list() if len(old) == len(new):
            parts = ((f"{place}[{i}]", *pair) for i, pair in enumerate(zip(old, new, strict=True)))
        case _:
            return place, old, new
    inner = next((part for part in parts if canonical(part[1]) != canonical(part[2])), None)
    return (place, old, new) if inner is None else _first_in(*inner)
