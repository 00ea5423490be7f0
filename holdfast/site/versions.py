"""Versions of site.yaml tell what older files call otherwise, and which files are too new.

A file without ``version`` is of version 1. Where a key gets another name, ``VERSION`` rises and a
row joins ``RENAMED``: older files are read as before, and a newer one that has the old name is told
the new one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from holdfast.core.errors import ConfigError

VERSION = 1
"""``holdfast init`` writes this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """Describes a key that has another name since a version."""

    since: int
    section: tuple[str, ...] = ()
    """Tells where it stands, from the top; through a list it is in each entry."""
    old: str
    new: str


RENAMED: tuple[Renamed, ...] = ()


def bring_up_to_date(content: dict[str, Any]) -> None:
    """Gives the keys of a site.yaml the names of today. Raises ConfigError."""
    version = content.get("version", 1)
    if type(version) is not int or version < 1:
        raise ConfigError(f"version: {version!r}: must be a whole number from 1 to {VERSION}")
    if version > VERSION:
        raise ConfigError(
            f"version: {version}: this Holdfast reads site.yaml up to version {VERSION}; "
            "a newer Holdfast is needed"
        )
    content["version"] = VERSION
    for row in RENAMED:
        for section in _sections(content, row.section):
            if row.old in section:
                _rename(section, row, version)


def _rename(section: dict[str, Any], row: Renamed, version: int) -> None:
    place = ".".join((*row.section, row.old))
    if version >= row.since:
        raise ConfigError(f"{place}: is called {row.new} since version {row.since}")
    if row.new in section:
        raise ConfigError(f"{place}: stands there as {row.new}, too; only one of them can be")
    section[row.new] = section.pop(row.old)


def _sections(content: object, place: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yields all that stand at ``place``; what is no section is refused later, with its reason."""
    if isinstance(content, list):
        for entry in content:
            yield from _sections(entry, place)
    elif isinstance(content, dict) and place:
        yield from _sections(content.get(place[0]), place[1:])
    elif isinstance(content, dict):
        yield content
