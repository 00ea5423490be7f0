"""A trial tells what rules would have done on days that were measured, and what that would save."""

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from holdfast.backtest.bill import Bill, compare
from holdfast.backtest.ruled import RuleConflict, RuledAdviser, RuleDeeds
from holdfast.backtest.run import Job, Run
from holdfast.backtest.strategies import Adviser, Setting
from holdfast.scheduling.rules.book import RuleBook, read_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrial:
    """Holds one run: with all rules that are enabled, with one of them, or with none."""

    bill: Bill
    deeds: tuple[RuleDeeds, ...] = ()
    conflicts: tuple[RuleConflict, ...] = ()

    @property
    def cost(self) -> float:
        """Returns what the run cost, wear counted, in the site's currency."""
        return self.bill.cost_with_wear


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrials:
    """Holds the runs of a rule file on the same days."""

    without: RuleTrial
    together: RuleTrial
    alone: Mapping[str, RuleTrial]
    """Holds those with one rule alone, by its name."""

    @property
    def saved(self) -> float:
        """Returns what all rules together saved, wear counted."""
        return self.without.cost - self.together.cost

    def saved_by(self, name: str) -> float:
        """Returns what one rule alone would have saved, wear counted."""
        return self.without.cost - self.alone[name].cost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Can go to another process, which reads the rules for itself."""

    job: Job
    text: str
    only: tuple[str, ...]
    """These rules are followed, enabled or not."""


def try_rules(job: Job, text: str, book: RuleBook, *, processes: int) -> RuleTrials:
    """Runs ``job`` without rules, with all of ``book`` (whose ``text`` it is), and with each alone.

    Raises HoldfastError.
    """
    names = tuple(checked.rule.name for checked in book.rules)
    enabled = tuple(checked.rule.name for checked in book.enabled.rules)
    sets = dict.fromkeys([(), enabled, *((name,) for name in names)])
    found = dict(zip(sets, _run_all(job, text, [*sets], processes), strict=True))
    return RuleTrials(
        without=found[()],
        together=found[enabled],
        alone={name: found[(name,)] for name in names},
    )


def _run_all(
    job: Job, text: str, sets: list[tuple[str, ...]], processes: int
) -> Iterator[RuleTrial]:
    tasks = [_Task(job=job, text=text, only=only) for only in sets]
    if processes == 1 or len(tasks) == 1:
        yield from map(_run, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context) as pool:
        yield from pool.map(_run, tasks)


def _run(task: _Task) -> RuleTrial:
    job = task.job
    book = read_rules(task.text, job.site, "rules").just(task.only)
    advisers: list[RuledAdviser] = []

    def laid(base: Adviser, setting: Setting) -> Adviser:
        advisers.append(RuledAdviser(base, setting, book))
        return advisers[0]

    result = Run(job, laid).run()
    compared = compare(job.site, job.scenario.data, job.strategy, {job.strategy: result})
    (adviser,) = advisers
    return RuleTrial(
        bill=compared.bills[job.strategy], deeds=adviser.deeds, conflicts=adviser.conflicts
    )
