"""A judgement from day to day: who takes over, what is kept, and what is believed of a file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.monitoring.judgement import (
    VALID_FOR,
    JudgedDay,
    Judgement,
    decode_judgement,
    encode_judgement,
    is_judged,
)
from holdfast.monitoring.plan_judge import PlansVerdict, WhoLeads
from tests.builders import build_site

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
PRICES = {"purchase": FIXED, "feed_in": FIXED}
SITE = build_site(prices=PRICES)
BEGIN = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 6, tzinfo=UTC)
NEW = Judgement(site=SITE.name, currency="EUR", made=NOW)
LOSING, WINNING = [-0.5, -0.3, -0.4, -0.6, -0.2, -0.5, -0.4], [0.5, 0.3, 0.4, 0.6, 0.2, 0.5, 0.4]


def led(day: date, gain: float, by: WhoLeads = WhoLeads.PLANS) -> JudgedDay:
    return JudgedDay(day=day, led=by, gain=gain, plans_soc_pct=40.0, rule_soc_pct=30.0)


def after(judgement: Judgement, gains: Sequence[float]) -> Judgement:
    """Each day is judged two days later, and was led by who leads."""
    for gain in gains:
        day = BEGIN if judgement.looked is None else judgement.looked + timedelta(days=1)
        today = day + timedelta(days=2)
        now = NOW + (today - BEGIN)
        judgement = judgement.with_day(led(day, gain, judgement.leads), now, today)
    return judgement


def test_a_new_site_is_led_by_plans_and_says_how_many_days_are_needed() -> None:
    found = after(NEW, LOSING)
    assert (found.leads, found.verdict) == (WhoLeads.PLANS, PlansVerdict.TOO_FEW_DAYS)
    assert found.why == "plans lead: 7 days were judged, and 28 are needed"


def test_plans_that_lose_hand_over_and_get_it_back_by_days_that_the_rule_has_led() -> None:
    lost = after(NEW, LOSING * 4)
    assert (lost.leads, lost.verdict, lost.days) == (
        WhoLeads.RULE,
        PlansVerdict.RULE_LEADS,
        (),
    )
    assert lost.looked == BEGIN + timedelta(days=29), "today is led by both"
    assert lost.why == "self-consumption leads: plans earned 11.60 EUR less on 28 days"
    shadowed = after(lost, WINNING * 3)
    assert shadowed.leads is WhoLeads.RULE
    assert shadowed.why == lost.why, "there is nothing newer to tell"
    back = after(lost, WINNING * 4)
    assert (back.leads, back.verdict) == (WhoLeads.PLANS, PlansVerdict.PLANS_LEAD)
    assert back.why == "plans lead: plans would have earned 11.60 EUR more on 28 days"
    assert after(back, WINNING * 4).why == "plans lead: plans earned 11.60 EUR more on 28 days"


def test_the_rule_goes_on_while_plans_would_still_lose() -> None:
    lost = after(after(NEW, LOSING * 4), LOSING * 5)
    assert lost.leads is WhoLeads.RULE
    assert lost.why == "self-consumption leads: plans would have earned 14.50 EUR less on 35 days"


def test_a_day_that_another_led_changes_nothing_but_that_it_was_looked_at() -> None:
    found = after(NEW, LOSING)
    day = BEGIN + timedelta(days=7)
    assert found.with_day(led(day, 9.0, WhoLeads.RULE), NOW, day) == replace(found, looked=day)


def test_weeks_consist_of_the_same_days_as_long_as_they_count() -> None:
    found = NEW
    for count in range(1, 100):
        found = after(found, [float(count)])
        first = int(found.days[0].gain) - 1
        assert first % 7 == 0
        assert len(found.days) == count - first <= 62


def test_it_survives_its_file() -> None:
    for found in (NEW, after(NEW, LOSING), after(NEW, WINNING * 5), after(NEW, LOSING * 4)):
        assert decode_judgement(encode_judgement(found)) == found


WEEK = after(NEW, LOSING)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        encode_judgement(after(NEW, LOSING * 4))[:-40],
        to_json(replace(NEW, made=NOW.replace(tzinfo=None))),
        to_json(after(NEW, [1e12])),
        encode_judgement(after(NEW, LOSING)).replace(b"-0.5", b"NaN"),
        encode_judgement(NEW).replace(b'"leads":"plans"', b'"leads":"nobody"'),
        to_json(replace(WEEK, days=(replace(WEEK.days[0], rule_soc_pct=101.0), *WEEK.days[1:]))),
        to_json(replace(WEEK, looked=None)),
        to_json(replace(WEEK, looked=WEEK.days[-2].day)),
        to_json(replace(WEEK, days=WEEK.days[::-1])),
        to_json(replace(NEW, looked=date(9999, 12, 31))),
    ],
    ids=[
        "empty",
        "torn",
        "no zone",
        "amount",
        "no number",
        "another release",
        "more than full",
        "not looked at",
        "to come",
        "out of order",
        "not over",
    ],
)
def test_what_it_did_not_write_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_judgement(content)


@pytest.mark.parametrize(
    ("later", "is_valid"),
    [
        (timedelta(0), True),
        (VALID_FOR, True),
        (VALID_FOR + timedelta(seconds=1), False),
        (-timedelta(minutes=9), True),
        (-timedelta(hours=1), False),
    ],
)
def test_it_counts_for_a_week_and_not_from_the_future(later: timedelta, is_valid: bool) -> None:
    assert NEW.is_valid(SITE, NOW + later) is is_valid


def test_that_of_another_site_does_not_count() -> None:
    assert not replace(NEW, site="another").is_valid(SITE, NOW)
    assert not replace(NEW, currency="SEK").is_valid(SITE, NOW)


DEMAND = {"demand_charges": [{"price_per_kw": 5.0, "period": "month"}]}
CAPACITY = {"capacity_charges": [{"subscribed_kw": 5, "excess_per_kw": 9, "period": "month"}]}


@pytest.mark.parametrize(
    ("site", "judged"),
    [
        (SITE, True),
        (build_site(), False),
        (build_site(prices=PRICES | DEMAND), False),
        (build_site(prices=PRICES | CAPACITY), False),
        (build_site(prices=PRICES, planner={"judged": False}), False),
        (build_site(prices=PRICES, planner={"strategy": "cheap_hours"}), False),
    ],
    ids=["usual", "no prices", "a price of the peak", "capacity", "switched off", "a rule plans"],
)
def test_plans_are_judged_where_days_can_tell(site: Site, judged: bool) -> None:
    assert is_judged(site) is judged
