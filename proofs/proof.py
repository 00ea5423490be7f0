"""A proof: a function that makes inputs, runs the code under test and claims something of it.

The same function runs in two ways. Symbolically, on every path, with inputs of which nothing is
known but what it assumes; and concretely, on numbers: that is how a counterexample of the
solver is replayed on the plain, unpatched code before anybody believes it.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast
from unittest import mock

from proofs import terms
from proofs.floats import Ieee
from proofs.symbolic import Path, PathEnds, SymbolicBool, SymbolicFloat, SymbolicInt, explore
from proofs.terms import Floats, Unknown

Number = float | int | bool


class Values(Protocol):
    """Where a proof gets its inputs from, and where it says what must hold."""

    def number(self, name: str) -> float:
        """Any float at all: NaN, infinities, -0.0 and subnormals too."""

    def time_ns(self, name: str) -> int:
        """Any signed 64-bit number."""

    def truth(self, name: str) -> bool:
        """True or False."""

    def assume(self, condition: object) -> None:
        """Only inputs that meet ``condition`` are of interest."""

    def claim(self, text: str, holds: object, *, given: object = True) -> None:
        """``holds`` is true for every input that meets ``given``."""


class InputRefused(Exception):
    """The code under test does not accept this input; there is nothing to prove about it."""


@contextmanager
def may_refuse(*errors: type[Exception]) -> Iterator[None]:
    """What raises one of ``errors`` in here has done its duty."""
    try:
        yield
    except errors as error:
        raise InputRefused from error


def negated(condition: object) -> bool:
    """Not; ``not`` itself would ask, and so fork the path."""
    return cast("bool", ~condition) if isinstance(condition, SymbolicBool) else not condition


def is_nan(value: float) -> bool:
    """True for NaN."""
    return negated(value == value)


def is_finite(value: float) -> bool:
    """Neither NaN nor infinite."""
    return (-math.inf < value) & (value < math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is to be proven, and in which theory of floats."""

    name: str
    run: Callable[[Values], None]
    floats: Callable[[], Floats] = Ieee
    patched: tuple[ModuleType, ...] = ()
    """Modules that call ``math``, which works on nothing but true floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A claim that does not hold, or that could not be shown."""

    claim: str
    inputs: Mapping[str, Number]
    """The counterexample; empty if there is none."""
    replayed: bool
    """The plain code fails the claim on these inputs too."""
    note: str = ""

    def __str__(self) -> str:
        if not self.inputs:
            return f"{self.claim}: {self.note}"
        values = ", ".join(f"{name} = {value!r}" for name, value in self.inputs.items())
        said = "replayed on the real code" if self.replayed else "NOT reproduced on the real code"
        return f"{self.claim}: fails for {values} ({said}{self.note and '; ' + self.note})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a proof."""

    name: str
    theory: str
    paths: int
    refused: int
    """Paths that ended because the code refused the input."""
    discharged: int
    """Claims that the solver has shown, one for each path that reaches them."""
    claims: int
    """Different claims."""
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def proven(self) -> bool:
        """Every claim holds, and there was at least one."""
        return not self.failures and self.discharged > 0


class SymbolicMath:
    """Stands in for ``math`` in a module under test: for what is asked of it, and no more."""

    inf = math.inf

    @staticmethod
    def isfinite(value: object) -> object:
        """As ``math.isfinite``; ``obligations_arithmetic`` proves that it is."""
        return (
            value.is_finite()
            if isinstance(value, SymbolicFloat)
            else math.isfinite(cast("float", value))
        )

    @staticmethod
    def isnan(value: float) -> bool:
        """As ``math.isnan``; ``obligations_arithmetic`` proves that it is."""
        return is_nan(value)


@dataclass(slots=True)
class _Tally:
    """What was shown so far, over all paths."""

    discharged: int = 0
    refused: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    """Claims, and on how many paths some input meets what they are given."""
    failures: dict[str, Failure] = field(default_factory=dict)


class _Symbolic:
    """Inputs of which nothing is known; claims go to the solver."""

    def __init__(self, path: Path, tally: _Tally, proof: Proof) -> None:
        self._path = path
        self._tally = tally
        self._proof = proof
        self._inputs: dict[str, Callable[[Any], Number]] = {}
        self._wrong: list[tuple[str, Any]] = []
        """Claims so far, and what would refute each."""

    def number(self, name: str) -> float:
        floats = self._path.floats
        term = floats.unknown(name)
        self._inputs[name] = lambda model: floats.value(model, term)
        return cast("float", SymbolicFloat(path=self._path, term=term))

    def time_ns(self, name: str) -> int:
        term = terms.whole(name)
        self._inputs[name] = lambda model: terms.whole_value(model, term)
        return cast("int", SymbolicInt(path=self._path, term=term))

    def truth(self, name: str) -> bool:
        term = terms.truth(name)
        self._inputs[name] = lambda model: terms.truth_value(model, term)
        return cast("bool", SymbolicBool(path=self._path, term=term))

    def assume(self, condition: object) -> None:
        if not self._path.possible(_term(condition)):
            raise PathEnds
        self._path.know(_term(condition))

    def claim(self, text: str, holds: object, *, given: object = True) -> None:
        tally = self._tally
        if not tally.reached[text]:
            tally.reached[text] += self._path.possible(_term(given))
        wrong = terms.conjunction(_term(given), terms.negation(_term(holds)))
        self._wrong.append((text, wrong))

    def check(self) -> None:
        """All claims of this path in one question; one by one only if something is wrong."""
        claims = [(text, wrong) for text, wrong in self._wrong if text not in self._tally.failures]
        anything = terms.known_truth(False)  # noqa: FBT003 - a value
        for _, wrong in claims:
            anything = terms.disjunction(anything, wrong)
        try:
            sound = terms.decided(anything) is False or self._path.counterexample(anything) is None
        except Unknown:
            sound = False
        for text, wrong in claims:
            failure = None if sound else self._failure(text, wrong)
            if failure is None:
                self._tally.discharged += 1
            else:
                self._tally.failures[text] = failure

    def _failure(self, text: str, wrong: Any) -> Failure | None:
        try:
            model = self._path.counterexample(wrong)
        except Unknown as unknown:
            return _open(text, f"the solver gave up: {unknown}")
        if model is None:
            return None
        failure = self.counterexample(text, model)
        return failure if failure.replayed else self._true_failure(text, wrong) or failure

    def _true_failure(self, text: str, wrong: Any) -> Failure | None:
        """The lemmas permit more than the processor does: look for what it does, too."""
        try:
            model = self._path.true_counterexample(wrong)
        except Unknown:
            return None
        return None if model is None else self.counterexample(text, model)

    def counterexample(self, text: str, model: Any, note: str = "") -> Failure:
        inputs = {name: value(model) for name, value in self._inputs.items()}
        fails = text in failing_claims(self._proof, inputs)
        return Failure(claim=text, inputs=inputs, replayed=fails, note=note)


class _Concrete:
    """Inputs are given; claims are looked at."""

    def __init__(self, inputs: Mapping[str, Number]) -> None:
        self._inputs = inputs
        self.failing: list[str] = []

    def number(self, name: str) -> float:
        return float(self._inputs[name])

    def time_ns(self, name: str) -> int:
        return int(self._inputs[name])

    def truth(self, name: str) -> bool:
        return bool(self._inputs[name])

    def assume(self, condition: object) -> None:
        if not condition:
            raise PathEnds

    def claim(self, text: str, holds: object, *, given: object = True) -> None:
        if given and not holds:
            self.failing.append(text)


NEVER_RAISES = "raises nothing"


def failing_claims(proof: Proof, inputs: Mapping[str, Number]) -> list[str]:
    """Run ``proof`` on numbers, on the plain code; what does not hold."""
    values = _Concrete(inputs)
    try:
        proof.run(values)
    except (PathEnds, InputRefused):
        pass
    except Exception:  # noqa: BLE001 - whatever it is, it was not to be raised
        values.failing.append(NEVER_RAISES)
    return values.failing


def prove(proof: Proof, until: Callable[[Failure], bool] = lambda _: False) -> Result:
    """Go all paths of ``proof``, or those before the first failure that ``until`` is true of."""
    started = time.process_time()
    tally = _Tally()
    paths = 0

    def run(path: Path) -> None:
        _run_symbolically(_Symbolic(path, tally, proof), path, tally, proof)

    try:
        for _ in explore(proof.floats, run):
            paths += 1
            if any(until(failure) for failure in tally.failures.values()):
                break
    except Unknown as unknown:
        tally.failures[NEVER_RAISES] = _open("all paths", str(unknown))
    for text in [text for text, count in tally.reached.items() if not count]:
        tally.failures.setdefault(text, _open(text, "no input reaches it, so it says nothing"))
    if not tally.reached:
        tally.failures.setdefault("", _open("anything", "nothing was claimed on any path"))
    return Result(
        name=proof.name,
        theory=proof.floats().name,
        paths=paths,
        refused=tally.refused,
        discharged=tally.discharged,
        claims=len(tally.reached),
        failures=tuple(tally.failures.values()),
        seconds=time.process_time() - started,
    )


def _run_symbolically(values: _Symbolic, path: Path, tally: _Tally, proof: Proof) -> None:
    with ExitStack() as patches:
        for module in proof.patched:
            patches.enter_context(mock.patch.object(module, "math", SymbolicMath))
        try:
            proof.run(values)
            values.check()
        except InputRefused:
            tally.refused += 1
        except PathEnds:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it was not to be raised
            _raised(values, path, tally, error)


def _raised(values: _Symbolic, path: Path, tally: _Tally, error: Exception) -> None:
    if NEVER_RAISES in tally.failures:
        return
    try:
        model = path.example(terms.known_truth(True))  # noqa: FBT003 - a value
    except Unknown:
        model = None
    tally.failures[NEVER_RAISES] = (
        _open(NEVER_RAISES, repr(error))
        if model is None
        else values.counterexample(NEVER_RAISES, model, repr(error))
    )


def _open(claim: str, note: str) -> Failure:
    return Failure(claim=claim, inputs={}, replayed=False, note=note)


def _term(condition: object) -> Any:
    if isinstance(condition, SymbolicBool):
        return condition.term
    return terms.known_truth(bool(condition))
