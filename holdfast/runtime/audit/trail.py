"""The audit trail of a running controller leads from its cycles, plans and end to the audit log."""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator

from holdfast import __version__
from holdfast.client.messages import OperatorMessage, ProcessMessage
from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.config import Site
from holdfast.core.latches import Latches
from holdfast.core.plan import Plan
from holdfast.monitoring.audit.events import (
    AuditEvent,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    IncidentRecorded,
    LatchesChanged,
    MessageRefused,
    OperatorActed,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    short,
)
from holdfast.monitoring.audit.observer import AuditMemory, CycleObserver
from holdfast.monitoring.status.schema import AuditStatus
from holdfast.runtime.audit.folder import AuditFolder
from holdfast.runtime.audit.rate_limit import AuditRateLimit, Countable
from holdfast.runtime.audit.writer import AuditWriter
from holdfast.site.files import SiteFiles
from holdfast.site.release import hardware_digest

_log = logging.getLogger(__name__)


class AuditTrail:
    """Hears of everything that is to be on record. Whatever fails in it, control goes on."""

    def __init__(self, site: Site, writer: AuditWriter) -> None:
        self._site = site
        self._observer = CycleObserver(site)
        self._memory = AuditMemory()
        self._writer = writer
        self._rate_limit = AuditRateLimit()
        self._failed = False

    def started(self, latches: Latches, *, real_time: bool) -> None:
        """The controller begins, with what was latched before."""
        self._memory = AuditMemory(latches=latches)
        self._writer.start()
        self._put(
            ProcessStarted(
                version=__version__,
                config_sha256=hashlib.sha256(self._site.model_dump_json().encode()).hexdigest(),
                authority=self._site.authority,
                period_ms=self._site.cycle.period_ms,
                real_time=real_time,
                emergency_stop=latches.emergency_stop,
                faults=latches.faults,
                hardware_sha256=hardware_digest(self._site),
            )
        )

    def observe(self, after: CycleState, record: CycleRecord, *, on_disk: bool) -> None:
        """A cycle led to ``after``, whose latches are on disk or could not be saved."""
        try:
            events, self._memory = self._observer.observe(
                self._memory, after, record, on_disk=on_disk
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is not worth a cycle
            if not self._failed:
                _log.critical("a cycle cannot be put on record", exc_info=True)
            self._failed = True
            return
        for event in (*self._limited(events, record), *self._rate_limit.due(record.inputs.now_ns)):
            self._writer.put(event, record.inputs.now_ns)

    def plan_accepted(self, plan: Plan) -> None:
        """The plan gate let ``plan`` pass."""
        self._put_limited(
            "plan",
            PlanAccepted(
                plan_id=short(plan.plan_id),
                status=plan.status,
                expires=plan.expires,
                slots=len(plan.slots),
            ),
        )

    def plan_refused(self, plan: Plan, reason: str) -> None:
        """The plan gate refused ``plan``."""
        refused = PlanNotAccepted(plan_id=short(plan.plan_id), reason=short(reason))
        self._put_limited("plan", refused)

    def message_refused(self, what: str, reason: str, *, uid: int | None, pid: int | None) -> None:
        """A message was refused before any cycle saw it; ``what`` is a command or a kind."""
        refused = MessageRefused(what=what, reason=short(reason), uid=uid, pid=pid)
        self._put_limited(f"message {what}", refused)

    def told(self, message: OperatorMessage | ProcessMessage) -> None:
        """Somebody told of what it has done or seen."""
        match message:
            case OperatorMessage():
                self._operator_told(message)
            case ProcessMessage():
                self._child_told(message)

    def _operator_told(self, told: OperatorMessage) -> None:
        """A person did something, or was refused it; who is refused all the time is counted."""
        acted = OperatorActed(
            who=told.who, how=told.how, what=told.what, detail=told.detail, accepted=told.accepted
        )
        if told.accepted:
            self._put(acted)
        else:
            self._put_limited(f"operator {told.what}", acted)

    def _child_told(self, told: ProcessMessage) -> None:
        """The supervisor has started a process, or seen one end."""
        if told.code is None:
            self._put(
                ChildStarted(process=told.process, pid=told.pid, starts=told.starts, at=told.utc)
            )
        else:
            self._put(
                ChildEnded(
                    process=told.process,
                    pid=told.pid,
                    code=told.code,
                    asked=told.asked,
                    note=short(told.note),
                    at=told.utc,
                )
            )

    def cycle_failed(self, latches: Latches, on_disk: bool) -> None:  # noqa: FBT001 - a report
        """The cycle raised; ``latches`` are what is left of it."""
        self._put(
            LatchesChanged(
                emergency_stop=latches.emergency_stop, faults=latches.faults, on_disk=on_disk
            )
        )

    def incident_recorded(self, file: str, why: str, cycles: int) -> None:
        """A recording of an incident is on the disk."""
        self._put(IncidentRecorded(file=file, why=short(why), cycles=cycles))

    def ended(self, reason: str) -> None:
        """The controller ends by itself."""
        for event in self._rate_limit.due(time.monotonic_ns(), at_end=True):
            self._put(event)
        self._put(ProcessEnded(reason=reason))
        self._writer.close()

    def status(self) -> AuditStatus:
        """Tells how the log fares, for the status of the site."""
        return self._writer.status()

    def _limited(self, events: Iterable[AuditEvent], record: CycleRecord) -> Iterator[AuditEvent]:
        """Yields ``events`` of a cycle; a command that is refused again and again is counted."""
        for event in events:
            if isinstance(event, CommandAnswered) and not event.accepted:
                key = f"command {event.command}"
                yield from self._rate_limit.passes(key, event, record.inputs.now_ns)
            else:
                yield event

    def _put(self, event: AuditEvent) -> None:
        self._writer.put(event, time.monotonic_ns())

    def _put_limited(self, key: str, event: Countable) -> None:
        now_ns = time.monotonic_ns()
        for due in self._rate_limit.passes(key, event, now_ns):
            self._writer.put(due, now_ns)


def open_trail(site: Site, files: SiteFiles) -> AuditTrail:
    """Opens the audit trail of a site, on its disk."""
    return AuditTrail(site, AuditWriter(AuditFolder(files.audit)))
