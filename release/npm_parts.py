"""What npm brings: what goes into the pages, and what only builds them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path("pages") / "package-lock.json"
BUILDS_ONLY = frozenset({"vite"})
"""Of the pages' dependencies these leave nothing of themselves in what is built."""
_ROOT = ""
_FOLDER = "node_modules/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmPart:
    """Tells of a package of npm."""

    name: str
    version: str
    licence: str
    sha512_hex: str
    in_pages: bool
    """False: it builds the pages, and is not on the computer of a site."""
    needs: tuple[str, ...]


def npm_parts(root: Path) -> tuple[NpmPart, ...]:
    """Returns what the lock names for a build, sorted by name; what only develops is left out."""
    packages: dict[str, Any] = json.loads((root / LOCK).read_text(encoding="utf-8"))["packages"]
    shipped = _closure(packages, set(packages[_ROOT]["dependencies"]) - BUILDS_ONLY)
    return tuple(
        _part(path.removeprefix(_FOLDER), package, shipped, packages)
        for path, package in sorted(packages.items())
        if path != _ROOT and not package.get("dev")
    )


def _part(
    name: str, package: dict[str, Any], shipped: set[str], packages: dict[str, Any]
) -> NpmPart:
    algorithm, _, digest = package["integrity"].partition("-")
    assert algorithm == "sha512", f"{name}: {algorithm}"
    return NpmPart(
        name=name,
        version=package["version"],
        licence=package["license"],
        sha512_hex=base64.b64decode(digest).hex(),
        in_pages=name in shipped,
        needs=tuple(need for need in _needs(package) if f"{_FOLDER}{need}" in packages),
    )


def _closure(packages: dict[str, Any], names: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _needs(packages[f"{_FOLDER}{name}"])
    return found


def _needs(package: dict[str, Any]) -> list[str]:
    return sorted({**package.get("dependencies", {}), **package.get("optionalDependencies", {})})
