"""A make target installs what it runs: nothing passes only because another one ran before."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

RUNS = {
    # Folders whose code a target runs; `prove` has the tests of the proofs to itself.
    "demo": ("holdfast",),
    "test": ("tests", "fuzz", "mutants", "benchmarks", "release", "holdfast"),
    "quick": ("tests", "fuzz", "mutants", "benchmarks", "release", "holdfast"),
    "coverage": ("tests", "fuzz", "holdfast"),
    "mutants": ("tests", "fuzz", "mutants", "holdfast"),
    "prove": ("tests/proofs", "proofs"),
    "fuzz": ("fuzz",),
    "release": ("release", "holdfast"),
    "vulnerabilities": ("release", "holdfast"),
    "docs": ("docs",),
}
ONLY = {ROOT / "tests" / "proofs": "prove", ROOT / "fuzz" / "guided.py": "fuzz"}
"""What one target has to itself."""
DISTRIBUTIONS = {
    # Where the distribution has another name than what is imported or run.
    "PIL": "pillow",
    "argon2": "argon2-cffi",
    "can": "python-can",
    "cyclonedx": "cyclonedx-python-lib",
    "dateutil": "python-dateutil",
    "celpy": "cel-python",
    "lint-imports": "import-linter",
    "packageurl": "packageurl-python",
    "paho": "paho-mqtt",
    "pydantic_core": "pydantic",  # it pins the one that it needs
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "sunspec2": "pysunspec2",
    "yaml": "pyyaml",
    "z3": "z3-solver",
}
LATE = frozenset(
    {"aiomqtt", "cantools", "gpiod", "paho", "pandas", "pvlib", "pyarrow", "sklearn", "sunspec2"}
)
"""What the product imports where it is used, and does without."""
OURS = frozenset({"holdfast", "tests", "proofs", "mutants", "benchmarks", "fuzz", "release"})


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[^A-Za-z0-9._-]", text)[0]) for text in requirements}


def _extras(target: str) -> list[str]:
    """Of what the target waits for in the Makefile."""
    stamp = re.search(rf"^{target}: \$\(VENV\)/installed(?:-(\w+))?\b", MAKEFILE, re.M)
    assert stamp, f"Makefile: {target} installs nothing"
    if stamp[1] is None:
        return []
    extras = re.search(rf"^EXTRAS_{stamp[1]} := (\S+)$", MAKEFILE, re.M)
    assert extras, f"Makefile: EXTRAS_{stamp[1]} is missing"
    return extras[1].split(",")


def _installed(target: str) -> set[str]:
    optional = PROJECT["optional-dependencies"]
    return _names(PROJECT["dependencies"]).union(*(_names(optional[e]) for e in _extras(target)))


def imported(tree: ast.AST) -> Iterator[str]:
    """Top names of all modules that are imported, anywhere, or that a test skips itself without."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Call(
                func=ast.Attribute(attr="importorskip"), args=[ast.Constant(value=str(module)), *_]
            ):
                yield module.partition(".")[0]


@cache
def _imported_by(path: Path) -> frozenset[str]:
    return frozenset(imported(ast.parse(path.read_text(encoding="utf-8"))))


def _modules(target: str) -> Iterator[Path]:
    for folder in RUNS[target]:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if all(target == one or not path.is_relative_to(own) for own, one in ONLY.items()):
                yield path


def needed(paths: Iterator[Path]) -> dict[str, Path]:
    """Distributions that somebody else makes, and a file that imports from each."""
    found = {}
    for path in paths:
        beside = {other.stem for other in path.parent.glob("*.py")}
        for name in _imported_by(path) - sys.stdlib_module_names - OURS - beside:
            found[_normal(DISTRIBUTIONS.get(name, name))] = path.relative_to(ROOT)
    return found


@pytest.mark.parametrize("target", RUNS)
def test_a_target_installs_what_it_imports(target: str) -> None:
    declared = _installed(target)
    late = _names(sorted(DISTRIBUTIONS.get(name, name) for name in LATE))
    missing = {
        name: f"{path} imports it"
        for name, path in needed(_modules(target)).items()
        if name not in declared and not (target == "demo" and name in late)
    }
    assert missing == {}, f"make {target} installs {_extras(target)}"


@pytest.mark.parametrize("target", [*RUNS, "lint"])
def test_a_target_installs_the_programs_that_it_runs(target: str) -> None:
    recipe = re.search(rf"^{target}: [^\n]*\n((?:\t[^\n]*\n)+)", MAKEFILE, re.M)
    assert recipe
    recipe_text = recipe[1].replace("$(PYTEST)", "$(BIN)/pytest")
    programs = set(re.findall(r"\$\(BIN\)/([\w-]+)", recipe_text)) - {"python", "holdfast"}
    programs |= set(re.findall(r" -m (\w+)", recipe_text)) - OURS
    assert {_normal(DISTRIBUTIONS.get(name, name)) for name in programs} <= _installed(target)


def test_what_the_product_does_without_is_imported_late() -> None:
    """Never when a module is: the site runs without the extras of a forecast or a device."""
    early = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "holdfast").rglob("*.py")
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in imported(statement)
        if name in LATE
    }
    assert early == set()


def test_imports_are_seen_wherever_they_stand() -> None:
    code = (
        "import a.b\nfrom c.d import e\nfrom . import near\n"
        "def f():\n    import g\n    pytest.importorskip('h.i')\n"
    )
    assert set(imported(ast.parse(code))) == {"a", "c", "g", "h"}
