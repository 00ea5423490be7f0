"""Terms of the SMT solver, and the questions that it is asked. With :mod:`proofs.floats` the only
module that sees z3, which has no types."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import z3

Term = Any
"""An expression of z3."""

_INT_BITS = 80
"""Times are signed 64-bit; sums of a few of them do not overflow this."""
_EFFORT = 200_000_000
"""Of one question, in the solver's own count: about a minute. A limit in time would make it depend
on the computer what is proven."""


class Floats(Protocol):
    """A theory of floats."""

    name: str
    facts: list[Term]
    """What is known of the results of operations, beyond the operations themselves."""
    exactly: list[Term]
    """What the results are, bit for bit. Too hard to prove with, but of use to find an example."""

    def unknown(self, name: str) -> Term:
        """A float of which nothing is known."""

    def constant(self, value: float) -> Term:
        """A known float."""

    def less(self, a: Term, b: Term) -> Term:
        """``a < b``; false for NaN."""

    def less_equal(self, a: Term, b: Term) -> Term:
        """``a <= b``; false for NaN."""

    def equal(self, a: Term, b: Term) -> Term:
        """``a == b`` as Python has it: false for NaN, true for 0.0 and -0.0."""

    def negated(self, a: Term) -> Term:
        """``-a``."""

    def magnitude(self, a: Term) -> Term:
        """``abs(a)``."""

    def sum(self, a: Term, b: Term) -> Term:
        """``a + b``."""

    def product(self, a: Term, b: Term) -> Term:
        """``a * b``."""

    def quotient(self, a: Term, b: Term) -> Term:
        """``a / b``; ``b`` is not zero."""

    def finite(self, a: Term) -> Term:
        """Neither NaN nor infinite."""

    def value(self, model: Any, a: Term) -> float:
        """What ``a`` is in ``model``."""

    def solve(self, known: Sequence[Term]) -> Any | None:
        """A model of ``known``, or None if there is none. Raises Unknown."""


# Truth values and whole numbers are the same in both theories. ------------------------------------


def truth(name: str) -> Term:
    """A truth value of which nothing is known."""
    return z3.Bool(name)


def negation(a: Term) -> Term:
    """Not."""
    return z3.Not(a)


def conjunction(a: Term, b: Term) -> Term:
    """And."""
    return z3.And(a, b)


def disjunction(a: Term, b: Term) -> Term:
    """Or."""
    return z3.Or(a, b)


def known_truth(value: bool) -> Term:  # noqa: FBT001 - a value
    """A known truth value."""
    return z3.BoolVal(value)


def whole(name: str) -> Term:
    """A signed 64-bit number of which nothing is known."""
    return z3.SignExt(_INT_BITS - 64, z3.BitVec(name, 64))


def known_whole(value: int) -> Term:
    """A known whole number."""
    return z3.BitVecVal(value, _INT_BITS)


def whole_value(model: Any, a: Term) -> int:
    """What ``a`` is in ``model``."""
    return int(model.eval(a, model_completion=True).as_signed_long())


def truth_value(model: Any, a: Term) -> bool:
    """What ``a`` is in ``model``."""
    return bool(z3.is_true(model.eval(a, model_completion=True)))


def decided(term: Term) -> bool | None:
    """True or False where no solver is needed to tell."""
    simple = z3.simplify(term)
    if z3.is_true(simple):
        return True
    return False if z3.is_false(simple) else None


class Unknown(Exception):
    """The solver gave up."""


class _Incremental:
    """A solver that keeps what the last question had in common with the next."""

    def __init__(self) -> None:
        self._solver = z3.Solver()
        self._solver.set("rlimit", _EFFORT)
        self._known: list[Term] = []

    def ask(self, known: Sequence[Term], question: Term) -> Any | None:
        same = 0
        for before, now in zip(self._known, known, strict=False):
            if not before.eq(now):
                break
            same += 1
        if same < len(self._known):
            self._solver.pop(len(self._known) - same)
            del self._known[same:]
        for term in known[same:]:
            self._solver.push()
            self._solver.add(term)
            self._known.append(term)
        self._solver.push()
        try:
            self._solver.add(question)
            answer = self._solver.check()
            if answer == z3.unknown:
                raise Unknown(self._solver.reason_unknown())
            return self._solver.model() if answer == z3.sat else None
        finally:
            self._solver.pop()


_SOLVER = _Incremental()


def solve(known: Sequence[Term], question: Term) -> Any | None:
    """A model of ``known`` and ``question``, or None if there is none. Raises Unknown."""
    return _SOLVER.ask(known, question)


def solve_afresh(known: Sequence[Term]) -> Any | None:
    """The same of ``known`` alone. Slow to begin, and better at finding factors of a product."""
    solver = z3.Then("simplify", "fpa2bv", "simplify", "bit-blast", "sat").solver()
    solver.set("rlimit", _EFFORT)
    solver.add(*known)
    answer = solver.check()
    if answer == z3.unknown:
        raise Unknown(solver.reason_unknown())
    return solver.model() if answer == z3.sat else None


def refuted(term: Term) -> str:
    """Why ``term`` is not proven to hold always; empty if it is."""
    asks: tuple[Callable[[Term], object], ...] = (
        lambda wrong: solve_afresh([wrong]),
        lambda wrong: solve([], wrong),
    )
    for ask in asks:
        try:
            return "" if ask(z3.Not(term)) is None else "there is a counterexample"
        except Unknown as unknown:
            why = f"the solver gave up: {unknown}"
    return why
