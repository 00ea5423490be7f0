"""A history in a SQLite file is kept small, backed up, and begun anew where it is damaged."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from holdfast.monitoring.history.database import HistoryError, is_whole, own_file


def used_bytes(engine: Engine) -> int:
    """Returns the bytes of the file that hold something. Raises SQLAlchemyError."""
    return (_pragma(engine, "page_count") - _pragma(engine, "freelist_count")) * _pragma(
        engine, "page_size"
    )


def shrink(engine: Engine, most_bytes: int) -> None:
    """Gives free pages back to the disk if the file is larger than that. Raises SQLAlchemyError."""
    if _pragma(engine, "page_count") * _pragma(engine, "page_size") > most_bytes:
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            # As a script it runs to its end; else each step would give back one page.
            cursor.executescript("PRAGMA incremental_vacuum")


def _pragma(engine: Engine, name: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def free_bytes(file: Path) -> int:
    """Returns what the disk has free. Raises OSError."""
    return shutil.disk_usage(file.parent).free


def back_up(file: Path, backup: Path) -> None:
    """Replaces ``backup`` by a whole copy of the database, while others read and write it.

    Raises HistoryError; then the backup of before stays.
    """
    new = backup.with_name(f"{backup.name}.new")
    try:
        new.unlink(missing_ok=True)
        own_file(new)
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(new),))
        _sync(new)
        new.replace(backup)
        _sync(backup.parent)
    except (sqlite3.Error, OSError) as error:
        raise HistoryError(f"{backup}: {error}") from error
    finally:
        new.unlink(missing_ok=True)


def begin_anew(file: Path, backup: Path, now_utc: datetime) -> str:
    """Keeps a damaged ``file`` aside; its place is taken by ``backup`` if that is whole.

    Only the last damaged file is kept. Returns in words what was done. Raises HistoryError.
    """
    kept = file.with_name(f"{file.stem}.corrupt-{now_utc:%Y%m%dT%H%M%SZ}.db")
    try:
        for old in file.parent.glob(f"{file.stem}.corrupt-*"):
            old.unlink()
        for part in ("-wal", "-shm"):  # they belong to the file, and not to what takes its place
            with_part = file.with_name(file.name + part)
            if with_part.exists():
                with_part.replace(kept.with_name(kept.name + part))
        file.replace(kept)
        told = f"{file.name} was damaged and is kept as {kept.name}"
        if not is_whole(backup):
            return f"{told}; a new history was begun"
        _restore(file, backup)
    except OSError as error:
        raise HistoryError(f"{file}: {error}") from error
    return f"{told}; the history goes on from {backup.name}"


def _restore(file: Path, backup: Path) -> None:
    own_file(file)
    shutil.copyfile(backup, file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        # Totals that fall by a day would be taken for ones that begin at zero and rise at once.
        connection.execute("DELETE FROM total")
    _sync(file)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
