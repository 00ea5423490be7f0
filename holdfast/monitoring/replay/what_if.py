"""A recorded site with other values answers what would have been decided with them."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Final

from holdfast.core.errors import ConfigError
from holdfast.core.strict_yaml import parse_yaml
from holdfast.monitoring.replay.coding import Json
from holdfast.safety.finding import Level
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, LimitRow

_NEAR: Final = 5
_LEVELS: Final = tuple(level.name.lower() for level in (Level.WARNING, Level.ALARM, Level.TRIP))
Way = tuple[str | int, ...]


def with_changes(site: Mapping[str, Json], changes: Sequence[str]) -> dict[str, Json]:
    """Returns what a recording tells of a site, changed by texts as ``grid.import_max_w=9000``.

    A key may be told by its end, as long as only one has it. Raises ConfigError.
    """
    changed: dict[str, Json] = deepcopy(dict(site))
    paths = dict(_paths(changed))
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise ConfigError(f"{change}: write it as KEY=VALUE")
        *way, last = paths[_found(key.strip(), paths)]
        place: Json = changed
        for step in way:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        content = parse_yaml(f"value: {value.strip()}")
        place[last] = content["value"] if isinstance(content, dict) else None
    return changed


def _found(key: str, paths: Mapping[str, Way]) -> str:
    if key in paths:
        return key
    ends = [name for name in paths if name.endswith(f".{key}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise ConfigError(f"{key}: may be any of {', '.join(sorted(ends))}")
    tails = {_tail(name, key.count(".") + 1): name for name in paths}
    near = [tails[tail] for tail in difflib.get_close_matches(key, tails, _NEAR)]
    hint = f"; near are {', '.join(near)}" if near else ""
    raise ConfigError(f"{key}: no recording has such a key{hint}")


def _tail(name: str, parts: int) -> str:
    return ".".join(name.split(".")[-parts:])


def _paths(site: Mapping[str, Json]) -> Iterator[tuple[str, Way]]:
    """Yields each key that can be changed: what the recording tells, and the rows of limits."""
    for name, way in _inside("", (), site):
        if "profile" not in way and "connection" not in way:
            yield name, way
    yield from _limits("", (), SITE_LIMITS)
    for index, unit in enumerate(site.get("storage", ())):
        yield from _limits(f"storage[{unit['name']}].", ("storage", index), UNIT_LIMITS)


def _inside(before: str, way: Way, content: Json) -> Iterator[tuple[str, Way]]:
    match content:
        case dict():
            for key, value in content.items():
                yield from _inside(f"{before}.{key}" if before else key, (*way, key), value)
        case list() if content and all(
            isinstance(part, dict) and "name" in part for part in content
        ):
            for index, part in enumerate(content):
                yield from _inside(f"{before}[{part['name']}]", (*way, index), part)
        case _:
            yield before, way


def _limits(before: str, way: Way, rows: Sequence[LimitRow]) -> Iterator[tuple[str, Way]]:
    for row in rows:
        for level in _LEVELS:
            yield f"{before}limits.{row.id}.{level}", (*way, "limits", row.id, level)
