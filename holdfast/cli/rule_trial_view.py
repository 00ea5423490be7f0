"""This module prints what rules do, and what they would have done on measured days."""

from collections.abc import Mapping
from datetime import datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from holdfast.backtest.data import SiteData
from holdfast.backtest.rule_lessons import RuleLesson, RuleLessons
from holdfast.backtest.rule_trial import RuleTrial, RuleTrials
from holdfast.backtest.ruled import RuleConflict, RuleDeeds
from holdfast.core.config import Site
from holdfast.scheduling.rules.book import RuleBook
from holdfast.scheduling.rules.report import RuleReport


def trial_summary(data: SiteData, currency: str, trials: RuleTrials) -> Mapping[str, object]:
    """Returns all that a program may want to know."""
    return {
        "start": data.start,
        "end": data.end,
        "days": data.days,
        "currency": currency,
        "cost_without": trials.without.cost,
        "cost_together": trials.together.cost,
        "saved": trials.saved,
        "together": trials.together.deeds,
        "conflicts": trials.together.conflicts,
        "alone": [
            {"deeds": trial.deeds[0], "cost": trial.cost, "saved": trials.saved_by(name)}
            for name, trial in trials.alone.items()
        ],
        "damage": sum(trial.bill.damage for trial in _all(trials)),
        "cycles_not_running": sum(trial.bill.cycles_not_running for trial in _all(trials)),
    }


def print_trials(data: SiteData, site: Site, book: RuleBook, trials: RuleTrials) -> None:
    """Prints a sentence for each rule, and what all did together."""
    zone = ZoneInfo(site.timezone)
    start, end = data.start.astimezone(zone), data.end.astimezone(zone)
    print(f"{start:%d.%m.%Y %H:%M} to {end:%d.%m.%Y %H:%M}, {data.days:.1f} days")
    for checked in book.rules:
        name = checked.rule.name
        off = "" if checked.rule.enabled else " (not enabled)"
        deeds = trials.alone[name].deeds[0]
        print(f"{name}{off}: {_deeds(deeds, trials.saved_by(name), site.currency, zone)}")
    print(
        f"all that are enabled together: cost {trials.together.cost:.2f} {site.currency} instead "
        f"of {trials.without.cost:.2f}, {_saved(trials.saved, site.currency)}"
    )
    for conflict in trials.together.conflicts:
        print(_conflict(conflict, zone))
    damage = sum(trial.bill.damage for trial in _all(trials))
    print(f"wear is counted; damage {damage}")


def print_report(report: RuleReport) -> None:
    """Prints how each rule stands."""
    print(f"as of {report.utc:%Y-%m-%d %H:%M:%S} UTC")
    if report.problem:
        print(report.problem)
    for state in report.states:
        if state.since is None:
            print(f"{state.name}: off: {state.why}")
        else:
            print(f"{state.name}: fires since {state.since:%H:%M:%S} UTC: {state.why}")


def print_lessons(lessons: RuleLessons, currency: str) -> None:
    """Prints a file of the rules that would have saved, each with its evidence above it."""
    print(
        f"# Learned from what was measured before {lessons.learned_until:%Y-%m-%d %H:%M} UTC, and"
    )
    print(
        f"# tried on {lessons.tried_days:.0f} later days. None is enabled: that is your decision."
    )
    earning = [lesson for lesson in lessons.lessons if lesson.saved > 0.0]
    if len(earning) > 1:
        print(f"# Together they would have {_saved(lessons.saved_together, currency)} on these.")
    print("rules:" if earning else "rules: []")
    for lesson in earning:
        print("\n".join(f"  # {line}" for line in wrap(_evidence(lesson, currency), 96)))
        print(lesson.proposal.yaml, end="")
    for lesson in lessons.lessons:
        if lesson not in earning:
            text = f"Looked at, and not proposed: {_evidence(lesson, currency)}"
            print("\n".join(f"# {line}" for line in wrap(text, 98)))


def _evidence(lesson: RuleLesson, currency: str) -> str:
    proposal = lesson.proposal
    return (
        f"{proposal.name}: {proposal.evidence}; so on {proposal.days} of {proposal.of_days} days. "
        f"On the later days it would have fired {lesson.fired} times, {lesson.hours:g} h, and "
        f"{_saved(lesson.saved, currency)}."
    )


def _deeds(deeds: RuleDeeds, saved: float, currency: str, zone: ZoneInfo) -> str:
    unknown = f"; never known there: {', '.join(deeds.not_known)}" if deeds.not_known else ""
    if deeds.first is None or deeds.last is None:
        return f"would never have fired{unknown}"
    times = "once" if deeds.fired == 1 else f"{deeds.fired} times"
    return (
        f"would have fired {times}, {deeds.hours:g} h, and {_saved(saved, currency)}; the first "
        f"time {_time(deeds.first, zone)}, the last {_time(deeds.last, zone)}{unknown}"
    )


def _saved(amount: float, currency: str) -> str:
    return f"{'saved' if amount >= 0.0 else 'lost'} {abs(amount):.2f} {currency}"


def _conflict(conflict: RuleConflict, zone: ZoneInfo) -> str:
    return (
        f"conflict: {conflict.first} and {conflict.second} contradicted each other for "
        f"{conflict.hours:g} h, such as {_time(conflict.example, zone)}; {conflict.first} was "
        "followed: give one of them a higher priority"
    )


def _time(utc: datetime, zone: ZoneInfo) -> str:
    return f"{utc.astimezone(zone):%d.%m. %H:%M}"


def _all(trials: RuleTrials) -> list[RuleTrial]:
    return [trials.without, trials.together, *trials.alone.values()]
