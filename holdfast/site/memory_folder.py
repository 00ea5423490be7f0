"""The shared memory of a site lies in RAM. It changes fifty times a second, which wears out an SD
card.

The folder's name follows from the ``state_dir``, so that all processes and the command line find
it; a copy of a ``state_dir`` has another one. Anybody may make files in ``/dev/shm``: what is not a
folder for its owner only, who is the owner of the ``state_dir`` or root, is left alone, and the
shared memory lies in the ``state_dir`` itself, as it does where there is no ``/dev/shm``.
"""

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

ROOT = Path("/dev/shm")


def memory_folder(state_dir: Path) -> Path:
    """Returns the folder in RAM of the site whose files are in ``state_dir``, or ``state_dir``."""
    try:
        whole, owner = state_dir.resolve(), state_dir.stat()
        folder = _named(whole, owner)
        found = folder.lstat()
    except OSError:
        return state_dir
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return folder if private and found.st_uid in {0, owner.st_uid} else whole


def make_memory_folder(state_dir: Path) -> None:
    """Makes the folder in RAM, if that can be."""
    with suppress(OSError):
        _named(state_dir.resolve(), state_dir.stat()).mkdir(mode=stat.S_IRWXU)


def restore_memory_folder(folder: Path) -> None:
    """Makes ``folder`` anew if it was one in RAM. Raises OSError."""
    if folder.parent == ROOT:
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def remove_memory_folder(state_dir: Path) -> None:
    """Gives the RAM back, once all processes of the site have ended."""
    folder = memory_folder(state_dir)
    if folder.parent == ROOT:
        shutil.rmtree(folder, ignore_errors=True)


def _named(state_dir: Path, folder: os.stat_result) -> Path:
    who = f"{state_dir} {folder.st_dev} {folder.st_ino}"
    return ROOT / f"holdfast-{hashlib.sha256(os.fsencode(who)).hexdigest()[:16]}"
