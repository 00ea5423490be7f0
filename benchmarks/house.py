"""The house: how large its modules and functions are, and what each command loads.

``--root FOLDER`` measures another checkout, such as one of an earlier commit.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import summarise

HERE = Path(__file__).parents[1]
COMMANDS = ("estop", "status", "explain", "check", "limits", "plan", "prices", "forecast", "audit")
_LOADED = """
import sys
before = set(sys.modules)
from holdfast.cli.main import main
try:
    main([{command!r}, "--help"])
except SystemExit:
    pass
print(len(set(sys.modules) - before), file=sys.stderr)
"""


def sizes(root: Path) -> dict[str, dict[str, float]]:
    """Lines of modules, and of functions without their docstrings."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "holdfast").rglob("*.py")]
    modules = [len(text.splitlines()) for text in texts]
    functions = [
        _lines(node)
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {"lines a module": _table(modules), "lines a function": _table(functions)}


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    first = node.body[0]
    doc = ast.get_docstring(node, clean=False) is not None and first.end_lineno is not None
    without = first.end_lineno - first.lineno + 1 if doc and first.end_lineno else 0
    return node.end_lineno - node.lineno + 1 - without


def _table(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    found = summarise(values)
    p90 = ordered[int(len(ordered) * 0.9)]
    return {"count": found["count"], "median": found["p50"], "p90": p90, "max": found["max"]}


def modules_loaded(root: Path, command: str) -> int:
    """How many modules a process has loaded when it knows the arguments of ``command``."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(command=command)],
        env=os.environ | {"PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stderr.split()[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=HERE, help="default: this checkout")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    found: dict[str, dict[str, float]] = {
        **sizes(root),
        "modules loaded": {command: modules_loaded(root, command) for command in COMMANDS},
    }
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, figures in found.items():
            print(f"{name:<18}" + "  ".join(f"{key} {value:g}" for key, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
