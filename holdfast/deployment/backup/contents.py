"""What belongs to a site: its site.yaml, the files that names, and its state, as a table says."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from holdfast.client.audit_reader import HEAD_NAME, audit_files
from holdfast.core.config import Site
from holdfast.core.config.device import is_file
from holdfast.core.config.section import FilePath
from holdfast.core.strict_yaml import parse_yaml
from holdfast.site.devices import devices
from holdfast.site.files import SiteFiles

FOLDER, STATE, ELSEWHERE = "site", "state", "elsewhere"
"""The parts of a backup: below the folder of site.yaml; a state_dir that is not; all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKept:
    """Describes files of a ``state_dir`` that no backup has."""

    pattern: str
    """Is matched with the path below ``state_dir``; a star goes through folders."""
    reason: str


LEFT_OUT: tuple[NotKept, ...] = (
    NotKept(pattern="*.lock", reason="it belongs to a process that runs"),
    NotKept(pattern="*.shm", reason="it is shared memory of processes that run"),
    NotKept(pattern="*.new", reason="it is about to take another file's place"),
    NotKept(pattern="*.corrupt", reason="it was kept for whoever looked into it"),
    NotKept(pattern="*.corrupt-*", reason="it was kept for whoever looked into it"),
    NotKept(pattern="*-wal", reason="it is a part of the database, which is copied as a whole"),
    NotKept(pattern="*-journal", reason="it is a part of the database, which is copied as a whole"),
    NotKept(pattern="history.db", reason="it is copied as a database"),
    NotKept(pattern="history-backup.db", reason="it is another copy of the database"),
    NotKept(pattern="audit/audit*", reason="it is copied in the order in which it can be verified"),
    NotKept(pattern="apply.json", reason="it asks a supervisor that runs to do something"),
    NotKept(pattern="running.json", reason="a site that is put back waits for a start"),
    NotKept(pattern="accounts/sessions.json", reason="who was logged in logs in again"),
    NotKept(pattern="backups/*", reason="no backup has another one in it"),
)
LOGS = NotKept(pattern="log/*", reason="it is for whoever looks for a mistake now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Holds a file, and its name in the backup."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Tells what a backup of a site has in it, beside its database."""

    files: tuple[Kept, ...]
    audit: tuple[Kept, ...]
    """The head comes first: a log that goes on behind it is whole."""
    missing: tuple[str, ...]
    """They are files that site.yaml names, and that are not there."""


def contents_of(config: Path, site: Site, *, logs: bool = False) -> Contents:
    """Looks at what there is of ``site``. Raises OSError."""
    folder, state = config.parent.absolute(), Path(site.state_dir)
    named = [config.absolute(), *_named_files(site, folder)]
    inner = state_name(folder, state)
    files = SiteFiles(state_dir=state)
    left_out = LEFT_OUT if logs else (*LEFT_OUT, LOGS)
    head = files.audit / HEAD_NAME
    audit = [*([head] if head.exists() else []), *audit_files(files.audit)]
    kept = {path: _name(folder, path) for path in named if path.is_file()}
    kept |= {path: f"{inner}/{path.relative_to(state)}" for path in _state_files(state, left_out)}
    return Contents(
        files=tuple(Kept(name=name, path=path) for path, name in kept.items()),
        audit=tuple(Kept(name=f"{inner}/audit/{path.name}", path=path) for path in audit),
        missing=tuple(str(path) for path in named if not path.is_file()),
    )


def state_name(folder: Path, state: Path) -> str:
    """Returns what ``state_dir`` is called in the backup of a site in ``folder``."""
    try:
        return f"{FOLDER}/{state.relative_to(folder)}"
    except ValueError:
        return STATE


def _name(folder: Path, path: Path) -> str:
    try:
        return f"{FOLDER}/{path.relative_to(folder)}"
    except ValueError:
        return str(PurePosixPath(ELSEWHERE) / path.relative_to(path.anchor))


def _state_files(state: Path, left_out: tuple[NotKept, ...]) -> Iterator[Path]:
    """Yields what is a file, and no link, socket or pipe."""
    for place, folders, names in os.walk(state):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            inner = str(path.relative_to(state))
            if any(fnmatchcase(inner, row.pattern) for row in left_out):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _named_files(site: Site, folder: Path) -> Iterator[Path]:
    """Yields the files that site.yaml names: prices, rules, calendars, secrets, tables."""
    own = {site.state_dir, site.hardware_watchdog}
    found = [folder / path for path in _paths(site) if path not in own]
    tables = (device.profile for _, device in devices(site).values())
    for table in (folder / table for table in tables if is_file(table)):
        found += [table, *_named_by(table)]
    yield from dict.fromkeys(Path(os.path.normpath(path)) for path in found)


def _named_by(table: Path) -> Iterator[Path]:
    """Yields the file of frames that a table of the owner's rests on."""
    content = parse_yaml(table.read_text(encoding="utf-8"))
    if isinstance(content, dict) and isinstance(content.get("dbc"), str):
        yield table.parent / content["dbc"]


def _paths(value: object) -> Iterator[FilePath]:
    if isinstance(value, FilePath):
        yield value
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _paths(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _paths(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _paths(inner)
