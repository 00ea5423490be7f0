"""The reader tells what a history holds. It only reads, while the writer writes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from holdfast.core.errors import DataError
from holdfast.monitoring.history import past_spells, past_values
from holdfast.monitoring.history.database import HistoryError, in_words, open_to_read
from holdfast.monitoring.history.energy_rows import EnergyRow, MoneyRow, energy_rows, money_rows
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.past_spells import (
    PastDecision,
    PastFinding,
    PastPlan,
    PastState,
)
from holdfast.monitoring.history.past_values import PastValues, SeriesInfo
from holdfast.monitoring.history.place import HistoryPlace

MOST_POINTS = 100_000
MOST_SERIES = 50


class HistoryReader:
    """Reads the history of one site. All times that it is given must be aware.

    It raises HistoryError where there is no history, or it cannot be read, and DataError for what
    nobody can have meant.
    """

    def __init__(self, place: HistoryPlace, zone: ZoneInfo) -> None:
        """``zone`` is the site's, by which days and months are counted."""
        self._place, self._zone = place, zone
        self._engine = open_to_read(place)

    def list_series(self) -> list[SeriesInfo]:
        """Returns all series, in the order of their keys."""
        with self._reading() as connection:
            return past_values.all_series(connection)

    def series(
        self, keys: Sequence[str], start: datetime, end: datetime, points: int = 800
    ) -> PastValues:
        """Returns at most ``points`` values of each series, or a few more, at one step for all.

        From a minute on each is a mean with the lowest and highest; the step is a whole number of
        seconds, minutes or quarter hours.
        """
        start_s, end_s = _span_s(start, end)
        if not 1 <= points <= MOST_POINTS:
            raise DataError(f"points: {points} is not from 1 to {MOST_POINTS}")
        with self._reading() as connection:
            step_s = past_values.fitting_step_s(connection, keys, start_s, end_s, points)
            return self._values(connection, keys, start_s, end_s, step_s)

    def values_at(
        self, keys: Sequence[str], start: datetime, end: datetime, step_s: int
    ) -> PastValues:
        """Returns a value each ``step_s``: a whole number of seconds, minutes or quarter hours."""
        start_s, end_s = _span_s(start, end)
        if not step_s >= 1 or not (end_s - start_s) / step_s <= MOST_POINTS:
            raise DataError(
                f"step_s: {step_s} is no step of which {MOST_POINTS} at most lie between {start} "
                f"and {end}"
            )
        with self._reading() as connection:
            return self._values(connection, keys, start_s, end_s, step_s)

    def finest_step_s(self, keys: Sequence[str], start: datetime, end: datetime, most: int) -> int:
        """Returns the finest step that is kept, 1, 60 or 900 s, with no more than ``most`` values,
        if there is one."""
        start_s, end_s = _span_s(start, end)
        with self._reading() as connection:
            return past_values.finest_step_s(connection, keys, start_s, end_s, most)

    def states(self, start: datetime, end: datetime) -> list[PastState]:
        """Returns the states between two times, the oldest first."""
        with self._reading() as connection:
            return past_spells.states(connection, *_span_s(start, end))

    def findings(self, start: datetime, end: datetime) -> list[PastFinding]:
        """Returns the findings between two times, the oldest first."""
        with self._reading() as connection:
            return past_spells.findings(connection, *_span_s(start, end))

    def decisions(self, start: datetime, end: datetime) -> list[PastDecision]:
        """Returns who asked for power and why, between two times, the oldest first."""
        with self._reading() as connection:
            return past_spells.decisions(connection, *_span_s(start, end))

    def plans(self, start: datetime, end: datetime) -> list[PastPlan]:
        """Returns the plans that the controller held between two times, the oldest first."""
        with self._reading() as connection:
            return past_spells.plans(connection, *_span_s(start, end))

    def energy(self, start: datetime, end: datetime, step: TimeStep) -> list[EnergyRow]:
        """Returns a row for each step of the site's clock that the time from ``start`` to ``end``
        touches, also where nothing is known."""
        _span_s(start, end)
        with self._reading() as connection:
            return energy_rows(connection, start, end, step, self._zone)

    def money(self, start: datetime, end: datetime, step: TimeStep) -> list[MoneyRow]:
        """Returns what each step cost, and what it would have otherwise; as :meth:`energy`."""
        _span_s(start, end)
        with self._reading() as connection:
            return money_rows(connection, start, end, step, self._zone)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Gives one view of the history for all that is read in the block."""
        file = self._place.file
        if file is not None and not file.exists():
            raise HistoryError(f"{file}: no history has been written yet")
        with in_words(self._place), self._engine.begin() as connection:
            yield connection

    def _values(
        self, connection: Connection, keys: Sequence[str], start_s: int, end_s: int, step_s: int
    ) -> PastValues:
        if not 1 <= len(keys) <= MOST_SERIES:
            raise DataError(f"series: {len(keys)} are asked for, and 1 to {MOST_SERIES} may be")
        found = past_values.values_at(connection, keys, start_s, end_s, step_s)
        missing = sorted(set(keys) - found.series.keys())
        if missing:
            raise DataError(f"series: there is no {missing[0]!r}; the list of series has all")
        return found


def _span_s(start: datetime, end: datetime) -> tuple[int, int]:
    """Returns both in s since 1970. Raises DataError for what is no span of time."""
    if start.tzinfo is None or end.tzinfo is None:
        raise DataError("start and end: each needs its time zone, such as 2026-11-29T00:00:00Z")
    if not start < end:
        raise DataError(f"start and end: {end} is not after {start}")
    return int(start.timestamp()), int(-(-end.timestamp() // 1))
