"""The judge of plans: what it makes of good, bad, odd and noisy days."""

import math
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.monitoring.plan_judge import (
    LEAST_WEEKS,
    MOST_WEEKS,
    WEEK_DAYS,
    PlansVerdict,
    WhoLeads,
    judge,
    weigh,
)

LEAST_DAYS = LEAST_WEEKS * WEEK_DAYS
GAINS = st.lists(st.floats(-50.0, 50.0), min_size=LEAST_DAYS, max_size=90)


def days_like(seed: int, mean: float, count: int = 365) -> list[float]:
    """Days resemble those before them, and some are far off; their spread is 1."""
    chance, days, like = random.Random(seed), [], 0.0
    for _ in range(count):
        scale = math.sqrt(sum(chance.gauss(0.0, 1.0) ** 2 for _ in range(4)) / 2.0)
        like = 0.4 * like + math.sqrt(1.0 - 0.4**2) * chance.gauss(0.0, 1.0) / scale
        days.append(mean + like)
    return days


def verdicts(leads: WhoLeads, gains: Sequence[float]) -> Iterator[PlansVerdict]:
    """Yields what is found after each week."""
    for count in range(WEEK_DAYS, len(gains) + 1, WEEK_DAYS):
        yield judge(leads, weigh(gains[:count]))


@pytest.mark.parametrize("leads", WhoLeads)
def test_with_few_days_whoever_leads_goes_on(leads: WhoLeads) -> None:
    for count in range(LEAST_DAYS):
        assert judge(leads, weigh([-1.0] * count)) is PlansVerdict.TOO_FEW_DAYS
    assert LEAST_DAYS >= 14


def test_plans_that_lose_steadily_hand_over_after_four_weeks_and_get_it_back() -> None:
    losing = [-0.5 + 0.3 * math.sin(day) for day in range(LEAST_DAYS)]
    assert judge(WhoLeads.PLANS, weigh(losing)) is PlansVerdict.RULE_LEADS
    winning = [-gain for gain in losing]
    assert judge(WhoLeads.RULE, weigh(winning)) is PlansVerdict.PLANS_LEAD


@given(GAINS)
def test_bounds_enclose_the_mean_and_a_loss_is_a_gain_of_the_other(gains: list[float]) -> None:
    found, turned = weigh(gains), weigh([-gain for gain in gains])
    assert found is not None
    assert turned is not None
    assert found.low <= found.mean <= found.high
    assert (turned.low, turned.high) == (-found.high, -found.low)
    assert found.days in range(LEAST_DAYS, MOST_WEEKS * WEEK_DAYS + 1, WEEK_DAYS)
    assert found.total == pytest.approx(found.mean * found.days, abs=1e-9)


@given(GAINS, st.floats(0.01, 20.0))
def test_plans_that_earn_more_never_fare_worse(gains: list[float], more: float) -> None:
    better = weigh([gain + more for gain in gains])
    if judge(WhoLeads.PLANS, better) is PlansVerdict.RULE_LEADS:
        assert judge(WhoLeads.PLANS, weigh(gains)) is PlansVerdict.RULE_LEADS
    if judge(WhoLeads.RULE, weigh(gains)) is PlansVerdict.PLANS_LEAD:
        assert judge(WhoLeads.RULE, better) is PlansVerdict.PLANS_LEAD


@given(GAINS)
def test_nobody_takes_over_and_loses_it_by_the_same_days(gains: list[float]) -> None:
    found = weigh(gains)
    if judge(WhoLeads.PLANS, found) is PlansVerdict.RULE_LEADS:
        assert judge(WhoLeads.RULE, found) is PlansVerdict.RULE_LEADS


def test_a_part_of_a_week_changes_nothing() -> None:
    whole = [-0.5 + 0.1 * (day % 3) for day in range(LEAST_DAYS)]
    for more in range(WEEK_DAYS):
        assert weigh(whole + [100.0] * more) == weigh(whole)


def test_days_of_another_season_do_not_count() -> None:
    recent = [0.3 + 0.1 * (day % 3) for day in range(MOST_WEEKS * WEEK_DAYS)]
    assert weigh([-9.0] * LEAST_DAYS + recent) == weigh(recent)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_one_day_a_thousand_times_too_large_decides_nothing(sign: float) -> None:
    good = [0.4 + 0.1 * (day % 3) for day in range(LEAST_DAYS)]
    odd = [*good[:-3], sign * 500.0, *good[-2:]]
    assert judge(WhoLeads.PLANS, weigh(odd)) is PlansVerdict.PLANS_LEAD
    assert judge(WhoLeads.RULE, weigh(odd)) is PlansVerdict.RULE_LEADS


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="a gain is no number"):
        weigh([0.1] * LEAST_DAYS + [value])


@pytest.mark.parametrize(
    ("mean", "least", "most"),
    [(1.0, 0.0, 0.0), (0.5, 0.0, 0.01), (0.2, 0.0, 0.03), (0.0, 0.1, 0.35), (-1.0, 1.0, 1.0)],
)
def test_of_houses_watched_for_a_year_so_many_are_handed_over(
    mean: float, least: float, most: float
) -> None:
    """These are the rates that docs/decisions/0043 states, in spreads of a day."""
    houses = 200
    share = (
        sum(
            PlansVerdict.RULE_LEADS in verdicts(WhoLeads.PLANS, days_like(seed, mean))
            for seed in range(houses)
        )
        / houses
    )
    assert least <= share <= most


def test_half_of_the_houses_that_lose_half_a_spread_are_handed_over_within_ten_weeks() -> None:
    weeks = sorted(
        [*verdicts(WhoLeads.PLANS, days_like(seed, -0.5)), PlansVerdict.RULE_LEADS].index(
            PlansVerdict.RULE_LEADS
        )
        + 1
        for seed in range(100)
    )
    assert weeks[50] <= 10
