"""This module brings audit events to the disk, in a thread of its own: no disk holds up control."""

import logging
import queue
import threading
import time
from datetime import UTC, datetime

from holdfast.monitoring.audit.events import (
    AuditEvent,
    EventsLost,
    PlanAccepted,
    QuantityChanged,
)
from holdfast.monitoring.status.schema import AuditStatus
from holdfast.runtime.audit.folder import AuditFolder, Entry

_log = logging.getLogger(__name__)

QUEUE_ENTRIES = 2000
BATCH_ENTRIES = 16
"""A batch is encoded in well under a millisecond: for so long the cycle may have to wait."""
SYNC_EVERY_S = 0.5
"""Quantities and plans share a sync if they come faster; everything else is synced at once."""
RETRY_S = 1.0
RETRY_MAX_S = 10.0
CLOSE_S = 2.0
SETTLE_S = 5.0
"""If nothing comes for so long, a head that is behind is tried again."""
_MAY_WAIT = (QuantityChanged, PlanAccepted)


class AuditWriter:
    """Holds a bounded queue and the thread that empties it.

    The thread inherits the scheduling of who starts it. That is meant: a thread of ordinary
    priority that holds the interpreter's lock would be held up by any other process, and the
    control loop with it.
    """

    def __init__(self, folder: AuditFolder, *, queue_entries: int = QUEUE_ENTRIES) -> None:
        self._folder = folder
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._queue_entries = queue_entries
        # Each of these is written by one thread only.
        self._dropped = 0
        self._dropped_since = self._dropped_until = datetime.now(UTC)
        self._told = self._lines = self._abandoned = 0
        self._problem = self._last_problem = ""
        self._synced_s = -SYNC_EVERY_S
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Looks at the log and begins to write. Never raises for what the disk does."""
        try:
            self._folder.open()
        except OSError as error:
            self._fails(error)
        self._thread.start()

    def put(self, event: AuditEvent, monotonic_ns: int) -> None:
        """Has ``event`` written. Never waits; what finds no room is counted as lost."""
        utc = datetime.now(UTC)
        if self._queue.qsize() >= self._queue_entries:
            if self._dropped == self._told:
                self._dropped_since = utc
            self._dropped_until = utc
            self._dropped += 1
            return
        self._queue.put(Entry(utc=utc, monotonic_ns=monotonic_ns, event=event))

    def status(self) -> AuditStatus:
        """Tells what was written, what was lost, and what is the matter now."""
        return AuditStatus(
            lines=self._lines, lost=self._dropped + self._abandoned, problem=self._problem
        )

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Writes what waits, as far as the disk lets us in time, and ends."""
        self._ending.set()
        self._queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.error("the audit log did not end in time; %d events wait", self._queue.qsize())

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        try:
            while not (self._ending.is_set() and self._queue.empty()):
                self._write_until_written(self._next_batch())
        finally:
            self._folder.close()

    def _write_until_written(self, batch: list[Entry]) -> None:
        pause_s = RETRY_S
        while batch and not self._written(batch):
            if self._ending.wait(pause_s):
                self._abandon(batch)
                return
            pause_s = min(2 * pause_s, RETRY_MAX_S)

    def _next_batch(self) -> list[Entry]:
        """Returns what is synced together; nothing if nothing came for a while, or at the end."""
        batch: list[Entry] = []
        wait_s = SETTLE_S
        while len(batch) < BATCH_ENTRIES:
            if self._queue.empty():
                self._tell_lost(batch)
            try:
                entry = self._queue.get(timeout=wait_s)
            except queue.Empty:
                break
            if entry is None:
                break
            batch.append(entry)
            wait_s = self._rest_s() if isinstance(entry.event, _MAY_WAIT) else 0.0
        return batch

    def _rest_s(self) -> float:
        """Tells how long what may wait is to wait, in seconds."""
        return max(self._synced_s + SYNC_EVERY_S - time.monotonic(), 0.0)

    def _tell_lost(self, batch: list[Entry]) -> None:
        dropped = self._dropped
        if dropped == self._told:
            return
        lost = EventsLost(
            count=dropped - self._told,
            since=self._dropped_since,
            until=self._dropped_until,
            reason=self._last_problem or "they came faster than they could be written",
        )
        self._told, self._last_problem = dropped, ""
        batch.append(Entry(utc=lost.until, monotonic_ns=time.monotonic_ns(), event=lost))

    def _written(self, batch: list[Entry]) -> bool:
        try:
            if batch:
                self._folder.append(batch)
        except OSError as error:
            self._fails(error)
            return False
        except Exception:  # noqa: BLE001 - a line that cannot be made must not end the log
            _log.critical("%d events cannot be written", len(batch), exc_info=True)
            self._abandon(batch)
            return True
        self._lines += len(batch)
        self._settle()
        return True

    def _settle(self) -> None:
        """Saves the head: the lines are on the disk by now."""
        try:
            self._folder.save_head()
        except OSError as error:
            self._fails(error)
        else:
            self._problem = ""
        self._synced_s = time.monotonic()

    def _abandon(self, batch: list[Entry]) -> None:
        self._abandoned += len(batch)

    def _fails(self, error: OSError) -> None:
        problem = error.strerror or str(error)
        if problem != self._problem:
            _log.error("the audit log cannot be written: %s", error)
        self._problem = self._last_problem = problem
