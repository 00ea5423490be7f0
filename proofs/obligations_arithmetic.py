"""What the other proofs stand on: the rounding lemmas and the stand-in for ``math.isfinite``.

Every lemma is proven bit-exactly in 16 bits, and in 64 bits where the solver can. Those that it
cannot hold in every format for one reason: they hold over the reals (proven here too), rounding
to nearest is monotone and symmetric in the sign, and it leaves the bound alone, because the
bound is a float itself.
"""

import time
from collections.abc import Mapping
from functools import partial

from proofs import terms
from proofs.proof import Failure, Proof, Result, SymbolicMath, Values, is_finite
from proofs.terms import Ieee, Reals, Term

TOO_HARD_IN_64_BITS = frozenset(
    {
        "two sums: the opposite of the opposites",
        "product: a factor up to 1 does not enlarge",
        "product: a factor from 1 does not diminish",
        "quotient: below 1",
    }
)


def lemmas(floats: Ieee) -> dict[str, Term]:
    """All rounding lemmas, as claims about what the processor computes.

    That equal operands have equal sums, and that a zero of either sign adds nothing, brings the
    two lemmas on two sums down to sums of the same and of the negated operands.
    """
    a, b = floats.unknown("a"), floats.unknown("b")
    minus_a, minus_b = floats.negated(a), floats.negated(b)
    total, mirrored = floats.exact_sum(a, b), floats.exact_sum(minus_a, minus_b)
    groups: Mapping[str, Mapping[str, Term]] = {
        "sum": floats.sum_lemmas(a, b, total),
        "two sums": floats.mirror_lemmas((a, b, total), (minus_a, minus_b, mirrored)),
        "swapped sums": floats.mirror_lemmas((a, b, total), (a, b, floats.exact_sum(b, a))),
        "zero adds": floats.zero_lemmas(a, b),
        "product": floats.product_lemmas(a, b, floats.exact_product(a, b)),
        "quotient": floats.quotient_lemmas(a, b, floats.exact_quotient(a, b)),
    }
    return {
        f"{kind}: {name}": term for kind, group in groups.items() for name, term in group.items()
    }


def real_lemmas(reals: Reals) -> dict[str, Term]:
    """The hard ones over the reals, where nothing is rounded."""
    a, b, one = reals.unknown("a"), reals.unknown("b"), reals.constant(1.0)
    zero = reals.constant(0.0)
    size_a, size_b = reals.magnitude(a), reals.magnitude(b)
    product = reals.magnitude(reals.product(a, b))
    quotient = reals.magnitude(reals.quotient(a, b))
    small, large = reals.less_equal(size_b, one), reals.less_equal(one, size_b)
    divides = terms.conjunction(
        reals.less_equal(size_a, size_b), terms.negation(reals.equal(b, zero))
    )
    return {
        "product: a factor up to 1 does not enlarge": _if(small, reals.less_equal(product, size_a)),
        "product: a factor from 1 does not diminish": _if(large, reals.less_equal(size_a, product)),
        "quotient: below 1": _if(divides, reals.less_equal(quotient, one)),
    }


def _if(condition: Term, then: Term) -> Term:
    return terms.disjunction(terms.negation(condition), then)


def prove_lemmas(bits: int) -> Result:
    """The lemmas in one format; 0 bits are the reals."""
    started = time.perf_counter()
    known = real_lemmas(Reals()) if bits == 0 else lemmas(Ieee(bits, exact=True))
    wanted = {n: t for n, t in known.items() if bits != 64 or n not in TOO_HARD_IN_64_BITS}
    failures = [
        Failure(claim=name, inputs={}, replayed=False, note=note)
        for name, term in wanted.items()
        if (note := terms.refuted(term))
    ]
    return Result(
        name=f"lemmas.{bits}_bits" if bits else "lemmas.reals",
        theory=Ieee(bits, exact=True).name if bits else "reals",
        paths=1, refused=0, discharged=len(wanted) - len(failures), claims=len(wanted),
        failures=tuple(failures), seconds=time.perf_counter() - started,
    )  # fmt: skip


def finite(v: Values) -> None:
    """The stand-in for ``math.isfinite`` says what ``math.isfinite`` says."""
    value = v.number("value")
    v.claim(
        "finite is between the infinities", SymbolicMath.isfinite(value), given=is_finite(value)
    )
    v.claim("nothing else is", is_finite(value), given=SymbolicMath.isfinite(value))
    v.claim("finite is what leaves no rest", value - value == 0.0, given=is_finite(value))
    v.claim("nothing else leaves none", is_finite(value), given=value - value == 0.0)


LEMMAS = (16, 64, 0)
PROOFS = (Proof(name="isfinite", run=finite, floats=partial(Ieee, 64, exact=True)),)
