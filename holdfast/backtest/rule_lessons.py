"""Rules are learned on the first days, and tried on the later ones, which the learner never saw."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.backtest.data import SiteData
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.rule_trial import RuleTrials, try_rules
from holdfast.backtest.run import Job
from holdfast.backtest.world import quarter_means
from holdfast.core.errors import DataError
from holdfast.scheduling.rules.book import read_rules
from holdfast.scheduling.rules.learner import LEAST_DAYS, RuleProposal, propose, whole_days

_LEARN_SHARE = 2.0 / 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLesson:
    """Holds a proposal, and what it would have done on days that it was not made from."""

    proposal: RuleProposal
    saved: float
    """It is what the rule alone would have saved, wear counted, in the site's currency."""
    fired: int
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLessons:
    """Tells what was learned from measured days, the best first."""

    lessons: tuple[RuleLesson, ...]
    learned_until: datetime
    """What was before was learned from; what is after is what it was tried on."""
    tried_days: float
    saved_together: float
    """All that save alone would have saved as much together."""


def learn_rules(job: Job, *, processes: int) -> RuleLessons:
    """Learns from the first two thirds of the job's days, and tries what comes of it on the rest.

    Raises DataError if there are too few days, HoldfastError as a run does.
    """
    site, data = job.site, job.scenario.data
    until = data.start + _LEARN_SHARE * (data.end - data.start)
    past, rest = data.split(until, None)
    days = whole_days([*_quarters(past)], ZoneInfo(site.timezone))
    if days is None or days.count < LEAST_DAYS:
        raise DataError(
            f"has {0 if days is None else days.count} whole local days to learn from, and "
            f"{LEAST_DAYS} are needed; another third is to try it on"
        )
    tried = replace(job, scenario=MeasuredDays(data=rest, before=past))
    proposals = propose(days, site)
    trials = _tried(tried, proposals, processes)
    lessons = sorted(
        (_lesson(proposal, trials) for proposal in proposals), key=lambda lesson: -lesson.saved
    )
    earning = tuple(lesson.proposal for lesson in lessons if lesson.saved > 0.0)
    together = _tried(tried, earning, processes, enabled=True) if len(earning) > 1 else None
    best = lessons[0].saved if earning else 0.0
    return RuleLessons(
        lessons=tuple(lessons),
        learned_until=until,
        tried_days=rest.days,
        saved_together=best if together is None else together.saved,
    )


def rules_text(proposals: tuple[RuleProposal, ...]) -> str:
    """Returns the text of a rule file, in which none is enabled."""
    return "rules:\n" + "".join(proposal.yaml for proposal in proposals)


def _tried(
    job: Job, proposals: tuple[RuleProposal, ...], processes: int, *, enabled: bool = False
) -> RuleTrials:
    text = rules_text(proposals)
    if enabled:
        text = text.replace("enabled: false", "enabled: true")
    return try_rules(job, text, read_rules(text, job.site, "proposals"), processes=processes)


def _lesson(proposal: RuleProposal, trials: RuleTrials) -> RuleLesson:
    (deeds,) = trials.alone[proposal.name].deeds
    return RuleLesson(
        proposal=proposal,
        saved=trials.saved_by(proposal.name),
        fired=deeds.fired,
        hours=deeds.hours,
    )


def _quarters(data: SiteData) -> Iterator[tuple[int, float, float, float]]:
    buy = quarter_means(data, lambda row: row.import_price_per_kwh)
    sell = quarter_means(data, lambda row: row.export_price_per_kwh)
    surplus_w = quarter_means(data, lambda row: row.pv_w - row.load_w)
    for number in sorted(buy):
        yield number, buy[number], sell[number], surplus_w[number]
