"""What is kept of a cycle is what came in, and what was decided, in the order of its stages."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from holdfast.control.connection.band import Band
from holdfast.control.cycle import CycleRecord, CycleState, Inputs
from holdfast.control.loads.requests import LoadRequest
from holdfast.control.regulation.quality import RegulationQuality
from holdfast.control.request import Request
from holdfast.control.state_guard import Moved
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.commands import Write
from holdfast.core.data_store import Image, Snapshot
from holdfast.core.reading import Reading, Sample
from holdfast.core.signals import Signal
from holdfast.safety.assessment import Assessment
from holdfast.safety.permit import LoadPermit, Permit


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Holds what a cycle decided, in the order of its stages."""

    snapshot: Mapping[str, Mapping[Signal, Reading]]
    """Holds the readings that are not the image's samples: stale, from the future, derived."""
    assessment: Assessment
    state: Moved
    request: Request
    band: Band
    quality: RegulationQuality | None
    permits: Mapping[str, Permit]
    setpoints: Mapping[str, Setpoint]
    load_requests: Mapping[str, LoadRequest]
    load_permits: Mapping[str, LoadPermit]
    writes: tuple[Write, ...]


STAGES: Final = tuple(field.name for field in fields(Decisions))


@dataclass(frozen=True, slots=True, kw_only=True)
class RanCycle:
    """Holds a cycle that ran. It refers to what was made anyway: to keep it costs no time."""

    record: CycleRecord
    before: CycleState | None = None
    """Holds the state before it, now and then; the others follow from it."""

    @property
    def inputs(self) -> Inputs:
        """Returns what came in."""
        return self.record.inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedCycle:
    """Holds a cycle that raised."""

    inputs: Inputs
    error: str
    """Tells what it raised."""
    before: CycleState | None = None


KeptCycle = RanCycle | RaisedCycle


def decisions_of(record: CycleRecord) -> Decisions:
    """Returns what a cycle decided."""
    return Decisions(
        snapshot=_beside(record.snapshot, record.inputs.image),
        assessment=record.assessment,
        state=record.moved,
        request=record.request,
        band=record.band,
        quality=record.quality,
        permits=record.permits,
        setpoints=record.setpoints,
        load_requests=record.load_requests,
        load_permits=record.load_permits,
        writes=record.writes,
    )


def _beside(snapshot: Snapshot, image: Image) -> dict[str, dict[Signal, Reading]]:
    beside: dict[str, dict[Signal, Reading]] = {}
    for owner, readings in snapshot.readings.items():
        samples: Mapping[Signal, Sample] = image.get(owner, {})
        get = samples.get
        changed = {
            signal: reading for signal, reading in readings.items() if get(signal) is not reading
        }
        if changed:
            beside[owner] = changed
    return beside
