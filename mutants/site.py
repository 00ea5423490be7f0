"""A site: one place of a module and one small way to break it there."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mutants.names import Vocabulary
from mutants.operators import edits

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The nth edit of a module, and what it does, for people."""

    module: str
    index: int
    line: int
    family: str
    source: str
    """The line, without its indent."""
    change: str
    """``before -> after``."""

    def __str__(self) -> str:
        return f"{path_of(self.module).as_posix()}:{self.line}: [{self.family}] {self.change}"


def path_of(module: str) -> Path:
    """Path of ``module`` within the repository."""
    return Path(*module.split(".")).with_suffix(".py")


@cache
def source_of(module: str) -> str:
    """The text of ``module``, the same for the whole run."""
    return (ROOT / path_of(module)).read_text(encoding="utf-8")


def sites_of(module: str, vocabulary: Vocabulary) -> list[Site]:
    """Every site of ``module``, in a fixed order."""
    text = source_of(module)
    lines = text.splitlines()
    return [
        Site(
            module=module,
            index=index,
            line=edit.line,
            family=edit.family,
            source=lines[edit.line - 1].strip(),
            change=edit.change,
        )
        for index, edit in enumerate(edits(ast.parse(text), vocabulary))
    ]


def mutated_tree(site: Site, vocabulary: Vocabulary) -> ast.Module:
    """The module's syntax tree with the edit of ``site`` made."""
    tree = ast.parse(source_of(site.module))
    for index, edit in enumerate(edits(tree, vocabulary)):
        if index == site.index:
            edit.make()
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{site.module} has no site {site.index}")
