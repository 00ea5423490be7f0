"""Rules on measured days: how often they would have fired, and what that would have saved."""

from datetime import timedelta

import pytest

from holdfast.backtest.rule_trial import RuleTrials, try_rules
from holdfast.backtest.strategies import Strategy
from holdfast.scheduling.rules.book import read_rules
from holdfast.simulation.demo_site import simulated_site
from tests.backtest.backtest_bench import START, job, measured

NIGHT = (
    "  - {name: night, when: hour < 3, then: {mode: power, power_w: 3000}, "
    "ends_when: soc_pct > 90}\n"
)


def dear_evening(hour: float) -> float:
    return 0.50 if 17 <= hour % 24 < 22 else 0.10 if hour % 24 < 6 else 0.30


def trials(rules: str, days: int = 2, strategy: Strategy = Strategy.SELF_CONSUMPTION) -> RuleTrials:
    text = "rules:\n" + rules
    data = measured(24 * days, buy=dear_evening, pv_w=lambda _: 0.0, load_w=lambda _: 900.0)
    return try_rules(
        job(data, strategy, soc_pct=20.0),
        text,
        read_rules(text, simulated_site(), "rules"),
        processes=1,
    )


def test_a_rule_that_buys_in_cheap_nights_saves_and_tells_when_it_fired() -> None:
    found = trials(NIGHT)
    (deeds,) = found.alone["night"].deeds
    assert deeds.fired == 2
    assert deeds.first == START
    assert deeds.last == START + timedelta(days=1)
    assert 2.0 <= deeds.hours <= 6.0
    assert deeds.followed_hours == deeds.hours
    assert deeds.not_known == ()
    assert found.saved_by("night") > 0.5
    assert found.saved == pytest.approx(found.saved_by("night"))
    assert found.together.bill.charged_kwh > found.without.bill.charged_kwh + 5.0


def test_one_that_is_not_enabled_is_tried_alone_and_no_part_of_all() -> None:
    found = trials(NIGHT.replace("{name", "{enabled: false, name"))
    assert found.saved == 0.0
    assert found.saved_by("night") > 0.5
    assert found.together.deeds == ()


def test_two_that_contradict_each_other_are_told_with_the_hours() -> None:
    found = trials(NIGHT + "  - {name: rest, when: hour >= 2 && hour < 4, then: {mode: passive}}\n")
    (conflict,) = found.together.conflicts
    assert (conflict.first, conflict.second) == ("night", "rest")
    assert 0.0 < conflict.hours <= 2.0
    assert conflict.example == START + timedelta(hours=2)
    deeds = {each.name: each for each in found.together.deeds}
    assert deeds["rest"].hours - deeds["rest"].followed_hours == pytest.approx(conflict.hours)


def test_what_measured_days_do_not_tell_is_named() -> None:
    (deeds,) = (
        trials("  - {name: warm, when: temperature_c > 20, then: {mode: hold}}\n", days=1)
        .alone["warm"]
        .deeds
    )
    assert (deeds.fired, deeds.first, deeds.not_known) == (0, None, ("temperature_c",))


def test_bounds_alone_lie_over_what_is_done_anyway() -> None:
    found = trials("  - {name: keep, when: hour < 12, then: {reserve_pct: 100}}\n", days=1)
    assert found.alone["keep"].deeds[0].followed_hours == 12.0


def test_a_forecast_is_there_for_rules_that_ask_for_it() -> None:
    rules = "  - {name: dark, when: pv_next_4h_wh < 10, then: {mode: hold}}\n"
    (deeds,) = trials(rules, days=1).alone["dark"].deeds
    assert deeds.not_known == ()
    assert deeds.hours > 12.0
