"""What is learned is tried on days that the learner has not seen."""

from datetime import timedelta

import pytest

from holdfast.backtest.rule_lessons import learn_rules
from holdfast.backtest.strategies import Strategy
from holdfast.core.errors import DataError
from tests.backtest.backtest_bench import START, job, measured


def buy(hour: float) -> float:
    """Cheap nights and dear evenings until the 8th day; from then on it is the same all day."""
    if hour >= 8 * 24:
        return 0.30
    return 0.05 if hour % 24 < 3 else 0.50 if 17 <= hour % 24 < 21 else 0.30


def test_a_habit_that_ends_is_found_and_saves_nothing() -> None:
    data = measured(12 * 24, buy=buy, pv_w=lambda _: 0.0)
    found = learn_rules(job(data, Strategy.SELF_CONSUMPTION), processes=1)
    assert found.learned_until == START + timedelta(days=8)
    assert found.tried_days == 4.0
    lesson = next(one for one in found.lessons if one.proposal.name == "cheap_hours")
    assert lesson.proposal.days == lesson.proposal.of_days == 8
    assert (lesson.fired, lesson.saved) == (0, 0.0)
    assert found.saved_together == 0.0


def test_a_habit_that_goes_on_saves() -> None:
    data = measured(12 * 24, buy=lambda h: buy(h % 24), pv_w=lambda _: 0.0)
    found = learn_rules(job(data, Strategy.SELF_CONSUMPTION, soc_pct=10.0), processes=1)
    lesson = next(one for one in found.lessons if one.proposal.name == "cheap_hours")
    assert lesson.fired >= 4
    assert lesson.saved > 2.0
    assert found.saved_together > 0.0


def test_a_few_days_are_not_enough() -> None:
    with pytest.raises(DataError, match="has 4 whole local days to learn from, and 7 are needed"):
        learn_rules(job(measured(6 * 24), Strategy.SELF_CONSUMPTION), processes=1)
