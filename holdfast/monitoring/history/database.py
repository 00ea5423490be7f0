"""The database is opened for its one writer, or only to be read; here its errors get words."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from holdfast.core.errors import HoldfastError
from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.history import migrations
from holdfast.monitoring.history.place import HistoryPlace

_BUSY_S = 5.0
"""So long one waits for another's short transaction."""
_PAGE_BYTES = 4096
"""Each transaction writes a dozen pages whole. A block of seconds is about 3 kB and fits in one."""
_WAL_BYTES = 16 * 1024 * 1024
_REVISION = re.compile(r"([0-9]{4})(?:_for_([0-9]{4}))?")
_UNKNOWN = 10_000
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class HistoryError(HoldfastError):
    """The history cannot be read or written; the text says why."""


class HistoryDamaged(HistoryError):
    """The file of the history is no whole database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Tells a layout of the database from others, and who can still work with it."""

    number: int
    since: int
    """Is the oldest layout whose release works with this one, too."""


def layout() -> Layout:
    """Returns the layout of this release."""
    return layout_of(migrations.NEWEST)


def layout_of(revision: str | None) -> Layout:
    """Reads a revision: ``0003_for_0002`` has only added to what releases of 0002 know."""
    found = _REVISION.fullmatch(revision or "")
    if found is None:
        return Layout(number=_UNKNOWN, since=_UNKNOWN)
    return Layout(number=int(found[1]), since=int(found[2] or found[1]))


@contextmanager
def in_words(place: HistoryPlace) -> Iterator[None]:
    """Turns what the database or the disk says within the block into a HistoryError."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        text = f"{place}: {shown(str(error.orig), MAX_REASON)}"
        raise (HistoryDamaged if code in _DAMAGED else HistoryError)(text) from error
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise HistoryError(f"{place}: {shown(str(error), MAX_REASON)}") from error


def open_to_write(place: HistoryPlace) -> Engine:
    """Opens the database, made if there is none, and brings it to this release's layout.

    Raises HistoryDamaged for a file that is no whole database, HistoryError for whatever else.
    """
    with in_words(place):
        engine = _engine_to_write(place)
        try:
            if place.file is not None:
                _check(place, engine)
            with engine.begin() as connection:
                _migrate(place, connection)
        except BaseException:
            engine.dispose()
            raise
        return engine


def open_to_read(place: HistoryPlace) -> Engine:
    """Opens the database to read from it, also while it is written. It connects anew for each use:
    the file may be replaced. Raises HistoryError."""
    if place.file is None:
        with in_words(place):
            # One view for all that is read at a time: an hour that is over moves between tables.
            return create_engine(place.url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    address = f"file:{quote(str(place.file))}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, timeout=_BUSY_S),
        poolclass=NullPool,
    )
    _own_transactions(engine, "BEGIN")
    return engine


def open_beside(place: HistoryPlace) -> Engine:
    """Opens a database that another process has made and writes, to write a row of it now and then.

    Raises HistoryError.
    """
    with in_words(place):
        if place.file is None:
            return create_engine(place.url, poolclass=NullPool)
        if not place.file.exists():
            raise HistoryError(f"{place}: no history has been written yet")
        engine = create_engine(place.url, connect_args={"timeout": _BUSY_S}, poolclass=NullPool)
        _own_transactions(engine, "BEGIN IMMEDIATE")
        return engine


def own_file(path: Path) -> None:
    """Makes an empty file for its owner only, if there is none. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))


def is_whole(path: Path) -> bool:
    """Says whether a SQLite file is a whole database, and not empty."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return bool(tables) and found == "ok"


def _engine_to_write(place: HistoryPlace) -> Engine:
    if place.file is None:
        return create_engine(place.url)
    own_file(place.file)
    engine = create_engine(place.url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _prepare)
    _own_transactions(engine, "BEGIN IMMEDIATE")
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """The first two count only before there is a table."""
    for name, value in (
        ("page_size", _PAGE_BYTES),
        ("auto_vacuum", "INCREMENTAL"),
        ("journal_mode", "WAL"),
        # A minute that is told of in a metric is on the disk: a power cut must not take it back.
        ("synchronous", "FULL"),
        ("journal_size_limit", _WAL_BYTES),
    ):
        connection.execute(f"PRAGMA {name} = {value}")


def _own_transactions(engine: Engine, begin: str) -> None:
    """Python's driver would begin none for reading, nor for a change of the layout."""

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begins(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begins)


def _check(place: HistoryPlace, engine: Engine) -> None:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise HistoryDamaged(f"{place}: {shown(str(found), MAX_REASON)}")


def _migrate(place: HistoryPlace, connection: Connection) -> None:
    current = _layout(connection)
    if current == migrations.NEWEST:
        return
    from holdfast.monitoring.history.migrating import migrate

    if migrate(connection, current):
        return
    if layout_of(current).since <= layout().number:
        return  # a newer release has only added to it
    raise HistoryError(
        f"{place} was written by a newer release (its layout is {current}): install that "
        "release, or move the file away and another one is begun"
    )


def _layout(connection: Connection) -> str | None:
    """Returns the name of the step that made the layout; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)
