"""A site has one of each process: a second controller would be a second writer to its devices.

The locks are the kernel's: they end with the process that holds them, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from holdfast.core.errors import AlreadyRunning, ConfigError
from holdfast.site.files import SiteFiles

_PID_BYTES = 32


@contextmanager
def hold_lock(files: SiteFiles, name: str) -> Iterator[None]:
    """Makes this the only ``name`` of a site until the end of the block.

    Raises AlreadyRunning, which names who is, and ConfigError if there can be no lock.
    """
    path = files.lock(name)
    try:
        # Never removed: whoever made it anew would hold a lock of his own.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"state_dir: {path} cannot be made: {error}") from error
    try:
        _take(descriptor, fcntl.LOCK_EX, files, name)
        with suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def refuse_second(files: SiteFiles, *names: str) -> None:
    """Raises AlreadyRunning if one of ``names`` runs at a site. Makes nothing."""
    for name in names:
        try:
            descriptor = os.open(files.lock(name), os.O_RDONLY)
        except OSError:
            continue  # nobody has ever held it, or whoever wants it will be told
        try:
            _take(descriptor, fcntl.LOCK_SH, files, name)
        finally:
            os.close(descriptor)


def _take(descriptor: int, kind: int, files: SiteFiles, name: str) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, _PID_BYTES, 0).decode(errors="replace")
        who = f"process {pid}" if pid else "another process"
        raise AlreadyRunning(f"a {name} already runs in {files.state_dir}: {who}") from None
    except OSError as error:
        raise ConfigError(f"state_dir: {files.lock(name)} cannot be locked: {error}") from error
