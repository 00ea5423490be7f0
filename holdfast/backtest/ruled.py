"""Rules are laid over a strategy, and it is counted what they did."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from holdfast.backtest.strategies import Adviser, Setting
from holdfast.core.plan import Plan
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, site_forecaster
from holdfast.forecasting.workshop import Bench
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.precedence import lay_over
from holdfast.scheduling.rules.book import RuleBook
from holdfast.scheduling.rules.doubts import contradict
from holdfast.scheduling.rules.engine import RuleEngine
from holdfast.scheduling.rules.fact_table import FACTS, Facts, FactSource
from holdfast.scheduling.rules.facts import Known, facts_of, is_holiday

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDeeds:
    """Tells what one rule did in a run."""

    name: str
    fired: int
    """It began so many times."""
    hours: float
    """It fired for so long in all, also where another one came first."""
    followed_hours: float
    first: datetime | None
    """It began to fire for the first time then; None: it never did."""
    last: datetime | None
    """It began to fire for the last time then."""
    not_known: tuple[str, ...]
    """These names of it were never known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConflict:
    """Tells of two rules that fired at once and contradict; the first was followed."""

    first: str
    second: str
    hours: float
    example: datetime


class RuledAdviser(Adviser):
    """Gives the plans of another adviser, with what rules ask for in their place."""

    def __init__(self, base: Adviser, setting: Setting, book: RuleBook) -> None:
        self._base, self._prices, self._site = base, setting.prices, setting.site
        self._zone = ZoneInfo(setting.site.timezone)
        self._horizon_h = setting.site.planner.horizon_h
        self._every = setting.plan_every
        self._engine = RuleEngine(book, setting.site.timezone)
        self._seen: PowerSample | None = None
        self._history = PowerHistory()
        names = {name for checked in book.rules for name in checked.names}
        sources = {FACTS[name].source for name in names if name in FACTS}
        self._forecaster = None
        if FactSource.FORECAST in sources:
            self._forecaster = site_forecaster(setting.site, self._history, workshop=Bench())
            for sample in setting.past:
                self._history.add(sample.utc, sample.load_w, sample.pv_w)
        self._tally = _Tally(book)

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:
        """Returns the base's plan while no rule fires. Raises HoldfastError as the base does."""
        facts = self._facts(now_utc, soc_pct)
        self._engine.look(now_utc, facts)
        self._tally.count(self._engine, now_utc, self._every, facts)
        plan = self._base.plan(now_utc, soc_pct)
        # It is asked for until somebody looks again, which live is sooner.
        until = now_utc + 2 * self._every
        asked = [replace(slot, end=until) for slot in self._engine.asked(now_utc, until)]
        if not asked:
            return plan
        return lay_over(plan, asked, site=self._site, now_utc=now_utc).plan

    def observe(self, sample: PowerSample) -> None:
        """Takes what was seen as measured until the next sample."""
        self._seen = sample
        if self._forecaster is not None:
            self._history.add(sample.utc, sample.load_w, sample.pv_w)
        self._base.observe(sample)

    @property
    def deeds(self) -> tuple[RuleDeeds, ...]:
        """Returns what each rule has done, in the order of the file."""
        return tuple(self._tally.deeds())

    @property
    def conflicts(self) -> tuple[RuleConflict, ...]:
        """Returns which rules contradicted each other."""
        return tuple(self._tally.conflicts.values())

    def _facts(self, now_utc: datetime, soc_pct: float) -> Facts:
        seen = self._seen
        known = Known(
            utc=now_utc,
            prices=self._prices.at(now_utc),
            forecast=self._forecast(now_utc),
            soc_pct=soc_pct,
            grid_w=None if seen is None else seen.grid_w,
            pv_w=None if seen is None else seen.pv_w,
            load_w=None if seen is None else seen.load_w,
            is_holiday=is_holiday(self._site, now_utc),
        )
        return facts_of(known, self._zone)

    def _forecast(self, now_utc: datetime) -> SiteForecast | None:
        if self._forecaster is None:
            return None
        self._forecaster.learn(now_utc)
        return self._forecaster.forecast(now_utc, self._horizon_h)


class _Tally:
    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._hours: defaultdict[str, float] = defaultdict(float)
        self._followed_hours: defaultdict[str, float] = defaultdict(float)
        self._since: dict[str, list[datetime]] = {}
        self._known: set[str] = set()
        self.conflicts: dict[tuple[str, str], RuleConflict] = {}

    def count(self, engine: RuleEngine, now_utc: datetime, span: timedelta, facts: Facts) -> None:
        """Counts ``span`` from ``now_utc`` on, as the rules stand now."""
        self._known |= facts.keys()
        firing = set()
        for state in engine.states:
            if state.since is None:
                continue
            firing.add(state.name)
            begun = self._since.setdefault(state.name, [])
            if not begun or begun[-1] != state.since:
                begun.append(state.since)
            self._hours[state.name] += span / _HOUR
            if state.follows:
                self._followed_hours[state.name] += span / _HOUR
        both = [checked for checked in self._book.rules if checked.rule.name in firing]
        for one, other in combinations(both, 2):
            if contradict(one, other):
                names = (one.rule.name, other.rule.name)
                before = self.conflicts.get(names)
                new = RuleConflict(first=names[0], second=names[1], hours=0.0, example=now_utc)
                found = new if before is None else before
                self.conflicts[names] = replace(found, hours=found.hours + span / _HOUR)

    def deeds(self) -> Iterator[RuleDeeds]:
        for checked in self._book.rules:
            name = checked.rule.name
            begun = self._since.get(name, [])
            yield RuleDeeds(
                name=name,
                fired=len(begun),
                hours=self._hours[name],
                followed_hours=self._followed_hours[name],
                first=begun[0] if begun else None,
                last=begun[-1] if begun else None,
                not_known=tuple(sorted(checked.names - self._known)),
            )
