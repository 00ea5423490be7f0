"""Runs a module of Holdfast with one check taken out.

``python -m tests.hostile.without CHECK MODULE ARGUMENTS``.

CHECK is ``module:Class.method``, or empty. A method of a safety layer returns its findings and its
memory: without it there are no findings, and the memory stays as it was.
"""

import importlib
import runpy
import sys
from typing import Any


def take_out(check: str) -> None:
    """Puts a method that finds nothing in the place of ``check``."""
    module_name, _, path = check.partition(":")
    owner_name, _, method = path.partition(".")
    owner = getattr(importlib.import_module(module_name), owner_name)
    original = getattr(owner, method)

    def finds_nothing(*arguments: Any, **keywords: Any) -> Any:
        result = original(*arguments, **keywords)
        return tuple(() if _are_findings(part) else part for part in result)

    setattr(owner, method, finds_nothing)


def _are_findings(part: object) -> bool:
    return isinstance(part, tuple) and all(type(item).__name__ == "Finding" for item in part)


if __name__ == "__main__":
    _, check, module, *rest = sys.argv
    if check:
        take_out(check)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__")
