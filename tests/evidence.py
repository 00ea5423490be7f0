"""What a table names as its evidence has to be there: a test by its name, or a file."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


def is_there(evidence: str) -> bool:
    """Whether ``evidence`` exists: ``path::name`` below tests/, or a file there or here."""
    path, _, name = evidence.partition("::")
    places = [place for place in (ROOT / "tests" / path, ROOT / path) if place.is_file()]
    return bool(places) and (not name or name in _tests_of(places[0]))


@cache
def _tests_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )
