"""What the other proofs stand on: the rounding lemmas and the stand-in for ``math``.

Every lemma is proven bit-exactly in 8 bits, all but one in 16, and in 64 where the solver can.
Those that it cannot hold in every format for one reason: they hold over the reals (proven here
too), rounding to nearest is monotone and symmetric in the sign, and it leaves the bound alone,
because the bound is a float itself.
"""

import time
from collections.abc import Mapping
from functools import partial

from proofs import terms
from proofs.floats import Ieee, Reals
from proofs.proof import Failure, Proof, Result, SymbolicMath, Values, is_finite, negated
from proofs.terms import Term

_FACTORS = "two products: a larger factor, no smaller product"
TOO_HARD: Mapping[int, frozenset[str]] = {
    16: frozenset({_FACTORS}),
    64: frozenset(
        {
            "two sums: the opposite of the opposites",
            "product: a factor up to 1 does not enlarge",
            "product: a factor from 1 does not diminish",
            _FACTORS,
        }
    ),
}
"""By format: what the solver does not finish there within seconds. In 8 bits it finishes all."""


def lemmas(floats: Ieee) -> dict[str, Term]:
    """All rounding lemmas, as claims about what the processor computes.

    That equal operands have equal sums, and that a zero of either sign adds nothing, brings the
    lemmas on two sums down to sums of the same and of the negated operands.
    """
    a, b, x = (floats.unknown(name) for name in "abx")
    product = floats.exact_product(a, b)
    minus_a, minus_b = floats.negated(a), floats.negated(b)
    total, mirrored = floats.exact_sum(a, b), floats.exact_sum(minus_a, minus_b)
    groups: Mapping[str, Mapping[str, Term]] = {
        "sum": floats.sum_lemmas(a, b, total),
        "two sums": floats.mirror_lemmas((a, b, total), (minus_a, minus_b, mirrored)),
        "swapped sums": floats.mirror_lemmas((a, b, total), (a, b, floats.exact_sum(b, a))),
        "shortcut": floats.shortcut_lemmas(a, b),
        "product": floats.product_lemmas(a, b, product),
        "two products": floats.larger_lemmas((a, b, product), (x, b, floats.exact_product(x, b))),
        "quotient": floats.quotient_lemmas(a, b, floats.exact_quotient(a, b)),
    }
    return {
        f"{kind}: {name}": term for kind, group in groups.items() for name, term in group.items()
    }


def real_lemmas(reals: Reals) -> dict[str, Term]:
    """The hard ones over the reals, where nothing is rounded."""
    a, b, x = (reals.unknown(name) for name in "abx")
    zero, one = reals.constant(0.0), reals.constant(1.0)
    size_a, size_b, size_x = (reals.magnitude(number) for number in (a, b, x))
    larger, other = reals.less_equal(size_a, size_x), reals.magnitude(reals.product(x, b))
    product = reals.magnitude(reals.product(a, b))
    quotient = reals.magnitude(reals.quotient(a, b))
    small, large = reals.less_equal(size_b, one), reals.less_equal(one, size_b)
    divides = terms.conjunction(
        reals.less_equal(size_a, size_b), terms.negation(reals.equal(b, zero))
    )
    return {
        "product: a factor up to 1 does not enlarge": _if(small, reals.less_equal(product, size_a)),
        "product: a factor from 1 does not diminish": _if(large, reals.less_equal(size_a, product)),
        _FACTORS: _if(larger, reals.less_equal(product, other)),
        "quotient: below 1": _if(divides, reals.less_equal(quotient, one)),
    }


def _if(condition: Term, then: Term) -> Term:
    return terms.disjunction(terms.negation(condition), then)


def prove_lemmas(bits: int) -> Result:
    """The lemmas in one format; 0 bits are the reals."""
    started = time.process_time()
    known = real_lemmas(Reals()) if bits == 0 else lemmas(Ieee(bits, exact=True))
    wanted = {name: term for name, term in known.items() if name not in TOO_HARD.get(bits, ())}
    failures = [
        Failure(claim=name, inputs={}, replayed=False, note=note)
        for name, term in wanted.items()
        if (note := terms.refuted(term))
    ]
    return Result(
        name=f"lemmas.{bits}_bits" if bits else "lemmas.reals",
        theory=Ieee(bits, exact=True).name if bits else "reals",
        paths=1,
        refused=0,
        discharged=len(wanted) - len(failures),
        claims=len(wanted),
        failures=tuple(failures),
        seconds=time.process_time() - started,
    )


def finite(v: Values) -> None:
    """The stand-in for ``math.isfinite`` says what ``math.isfinite`` says."""
    value = v.number("value")
    v.claim(
        "finite is between the infinities", SymbolicMath.isfinite(value), given=is_finite(value)
    )
    v.claim("nothing else is", is_finite(value), given=SymbolicMath.isfinite(value))
    v.claim("finite is what leaves no rest", value - value == 0.0, given=is_finite(value))
    v.claim("nothing else leaves none", is_finite(value), given=value - value == 0.0)


def no_number(v: Values) -> None:
    """The stand-in for ``math.isnan`` says what ``math.isnan`` says."""
    value = v.number("value")
    ordered = (value <= 0.0) | (value >= 0.0)
    v.claim("it is on neither side of zero", negated(ordered), given=SymbolicMath.isnan(value))
    v.claim("nothing else is on neither", SymbolicMath.isnan(value), given=negated(ordered))


LEMMAS = (8, 16, 64, 0)
PROOFS = (
    Proof(name="isfinite", run=finite, floats=partial(Ieee, 64, exact=True)),
    Proof(name="isnan", run=no_number, floats=partial(Ieee, 64, exact=True)),
)
