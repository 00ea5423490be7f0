"""Backups in one folder are named by site and time, and only so many are kept."""

import re
from datetime import datetime
from pathlib import Path

END = ".holdfast.zip"
_STAMP = r"[0-9]{8}T[0-9]{6}Z"


def backup_name(site: str, made: datetime) -> str:
    """Returns the name of a backup of ``site``."""
    return f"{_plain(site)}-{made:%Y%m%dT%H%M%SZ}{END}"


def remove_old(folder: Path, site: str, keep: int) -> tuple[Path, ...]:
    """Removes the oldest backups of ``site``, and no other file. Raises OSError."""
    name = re.compile(rf"{re.escape(_plain(site))}-{_STAMP}{re.escape(END)}")
    found = sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
    gone = tuple(found[:-keep])
    for path in gone:
        path.unlink()
    return gone


def _plain(site: str) -> str:
    """Returns a site's name as files can have it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", site).strip("-").lower() or "site"
