"""What the other proofs stand on: the rounding lemmas and the stand-in for ``math.isfinite``.

Each lemma is proven bit-exactly in 16 bits, and in 64 bits where the solver can: that a factor
up to 1 does not enlarge (from 1: not diminish), and that a quotient of a smaller by a larger
number is at most 1, are beyond it there. They hold in every format for one reason: over the
reals they hold (proven here too), rounding is monotone, and it leaves the bound alone because
the bound is a float itself.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

from proofs import terms
from proofs.proof import Proof, SymbolicMath, Values, is_finite, is_nan, negated
from proofs.terms import Ieee, Reals, Term

_TOO_HARD_IN_64_BITS = frozenset(
    {
        "a factor up to 1 does not enlarge",
        "a factor from 1 does not diminish",
        "below 1",
        "above 1",
    }
)


def lemmas(floats: Ieee) -> dict[str, Term]:
    """All rounding lemmas, about what the processor computes."""
    a, b, x, y = (floats.unknown(name) for name in "abxy")
    total, minus_a, minus_b = floats.exact_sum(a, b), floats.negated(a), floats.negated(b)
    cases = floats.mirror_lemmas((a, b, total), (minus_a, minus_b, floats.exact_sum(minus_a, minus_b)))
    groups: Mapping[str, Mapping[str, Term]] = {
        "sum": floats.sum_lemmas(a, b, total),
        "two sums": cases,
        "product": floats.product_lemmas(a, b, floats.exact_product(a, b)),
        "quotient": floats.quotient_lemmas(a, b, floats.exact_quotient(a, b)),
    }
    del x, y
    return {f"{kind}: {name}": term for kind, group in groups.items() for name, term in group.items()}
