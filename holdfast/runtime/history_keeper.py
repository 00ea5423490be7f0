"""The keeper brings minutes to the disk, in its own time: a disk that fails costs history only."""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from holdfast.core.config.history import History
from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.history.database import HistoryDamaged, HistoryError
from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.levels import DAY_S, HOUR_S, MINUTE_S
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.sqlite_file import back_up, begin_anew, free_bytes
from holdfast.monitoring.history.state import HistoryState
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.history.upkeep import keep_up, size_of

_log = logging.getLogger(__name__)

WAITING_MINUTES = 30
"""So many minutes wait for a disk that is slow or full; then the oldest is lost, and counted."""
OVER_S = 90
"""So long after an hour its last minute is there."""
RETRY_AFTER_S = 10.0
_BYTES_PER_MB = 1_000_000


class HistoryKeeper:
    """Writes what it is given whenever it can. Who gives never waits."""

    def __init__(
        self,
        find_place: Callable[[], HistoryPlace],
        config: History,
        *,
        who: str,
        currency: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``find_place`` may raise ConfigError; ``who`` names this writer to any other one."""
        self._find_place, self._config = find_place, config
        self._who, self._currency = who, currency
        self._clock, self._monotonic_ns = clock, monotonic_ns
        self._store: HistoryStore | None = None
        self._file: Path | None = None
        self._backup: Path | None = None
        self._waiting: deque[Minute] = deque()
        self._problems: dict[str, str] = {}
        """Holds what is wrong, in words, by what it keeps from being done."""
        self._note = ""
        self._lost = 0
        self._written: datetime | None = None
        self._size: int | None = None
        self._totals: dict[Sum, float] = {}
        self._retry_ns = self._upkeep_hour = 0

    def put(self, minute: Minute) -> None:
        """Takes a minute to be written; the oldest one is lost if too many wait."""
        self._waiting.append(minute)
        if len(self._waiting) > WAITING_MINUTES:
            with suppress(IndexError):  # it was written meanwhile
                self.lose(self._waiting.popleft().samples)

    def lose(self, samples: int) -> None:
        """Counts seconds that could be read and were not taken."""
        self._lost += samples

    def state(self) -> HistoryState:
        """Tells how it fares."""
        return HistoryState(
            utc=self._clock(),
            monotonic_ns=self._monotonic_ns(),
            problem="; ".join(self._problems.values()),
            note=self._note,
            written=self._written,
            samples_lost=self._lost,
            size_bytes=self._size,
            backup=_modified(self._backup),
            totals=self._totals,
            currency=self._currency,
        )

    def work(self, at_once: int = 1) -> None:
        """Writes what waits, ``at_once`` minutes at least and the first one alone; looks after the
        file when it is time. Raises nothing of that."""
        if self._monotonic_ns() < self._retry_ns:
            return
        try:
            self._write_all(self._opened(), at_once if self._written else 1)
        except HistoryDamaged as error:
            self._fail(error)
            self._begin_anew()
        except (HistoryError, ConfigError) as error:
            self._fail(error)

    def close(self) -> None:
        """Lets another one write."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _opened(self) -> HistoryStore:
        if self._store is None:
            place = self._find_place()
            self._file, self._backup = place.file, place.backup
            self._check_disk()
            self._store = HistoryStore(place, self._who, self._now_s())
            self._totals = dict(self._store.totals)
            self._upkeep_hour = 0
        return self._store

    def _write_all(self, store: HistoryStore, at_once: int) -> None:
        minutes = list(self._waiting)
        hour = (self._now_s() - OVER_S) // HOUR_S
        # What waits goes first: the blocks of an hour are then made once, of all its minutes.
        if len(minutes) >= (max(at_once, 1) if hour == self._upkeep_hour else 1):
            self._check_disk()
            store.write_all(minutes, self._now_s())
            for minute in minutes:
                with suppress(IndexError):
                    if self._waiting[0] is minute:
                        self._waiting.popleft()
            self._totals = dict(store.totals)
            self._written = datetime.fromtimestamp(minutes[-1].start_s + MINUTE_S, UTC)
        if hour != self._upkeep_hour:
            keep_up(store, self._config, self._now_s())
            self._size = None if self._file is None else size_of(store)
            self._back_up()
            self._upkeep_hour = hour
        self._solved("writing")

    def _check_disk(self, needs_bytes: int = 0) -> None:
        """Leaves room for latches and audit log. Raises HistoryError."""
        if self._file is None:
            return
        try:
            free_mb = (free_bytes(self._file) - needs_bytes) // _BYTES_PER_MB
        except OSError as error:
            raise HistoryError(f"{self._file}: {error}") from error
        if free_mb < self._config.leave_free_mb:
            raise HistoryError(
                f"the disk of {self._file} would have {free_mb} MB free, and history.leave_free_mb "
                f"leaves {self._config.leave_free_mb} to latches and audit log"
            )

    def _back_up(self) -> None:
        """Makes a backup a day; without one, history goes on."""
        if self._file is None or self._backup is None:
            return
        made = _modified(self._backup)
        if made is not None and 0 <= (self._clock() - made).total_seconds() < DAY_S:
            return
        try:
            self._check_disk(self._size or 0)
            back_up(self._file, self._backup)
        except HistoryError as error:
            self._trouble("backup", f"no backup: {error}")
        else:
            self._solved("backup")

    def _fail(self, error: HoldfastError) -> None:
        self._trouble("writing", str(error))
        self._retry_ns = self._monotonic_ns() + round(RETRY_AFTER_S * NS_PER_S)
        if self._store is not None:
            self._store.engine.dispose()
            self._store = None

    def _begin_anew(self) -> None:
        file, backup = self._file, self._backup
        if file is None or backup is None:
            return
        try:
            self._note = begin_anew(file, backup, self._clock())
        except HistoryError as error:
            self._trouble("writing", str(error))
        else:
            _log.error("%s", self._note)
            self._retry_ns = 0

    def _trouble(self, what: str, text: str) -> None:
        if self._problems.get(what) != text:
            _log.error("%s", text)
        self._problems[what] = text

    def _solved(self, what: str) -> None:
        if self._problems.pop(what, ""):
            _log.warning("history: %s is well again", what)

    def _now_s(self) -> int:
        return int(self._clock().timestamp())


def _modified(path: Path | None) -> datetime | None:
    try:
        return None if path is None else datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
