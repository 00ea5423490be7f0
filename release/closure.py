"""What Holdfast installs, as it is installed here: from the metadata of the wheels themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "holdfast"
EXTRAS = ("forecast", "sunspec", "mqtt", "gpio", "dbc", "parquet")
"""What an owner may install; the others are for who works on Holdfast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tells of a distribution that Holdfast needs."""

    name: str
    version: str
    extras: tuple[str, ...]
    """Names the extras of Holdfast that need it; empty if every site does."""
    needs: tuple[str, ...]
    """Names the distributions that it needs itself."""


def parts() -> tuple[Part, ...]:
    """Returns all that Holdfast and its extras install, sorted by name.

    Raises importlib.metadata.PackageNotFoundError if one of them is not installed here.
    """
    always = _closure(("",))
    needed_by: dict[str, list[str]] = {}
    for extra in EXTRAS:
        for name in _closure((extra,)) - always:
            needed_by.setdefault(name, []).append(extra)
    return tuple(
        Part(
            name=name,
            version=distribution(name).version,
            extras=tuple(needed_by.get(name, ())),
            needs=tuple(sorted({need for need, _ in _needs(distribution(name), ("",))})),
        )
        for name in sorted({*always, *needed_by})
    )


def roots() -> tuple[str, ...]:
    """Returns what Holdfast itself names, for every site or for an extra."""
    return tuple(sorted({name for name, _ in _needs(distribution(PRODUCT), ("", *EXTRAS))}))


def _closure(extras: tuple[str, ...]) -> set[str]:
    found: dict[str, frozenset[str]] = {}
    waiting = [(PRODUCT, frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        for need, its_extras in _needs(distribution(name), ("", *sorted(wanted))):
            if need not in found or not its_extras <= found[need]:
                found[need] = found.get(need, frozenset()) | its_extras
                waiting.append((need, its_extras))
    return set(found)


def _needs(of: Distribution, extras: tuple[str, ...]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in of.requires or ():
        need = Requirement(text)
        marker = need.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield canonicalize_name(need.name), frozenset(need.extras)
