"""The latch file has the latches on disk; it is written before anybody is told of them."""

import logging
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from holdfast.core.errors import LatchCorrupt
from holdfast.core.latches import LATCH_FILE_CORRUPT, Latches, decode, encode
from holdfast.site.files import keep_corrupt, write_atomically

_log = logging.getLogger(__name__)


def load_latches(path: Path, traces: Collection[Path] = ()) -> Latches:
    """Returns the latches in ``path``; none if the file does not exist yet.

    A file that is missing where one of ``traces`` tells that there was one is as bad as one that
    cannot be trusted: nobody knows what was latched. That is a latched fault: the site starts in
    ERROR. What cannot be trusted is copied to ``.corrupt``, and stays in its place until that
    fault is saved over it, so a kill in between forgets nothing.
    """
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        told_by = [trace for trace in traces if trace.exists()]
        if not told_by:
            return Latches()
        _log.critical("%s is gone, and %s tells that this site has run", path, told_by[0])
        return Latches(faults=(LATCH_FILE_CORRUPT,))
    except (LatchCorrupt, OSError) as error:
        _log.critical("%s: %s", path, error)
    keep_corrupt(path)
    return Latches(faults=(LATCH_FILE_CORRUPT,))


def make_first(path: Path, traces: Collection[Path]) -> None:
    """Makes an empty latch file at the first start ever, before there is any of ``traces``.

    A disk that does not take it is told of later, by who saves latches.
    """
    if not path.exists() and not any(trace.exists() for trace in traces):
        with suppress(OSError):
            save_latches(path, Latches())


def save_latches(path: Path, latches: Latches) -> None:
    """Writes ``latches``; on return they are on the disk. Raises OSError."""
    write_atomically(path, encode(latches))
