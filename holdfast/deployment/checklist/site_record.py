"""What a site has been through with the devices that it has now, read from its audit log.

It is pure: lines of the log go in, the oldest first. What was before other devices does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from holdfast.monitoring.audit.events import (
    AuditEvent,
    ProcessEnded,
    ProcessStarted,
    StateChanged,
)

_OBSERVES = "observe"
_STOP, _TRIP = "emergency_stop", "trip"
_RUNNING = "RUNNING"

KINDS = ("process_started", "process_ended", "state")
"""Only such events tell something of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An emergency stop."""

    utc: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecord:
    """Holds what counts of a site's past."""

    begun: datetime | None = None
    """Tells when these devices were there first; None: nothing is on record of them."""
    real_time: bool = False
    """Tells whether the last start was granted real-time scheduling."""
    acted: timedelta = timedelta()
    """Tells for how long it was RUNNING with the authority to write."""
    trips: tuple[datetime, ...] = ()
    stops: tuple[Stop, ...] = ()
    came_back: datetime | None = None
    """Tells when it last started after an end that nobody had asked for, such as a power cut."""


class _Walk:
    """Goes along the log."""

    def __init__(self, hardware: str) -> None:
        self.hardware = hardware
        self.record = SiteRecord()
        self.ended = True
        """Tells whether the controller before ended by itself."""
        self.acts = False
        self.running_since: datetime | None = None

    def take(self, utc: datetime, event: AuditEvent | None) -> None:
        """Takes in a line; None for one that tells nothing of this."""
        match event:
            case ProcessStarted():
                self._started(utc, event)
            case ProcessEnded():
                self.rests(utc)
                self.ended = True
            case StateChanged(target=target, event=what, reasons=reasons):
                self._moved(utc, target, what, reasons)
            case _:
                pass

    def _started(self, utc: datetime, event: ProcessStarted) -> None:
        # For how long a killed controller ran is known up to the last line before, no further.
        self.running_since = None
        if event.hardware_sha256 != self.hardware:
            self.record, self.ended, self.acts = SiteRecord(), True, False
            return
        begun = self.record.begun or utc
        came_back = self.record.came_back if self.ended else utc
        self.record = replace(
            self.record, begun=begun, real_time=event.real_time, came_back=came_back
        )
        self.ended, self.acts = False, event.authority != _OBSERVES

    def _moved(self, utc: datetime, target: str, what: str, reasons: tuple[str, ...]) -> None:
        if self.record.begun is None:
            return
        if target != _RUNNING:
            self.rests(utc)
        elif self.acts and self.running_since is None:
            self.running_since = utc
        if what == _TRIP:
            self.record = replace(self.record, trips=(*self.record.trips, utc))
        if what == _STOP:
            stop = Stop(utc=utc, cause=", ".join(reasons))
            self.record = replace(self.record, stops=(*self.record.stops, stop))

    def rests(self, utc: datetime) -> None:
        """Counts up to then, if it was RUNNING."""
        if self.running_since is not None:
            acted = self.record.acted + max(utc - self.running_since, timedelta())
            self.record = replace(self.record, acted=acted)
        self.running_since = None


def site_record(lines: Iterable[tuple[datetime, AuditEvent | None]], hardware: str) -> SiteRecord:
    """Returns what counts of the past of a site with this ``hardware`` (its digest).

    Each of ``lines`` has its time, and its event or None for one that tells nothing of this.
    """
    walk = _Walk(hardware)
    last: datetime | None = None
    for utc, event in lines:
        if isinstance(event, ProcessStarted) and last is not None:
            walk.rests(last)
        walk.take(utc, event)
        last = utc
    if last is not None:
        walk.rests(last)
    return walk.record
