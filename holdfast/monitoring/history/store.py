"""The store is the one writer of a history: some minutes are a transaction, an hour is another."""

import json
import logging
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from holdfast.core.quarter_hours import QUARTER_S
from holdfast.monitoring.history.blocks import lay_over
from holdfast.monitoring.history.database import HistoryError, in_words, open_to_write
from holdfast.monitoring.history.energies import TOTALS, Sum, Sums
from holdfast.monitoring.history.levels import HOUR_S, MINUTE_S, ValueLevel
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.pages import Page, decode_page, encode_page
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reducing import reduced
from holdfast.monitoring.history.schema import MINUTE, QUARTER, SERIES, SPELL, TOTAL, WRITER
from holdfast.monitoring.history.series import decimals_of
from holdfast.monitoring.history.spells import Spell
from holdfast.monitoring.history.value_codec import Floats

_log = logging.getLogger(__name__)

LEASE_S = 600
"""Who has not written for so long is no longer the writer."""


class HistoryStore:
    """Writes a history. Raises HistoryError in all it does, HistoryDamaged for a broken file."""

    def __init__(self, place: HistoryPlace, who: str, now_s: int) -> None:
        """Opens it as ``who``; nobody else may be writing it at ``now_s`` (s since 1970)."""
        self.place = place
        self._who = who
        self.engine = open_to_write(place)
        self._inode = _inode_of(place)
        try:
            with in_words(place), self.engine.begin() as connection:
                self._claim(connection, now_s)
                _end_open_spells(connection)
                known = connection.execute(select(SERIES)).all()
                self._numbers = {row.key: row.id for row in known}
                self._decimals = {row.id: decimals_of(row.key, row.unit) for row in known}
                self.totals = _totals(connection)
        except BaseException:
            self.engine.dispose()
            raise

    def write(self, minute: Minute, now_s: int) -> None:
        """Brings one minute to the disk, or nothing of it."""
        self.write_all([minute], now_s)

    def write_all(self, minutes: Sequence[Minute], now_s: int) -> None:
        """Brings ``minutes`` to the disk, or nothing of them.

        Each transaction touches some pages of every table, however little it brings.
        """
        with in_words(self.place):
            self._check_file()
            numbers, totals = dict(self._numbers), self.totals
            with self.engine.begin() as connection:
                self._claim(connection, now_s)
                for minute in minutes:
                    self._add_series(connection, minute, numbers)
                    _write_page(connection, minute, numbers, self._decimals)
                    if minute.quarter:
                        _add_to_quarter(connection, minute)
                    totals = _add_to_totals(connection, totals, minute.total)
                    for spell in minute.spells:
                        _write_spell(connection, spell)
            # Only what is on the disk counts: a metric must not fall after a crash.
            self.totals, self._numbers = totals, numbers

    def compact(self, now_s: int) -> None:
        """Makes blocks of the minutes of each hour that is over."""
        with in_words(self.place):
            with self.engine.connect() as connection:
                starts = connection.execute(select(MINUTE.c.start_s)).scalars().all()
            present = now_s // HOUR_S
            for hour in sorted({start_s // HOUR_S for start_s in starts} - {present}):
                with self.engine.begin() as connection:
                    self._compact_hour(connection, hour * HOUR_S)

    def close(self) -> None:
        """Lets another one write. What cannot be told any more is left."""
        try:
            with in_words(self.place), self.engine.begin() as connection:
                connection.execute(update(WRITER).values(until_s=0))
        except HistoryError as error:
            _log.warning("the history is left as it is: %s", error)
        self.engine.dispose()

    def _check_file(self) -> None:
        """A file that was deleted can be written on, and nobody would find it."""
        if self._inode is not None and self._inode != _inode_of(self.place):
            raise HistoryError(f"{self.place} was taken away; it is made anew")

    def _claim(self, connection: Connection, now_s: int) -> None:
        found = connection.execute(select(WRITER.c.who, WRITER.c.until_s)).first()
        # One that holds for hours was written by a clock that was wrong.
        if found and found.who != self._who and now_s < found.until_s < now_s + HOUR_S:
            raise HistoryError(
                f"{self.place} is written by {found.who}: each site needs a database of its own"
            )
        connection.execute(delete(WRITER))
        row = {"id": 1, "who": self._who, "until_s": now_s + LEASE_S}
        connection.execute(insert(WRITER), row)

    def _add_series(self, connection: Connection, minute: Minute, numbers: dict[str, int]) -> None:
        """Gives the series that are new in ``minute`` a number, and adds it to ``numbers``."""
        for key, unit in minute.units.items():
            if key not in numbers:
                row = {
                    "key": key,
                    "unit": unit,
                    "first_s": minute.start_s,
                    "last_s": minute.start_s,
                }
                made = connection.execute(insert(SERIES), row).inserted_primary_key
                assert made is not None, "the table has a primary key"
                numbers[key] = made[0]
                self._decimals[made[0]] = decimals_of(key, unit)

    def _compact_hour(self, connection: Connection, start_s: int) -> None:
        is_of_hour = MINUTE.c.start_s.between(start_s, start_s + HOUR_S - 1)
        seconds: dict[int, Floats] = {}
        for minute_s, content in connection.execute(
            select(MINUTE.c.start_s, MINUTE.c.content).where(is_of_hour)
        ):
            page, at = _page(minute_s, content), minute_s - start_s
            for number, row in zip(page.series.tolist(), page.values, strict=True):
                hour = seconds.setdefault(number, np.full((1, HOUR_S), np.nan))
                hour[0, at : at + MINUTE_S] = row
        decimals = self._decimals
        if seconds:
            whole = lay_over(connection, ValueLevel.SECOND, start_s, seconds, decimals)
            for level in (ValueLevel.MINUTE, ValueLevel.QUARTER):
                coarse = {number: reduced(row, level.step_s) for number, row in whole.items()}
                lay_over(connection, level, start_s, coarse, decimals)
            _tell_last(connection, whole, start_s)
        connection.execute(delete(MINUTE).where(is_of_hour))


def _inode_of(place: HistoryPlace) -> int | None:
    try:
        return None if place.file is None else place.file.stat().st_ino
    except FileNotFoundError:
        return 0


def _write_page(
    connection: Connection,
    minute: Minute,
    numbers: Mapping[str, int],
    decimals: Mapping[int, int],
) -> None:
    page = Page(
        series=np.array([numbers[key] for key in minute.units], np.int32), values=minute.values
    )
    is_it = MINUTE.c.start_s == minute.start_s
    before = connection.execute(select(MINUTE.c.content).where(is_it)).scalar()
    if before is not None:  # the clock was set back, or this is the rest after a restart
        page = page.over(_page(minute.start_s, before))
        connection.execute(delete(MINUTE).where(is_it))
    digits = np.array([decimals[number] for number in page.series.tolist()], np.int8)
    row = {"start_s": minute.start_s, "content": encode_page(page, digits)}
    connection.execute(insert(MINUTE), row)


def _page(start_s: int, content: bytes) -> Page:
    """Returns the page; an empty one for what is none."""
    try:
        return decode_page(content)
    except ValueError as error:
        _log.error("the minute at %s is left out: %s", start_s, error)
        return Page(series=np.empty(0, np.int32), values=np.empty((0, MINUTE_S)))


def _tell_last(connection: Connection, seconds: Mapping[int, Floats], start_s: int) -> None:
    """Tells of each series up to when it has values."""
    connection.execute(
        update(SERIES)
        .where(SERIES.c.id == bindparam("number"), SERIES.c.last_s < bindparam("ends_s"))
        .values(last_s=bindparam("ends_s")),
        [
            {"number": number, "ends_s": start_s + int(np.flatnonzero(~np.isnan(row[0]))[-1]) + 1}
            for number, row in seconds.items()
            if not np.isnan(row).all()
        ],
    )


def _add_to_quarter(connection: Connection, minute: Minute) -> None:
    start_s = minute.start_s - minute.start_s % QUARTER_S
    is_it = QUARTER.c.start_s == start_s
    found = connection.execute(select(QUARTER).where(is_it)).mappings().first()
    before: Mapping[str, float] = dict.fromkeys(Sum, 0.0) if found is None else dict(found)
    row = {name: before[name] + minute.quarter.get(name, 0.0) for name in Sum}
    if found is None:
        connection.execute(insert(QUARTER), {"start_s": start_s} | row)
    else:  # in its place: a row that is deleted and made anew is another page, of the index
        connection.execute(update(QUARTER).where(is_it).values(dict(row)))


def _add_to_totals(connection: Connection, before: Sums, more: Sums) -> dict[Sum, float]:
    totals = {name: before.get(name, 0.0) + more.get(name, 0.0) for name in TOTALS}
    if not more:
        return totals
    known = set(connection.execute(select(TOTAL.c.name)).scalars())
    for name, value in totals.items():
        if name in known:
            connection.execute(update(TOTAL).where(TOTAL.c.name == name), {"value": value})
        else:
            connection.execute(insert(TOTAL), {"name": name, "value": value})
    return totals


def _totals(connection: Connection) -> dict[Sum, float]:
    found = {row.name: row.value for row in connection.execute(select(TOTAL))}
    return {name: found.get(name, 0.0) for name in TOTALS}


def _write_spell(connection: Connection, spell: Spell) -> None:
    key = {"kind": spell.kind, "start_s": spell.start_s, "name": spell.name}
    row = {
        "end_s": spell.end_s,
        "times": spell.times,
        "about": json.dumps(dict(spell.about)),
        "plan": spell.plan,
    }
    is_it = [SPELL.c[name] == value for name, value in key.items()]
    if connection.execute(update(SPELL).where(*is_it), row).rowcount == 0:
        connection.execute(insert(SPELL), key | row)


def _end_open_spells(connection: Connection) -> None:
    """Ends what held when the last writer was killed, where it was last heard of."""
    latest_s = connection.execute(select(func.max(MINUTE.c.start_s))).scalar()
    last_s = connection.execute(select(func.max(SERIES.c.last_s))).scalar()
    heard_s = max((latest_s or 0) + MINUTE_S, last_s or 0)
    ends_s = case((SPELL.c.start_s > heard_s, SPELL.c.start_s), else_=heard_s)
    connection.execute(update(SPELL).where(SPELL.c.end_s.is_(None)).values(end_s=ends_s))
