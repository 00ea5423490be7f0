"""What a rule's condition may say, and what is told when it says something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import ConfigError
from holdfast.scheduling.rules.expression import MAX_CHARACTERS, RuleExpression
from holdfast.scheduling.rules.fact_table import FACTS, FactKind, Facts

KNOWN: Facts = {
    "soc_pct": 50.0,
    "pv_w": 100.0,
    "load_w": 0.0,
    "weekday": "mon",
    "hour": 7.25,
    "is_holiday": False,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("soc_pct < 80", True),
        ("soc_pct + 1 > 51", False),
        ("soc_pct >= 50 && hour < 8 || is_holiday", True),
        ("!is_holiday && -soc_pct < 0", True),
        ('weekday in ["mon", "tue"]', True),
        ('"sat" == weekday', False),
        ("hour in [7.25, 8]", True),
        ("min(pv_w, soc_pct) == 50 && max(load_w, 3) == 3 && abs(-2) == 2", True),
        ("(is_holiday ? pv_w : load_w) < 1", True),
        ("pv_w - -3 > 0x10", True),
        ("soc_pct > 007", True),
        ("true", True),
    ],
)
def test_it_holds_or_not(text: str, holds: bool) -> None:
    assert RuleExpression(text).verdict(KNOWN).holds is holds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("grid_w > 2", "not known: grid_w"),
        ("!(grid_w > 2)", "not known: grid_w"),
        ("soc_pct > 10 && grid_w > 2", "not known: grid_w"),
        ("min(grid_w, pv_w) > 2", "not known: grid_w"),
        ("pv_w / load_w > 2", "it divides by zero"),
        ("pv_w * " + " * ".join(["1e12"] * 30) + " > 1", "a number in it becomes too large"),
    ],
)
def test_what_cannot_be_said_is_neither_true_nor_false(text: str, why: str) -> None:
    verdict = RuleExpression(text).verdict(KNOWN)
    assert verdict.holds is None
    assert verdict.why == why


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("soc_pct < 10 && grid_w > 2", False),
        ("grid_w > 2 && soc_pct < 10", False),
        ("grid_w > 2 || soc_pct > 10", True),
        ("load_w > 0 && pv_w / load_w > 2", False),
        ("load_w > 0 ? pv_w / load_w > 2 : true", True),
    ],
)
def test_what_is_not_known_does_not_matter_where_the_rest_decides(text: str, holds: bool) -> None:
    assert RuleExpression(text).verdict(KNOWN).holds is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("soc < 3", "column 1: soc is no name that a rule may use; do you mean soc_pct?"),
        (
            "hour > 1 && qqq",
            "column 13: qqq is no name that a rule may use (`holdfast rules facts`",
        ),
        ("soc_pct", "is a number, and no condition"),
        ("weekday", "is a text, and no condition"),
        ('soc_pct < "high"', 'column 11: < takes a number there, and "high" is a text'),
        ("pv_w && true", "column 1: && takes true or false there, and pv_w is a number"),
        ("!pv_w", "column 2: ! takes true or false there, and pv_w is a number"),
        ("-is_holiday > 1", "column 2: - takes a number there, and is_holiday is true or false"),
        ("1 < soc_pct < 5", "column 1: < takes a number there, and 1 < soc_pct is true or false"),
        ("is_holiday == 1", "column 15: == takes true or false there, and 1 is a number"),
        ("hour in [1, true]", "in takes a number there, and true is true or false"),
        ('weekday == "Mon"', 'column 12: weekday is never "Mon"; it is mon, tue, wed'),
        ('weekday in ["sat", "so"]', 'column 20: weekday is never "so"'),
        ("soc_pct in 5", "column 12: after in stands a list"),
        ("soc_pct in []", "after in stands a list"),
        ("soc_pct <", "column 9: '<' is not understood there"),
        ("soc_pct = 1", "column 9: '= 1' is not understood there; conditions are joined by &&"),
        ("soc_pct > 1 and pv_w > 1", "column 13: 'and pv_w > 1' is not understood"),
        ("soc_pct % 2 == 0", "% is not part of the language"),
        ("pv_w / 0 > 1", "column 8: it divides by zero"),
        ("pv_w / (0.0) > 1", "it divides by zero"),
        ("soc_pct < 1e999", "column 11: 1e999 is above 1e+12"),
        (f"soc_pct < {'9' * 400}", "is above 1e+12"),
        (f"soc_pct < 0x{'f' * 400}", "is above 1e+12"),
        ("soc_pct > 1 ? 1 : true", "?: takes a number there, and true is true or false"),
        ("size(weekday) > 1", "column 1: size() cannot be called; min, max, abs can"),
        ("min(pv_w) > 1", "min() takes 2 numbers, not 1"),
        ("abs() > 1", "abs() takes 1 numbers, not 0"),
        ("abs(is_holiday) > 1", "abs() takes a number there"),
        ("[1, 2].all(x, x > 1)", "this is not part of the language of rules"),
        ('weekday.startsWith("m")', "this is not part of the language of rules"),
        ('{"a": 1}["a"] > 0', "this is not part of the language of rules"),
        ("null == null", "column 1: null is no value that a rule may use"),
        ("pv_w > 3u", "column 8: 3u is no value that a rule may use"),
        ("(" * 9 + "true" + ")" * 9, "column 9: more than 8 brackets lie in each other"),
        (" " * MAX_CHARACTERS + "true", "has 504 characters, and 500 are permitted"),
        ("&&".join(["true"] * 80), "parts, and 120 are permitted; make several rules"),
        ("!" * 400 + "true", "parts, and 120 are permitted"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        RuleExpression(text)
    assert told in str(error.value)


def _values(kind: FactKind) -> st.SearchStrategy[float | bool | str]:
    match kind:
        case FactKind.NUMBER:
            return st.floats(allow_nan=False, allow_infinity=False)
        case FactKind.TRUTH:
            return st.booleans()
        case FactKind.TEXT:
            return st.text()


SOME_FACTS = st.fixed_dictionaries(
    {}, optional={name: _values(row.kind) for name, row in FACTS.items()}
)
LONGEST = [
    " + ".join(["pv_w"] * 28) + " > 1",
    "!" * 110 + "true",
    "&&".join(["hour<1"] * 17),
    "(((((((" + "soc_pct / (hour - 3) * 1e12" + ") * pv_w)))))) > load_w / grid_w",
    "max(max(max(max(max(hour, pv_w), pv_w), pv_w), pv_w), pv_w) / min(pv_w, grid_w) != 2",
]


EXPRESSIONS = [RuleExpression(text) for text in LONGEST]


@given(facts=SOME_FACTS)
def test_whatever_is_known_there_is_an_answer(facts: Facts) -> None:
    """Nothing is raised, whichever number it is, and whatever is missing."""
    for expression in EXPRESSIONS:
        verdict = expression.verdict(facts)
        assert verdict.holds in (True, False, None)
        assert bool(verdict.why) == (verdict.holds is None)


@given(st.text(alphabet="abs soc_pct<>=!&|()[]{}\"'0123456789.,+-*/%?:\n\t", max_size=40))
def test_whatever_is_written_it_is_taken_or_refused_in_words(text: str) -> None:
    told = "taken"
    try:
        RuleExpression(text)
    except ConfigError as error:
        told = str(error)
    assert told
