"""The names of the proofs, read from their source: the proofs themselves need z3, and have a target
of their own."""

import ast
import re
from functools import cache
from pathlib import Path

from holdfast.safety.finding import Reaction
from holdfast.safety.limits import ALL_LIMITS

PROOFS = Path(__file__).parents[2] / "proofs"
_MODEL = "state_machine"
_VALUES = {
    # What an f-string of a proof's name runs through, where it decides whether a name exists.
    "reaction.name.lower()": [reaction.name.lower() for reaction in Reaction],
    "name": [row.id for row in ALL_LIMITS],
}


def is_proof(name: str) -> bool:
    """Whether there is a proof of that name, or, if it ends with a dot, whose name begins so."""
    if name == _MODEL:
        return (PROOFS / "state_machine_model.py").is_file()
    return any(one == name or (name.endswith(".") and one.startswith(name)) for one in _names())


@cache
def _names() -> frozenset[str]:
    found: set[str] = set()
    for path in PROOFS.glob("obligations_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Proof":
                found |= {
                    name
                    for keyword in node.keywords
                    if keyword.arg == "name"
                    for name in _expanded(keyword.value)
                }
    return frozenset(found)


def _expanded(name: ast.expr) -> list[str]:
    match name:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            texts = [""]
            for part in parts:
                texts = [text + end for text in texts for end in _part(part)]
            return texts
        case _:
            return []


def _part(part: ast.expr) -> list[str]:
    match part:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.FormattedValue(value=value):
            return _VALUES.get(ast.unparse(value), [re.sub(r"\W", "_", ast.unparse(value))])
        case _:
            return [""]
