"""Somebody has seen that the site was switched off: nobody else has to be told any more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Tells who has seen all that was told up to then."""

    utc: datetime
    who: str


_ADAPTER = TypeAdapter(Acknowledgement)


def acknowledge(
    path: Path, who: str, utc: datetime, write: Callable[[Path, bytes], None]
) -> Acknowledgement:
    """Has it on the disk, where the gateway looks. Raises OSError."""
    done = Acknowledgement(utc=utc, who=who)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    write(path, to_json(done))
    return done


def last_acknowledgement(path: Path) -> Acknowledgement | None:
    """Returns who acknowledged last by hand; None if nobody did, or that cannot be read."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
