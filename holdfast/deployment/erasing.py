"""What a site has written is deleted: all but what a reset keeps, or what is about persons.

It never touches the latches: a fault or an emergency stop that is latched stays latched. It needs a
site at which nothing runs, and can be begun again after a crash. The audit log is begun anew last,
so that what was done is on record in the log that is left.
"""

import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdfast.client.audit_reader import HEAD_NAME, audit_files
from holdfast.client.messages import Act
from holdfast.core.config import Site
from holdfast.core.errors import AlreadyRunning, ConfigError
from holdfast.monitoring.audit.events import OperatorActed, short
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.site.file_kinds import FILE_KINDS, FileKind, unknown_files
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock

PROCESSES = ("supervisor", "controller", "watchdog", "planner", "gateway", "api")
"""None of them may run meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Tells what became of the files of a site."""

    removed: tuple[str, ...]
    """Names the kinds of which something was there, and is gone."""
    kept: tuple[FileKind, ...]
    """Holds those of which something was there, and is still."""
    unknown: tuple[Path, ...]
    """Holds what lies in ``state_dir`` and is not Holdfast's: it was not touched."""
    elsewhere: str
    """Tells where else there is a history, which was not touched; empty if it is nowhere."""


@contextmanager
def at_rest(files: SiteFiles) -> Iterator[None]:
    """Keeps every process of a site from running until the end of the block.

    Raises AlreadyRunning if one does, and ConfigError if there can be no lock.
    """
    with ExitStack() as locks:
        for name in PROCESSES:
            try:
                locks.enter_context(hold_lock(files, name))
            except AlreadyRunning as error:
                raise AlreadyRunning(
                    f"{error}; nothing was deleted: end `holdfast run` first"
                ) from error
        yield


def not_kept() -> tuple[FileKind, ...]:
    """Returns what a reset to the state as installed deletes."""
    return tuple(kind for kind in FILE_KINDS if not kind.kept)


def about_persons() -> tuple[FileKind, ...]:
    """Returns what a wipe of personal data deletes."""
    return tuple(kind for kind in FILE_KINDS if kind.personal)


def erase(
    site: Site, files: SiteFiles, kinds: Collection[FileKind], *, act: Act, who: str
) -> Erased:
    """Deletes ``kinds`` at a site that is held :func:`at_rest`, and puts it on record.

    Raises ConfigError for what cannot be deleted; then it can be begun again.
    """
    removed = []
    try:
        for kind in kinds:
            found = list(kind.present(files))
            if found and kind.name != "audit":
                _remove(found)
            removed += [kind.name] * bool(found)
        if audit_files(files.audit) and any(kind.name == "audit" for kind in kinds):
            _begin_record_anew(files.audit, _record(act, who, removed))
    except OSError as error:
        raise ConfigError(f"not everything could be deleted: {error}; try it again") from error
    return Erased(
        removed=tuple(removed),
        kept=tuple(kind for kind in FILE_KINDS if any(kind.present(files))),
        unknown=tuple(unknown_files(files)),
        elsewhere=site.history.url or "",
    )


def _remove(paths: Collection[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _record(act: Act, who: str, removed: Collection[str]) -> Entry:
    acted = OperatorActed(
        who=who,
        how="command line",
        what=act,
        detail=short(f"deleted: {', '.join(removed)}"),
        accepted=True,
    )
    return Entry(utc=datetime.now(UTC), monotonic_ns=time.monotonic_ns(), event=acted)


def _begin_record_anew(folder: Path, entry: Entry) -> None:
    """Leaves a log of one file, which tells what was deleted of it."""
    log = AuditFolder(folder)
    try:
        log.start_over([entry])
        log.save_head()
    finally:
        log.close()
    kept = {*audit_files(folder), folder / HEAD_NAME}
    _remove([path for path in folder.iterdir() if path not in kept])
