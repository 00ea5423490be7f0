"""Rules that contradict themselves or each other are told before they do harm."""

from datetime import date

import pytest

from holdfast.scheduling.rules.book import RuleBook
from holdfast.scheduling.rules.doubts import find_doubts
from tests.scheduling.rules.rule_bench import book, one

TODAY = date(2026, 3, 2)
HUGE = "load_w" + " * 1e12" * 28 + " > 1"


def told(rules: RuleBook) -> list[str]:
    return [doubt.text for doubt in find_doubts(rules, TODAY)]


@pytest.mark.parametrize(
    ("when", "more", "doubt"),
    [
        ("soc_pct > 80 && soc_pct < 20", "", "can never hold"),
        ("soc_pct > 100", "", "can never hold"),
        ("soc_pct >= 0 || grid_w < 3", "", "always holds"),
        ("price_per_kwh < price_min_today", "", "can never hold"),
        ("soc_pct < 50", "ends_when: soc_pct < 60", "can never fire: whenever `when` holds"),
        ("soc_pct < 50", "until: 2026-03-01", "its time was over after 2026-03-01"),
        ("pv_w / load_w > 2", "", "it divides by zero, where load_w = 0"),
        ("soc_pct < 50", "ends_when: 1 / (soc_pct - 60) > 0", "by zero, where soc_pct = 60"),
        (HUGE, "", "becomes too large"),
    ],
)
def test_a_rule_that_hardly_means_what_it_says(when: str, more: str, doubt: str) -> None:
    assert any(doubt in text for text in told(one(when, more)))


@pytest.mark.parametrize(
    ("when", "more"),
    [
        ("soc_pct < 50", "until: 2026-03-02"),
        ("load_w > 0 && pv_w / load_w > 2", ""),
        ("soc_pct < 50", "ends_when: soc_pct > 60"),
        ("hour >= 22 || hour < 6", ""),
        ('weekday in ["sat", "sun"] && !is_holiday', ""),
        ("cheaper_hours_today < 4 && price_per_kwh < price_p50 && soc_pct < 80 && hour < 6", ""),
    ],
)
def test_a_rule_without_doubt(when: str, more: str) -> None:
    assert told(one(when, more)) == []


def two(
    first: str, second: str, modes: tuple[str, str] = ("hold", "passive"), priority: int = 0
) -> RuleBook:
    return book(f"""
  - {{name: first, when: '{first}', then: {{mode: {modes[0]}}}, priority: {priority}}}
  - {{name: second, when: '{second}', then: {{mode: {modes[1]}}}}}
""")


def test_two_that_may_fire_together_are_named_with_an_example() -> None:
    (text,) = told(two("hour >= 17 && soc_pct > 30", "soc_pct < 60 && grid_w > 100"))
    assert text.startswith("first asks for hold and second asks for passive with the same priority")
    assert "soc_pct = 45" in text
    assert text.endswith("; first would be followed")


@pytest.mark.parametrize(
    "rules",
    [
        two("hour < 12", "hour >= 12"),
        two("soc_pct > 50", "soc_pct <= 50 && hour > 3"),
        two("price_per_kwh < price_p05", "price_p05 > price_p95"),
        two("hour < 12", "hour < 13", ("hold", "hold")),
        two("hour < 12", "hour < 13", priority=1),
    ],
)
def test_two_that_never_contradict_each_other(rules: RuleBook) -> None:
    assert [text for text in told(rules) if "both may fire" in text] == []


def test_one_that_is_not_enabled_contradicts_nobody() -> None:
    rules = book("""
  - {name: first, when: hour < 12, then: {mode: hold}}
  - {name: second, when: hour < 12, then: {mode: passive}, enabled: false}
""")
    assert told(rules) == []


def test_a_rule_with_many_names_is_tried_and_says_how_often() -> None:
    names = ("soc_pct", "grid_w", "pv_w", "load_w", "hour", "month", "day", "temperature_c")
    (text,) = told(one(" && ".join(f"{name} > 1e5" for name in names)))
    assert "held with none of 1500 combinations" in text
