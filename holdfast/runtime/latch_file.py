"""The latch file: latches on disk, written before anybody is told of them."""

import logging
from pathlib import Path

from holdfast.core.errors import LatchCorrupt
from holdfast.core.latches import LATCH_FILE_CORRUPT, Latches, decode, encode
from holdfast.runtime.files import keep_corrupt, write_atomically

_log = logging.getLogger(__name__)


def load_latches(path: Path) -> Latches:
    """Latches in ``path``; none if the file does not exist yet.

    A file that cannot be trusted is copied to ``.corrupt`` and becomes a latched fault: the
    site starts in ERROR. It stays in its place until that fault is saved over it, so a kill
    in between forgets nothing.
    """
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return Latches()
    except (LatchCorrupt, OSError) as error:
        _log.critical("%s: %s", path, error)
    keep_corrupt(path)
    return Latches(faults=(LATCH_FILE_CORRUPT,))


def save_latches(path: Path, latches: Latches) -> None:
    """Write ``latches``; on return they are on the disk. Raises OSError."""
    write_atomically(path, encode(latches))
