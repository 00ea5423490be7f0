"""A backup is written while the site runs: each file whole, the database as of one moment."""

import hashlib
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from holdfast import __version__
from holdfast.core.config import Site
from holdfast.deployment.backup.contents import Contents, Kept, contents_of, state_name
from holdfast.deployment.backup.manifest import (
    FORMAT,
    NAME,
    BackedUp,
    BackupError,
    Manifest,
    encode_manifest,
)
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.sqlite_file import back_up
from holdfast.site.files import SiteFiles

_CHUNK_BYTES = 1 << 20
_TRIES = 5
"""So often the log is looked at anew because a file of it was just rotated away."""


def write_backup(config: Path, site: Site, target: Path, *, logs: bool = False) -> Manifest:
    """Writes a backup of ``site`` to the file ``target``, for its owner only: secrets are in it.

    On return it is whole and on the disk. Raises BackupError; then ``target`` is as it was.
    """
    new = target.with_name(f"{target.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            manifest = _write(config, site, file, target.parent, logs=logs)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
        _sync(target.parent)
    except (OSError, HistoryError, sqlite3.Error, zipfile.LargeZipFile) as error:
        raise BackupError(f"{target} cannot be written: {error}") from error
    finally:
        new.unlink(missing_ok=True)
    return manifest


def _write(config: Path, site: Site, file: IO[bytes], room: Path, *, logs: bool) -> Manifest:
    contents = contents_of(config, site, logs=logs)
    folder = config.parent.absolute()
    inner = state_name(folder, Path(site.state_dir))
    done: list[BackedUp] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with _opened_audit(config, site, contents) as audit:
            done += [_add(archive, kept.name, opened, lines=True) for kept, opened in audit]
        for kept in contents.files:
            try:
                with kept.path.open("rb") as opened:
                    done.append(_add(archive, kept.name, opened))
            except FileNotFoundError:
                continue  # it has gone since: what is left is a state that the site has, too
        done += _add_history(archive, SiteFiles.of(site).history_db, inner, room)
        manifest = Manifest(
            format=FORMAT,
            holdfast=__version__,
            site=site.name,
            made=datetime.now(UTC),
            config=f"site/{config.name}",
            state=inner,
            files=tuple(done),
            missing=contents.missing,
        )
        archive.writestr(NAME, encode_manifest(manifest))
    return manifest


@contextmanager
def _opened_audit(
    config: Path, site: Site, contents: Contents
) -> Iterator[Sequence[tuple[Kept, IO[bytes]]]]:
    """Opens all files of the log together: what is rotated away meanwhile stays readable."""
    for attempt in range(_TRIES):
        with ExitStack() as stack:
            kept = contents.audit if attempt == 0 else contents_of(config, site).audit
            try:
                opened = [(one, stack.enter_context(one.path.open("rb"))) for one in kept]
            except FileNotFoundError:
                continue
            yield opened
            return
    raise BackupError("the audit log is rotated faster than it can be read")


def _add(
    archive: zipfile.ZipFile, name: str, source: IO[bytes], *, lines: bool = False
) -> BackedUp:
    """Adds what ``source`` has; of ``lines`` that are just being written, the whole ones."""
    left = _whole_lines(source) if lines else os.fstat(source.fileno()).st_size
    digest, count = hashlib.sha256(), 0
    info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100600 << 16
    with archive.open(info, "w", force_zip64=True) as target:
        while left and (chunk := source.read(min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            target.write(chunk)
            count, left = count + len(chunk), left - len(chunk)
    return BackedUp(name=name, bytes=count, sha256=digest.hexdigest())


def _whole_lines(source: IO[bytes]) -> int:
    """Counts the bytes up to the end of the last whole line."""
    end = source.seek(0, os.SEEK_END)
    begin = max(0, end - _CHUNK_BYTES)
    source.seek(begin)
    whole = begin + source.read(end - begin).rfind(b"\n") + 1
    source.seek(0)
    return whole if whole > begin else end


def _add_history(
    archive: zipfile.ZipFile, database: Path, inner: str, room: Path
) -> list[BackedUp]:
    """Adds the database as it is at one moment, by way of a copy in ``room``."""
    if not database.is_file():
        return []
    with tempfile.TemporaryDirectory(dir=room) as folder:
        copy = Path(folder, database.name)
        back_up(database, copy)
        with copy.open("rb") as opened:
            return [_add(archive, f"{inner}/{database.name}", opened)]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
