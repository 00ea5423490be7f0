"""Recordings that the tests make of cycles as they run."""

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.core.config import Site
from holdfast.monitoring.replay.kept_cycle import KeptCycle, RanCycle
from holdfast.monitoring.replay.reading import IncidentRecording, parse_recording
from holdfast.monitoring.replay.recording import (
    CycleEncoder,
    RecordingCause,
    RecordingEnd,
    RecordingHead,
    Wiring,
    end_line,
    head_line,
)
from holdfast.monitoring.replay.rerun import Difference, build_recorded, difference_in, rerun
from holdfast.monitoring.replay.scrubbing import scrubbed, site_of
from tests.builders import Bench, expected_signals, points_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def wired(site: Site) -> Wiring:
    """What the benches' cycles know of their devices."""
    return Wiring(expected=expected_signals(site), points=points_of(site), traits={}, ages={})


def head_of(site: Site, version: str = "1.2.3") -> RecordingHead:
    """The head of a recording of ``site``."""
    return RecordingHead(version=version, python="3.11", configuration="0123", wiring=wired(site))


def lines_for(
    site: Site, kept: Iterable[KeptCycle], *, head: RecordingHead | None = None
) -> list[bytes]:
    """The lines of a recording without its end."""
    encoder = CycleEncoder()
    first = head_line(head or head_of(site), scrubbed(site))
    return [first, *b"".join(map(encoder.lines, kept)).splitlines(keepends=True)]


def content_of(
    site: Site, kept: Sequence[KeptCycle], *, head: RecordingHead | None = None
) -> bytes:
    """The content of the file."""
    cause = RecordingCause(
        utc=NOON, now_ns=kept[-1].inputs.now_ns, row="cell_overvoltage", text="too high"
    )
    end = end_line(RecordingEnd(cycles=len(kept), causes=(cause,)))
    return gzip.compress(b"".join([*lines_for(site, kept, head=head), end]))


class KeepingBench(Bench):
    """A bench that keeps each of its cycles, with the state before every tenth."""

    def __init__(self, site: Site | None = None, every: int = 10) -> None:
        super().__init__(site)
        self.kept: list[KeptCycle] = []
        step = self.cycle.step

        def kept_step(state: CycleState, inputs: Inputs) -> tuple[CycleState, CycleRecord]:
            after, record = step(state, inputs)
            before = state if len(self.kept) % every == 0 else None
            self.kept.append(RanCycle(record=record, before=before))
            return after, record

        self.cycle.step = kept_step  # type: ignore[method-assign]

    def recording(self) -> IncidentRecording:
        """What a reader makes of it."""
        return parse_recording(content_of(self.site, self.kept))


def rebuilt(recording: IncidentRecording) -> Cycle:
    """The cycle that a recording tells of."""
    return build_recorded(recording, site_of(recording.site))


def first_difference(recording: IncidentRecording, cycle: Cycle | None = None) -> Difference | None:
    """The first difference; None: all was decided as it was recorded."""
    runs = rerun(cycle or rebuilt(recording), recording)
    return next((found for again in runs if (found := difference_in(again))), None)
