"""This module keeps warnings of bad weather up to date beside what the planner does.

A feed that cannot be asked leaves what it last told in force: each warning has its own end.
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.core.config.reserve import StormReserve
from holdfast.core.errors import SourceError
from holdfast.forecasting.storm_warnings import StormWarning, ask_warnings, parse_warnings
from holdfast.runtime.refresher import Refresher
from holdfast.web.backoff import wait_after_failure
from holdfast.web.carrier import Carrier

_log = logging.getLogger(__name__)

ASK_EVERY = timedelta(minutes=10)
"""Met offices issue warnings at any time; a storm is warned of hours before."""
_LIMITED = timedelta(hours=1)
MAX_FILE_BYTES = 10_000_000

Fetch = Callable[[], tuple[StormWarning, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWarnings:
    """Holds what was last warned of, and why that may be old."""

    warnings: tuple[StormWarning, ...] = ()
    problem: str = ""


class WarningWatch:
    """Asks in a thread; who reads never waits."""

    def __init__(self, reserve: StormReserve | None, fetch: Fetch | None = None) -> None:
        """``fetch`` stands in the place of file and feed; it raises SourceError."""
        self.known = KnownWarnings()
        self._failures = 0
        self._ask_utc: datetime | None = None
        self._fetch = fetch or (None if reserve is None else _fetch_of(reserve))
        self._refresher = Refresher("warnings", None if self._fetch is None else self.refresh)

    def start(self, end: threading.Event) -> None:
        """Asks until ``end`` is set. What is being asked then is left to itself."""
        self._refresher.start(end)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        self._refresher.check()

    def refresh(self, utc: datetime) -> None:
        """Asks if the time has come."""
        # A clock that was set back must not keep us waiting for years.
        due = self._ask_utc
        if self._fetch is None or (due is not None and utc < due < utc + timedelta(days=2)):
            return
        try:
            warnings = self._fetch()
        except SourceError as error:
            self._failures += 1
            wait = wait_after_failure(self._failures, error, _LIMITED, random.random())
            self._ask_utc = utc + wait
            problem = f"no new warnings of bad weather: {error}"
            if problem != self.known.problem:
                _log.warning("%s", problem)
            self.known = KnownWarnings(warnings=self.known.warnings, problem=problem)
            return
        if self._failures:
            _log.warning("there are new warnings of bad weather again")
        self._failures, self._ask_utc = 0, utc + ASK_EVERY
        self.known = KnownWarnings(warnings=warnings)


def _fetch_of(reserve: StormReserve) -> Fetch:
    if reserve.file is not None:
        path = Path(reserve.file)
        return lambda: _read(path)
    url, carrier = reserve.url or "", Carrier()
    return lambda: carrier.carry(ask_warnings(url))


def _read(path: Path) -> tuple[StormWarning, ...]:
    """Reads a file; one that is not there warns of nothing. Raises SourceError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SourceError(f"{path.name}: cannot be read: {error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise SourceError(f"{path.name}: is larger than {MAX_FILE_BYTES} bytes")
    return parse_warnings(content)
