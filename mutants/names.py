"""Names that can be mistaken for each other: members of an enumeration, and twins."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_ENUM_BASES = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})

_PAIRS = (
    ("min", "max"),
    ("low", "high"),
    ("discharge", "charge"),
    ("hot", "cold"),
    ("up", "down"),
    ("first", "last"),
    ("import", "export"),
    ("absolute", "of_bound"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What is known of names before a module is read."""

    enums: Mapping[str, tuple[str, ...]]
    """Members by the name of their class."""


def vocabulary(files: Iterable[Path]) -> Vocabulary:
    """The enumerations of all these modules."""
    enums: dict[str, tuple[str, ...]] = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and _is_enum(node):
                enums[node.name] = _members(node)
    return Vocabulary(enums=enums)


def aliases(tree: ast.Module, words: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Members by every name that stands for an enumeration in ``tree``: ``_R = Reaction``."""
    known = dict(words.enums)
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            for target, value in _pairs_of(node.targets[0], node.value):
                if isinstance(target, ast.Name) and isinstance(value, ast.Name):
                    members = words.enums.get(value.id)
                    if members is not None:
                        known[target.id] = members
    return known


def twin(name: str, identifiers: frozenset[str]) -> str | None:
    """``charge_w`` for ``discharge_w`` and the other way round, if the module knows both."""
    for one, other in _PAIRS:
        for before, after in ((one, other), (other, one)):
            for old, new in ((before, after), (before.upper(), after.upper())):
                if old in name:
                    swapped = name.replace(old, new)
                    if swapped in identifiers:
                        return swapped
    return None


def identifiers(tree: ast.Module) -> frozenset[str]:
    """All names and attributes that ``tree`` mentions."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(names | {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)})


def _pairs_of(target: ast.expr, value: ast.expr) -> Iterable[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return zip(target.elts, value.elts, strict=True)
    return ((target, value),)


def _is_enum(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id in _ENUM_BASES for base in node.bases)


def _members(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(
        statement.targets[0].id
        for statement in node.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    )
