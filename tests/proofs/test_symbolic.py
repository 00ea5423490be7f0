"""The symbolic numbers mean what Python's numbers mean."""

import math
import operator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proofs import terms
from proofs.floats import Ieee, Reals
from proofs.proof import Proof, SymbolicMath, is_finite, is_nan, prove
from proofs.symbolic import Path, SymbolicFloat, SymbolicInt, explore

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, 0.1, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
    -1.7976931348623157e308, math.inf, -math.inf, math.nan, 3.0, 1 / 3, 1e16 + 2,
]  # fmt: skip
FLOATS = st.floats() | st.sampled_from(SPECIAL)


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or (
        a == b and math.copysign(1.0, a) == math.copysign(1.0, b)
    )


def known(value, floats):
    return SymbolicFloat(path=Path(floats=floats, answers=[]), term=floats.constant(value))


def computed(number):
    model = terms.solve([], terms.known_truth(True))
    return number.path.floats.value(model, number.term)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv"])
@settings(max_examples=150, deadline=None)
@given(FLOATS, FLOATS)
def test_arithmetic_is_bit_for_bit_that_of_python(name, a, b):
    act = getattr(operator, name)
    if name == "truediv" and b == 0.0:
        with pytest.raises(ZeroDivisionError):
            act(known(a, Ieee(exact=True)), b)
        return
    for left, right in ((known(a, floats := Ieee(exact=True)), known(b, floats)),
                        (known(a, Ieee(exact=True)), b), (a, known(b, Ieee(exact=True)))):  # fmt: skip
        assert same(computed(act(left, right)), act(a, b))


def test_a_number_is_not_none():
    number = known(0.0, Ieee())
    assert (number == None, number != None) == (False, True)  # noqa: E711 - that is the question


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
@settings(max_examples=100, deadline=None)
@given(FLOATS, FLOATS)
def test_comparison_is_that_of_python(name, a, b):
    act = getattr(operator, name)
    assert bool(act(known(a, floats := Ieee()), known(b, floats))) is act(a, b)
    assert bool(act(known(a, Ieee()), b)) is act(a, b)
    assert bool(act(a, known(b, Ieee()))) is act(a, b)


@pytest.mark.parametrize("a", SPECIAL)
@pytest.mark.parametrize("b", SPECIAL)
def test_min_max_abs_and_negation_are_those_of_python(a, b):
    floats = Ieee()
    left, right = known(a, floats), known(b, floats)
    assert same(computed(min(left, right)), min(a, b))
    assert same(computed(max(left, right)), max(a, b))
    assert same(computed(abs(left)), abs(a))
    assert same(computed(-left), -a)


@settings(max_examples=300, deadline=None)
@given(FLOATS, FLOATS, FLOATS)
@example(1e308, 1e308, 1e308)
@example(5e-324, 0.5, 0.1)
def test_the_rounding_lemmas_hold_for_what_python_computes(a, b, c):
    floats = Ieee()
    x, y, z = (floats.constant(value) for value in (a, b, c))

    def result(value):
        return floats.constant(value)

    lemmas = (
        floats.sum_lemmas(x, y, result(a + b))
        | floats.product_lemmas(x, y, result(a * b))
        | floats.mirror_lemmas(
            (x, y, result(a + b)), (floats.negated(x), floats.negated(y), result(-a - b))
        )
        | floats.larger_lemmas((x, y, result(a * b)), (z, y, result(c * b)))
    )
    if b != 0.0:
        lemmas |= floats.quotient_lemmas(x, y, result(a / b))
    for name, lemma in lemmas.items():
        assert terms.decided(lemma) is True, name


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 10**12))
@example(499_999_999, 500_000_000)
def test_the_quotient_of_two_times_is_one_that_the_facts_permit(time_ns, divisor):
    floats = Ieee()
    path = Path(floats=floats, answers=[])
    quotient = SymbolicInt(path=path, term=terms.known_whole(time_ns)) / divisor
    is_true = floats.equal(quotient.term, floats.constant(time_ns / divisor))
    assert path.example(is_true) is not None


@given(FLOATS)
def test_finite_is_what_python_calls_finite(value):
    assert is_finite(value) is math.isfinite(value)
    assert is_nan(value) is math.isnan(value)
    assert SymbolicMath.isfinite(value) is math.isfinite(value)
    assert bool(SymbolicMath.isfinite(known(value, Ieee()))) is math.isfinite(value)


def test_every_path_is_gone_once_and_no_impossible_one():
    seen = []

    def run(path):
        number = SymbolicFloat(path=path, term=path.floats.unknown("x"))
        if number < 1.0:
            seen.append("below" if number < 0.0 else "between")
        elif number < 1.0:
            seen.append("impossible")
        else:
            seen.append("NaN" if number != number else "above")

    assert len(list(explore(Ieee, run))) == 4
    assert sorted(seen) == ["NaN", "above", "below", "between"]


# A proof that says nothing, or something wrong, fails. -------------------------------------------


def result_of(run, **kwargs):
    return prove(Proof(name="test", run=run, **kwargs))


def test_a_true_claim_is_proven():
    result = result_of(lambda v: v.claim("a square", abs(v.number("x")) >= -1.0, given=True))
    assert not result.proven  # NaN
    result = result_of(lambda v: v.claim("no less", (x := v.number("x")) >= x, given=x == x))
    assert result.proven
    assert result.discharged == 1


def test_a_false_claim_gives_a_counterexample_that_was_replayed():
    result = result_of(lambda v: v.claim("small", v.number("x") < 5.0))
    (failure,) = result.failures
    assert not result.proven
    assert failure.replayed
    assert not failure.inputs["x"] < 5.0
    assert "replayed on the real code" in str(failure)


def test_what_the_lemmas_permit_and_the_processor_does_not_is_told_apart():
    result = result_of(lambda v: v.claim("half", v.number("x") * v.number("y") != 0.25))
    (failure,) = result.failures
    assert failure.replayed
    assert failure.inputs["x"] * failure.inputs["y"] == 0.25


def test_a_claim_that_no_input_reaches_is_no_proof():
    result = result_of(lambda v: v.claim("x", False, given=(x := v.number("x")) < x))
    assert not result.proven
    assert "no input reaches it" in str(result.failures[0])


def test_no_claim_is_no_proof():
    result = result_of(lambda v: v.number("x"))
    assert not result.proven
    assert result.discharged == 0


def test_code_that_raises_is_found_and_replayed():
    def run(v):
        v.claim("anything", True)
        if v.number("x") == 4.0:
            raise KeyError

    (failure,) = result_of(run).failures
    assert failure.claim == "raises nothing"
    assert failure.inputs == {"x": 4.0}
    assert failure.replayed


def test_over_the_reals_nothing_is_rounded():
    def run(v):
        v.claim("thirds", v.number("x") / 3.0 * 3.0 == v.number("x"))

    assert result_of(run, floats=Reals).proven
