"""A judgement is what the judge of plans has found of a site, with the days that it rests on."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.core.strategy_name import StrategyName
from holdfast.monitoring.plan_judge import (
    LEAST_WEEKS,
    MOST_WEEKS,
    WEEK_DAYS,
    PlansVerdict,
    Weighed,
    WhoLeads,
    judge,
    weigh,
)

VALID_FOR = timedelta(days=7)
"""Of a judgement to which no day was added for so long nothing is left: plans lead."""
CLOCKS_DIFFER = timedelta(minutes=10)
_MOST = 1e9
_LEAST_DAYS, _MOST_DAYS = LEAST_WEEKS * WEEK_DAYS, MOST_WEEKS * WEEK_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDay:
    """Tells of one local day what plans earned more than self-consumption."""

    day: date
    led: WhoLeads
    """It led nearly all day."""
    gain: float
    """It is in the site's currency, what is stored in the end counted."""
    plans_soc_pct: float
    """It is stored in the end of the day where plans lead, and"""
    rule_soc_pct: float
    """where the rule does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Holds who leads, and why."""

    site: str
    currency: str
    made: datetime
    """It is aware; the last day was judged then."""
    leads: WhoLeads = WhoLeads.PLANS
    looked: date | None = None
    """Days up to this one are over and done with; None: all are to be looked at."""
    verdict: PlansVerdict = PlansVerdict.TOO_FEW_DAYS
    weighed: Weighed | None = None
    """It is what was weighed last; None: nothing yet."""
    days: tuple[JudgedDay, ...] = ()
    """They are those that ``leads`` has led and that could be judged, the oldest first."""

    def with_day(self, day: JudgedDay, now: datetime, today: date) -> "Judgement":
        """Returns what is found with another ``day``, at ``now``, on the site's day ``today``.

        One that another led changes nothing. Whoever takes over is judged by days from tomorrow on.
        """
        assert self.looked is None or self.looked < day.day, "days are looked at once, in order"
        if day.led is not self.leads:
            return replace(self, looked=day.day)
        days = (*self.days, day)
        # In whole weeks, so that a week consists of the same days as long as it counts.
        days = days[max(len(days) - _MOST_DAYS, 0) // WEEK_DAYS * WEEK_DAYS :]
        weighed = weigh([one.gain for one in days])
        found = replace(
            self,
            made=now,
            looked=day.day,
            verdict=judge(self.leads, weighed),
            weighed=weighed or self.weighed,
            days=days,
        )
        leads = _LEADER.get(found.verdict, self.leads)
        return found if leads is self.leads else replace(found, leads=leads, looked=today, days=())

    def is_valid(self, site: Site, now: datetime) -> bool:
        """Says whether it is of ``site``, and neither old nor from the future."""
        is_ours = (self.site, self.currency) == (site.name, site.currency)
        return is_ours and -CLOCKS_DIFFER <= now - self.made <= VALID_FOR

    @property
    def why(self) -> str:
        """Tells in words who leads, and why."""
        leads = "plans lead" if self.leads is WhoLeads.PLANS else "self-consumption leads"
        found = self.weighed
        if found is None:
            return f"{leads}: {len(self.days)} days were judged, and {_LEAST_DAYS} are needed"
        # Whoever has taken over just now was chosen by days that the other one led.
        plans_led = (self.leads is WhoLeads.PLANS) == (len(self.days) >= found.days)
        verb = "earned" if plans_led else "would have earned"
        amount, word = abs(found.total), "more" if found.total >= 0.0 else "less"
        return f"{leads}: plans {verb} {amount:.2f} {self.currency} {word} on {found.days} days"


_LEADER = {
    PlansVerdict.PLANS_LEAD: WhoLeads.PLANS,
    PlansVerdict.RULE_LEADS: WhoLeads.RULE,
}
_ADAPTER = TypeAdapter(Judgement)


def is_judged(site: Site) -> bool:
    """Says whether plans of ``site`` are judged.

    Where the highest import has a price they are not: it is one of a month or a year, no day has a
    part of it, and what a plan gives up to keep it low would look like a loss.
    """
    planner, prices = site.planner, site.prices
    if not planner.judged or planner.strategy is not StrategyName.OPTIMIZER or prices is None:
        return False
    return not (prices.demand_charges or prices.capacity_charges)


def encode_judgement(judgement: Judgement) -> bytes:
    """Returns the bytes that :func:`decode_judgement` reads."""
    return to_json(judgement)


def decode_judgement(content: bytes) -> Judgement:
    """Reads what :func:`encode_judgement` wrote. Raises ValueError for anything else."""
    judgement = _ADAPTER.validate_json(content)
    if judgement.made.tzinfo is None:
        raise ValueError("holds a time without a zone")
    found = judgement.weighed
    amounts = [day.gain for day in judgement.days]
    amounts += [] if found is None else [found.total, found.mean, found.low, found.high]
    if not all(abs(amount) < _MOST for amount in amounts):
        raise ValueError("holds an amount that cannot be")
    socs_pct = [pct for day in judgement.days for pct in (day.plans_soc_pct, day.rule_soc_pct)]
    if not all(0.0 <= pct <= 100.0 for pct in socs_pct):
        raise ValueError("holds a state of charge that cannot be")
    _check_days(judgement)
    return judgement


def _check_days(judgement: Judgement) -> None:
    """Refuses days out of order, or that were not over when they were judged."""
    days, looked = [one.day for one in judgement.days], judgement.looked
    if looked is None:
        if days:
            raise ValueError("holds days that were not looked at")
        return
    is_over = (looked - judgement.made.date()).days <= 1
    if not (is_over and days == sorted(set(days)) and (not days or days[-1] <= looked)):
        raise ValueError("holds days that are out of order, or to come")
