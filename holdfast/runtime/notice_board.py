"""The notice board tells people what has changed: in the log, and in a file that others show."""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.client.status_reader import StatusReader
from holdfast.core.state_machine import State
from holdfast.monitoring.glance import DAILY
from holdfast.monitoring.notices import Notice, NoticeKind, NoticeMemory, notices
from holdfast.monitoring.status.schema import Status
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedNotice:
    """Holds a notice and when it was made."""

    utc: datetime
    notice: Notice


_NOTICES = TypeAdapter(tuple[TimedNotice, ...])


class NoticeBoard:
    """Looks at the status of a site, and tells what of it people have to know."""

    def __init__(
        self, files: SiteFiles, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._files = files
        self._status = StatusReader(files)
        self._monotonic_ns = monotonic_ns
        self._memory = NoticeMemory()
        self._told: deque[TimedNotice] = deque(read_notices(files), maxlen=KEPT)

    def look(self, utc: datetime) -> None:
        """Tells what is new at ``utc``. What nobody can see now is neither there nor over."""
        status = self._status.fresh()
        if status is not None:
            self.tell(status, utc)

    def tell(self, status: Status, utc: datetime) -> None:
        """Tells what ``status`` has that is new. A battery that is full is no news."""
        # While it starts, a device that was not heard yet is no news either.
        least_s = BOOT_S if status.state == State.BOOT else 0.0
        found = [
            finding
            for finding in status.findings
            if finding.row not in DAILY and finding.for_s >= least_s
        ]
        told, self._memory = notices(self._memory, found, self._monotonic_ns())
        for notice in told:
            _log.warning("%s%s: %s", _WORDS[notice.kind], notice.owner, notice.text)
            self._told.append(TimedNotice(utc=utc, notice=notice))
        if told:
            try:
                write_atomically(self._files.notices, to_json(tuple(self._told)))
            except OSError as error:
                _log.error("notices are not on disk: %s", error)


def read_notices(files: SiteFiles) -> tuple[TimedNotice, ...]:
    """Returns what people were told last, the oldest first; nothing if that cannot be read."""
    try:
        return _NOTICES.validate_json(files.notices.read_bytes())
    except (OSError, ValueError):
        return ()
