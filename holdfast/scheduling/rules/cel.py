"""Here the library that parses and calculates CEL (cel-python) is called, and nowhere else.

Loading it takes a fifth of a second, so that only who has a rule does.
"""

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from holdfast.core.errors import ConfigError
from holdfast.core.texts import shown
from holdfast.scheduling.rules.fact_table import Facts, FactValue

if TYPE_CHECKING:
    import celpy
    from lark import Token, Tree

BY_ZERO = "it divides by zero"
TOO_LARGE = "a number in it becomes too large"
_CANNOT = "it cannot be calculated"


def parsed(text: str) -> "Tree[Token]":
    """Returns what ``text`` consists of. Raises ConfigError that tells the place."""
    from celpy.celparser import CELParseError

    try:
        return _environment().compile(text)
    except CELParseError as error:
        line, column = error.line or 1, error.column or len(text) + 1
        found = text.splitlines()[line - 1][column - 1 :].strip()
        what = f"{shown(found, 20)!r} is not understood" if found else "something is missing"
        raise ConfigError(
            f"column {column}: {what} there; conditions are joined by && and ||, and compared by "
            "< <= == != >= >"
        ) from error


class CelProgram:
    """Is an expression that can be calculated."""

    def __init__(self, tree: "Tree[Token]") -> None:
        self._program = _environment().program(tree, functions=_functions())

    def calculate(self, known: Facts) -> bool | str:
        """Returns whether it holds with what is known; a text if that cannot be said, and why."""
        from celpy.evaluation import CELEvalError

        try:
            return bool(
                self._program.evaluate({name: _as_cel(value) for name, value in known.items()})
            )
        except CELEvalError as error:
            text = str(error.args[0]) if error.args else ""
            return next((cause for cause in (BY_ZERO, TOO_LARGE) if cause in text), _CANNOT)


@cache
def _environment() -> "celpy.Environment":
    import celpy

    return celpy.Environment()


_CALCULATED: Mapping[str, Callable[..., float]] = {
    "_/_": operator.truediv,
    "_*_": operator.mul,
    "_+_": operator.add,
    "_-_": operator.sub,
    "min": min,
    "max": max,
    "abs": abs,
}


@cache
def _functions() -> dict[str, Any]:
    """Returns arithmetic that ends in an error in words, and never in a number that is none."""
    from celpy.celtypes import DoubleType
    from celpy.evaluation import CELEvalError

    def spreading(calculate: Callable[..., float]) -> Callable[..., object]:
        def result(*operands: object) -> object:
            # What is returned as an error spreads as one; what is raised would lose its words.
            for operand in operands:
                if isinstance(operand, CELEvalError):
                    return operand
            try:
                number = calculate(*(float(cast("float", operand)) for operand in operands))
            except ZeroDivisionError:
                return CELEvalError(BY_ZERO)
            return DoubleType(number) if math.isfinite(number) else CELEvalError(TOO_LARGE)

        return result

    return {name: spreading(calculate) for name, calculate in _CALCULATED.items()}


def _as_cel(value: FactValue) -> Any:
    from celpy import celtypes

    if isinstance(value, bool):
        return celtypes.BoolType(value)
    return celtypes.StringType(value) if isinstance(value, str) else celtypes.DoubleType(value)
