"""The notice board tells people what has changed: in the log, in a file that others show, and by
whatever way each of them wants to be told."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.client.history_state_reader import HistoryStateReader
from holdfast.client.status_reader import StatusReader
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.glance import DAILY
from holdfast.monitoring.history.metrics import UP_WITHIN_S
from holdfast.monitoring.notices import (
    Notice,
    NoticeKind,
    NoticeMemory,
    TimedNotice,
    decode_notices,
    moved,
    notices,
)
from holdfast.monitoring.notification.conditions import (
    Seen,
    findings_with_latches,
    lasting,
    site_conditions,
)
from holdfast.monitoring.status.schema import FindingStatus, Status
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)

KEPT = 100
"""So many of the last notices can be read."""
BOOT_S = 30.0
"""What lasts for longer than this in BOOT keeps the site from starting."""
_WORDS = {
    NoticeKind.NEW: "",
    NoticeKind.WORSE: "worse: ",
    NoticeKind.STILL: "still: ",
    NoticeKind.OVER: "over: ",
}


class Teller(Protocol):
    """Tells recipients; the notification desk is one."""

    def take(self, told: Sequence[TimedNotice]) -> None:
        """Has all told of ``told``."""

    def conditions(self, utc: datetime) -> Iterator[Seen]:
        """Yields what is wrong with telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardMemory:
    """Holds what was told of a site, as the controller and as others see it."""

    site: NoticeMemory = field(default_factory=NoticeMemory)
    """Stands still while no controller tells anything."""
    outside: NoticeMemory = field(default_factory=NoticeMemory)
    saved_ns: int = 0
    saved_utc: datetime | None = None

    def keys(self) -> set[str]:
        """Returns what is not over."""
        return {*self.site.findings, *self.outside.findings}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Since:
    """Tells since when conditions are there."""

    site: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)


_MEMORY = TypeAdapter(BoardMemory)


class NoticeBoard:
    """Looks at the status of a site, and tells what of it people have to know."""

    def __init__(
        self,
        files: SiteFiles,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        teller: Teller | None = None,
    ) -> None:
        self._files = files
        self._status = StatusReader(files)
        self._history = HistoryStateReader(files)
        self._monotonic_ns = monotonic_ns
        self._teller = teller
        self._memory: BoardMemory | None = None
        self._since = _Since()
        self._told: deque[TimedNotice] = deque(read_notices(files), maxlen=KEPT)

    def look(self, utc: datetime) -> None:
        """Tells what is new at ``utc``. What nobody can see now is neither there nor over."""
        try:
            self.tell(self._status.fresh(), utc)
        except Exception:  # noqa: BLE001 - what one status does to us must not end telling of the next
            _log.exception("notices: this look told nothing")

    def tell(self, status: Status | None, utc: datetime) -> None:
        """Tells what ``status`` has that is new, and what is wrong without one."""
        now_ns = self._monotonic_ns()
        before = self._remembered(now_ns, utc)
        told, site = ([], before.site) if status is None else self._of_site(status, before, now_ns)
        of_outside, outside = self._of_outside(status, before, now_ns, utc)
        timed = [TimedNotice(utc=utc, notice=notice) for notice in (*told, *of_outside)]
        for one in timed:
            _log.warning("%s%s: %s", _WORDS[one.notice.kind], one.notice.owner, one.notice.text)
        if timed and self._teller is not None:
            self._teller.take(timed)
        after = BoardMemory(site=site, outside=outside, saved_ns=now_ns, saved_utc=utc)
        self._memory = after
        if timed or after.keys() != before.keys():
            self._save(timed, after)

    def _of_site(
        self, status: Status, before: BoardMemory, now_ns: int
    ) -> tuple[list[Notice], NoticeMemory]:
        lasted, since = lasting(self._since.site, site_conditions(status), now_ns)
        self._since = _Since(site=since, outside=self._since.outside)
        return notices(before.site, (*_found(status), *lasted), now_ns)

    def _of_outside(
        self, status: Status | None, before: BoardMemory, now_ns: int, utc: datetime
    ) -> tuple[list[Notice], NoticeMemory]:
        lasted, since = lasting(self._since.outside, self._outside(status, utc), now_ns)
        self._since = _Since(site=self._since.site, outside=since)
        return notices(before.outside, lasted, now_ns)

    def _outside(self, status: Status | None, utc: datetime) -> Iterator[Seen]:
        """Yields what can be seen without a controller."""
        if status is None:
            yield Seen(row="controller_silent", text="nothing has come from it for a minute")
        history = self._history.latest()
        if history is not None and (history[0].problem or history[1] > UP_WITHIN_S):
            why = history[0].problem or f"nothing has come from its writer for {history[1]:.0f} s"
            yield Seen(row="history_not_written", text=why)
        if self._teller is not None:
            yield from self._teller.conditions(utc)

    def _remembered(self, now_ns: int, utc: datetime) -> BoardMemory:
        """Returns the memory; after a restart that of the disk, by the clock of today."""
        if self._memory is not None:
            return self._memory
        saved = _read_memory(self._files)
        if saved.saved_utc is None:
            return saved
        away_s = max((utc - saved.saved_utc).total_seconds(), 0.0)
        by_ns = now_ns - saved.saved_ns - round(away_s * NS_PER_S)
        return BoardMemory(site=moved(saved.site, by_ns), outside=moved(saved.outside, by_ns))

    def _save(self, timed: Sequence[TimedNotice], memory: BoardMemory) -> None:
        self._told.extend(timed)
        try:
            if timed:
                write_atomically(self._files.notices, to_json(tuple(self._told)))
            write_atomically(self._files.notice_memory, to_json(memory))
        except OSError as error:
            _log.error("notices are not on disk: %s", error)


def _found(status: Status) -> Iterator[FindingStatus]:
    """Yields what is news: a battery that is full is none."""
    # While it starts, a device that was not heard yet is no news either.
    boots = status.state == State.BOOT
    for found in findings_with_latches(status):
        latched = found.reaction in {"trip", "emergency_stop"}
        if found.row not in DAILY and (latched or not boots or found.for_s >= BOOT_S):
            yield found


def _read_memory(files: SiteFiles) -> BoardMemory:
    try:
        return _MEMORY.validate_json(files.notice_memory.read_bytes())
    except (OSError, ValueError):
        return BoardMemory()


def read_notices(files: SiteFiles) -> tuple[TimedNotice, ...]:
    """Returns what people were told last, the oldest first; nothing if that cannot be read."""
    try:
        return decode_notices(files.notices.read_bytes())
    except (OSError, ValueError):
        return ()
