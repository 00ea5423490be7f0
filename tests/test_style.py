"""Rules of the code that no linter knows."""

import ast
from pathlib import Path

import pytest

import holdfast
from mutants.safety_path import modules
from mutants.site import path_of

ROOT = Path(holdfast.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
SAFETY_PATH = [ROOT.parent / path_of(module) for module in modules()]
_MUTABLE_BY_NATURE = {"CommsCounters", "Mean", "Damage", "Energies", "Tally", "Tallies"}
"""Counters and running sums."""


def _trees():
    return [
        (path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES
    ]


def _is_true(call: ast.Call, name: str) -> bool:
    return any(
        keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value
        for keyword in call.keywords
    )


def test_value_objects_are_frozen_slotted_and_keyword_only():
    found = []
    for path, tree in _trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                name = call.func if call is not None else decorator
                if not (isinstance(name, ast.Name) and name.id == "dataclass"):
                    continue
                asked = {"slots", "kw_only"} | (
                    set() if node.name in _MUTABLE_BY_NATURE else {"frozen"}
                )
                missing = {a for a in asked if call is None or not _is_true(call, a)}
                if missing:
                    found.append(f"{path}:{node.name} is not {', '.join(sorted(missing))}")
    assert found == []


def test_the_rule_about_value_objects_can_fail():
    (bad,) = ast.parse("@dataclass(frozen=True)\nclass X: pass").body
    assert not _is_true(bad.decorator_list[0], "slots")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_enough_to_be_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


@pytest.mark.parametrize("path", SAFETY_PATH, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_safety_path_has_no_module_state_that_can_change(path):
    """What is assigned at module level is a constant: upper case, or private upper case."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                assert isinstance(name, ast.Name)
                constant = name.id == "__all__" or name.id.strip("_")[0].isupper()
                assert constant, f"{name.id} looks like a variable"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]


def test_no_public_class_has_the_name_of_another():
    """Whoever reads a name knows which thing it is."""
    places = {}
    for path, tree in _trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_formatter_is_switched_off_for_tables_only():
    """A signature or a call is laid out as everywhere; rows of a table stay one a line."""
    found = []
    for path, tree in _trees():
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        ends = {node.end_lineno: node for node in ast.walk(tree) if isinstance(node, ast.stmt)}
        for number, line in enumerate(lines, 1):
            if line.endswith("# fmt: skip") and not isinstance(
                ends.get(number), ast.Assign | ast.AnnAssign
            ):
                found.append(f"{path}:{number}")
    assert found == []
