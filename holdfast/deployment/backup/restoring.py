"""A backup is put back into an empty folder: all of it is verified before anything is written."""

import hashlib
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from holdfast.core.errors import ConfigError
from holdfast.deployment.backup.contents import ELSEWHERE, STATE
from holdfast.deployment.backup.manifest import (
    MAX_BYTES,
    NAME,
    BackedUp,
    BackupError,
    Manifest,
    decode_manifest,
)
from holdfast.site.examination import examine
from holdfast.site.site_file import load_site

_CHUNK_BYTES = 1 << 20
_LEAVE_FREE_BYTES = 50_000_000
_UNREADABLE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
"""Is what a file that is no whole archive makes of its reader; the last asks for a password."""
_KINDS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Tells what was put back."""

    config: Path
    manifest: Manifest
    notes: tuple[str, ...]
    """They tell what somebody has to do before the site can run; empty: nothing."""


def read_backup(file: Path) -> Manifest:
    """Verifies all of a backup. Raises BackupError."""
    with _opened(file) as (archive, manifest):
        _verify(archive, manifest)
    return manifest


def restore(file: Path, into: Path) -> Restored:
    """Puts a backup into ``into``, which is empty or not there yet: all of it, or nothing.

    Raises BackupError.
    """
    into = into.absolute()
    try:
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise BackupError(f"{into} is not empty; a backup is put into an empty folder")
        new = into.with_name(f".{into.name}.restoring")
        shutil.rmtree(new, ignore_errors=True)
        with _opened(file) as (archive, manifest):
            into.parent.mkdir(parents=True, exist_ok=True)
            _check_room(manifest, into.parent)
            _verify(archive, manifest)
            try:
                _write(archive, manifest, new)
                os.sync()
                new.replace(into)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise BackupError(f"{file} cannot be put into {into}: {error}") from error
    config = into / Path(*Path(manifest.config).parts[1:])
    return Restored(config=config, manifest=manifest, notes=tuple(_notes(config, manifest)))


@contextmanager
def _opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, _manifest(archive)
    except BackupError as error:
        raise BackupError(f"{file}: {error}") from None
    except _UNREADABLE as error:
        raise BackupError(f"{file}: it is damaged, or no backup: {error}") from error
    except FileNotFoundError as error:
        raise BackupError(f"there is no {file}") from error


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        info = archive.getinfo(NAME)
    except KeyError:
        raise BackupError("it is no backup of Holdfast: it has no manifest") from None
    if info.file_size > MAX_BYTES:
        raise BackupError(f"its manifest has more than {MAX_BYTES} bytes")
    with archive.open(info) as source:
        return decode_manifest(source.read(MAX_BYTES + 1))


def _check_room(manifest: Manifest, folder: Path) -> None:
    needed = sum(file.bytes for file in manifest.files) + _LEAVE_FREE_BYTES
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BackupError(
            f"it needs {needed / 1e6:.0f} MB, and {folder} has {free / 1e6:.0f} MB free"
        )


def _verify(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Raises BackupError unless each file is as the manifest says, and there is no other."""
    expected = {file.name: file for file in manifest.files}
    found = [info.filename for info in archive.infolist() if info.filename != NAME]
    if len(expected) != len(manifest.files) or sorted(found) != sorted(expected):
        raise BackupError("it is damaged: it has other files than its manifest says")
    for info in archive.infolist():
        if stat.S_ISLNK(info.external_attr >> 16) or info.compress_type not in _KINDS:
            raise BackupError(f"{info.filename} is no plain file")
    for file in manifest.files:
        with archive.open(file.name) as source:
            _copy(source, file, None)


def _copy(source: IO[bytes], file: BackedUp, target: IO[bytes] | None) -> None:
    """Reads no more than the file is to have. Raises BackupError if it is not what it is to be."""
    digest, left = hashlib.sha256(), file.bytes
    while chunk := source.read(min(left + 1, _CHUNK_BYTES)):
        left -= len(chunk)
        digest.update(chunk)
        if left < 0:
            break
        if target is not None:
            target.write(chunk)
    if left or digest.hexdigest() != file.sha256:
        raise BackupError(f"it is damaged: {file.name} is not what was backed up")


def _write(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for file in manifest.files:
        path = folder / _place(file.name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as target, archive.open(file.name) as source:
            _copy(source, file, target)


def _place(name: str) -> Path:
    """Returns where a file comes, from the folder: what lay beside site.yaml lies there again."""
    part, *rest = Path(name).parts
    return Path(*rest) if part not in {STATE, ELSEWHERE} else Path(part, *rest)


def _notes(config: Path, manifest: Manifest) -> Iterator[str]:
    folder = config.parent
    for file in manifest.files:
        part, *rest = Path(file.name).parts
        if part == ELSEWHERE:
            yield f"site.yaml names {Path('/', *rest)}: {folder / file.name} is what was there"
    if manifest.state == STATE:
        yield f"site.yaml has a state_dir elsewhere: move {folder / STATE} there, or change the key"
    yield from (f"{path} was missing when the backup was made" for path in manifest.missing)
    try:
        examine(load_site(config))
    except ConfigError as error:
        yield f"the site cannot be run here yet: {error}"
    with suppress(ConfigError):
        if load_site(config).history.url is not None:
            yield "the history is in a database of its own, which is no part of the backup"
