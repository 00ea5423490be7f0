"""The judge says who is to lead the battery: plans, or the simpler rule of self-consumption.

It weighs what plans earned more than the rule would have, day by day. Days resemble those before
them, and now and then one is far from all others, so that it weighs the means of weeks: seven
judged days are one, and Student's t gives a bound on either side that holds at 99 %. Whoever leads
goes on until the other one is better beyond that bound, and only whole weeks count: it is asked
each day and changes its mind once a week at most (docs/decisions/0043-plans-are-judged.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WEEK_DAYS: Final = 7
LEAST_WEEKS: Final = 4
MOST_WEEKS: Final = 8
"""Days before them were of another season."""
_STUDENT_T: Final = (4.541, 3.747, 3.365, 3.143, 2.998)
"""Its quantiles at 99 %, for 3 to 7 degrees of freedom."""

assert len(_STUDENT_T) == MOST_WEEKS - LEAST_WEEKS + 1, "each count of weeks has its quantile"


class WhoLeads(StrEnum):
    """Names who can lead the battery."""

    PLANS = "plans"
    RULE = "self_consumption"


class PlansVerdict(StrEnum):
    """Tells what comes of the judged days."""

    TOO_FEW_DAYS = "too_few_days"
    """Whoever leads goes on."""
    PLANS_LEAD = "plans_lead"
    RULE_LEADS = "rule_leads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Tells what plans earned more than the rule on so many days, in the site's currency."""

    days: int
    total: float
    mean: float
    low: float
    """The true mean of a day lies below this in one of a hundred cases, and"""
    high: float
    """in as many above this."""


def weigh(gains: Sequence[float]) -> Weighed | None:
    """Weighs what plans earned more on each day, the oldest first; None: they are too few.

    Raises ValueError for a gain that is no number.
    """
    if not all(map(math.isfinite, gains)):
        raise ValueError("a gain is no number")
    whole = len(gains) // WEEK_DAYS
    weeks = min(whole, MOST_WEEKS)
    if weeks < LEAST_WEEKS:
        return None
    last = gains[(whole - weeks) * WEEK_DAYS : whole * WEEK_DAYS]
    means = [_mean(last[at : at + WEEK_DAYS]) for at in range(0, len(last), WEEK_DAYS)]
    mean = _mean(means)
    variance = math.fsum((one - mean) ** 2 for one in means) / (weeks - 1)
    reach = _STUDENT_T[weeks - LEAST_WEEKS] * math.sqrt(variance / weeks)
    return Weighed(
        days=len(last), total=math.fsum(last), mean=mean, low=mean - reach, high=mean + reach
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def judge(leads: WhoLeads, weighed: Weighed | None) -> PlansVerdict:
    """Returns who is to lead while ``leads`` does: it hands over only to who is surely better."""
    if weighed is None:
        return PlansVerdict.TOO_FEW_DAYS
    match leads:
        case WhoLeads.PLANS:
            return PlansVerdict.RULE_LEADS if weighed.high < 0.0 else PlansVerdict.PLANS_LEAD
        case WhoLeads.RULE:
            return PlansVerdict.PLANS_LEAD if weighed.low > 0.0 else PlansVerdict.RULE_LEADS
