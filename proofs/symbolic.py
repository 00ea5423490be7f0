"""Symbolic execution by running the real function again and again.

A function of the product is called with symbolic numbers. They answer arithmetic with terms;
where the function asks ``if``, the explorer asks the solver which answers are possible on this
path, takes one, and runs the function once more for the other. So the code that is proven is
the code that is imported: nothing is translated, and nothing has to be kept in step.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from proofs import terms
from proofs.terms import Floats, Term, Unknown

MAX_PATHS = 20_000


class PathEnds(Exception):
    """Nothing more is to be seen on this path: no input takes it, or its input was refused."""


@dataclass(slots=True, kw_only=True)
class Path:
    """One way through the function."""

    floats: Floats
    answers: list[bool]
    """To the questions so far; those given at the start are to be taken again."""
    known: list[Term] = field(default_factory=list)
    """What holds on this path, in the order in which it came: facts, assumptions and answers."""
    facts: int = 0
    """How many facts of ``floats`` are in ``known``."""
    asked: int = 0
    others: list[list[bool]] = field(default_factory=list)
    """The beginnings of paths that are still to be gone."""
    seen: tuple[Any, int] | None = None
    """A model of an input that gets here, and how many facts were known when it was found."""

    def decide(self, condition: Term) -> bool:
        """Answer a question of the code."""
        known = terms.decided(condition)
        if known is not None:
            return known
        if self.asked == len(self.answers):
            self.answers.append(self._choose(condition))
        answer = self.answers[self.asked]
        self.asked += 1
        self.know(condition if answer else terms.negation(condition))
        return answer

    def know(self, condition: Term) -> None:
        """From here on ``condition`` holds."""
        self._learn()
        self.known.append(condition)

    def _learn(self) -> None:
        self.known += self.floats.facts[self.facts :]
        self.facts = len(self.floats.facts)

    def _choose(self, condition: Term) -> bool:
        seen = self.seen
        if seen is not None and seen[1] == len(self.floats.facts):
            # An input that is known to get here answers one side without the solver.
            answer = terms.truth_value(seen[0], condition)
        else:
            answer = self._visible(condition)
            if not answer and not self._visible(terms.negation(condition)):
                raise PathEnds
        here = self.seen
        if self._visible(terms.negation(condition) if answer else condition):
            self.others.append([*self.answers, not answer])
        self.seen = here
        return answer

    def _visible(self, condition: Term) -> bool:
        """As ``possible``; remembers the input that was found."""
        self.seen = None
        try:
            model = self.example(condition)
        except Unknown:
            return True  # one path too many proves the same
        if model is not None:
            self.seen = (model, len(self.floats.facts))
        return model is not None

    def possible(self, condition: Term) -> bool:
        """False only if no input gets here and meets ``condition``."""
        try:
            return self.example(condition) is not None
        except Unknown:
            return True

    def example(self, condition: Term) -> Any | None:
        """A model of an input that gets here and meets ``condition``. Raises Unknown."""
        self._learn()
        return terms.solve(self.known, condition)

    def counterexample(self, condition: Term) -> Any | None:
        """The same, by the solver that is better at showing that there is none."""
        self._learn()
        return self.floats.solve([*self.known, condition])

    def true_counterexample(self, condition: Term) -> Any | None:
        """The same in bit-exact arithmetic, without lemmas in between. Raises Unknown."""
        self._learn()
        return self.floats.solve([*self.known, *self.floats.exactly, condition])


def explore(floats: Callable[[], Floats], run: Callable[[Path], None]) -> Iterator[Path]:
    """Run ``run`` on every path; gives each path once it has been gone."""
    waiting: list[list[bool]] = [[]]
    count = 0
    while waiting:
        count += 1
        if count > MAX_PATHS:
            raise Unknown(f"more than {MAX_PATHS} paths")
        path = Path(floats=floats(), answers=waiting.pop())
        with contextlib.suppress(PathEnds):
            run(path)
        waiting += path.others
        yield path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolicBool:
    """A truth value that depends on the input."""

    path: Path
    term: Term

    def __bool__(self) -> bool:
        return self.path.decide(self.term)

    def __float__(self) -> float:
        return 1.0 if self else 0.0

    def __and__(self, other: object) -> "SymbolicBool":
        return self._with(terms.conjunction(self.term, self._lift(other)))

    def __or__(self, other: object) -> "SymbolicBool":
        return self._with(terms.disjunction(self.term, self._lift(other)))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> "SymbolicBool":
        return self._with(terms.negation(self.term))

    def _with(self, term: Term) -> "SymbolicBool":
        return SymbolicBool(path=self.path, term=term)

    def _lift(self, other: object) -> Term:
        return other.term if isinstance(other, SymbolicBool) else terms.known_truth(bool(other))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolicInt:
    """A whole number that depends on the input: a time in nanoseconds."""

    path: Path
    term: Term

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __add__(self, other: object) -> "SymbolicInt":
        return self._with(self.term + _whole(other))

    __radd__ = __add__

    def __sub__(self, other: object) -> "SymbolicInt":
        return self._with(self.term - _whole(other))

    def __rsub__(self, other: object) -> "SymbolicInt":
        return self._with(_whole(other) - self.term)

    def __truediv__(self, divisor: int) -> "SymbolicFloat":
        """The nearest float: finite, and on the same side of 0 and of 1 as the true quotient."""
        if not divisor > 0:
            raise NotImplementedError("division by what is no positive constant")
        floats = self.path.floats
        result = floats.unknown(f"ratio {len(floats.facts)}")
        zero, one = floats.constant(0.0), floats.constant(1.0)
        for value, bound in ((terms.known_whole(0), zero), (terms.known_whole(divisor), one)):
            above, below = self.term >= value, self.term <= value
            floats.facts.append(
                terms.disjunction(terms.negation(above), floats.less_equal(bound, result))
            )
            floats.facts.append(
                terms.disjunction(terms.negation(below), floats.less_equal(result, bound))
            )
        floats.facts.append(floats.finite(result))
        return SymbolicFloat(path=self.path, term=result)

    def __lt__(self, other: object) -> SymbolicBool:
        return self._is(self.term < _whole(other))

    def __le__(self, other: object) -> SymbolicBool:
        return self._is(self.term <= _whole(other))

    def __gt__(self, other: object) -> SymbolicBool:
        return self._is(self.term > _whole(other))

    def __ge__(self, other: object) -> SymbolicBool:
        return self._is(self.term >= _whole(other))

    def __eq__(self, other: object) -> SymbolicBool:  # type: ignore[override]
        return self._is(self.term == _whole(other))

    def __ne__(self, other: object) -> SymbolicBool:  # type: ignore[override]
        return self._is(self.term != _whole(other))

    __hash__ = None  # type: ignore[assignment]

    def __format__(self, _: str) -> str:
        return "a time"

    def _with(self, term: Term) -> "SymbolicInt":
        return SymbolicInt(path=self.path, term=term)

    def _is(self, term: Term) -> SymbolicBool:
        return SymbolicBool(path=self.path, term=term)


def _whole(other: object) -> Term:
    if isinstance(other, SymbolicInt):
        return other.term
    if isinstance(other, int):
        return terms.known_whole(other)
    raise NotImplementedError(f"a time and {other!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolicFloat:
    """A float that depends on the input, with Python's semantics."""

    path: Path
    term: Term

    def __neg__(self) -> "SymbolicFloat":
        return self._with(self.path.floats.negated(self.term))

    def __abs__(self) -> "SymbolicFloat":
        return self._with(self.path.floats.magnitude(self.term))

    def __add__(self, other: object) -> "SymbolicFloat":
        return self._with(self.path.floats.sum(self.term, self._lift(other)))

    __radd__ = __add__

    def __sub__(self, other: object) -> "SymbolicFloat":
        floats = self.path.floats
        return self._with(floats.sum(self.term, floats.negated(self._lift(other))))

    def __rsub__(self, other: object) -> "SymbolicFloat":
        return -self + other

    def __mul__(self, other: object) -> "SymbolicFloat":
        return self._with(self.path.floats.product(self.term, self._lift(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> "SymbolicFloat":
        divisor = other if isinstance(other, SymbolicFloat) else self._with(self._lift(other))
        if divisor == 0.0:
            raise ZeroDivisionError("float division by zero")
        return self._with(self.path.floats.quotient(self.term, divisor.term))

    def __rtruediv__(self, other: object) -> "SymbolicFloat":
        return self._with(self._lift(other)) / self

    def __lt__(self, other: object) -> SymbolicBool:
        return self._is(self.path.floats.less(self.term, self._lift(other)))

    def __le__(self, other: object) -> SymbolicBool:
        return self._is(self.path.floats.less_equal(self.term, self._lift(other)))

    def __gt__(self, other: object) -> SymbolicBool:
        return self._is(self.path.floats.less(self._lift(other), self.term))

    def __ge__(self, other: object) -> SymbolicBool:
        return self._is(self.path.floats.less_equal(self._lift(other), self.term))

    def __eq__(self, other: object) -> SymbolicBool:  # type: ignore[override]
        if other is None:
            return NotImplemented  # so that Python finds the two different, as with a float
        return self._is(self.path.floats.equal(self.term, self._lift(other)))

    def __ne__(self, other: object) -> SymbolicBool:  # type: ignore[override]
        return NotImplemented if other is None else ~(self == other)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self != 0.0)

    def __format__(self, _: str) -> str:
        return "a number"

    def is_finite(self) -> SymbolicBool:
        """Neither NaN nor infinite."""
        return self._is(self.path.floats.finite(self.term))

    def _with(self, term: Term) -> "SymbolicFloat":
        return SymbolicFloat(path=self.path, term=term)

    def _is(self, term: Term) -> SymbolicBool:
        return SymbolicBool(path=self.path, term=term)

    def _lift(self, other: object) -> Term:
        if isinstance(other, SymbolicFloat):
            return other.term
        if isinstance(other, int | float):
            return self.path.floats.constant(float(other))
        raise NotImplementedError(f"a float and {other!r}")
