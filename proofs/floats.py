"""Floats as terms of the SMT solver, in two theories.

``Ieee``     IEEE 754 with round to nearest even, NaN, both infinities, both zeros and subnormals,
             as Python computes. Comparison, negation, absolute value, sums with a constant,
             and products with 0.0, 1.0, -1.0, 0.5 are bit-exact. A sum, product or quotient of two
             unknowns is either bit-exact too (``exact=True``; in 64 bits no solver finishes a
             product in useful time), or any number that the *rounding lemmas* permit: what is
             proven then holds for the true result as well, because it obeys them. The lemmas
             follow from one fact, that rounding is monotone and leaves representable numbers
             alone; ``proofs.obligations_arithmetic`` has the solver prove them bit-exactly.
``Reals``    The real numbers: no rounding, no NaN, no infinity. For sums of products only.
"""

import math
import struct
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import z3

from proofs.terms import Term, solve, solve_afresh

_FORMATS = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}
_SHAPES = {8: (4, 4), 16: (5, 11), 32: (8, 24), 64: (11, 53)}
_LARGEST = {8: 240.0, 16: 65504.0, 32: float.fromhex("0x1.fffffep127"), 64: sys.float_info.max}


class Ieee:
    """IEEE 754 in 16, 32 or 64 bits; 8 bits follow the same rules, for lemmas alone."""

    def __init__(self, bits: int = 64, *, exact: bool = False) -> None:
        self.name = f"Float{bits}" + ("" if exact else ", rounding lemmas")
        self.facts: list[Term] = []
        self.exactly: list[Term] = []
        exponent, significand = _SHAPES[bits]
        self._sort = z3.FPSort(exponent, significand)
        self._exact = exact
        self._bits = bits
        self._largest = _LARGEST[bits]
        self._rounding = z3.RNE()
        self._exact_results = {
            "sum": self.exact_sum,
            "product": self.exact_product,
            "quotient": self.exact_quotient,
        }
        self._known: dict[tuple[str, int, int], tuple[Term, Term, Term]] = {}

    def unknown(self, name: str) -> Term:
        """A float of which nothing is known."""
        return z3.FP(name, self._sort)

    def constant(self, value: float) -> Term:
        """A known float."""
        return z3.FPVal(value, self._sort)

    def less(self, a: Term, b: Term) -> Term:
        """False for NaN."""
        return z3.fpLT(a, b)

    def less_equal(self, a: Term, b: Term) -> Term:
        """False for NaN."""
        return z3.fpLEQ(a, b)

    def equal(self, a: Term, b: Term) -> Term:
        """False for NaN, true for 0.0 and -0.0."""
        return z3.fpEQ(a, b)

    def negated(self, a: Term) -> Term:
        """The other sign."""
        return z3.fpNeg(a)

    def magnitude(self, a: Term) -> Term:
        """Without the sign."""
        return z3.fpAbs(a)

    def sum(self, a: Term, b: Term) -> Term:
        """Bit-exact with a constant, otherwise by the lemmas."""
        for term, other in ((a, b), (b, a)):
            if self._is(term, 0.0) or self._is(term, -0.0):
                return self.plus_zero(other, term)
        if self._exact or z3.is_fp_value(z3.simplify(a)) or z3.is_fp_value(z3.simplify(b)):
            return self.exact_sum(a, b)
        first, second = sorted((a, b), key=lambda term: int(term.get_id()))
        before = [known for (kind, *_), known in self._known.items() if kind == "sum"]
        result = self._by_lemmas("sum", first, second, self.sum_lemmas)
        for known, x, y in before:
            self.facts += self.mirror_lemmas((a, b, result), (x, y, known)).values()
            self.facts += self.mirror_lemmas((a, b, result), (y, x, known)).values()
        return result

    def product(self, a: Term, b: Term) -> Term:
        """Bit-exact for the common constants, otherwise by the lemmas."""
        for term, other in ((a, b), (b, a)):
            if self._is(term, 1.0) or self._is(term, -1.0):
                return other if self._is(term, 1.0) else z3.fpNeg(other)
            if self._is(term, 0.0):
                return self.times_zero(other)
        if self._exact or self._is(a, 0.5) or self._is(b, 0.5):
            return self.exact_product(a, b)
        # A product commutes bit for bit, but for which NaN it is.
        first, second = sorted((a, b), key=lambda term: int(term.get_id()))
        before = [known for (kind, *_), known in self._known.items() if kind == "product"]
        result = self._by_lemmas("product", first, second, self.product_lemmas)
        for known, x, y in before:
            for one, other in product(((a, b), (b, a)), ((x, y), (y, x))):
                lemmas = self.larger_lemmas((*one, result), (*other, known))
                self.facts += lemmas.values()
        return result

    def quotient(self, a: Term, b: Term) -> Term:
        """Bit-exact by 1, otherwise by the lemmas."""
        if self._is(b, 1.0):
            return a
        if self._exact:
            return self.exact_quotient(a, b)
        return self._by_lemmas("quotient", a, b, self.quotient_lemmas)

    def finite(self, a: Term) -> Term:
        """Neither NaN nor infinite."""
        return z3.Not(z3.Or(z3.fpIsNaN(a), z3.fpIsInf(a)))

    def value(self, model: Any, a: Term) -> float:
        """What ``a`` is in ``model``, as a Python float."""
        if z3.is_true(model.eval(z3.fpIsNaN(a), model_completion=True)):
            return math.nan
        bits = model.eval(z3.fpToIEEEBV(a), model_completion=True).as_long()
        as_float, as_int = _FORMATS[self._bits]
        value: float = struct.unpack(as_float, struct.pack(as_int, bits))[0]
        return value

    def solve(self, known: Sequence[Term]) -> Any | None:
        """By single bits."""
        return solve_afresh(known)

    def exact_sum(self, a: Term, b: Term) -> Term:
        """What the processor computes."""
        return z3.fpAdd(self._rounding, a, b)

    def exact_product(self, a: Term, b: Term) -> Term:
        """What the processor computes."""
        return z3.fpMul(self._rounding, a, b)

    def exact_quotient(self, a: Term, b: Term) -> Term:
        """What the processor computes."""
        return z3.fpDiv(self._rounding, a, b)

    def sum_lemmas(self, a: Term, b: Term, result: Term) -> dict[str, Term]:
        """What holds for ``result = a + b``, whatever ``a`` and ``b``."""
        zero = self.constant(0.0)
        number = z3.Not(z3.fpIsNaN(result))

        def opposite(x: Term, y: Term) -> Term:
            return z3.And(z3.fpIsInf(x), z3.fpIsInf(y), _signs_differ(x, y))

        def shifted(x: Term, y: Term) -> Term:
            return z3.And(
                z3.Implies(z3.And(number, z3.fpGEQ(y, zero)), z3.fpGEQ(result, x)),
                z3.Implies(z3.And(number, z3.fpLEQ(y, zero)), z3.fpLEQ(result, x)),
            )

        def bounded(fraction: int) -> Term:
            bound, twice = (self.constant(self._largest / f) for f in (fraction, fraction / 2))
            small = z3.And(z3.fpLEQ(z3.fpAbs(a), bound), z3.fpLEQ(z3.fpAbs(b), bound))
            return z3.Implies(small, z3.fpLEQ(z3.fpAbs(result), twice))

        return {
            "NaN only of NaN, or of two opposite infinities": z3.fpIsNaN(result)
            == z3.Or(z3.fpIsNaN(a), z3.fpIsNaN(b), opposite(a, b)),
            "it moves to the side of the first": shifted(b, a),
            "it moves to the side of the second": shifted(a, b),
            "the larger has its way": z3.And(
                z3.Implies(z3.And(number, z3.fpLEQ(a, z3.fpNeg(b))), z3.fpLEQ(result, zero)),
                z3.Implies(z3.And(number, z3.fpGEQ(a, z3.fpNeg(b))), z3.fpGEQ(result, zero)),
            ),
            "far from overflow": z3.And(bounded(8), bounded(4)),
        }

    def mirror_lemmas(
        self, one: tuple[Term, Term, Term], other: tuple[Term, Term, Term]
    ) -> dict[str, Term]:
        """What holds for two sums ``(a, b, a + b)``."""
        (a, b, result), (x, y, known) = one, other
        opposites = z3.And(z3.fpEQ(a, z3.fpNeg(x)), z3.fpEQ(b, z3.fpNeg(y)))
        number = z3.Not(z3.fpIsNaN(result))
        return {
            "the same of the same": z3.Implies(
                z3.And(number, z3.fpEQ(a, x), z3.fpEQ(b, y)), z3.fpEQ(result, known)
            ),
            "the opposite of the opposites": z3.Implies(
                z3.And(number, opposites), z3.fpEQ(result, z3.fpNeg(known))
            ),
        }

    def plus_zero(self, a: Term, zero: Term) -> Term:
        """``a + zero`` bit for bit, without an adder."""
        return z3.If(z3.And(z3.fpIsZero(a), z3.Not(a == zero)), self.constant(0.0), a)

    def times_zero(self, a: Term) -> Term:
        """``a * 0.0`` bit for bit, without a multiplier."""
        number = z3.If(z3.fpIsNegative(a), self.constant(-0.0), self.constant(0.0))
        return z3.If(self.finite(a), number, self.constant(math.nan))

    def shortcut_lemmas(self, a: Term, b: Term) -> dict[str, Term]:
        """What is computed without an adder or a multiplier is what the processor computes.
        ``==`` of two terms means the same bits, but for which NaN it is."""
        zero, one = self.constant(0.0), self.constant(1.0)
        minus_zero, minus_one = self.constant(-0.0), self.constant(-1.0)
        nothing = z3.And(z3.fpIsZero(a), z3.Not(z3.fpIsNaN(b)))
        return {
            "plus 0.0": self.plus_zero(a, zero) == self.exact_sum(a, zero),
            "plus -0.0": self.plus_zero(a, minus_zero) == self.exact_sum(a, minus_zero),
            "times 0.0": self.times_zero(a) == self.exact_product(a, zero),
            "divided by 1.0": a == self.exact_quotient(a, one),
            "times 1.0": a == self.exact_product(a, one),
            "times -1.0": z3.fpNeg(a) == self.exact_product(a, minus_one),
            "a zero of either sign adds nothing": z3.Implies(
                nothing, z3.fpEQ(self.exact_sum(a, b), b)
            ),
        }

    def product_lemmas(self, a: Term, b: Term, result: Term) -> dict[str, Term]:
        """What holds for ``result = a * b``, whatever ``a`` and ``b``."""
        one, zero = self.constant(1.0), self.constant(0.0)
        number = z3.Not(z3.fpIsNaN(result))
        size_a, size_b, size = z3.fpAbs(a), z3.fpAbs(b), z3.fpAbs(result)

        def never(x: Term, y: Term) -> Term:
            return z3.And(z3.fpIsInf(x), z3.fpIsZero(y))

        return {
            "NaN only of NaN, or of infinity and zero": z3.fpIsNaN(result)
            == z3.Or(z3.fpIsNaN(a), z3.fpIsNaN(b), never(a, b), never(b, a)),
            "sign": z3.Implies(number, z3.fpIsNegative(result) == _signs_differ(a, b)),
            "zero": z3.Implies(
                z3.And(number, z3.Or(z3.fpEQ(a, zero), z3.fpEQ(b, zero))), z3.fpEQ(result, zero)
            ),
            "a factor up to 1 does not enlarge": z3.And(
                z3.Implies(z3.And(number, z3.fpLEQ(size_a, one)), z3.fpLEQ(size, size_b)),
                z3.Implies(z3.And(number, z3.fpLEQ(size_b, one)), z3.fpLEQ(size, size_a)),
            ),
            "a factor from 1 does not diminish": z3.And(
                z3.Implies(z3.And(number, z3.fpGEQ(size_a, one)), z3.fpGEQ(size, size_b)),
                z3.Implies(z3.And(number, z3.fpGEQ(size_b, one)), z3.fpGEQ(size, size_a)),
            ),
        }

    def larger_lemmas(
        self, one: tuple[Term, Term, Term], other: tuple[Term, Term, Term]
    ) -> dict[str, Term]:
        """What holds for two products ``(a, b, a * b)``."""
        (a, b, result), (x, y, known) = (tuple(map(z3.fpAbs, terms)) for terms in (one, other))
        numbers = z3.Not(z3.Or(z3.fpIsNaN(result), z3.fpIsNaN(known)))

        same = z3.And(numbers, z3.fpEQ(b, y))
        up = z3.Implies(z3.And(same, z3.fpLEQ(a, x)), z3.fpLEQ(result, known))
        down = z3.Implies(z3.And(same, z3.fpGEQ(a, x)), z3.fpGEQ(result, known))
        return {"a larger factor, no smaller product": z3.And(up, down)}

    def quotient_lemmas(self, a: Term, b: Term, result: Term) -> dict[str, Term]:
        """What holds for ``result = a / b``, whatever ``a`` and ``b``."""
        one = self.constant(1.0)
        number = z3.Not(z3.fpIsNaN(result))
        size_a, size_b, size = z3.fpAbs(a), z3.fpAbs(b), z3.fpAbs(result)
        return {
            "NaN only of NaN, of two zeros or of two infinities": z3.fpIsNaN(result)
            == z3.Or(
                z3.fpIsNaN(a),
                z3.fpIsNaN(b),
                z3.And(z3.fpIsZero(a), z3.fpIsZero(b)),
                z3.And(z3.fpIsInf(a), z3.fpIsInf(b)),
            ),
            "sign": z3.Implies(number, z3.fpIsNegative(result) == _signs_differ(a, b)),
            "below 1": z3.Implies(z3.And(number, z3.fpLEQ(size_a, size_b)), z3.fpLEQ(size, one)),
        }

    def _by_lemmas(self, kind: str, a: Term, b: Term, lemmas: Any) -> Term:
        key = (kind, a.get_id(), b.get_id())
        if key not in self._known:
            result = self.unknown(f"{kind} {len(self._known)}")
            self._known[key] = (result, a, b)  # holding a and b keeps their identities
            self.facts += lemmas(a, b, result).values()
            self.exactly.append(result == self._exact_results[kind](a, b))
        return self._known[key][0]

    def _is(self, term: Term, value: float) -> bool:
        return bool(term.eq(self.constant(value)))


class Reals:
    """The real numbers."""

    def __init__(self) -> None:
        self.name = "reals"
        self.facts: list[Term] = []
        self.exactly: list[Term] = []

    def unknown(self, name: str) -> Term:
        """A number of which nothing is known."""
        return z3.Real(name)

    def constant(self, value: float) -> Term:
        """A known number. An infinity stays a Python float: it can only be compared with."""
        return z3.RealVal(Fraction(value)) if math.isfinite(value) else value

    def less(self, a: Term, b: Term) -> Term:
        """Total; every number is between the infinities."""
        if _infinite(a, b):
            return z3.BoolVal(a < 0.0 if isinstance(a, float) else b > 0.0)
        return a < b

    def less_equal(self, a: Term, b: Term) -> Term:
        """Total; every number is between the infinities."""
        return self.less(a, b) if _infinite(a, b) else a <= b

    def equal(self, a: Term, b: Term) -> Term:
        """Total."""
        return a == b

    def negated(self, a: Term) -> Term:
        """The other sign."""
        return -a

    def magnitude(self, a: Term) -> Term:
        """Without the sign."""
        return z3.If(a < 0, -a, a)

    def sum(self, a: Term, b: Term) -> Term:
        """Exact."""
        return a + b

    def product(self, a: Term, b: Term) -> Term:
        """Exact."""
        return a * b

    def quotient(self, a: Term, b: Term) -> Term:
        """Exact."""
        return a / b

    def finite(self, _: Term) -> Term:
        """Always."""
        return z3.BoolVal(True)  # noqa: FBT003 - the library's signature

    def value(self, model: Any, a: Term) -> float:
        """What ``a`` is in ``model``, rounded."""
        value = model.eval(a, model_completion=True)
        if z3.is_algebraic_value(value):
            value = value.approx(20)
        return float(value.as_fraction())

    def solve(self, known: Sequence[Term]) -> Any | None:
        """By z3's own choice."""
        return solve(known[:-1], known[-1])


def _infinite(*numbers: Term) -> bool:
    return any(isinstance(number, float) for number in numbers)


def _signs_differ(a: Term, b: Term) -> Term:
    return z3.Xor(z3.fpIsNegative(a), z3.fpIsNegative(b))
