"""The learner proposes what was regular, with figures, and enables nothing."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.scheduling.rules.book import read_rules
from holdfast.scheduling.rules.learner import LearnedDays, RuleProposal, propose, whole_days
from holdfast.simulation.demo_site import simulated_site

SITE = simulated_site()
HOURS = np.repeat(np.arange(24.0), 4)


def proposals(
    buy: Callable[[int, float], float],
    sell: Callable[[int, float], float] = lambda day, hour: 0.05,
    surplus_w: Callable[[int, float], float] = lambda day, hour: -500.0,
    days: int = 20,
) -> dict[str, RuleProposal]:
    made = (
        np.array([[of(d, h) for h in HOURS] for d in range(days)]) for of in (buy, sell, surplus_w)
    )
    learned = LearnedDays(**dict(zip(("buy", "sell", "surplus_w"), made, strict=True)))
    return {proposal.name: proposal for proposal in propose(learned, SITE)}


def flat(day: int, hour: float) -> float:
    return 0.30


def test_where_nothing_is_regular_nothing_is_proposed() -> None:
    assert proposals(flat) == {}


def test_cheap_nights_and_dear_evenings_are_found_with_their_figures() -> None:
    found = proposals(lambda day, h: 0.10 if h < 3 else 0.50 if 17 <= h < 21 else 0.30)
    assert found.keys() == {"cheap_hours", "keep_for_peak"}
    cheap = found["cheap_hours"]
    assert cheap.when.startswith("cheaper_hours_today < 3 && ")
    assert (cheap.days, cheap.of_days) == (20, 20)
    assert "from 17:00 to 21:00 there was load and no sun, at a price of 0.500" in (
        found["keep_for_peak"].evidence
    )


def test_a_spread_that_losses_eat_is_none() -> None:
    assert proposals(lambda day, h: 0.29 if h < 3 else 0.30) == {}


def test_what_was_so_on_few_days_is_no_habit() -> None:
    assert "cheap_hours" not in proposals(lambda day, h: 0.05 if h < 3 and day < 5 else 0.30)


@pytest.mark.parametrize(("days", "is_there"), [(0, False), (1, True), (4, True)])
def test_negative_prices_are_worth_a_rule_even_when_rare(days: int, is_there: bool) -> None:
    found = proposals(lambda day, h: -0.05 if day < days and 12 <= h < 14 else 0.30)
    assert ("negative_price" in found) is is_there
    if is_there:
        assert found["negative_price"].evidence == f"importing was paid for in {2 * days:g} h"
        assert found["negative_price"].days == days


def test_a_regular_surplus_that_is_paid_better_early_is_sold_early() -> None:
    found = proposals(
        flat,
        sell=lambda day, h: 0.12 if h < 12 else 0.04,
        surplus_w=lambda day, h: 3000.0 if 8 <= h < 16 else -500.0,
    )
    sunny = found["sell_before_noon"]
    assert sunny.when.startswith("hour >= 8 && hour < 12 && pv_rest_of_today_wh > ")
    assert "the first half was paid 0.120 and the second 0.040" in sunny.evidence


def test_what_sells_for_more_than_it_costs_is_sold() -> None:
    found = proposals(flat, sell=lambda day, h: 0.60 if 18 <= h < 20 else 0.05)
    assert found["sell_dear"].then == "{mode: power, power_w: -5000}"


def test_less_than_a_week_is_no_habit() -> None:
    assert proposals(lambda day, h: 0.10 if h < 3 else 0.50, days=6) == {}


def test_a_proposal_is_an_entry_of_a_rule_file_and_not_enabled() -> None:
    found = proposals(
        lambda day, h: -0.10 if h < 3 else 0.50 if 17 <= h < 21 else 0.30,
        sell=lambda day, h: 0.60 if h < 12 else 0.04,
        surplus_w=lambda day, h: 3000.0 if 8 <= h < 16 else -500.0,
    )
    assert len(found) == 5
    book = read_rules("rules:\n" + "".join(one.yaml for one in found.values()), SITE, "learned")
    assert book.enabled.rules == ()
    assert len(book.rules) == 5


def test_days_with_a_hole_and_days_on_which_clocks_change_are_left_out() -> None:
    """From 27 to 30 March 2026: Sunday has 23 hours, and of Monday an hour is missing."""
    first = 1774566000 // 900
    numbers = list(range(first, first + (24 * 3 + 23) * 4))
    quarters = [
        (number, 0.3, 0.1, 0.0) for number in numbers if number - first not in range(340, 344)
    ]
    found = whole_days(quarters, ZoneInfo("Europe/Berlin"))
    assert found is not None
    assert found.count == 2
    assert whole_days(quarters[:50], ZoneInfo("Europe/Berlin")) is None
