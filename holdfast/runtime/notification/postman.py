"""A postman tells one recipient, in a thread of his own: nobody else waits for that server.

His ledger is on the disk before anything is sent, and after. So nothing is lost where the process
is killed; told twice is only what had been taken when the process ended before it was noted, and
that has the same id both times.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient
from holdfast.core.errors import SourceError
from holdfast.monitoring.notices import TimedNotice, strength
from holdfast.monitoring.notification.ledger import (
    Ledger,
    after_delivery,
    after_failure,
    due,
    escalate,
    take,
)
from holdfast.monitoring.notification.message import NoticeMessage, compose
from holdfast.site.files import write_atomically
from holdfast.web.backoff import wait_after_failure

_log = logging.getLogger(__name__)
_LEDGER = TypeAdapter(Ledger)
LOOK_EVERY_S = 5.0
_LIMITED = timedelta(minutes=10)
"""So long a server is left alone that found us too eager and did not say for how long."""

Send = Callable[[NoticeMessage], None]
"""Returns once the other side has taken a message. Raises SourceError."""
Witness = Callable[[datetime], datetime | None]
"""Tells when somebody last acknowledged what was told since a time; None: nobody did."""


def read_ledger(file: Path) -> Ledger:
    """Returns what is remembered of a recipient; nothing if there is nothing that can be read."""
    try:
        ledger = _LEDGER.validate_json(file.read_bytes())
        timed = (one.notice for one in (*ledger.waiting, *ledger.alarms))
        for notice in (*timed, *ledger.known.values()):
            strength(notice)
    except (OSError, ValueError, KeyError):
        return Ledger()
    return ledger


class Postman:
    """Tells one recipient of a site, or one of his browsers."""

    def __init__(
        self,
        site: Site,
        recipient: Recipient,
        file: Path,
        witness: Witness,
        send: Send,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``file`` is where the ledger is; its name tells him from others."""
        self.recipient = recipient
        self.name = file.stem
        self._site = site
        self._zone = ZoneInfo(site.timezone)
        self._file = file
        self._witness = witness
        self._send = send
        self._now = now
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._retired = False
        self._ledger = read_ledger(file)

    @property
    def ledger(self) -> Ledger:
        """Returns what is remembered now."""
        return self._ledger

    def take(self, told: Sequence[TimedNotice]) -> None:
        """Has him told of what concerns him; returns once that is on the disk."""
        with self._lock:
            self._keep(take(self.recipient, self._ledger, told))
        self._wake.set()

    def start(self, end: threading.Event) -> None:
        """Begins to tell, until ``end`` is set. What is being sent then is left to itself."""
        threading.Thread(
            target=self._run, args=(end,), name=f"tells-{self.name}", daemon=True
        ).start()

    def retire(self) -> None:
        """Ends telling, with all that is remembered: there is nobody any more."""
        with self._lock:
            self._retired = True
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
        self._wake.set()

    def _run(self, end: threading.Event) -> None:
        while not (end.is_set() or self._retired):
            try:
                self.round()
            except Exception:  # noqa: BLE001 - nobody would start this thread again
                _log.exception("%s: this round told nothing", self.name)
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()

    def round(self) -> None:
        """Sends what is due, if anything is. Raises nothing that a server can cause."""
        now = self._now()
        with self._lock:
            ledger = self._ledger
            if ledger.alarms:
                first = min(alarm.utc for alarm in ledger.alarms)
                self._keep(escalate(self.recipient, ledger, now, self._witness(first)))
            told = tuple(due(self.recipient, self._ledger, now, self._zone))
            left_out = self._ledger.left_out
        if told:
            message = compose(self._site, self.recipient, told, left_out)
            failure = self._failure(message)
            with self._lock:
                self._note(told, failure)

    def _failure(self, message: NoticeMessage) -> SourceError | None:
        """Sends, and returns why that did not succeed."""
        try:
            self._send(message)
        except SourceError as error:
            _log.warning("%s cannot be told: %s", self.name, error)
            return error
        except Exception as error:  # noqa: BLE001 - whatever a server answers, the next try comes
            _log.exception("%s cannot be told", self.name)
            return SourceError(f"{type(error).__name__}: {error}")
        return None

    def _note(self, told: Sequence[TimedNotice], failure: SourceError | None) -> None:
        now, ledger = self._now(), self._ledger
        if failure is None:
            self._keep(after_delivery(ledger, told, now))
            return
        wait = wait_after_failure(ledger.failures + 1, failure, _LIMITED, random.random())
        self._keep(after_failure(ledger, str(failure), now, wait))

    def _keep(self, ledger: Ledger) -> None:
        if self._retired or ledger == self._ledger:
            return
        self._ledger = ledger
        try:
            self._file.parent.mkdir(exist_ok=True, mode=0o700)
            write_atomically(self._file, to_json(ledger))
        except OSError as error:
            _log.error("what %s was told is not on disk: %s", self.name, error)
