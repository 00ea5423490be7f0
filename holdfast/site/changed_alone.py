"""A file that several processes change is changed by one of them at a time.

The lock is the kernel's: it ends with the process that holds it, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.core.errors import AlreadyRunning

WITHIN_S = 5.0
"""Who holds a file longer than that hangs."""
_TRY_EVERY_S = 0.02


@contextmanager
def changed_alone(path: Path) -> Iterator[None]:
    """Keeps others that ask here from changing ``path`` until the end of the block.

    Raises AlreadyRunning if somebody else is at it for long, and OSError if there can be no lock.
    """
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    end_s = time.monotonic() + WITHIN_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end_s:
                raise AlreadyRunning(
                    f"another process holds {path} for more than {WITHIN_S:g} s"
                ) from None
            time.sleep(_TRY_EVERY_S)
        else:
            return
