"""The maker of a strategy's plans stands in the place of the optimizer, live and in backtests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.asked_slot import NO_TERMS, SlotTerms
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.strategy_name import StrategyName
from holdfast.optimization.model import PlanModels
from holdfast.optimization.problem import PlanProblem
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import SiteProblem
from holdfast.scheduling.course import Course, follow, walk
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.export_limit import export_limit_w
from holdfast.scheduling.loads.problem import Waiting, waiting_of
from holdfast.scheduling.loads.slots import FlexiblePlan, flexible_plan
from holdfast.scheduling.peaks import import_caps_w
from holdfast.scheduling.plan_problem import intervals_of, plan_problem
from holdfast.scheduling.plan_question import PLAN_LIFETIME, PlanMaker, PlanQuestion
from holdfast.scheduling.reasons import price_text
from holdfast.scheduling.slot_wish import FOLLOW, SlotWish
from holdfast.scheduling.steadiness import with_planned
from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.pre_heating import pre_heated
from holdfast.scheduling.strategies.step import StrategyStep
from holdfast.scheduling.strategies.table import STRATEGIES, StrategyRow


def plan_maker(
    site: Site, abilities: Abilities = SETPOINT_ONLY, models: PlanModels | None = None
) -> PlanMaker:
    """Returns who plans for ``site``: the optimizer, or the strategy that its owner picked.

    The optimizer may share ``models`` with those of other sites.
    """
    if site.planner.strategy is StrategyName.OPTIMIZER:
        return LedMaker(site, abilities, models).make_plan
    return StrategyMaker(site, site.planner.strategy, abilities).make_plan


class LedMaker:
    """Asks the optimizer, or the rule of self-consumption while that leads."""

    def __init__(
        self,
        site: Site,
        abilities: Abilities = SETPOINT_ONLY,
        models: PlanModels | None = None,
    ) -> None:
        self._optimizer = DailyScheduler(site, abilities, models)
        self._rule = StrategyMaker(site, StrategyName.SELF_CONSUMPTION, abilities)

    def make_plan(self, question: PlanQuestion) -> Plan:
        """Plans as who leads does, and tells in the note why that is the rule."""
        if not question.rule_leads:
            return self._optimizer.make_plan(question)
        plan = self._rule.make_plan(question)
        return replace(plan, note=f"{question.rule_leads}; {plan.note}")


class StrategyMaker:
    """Makes plans by one strategy. Equal questions give equal plans."""

    def __init__(
        self,
        site: Site,
        name: StrategyName | str,
        abilities: Abilities = SETPOINT_ONLY,
        row: StrategyRow | None = None,
    ) -> None:
        """Plans by ``row``; None: by that of the table.

        Raises ConfigError for a site that has not what the strategy needs.
        """
        self._site, self._name, self._abilities = site, name, abilities
        self._row = STRATEGIES[StrategyName(name)] if row is None else row
        if self._row.heats_before and not site.rooms:
            raise ConfigError(f"{name} needs {self._row.needs}, and there are no rooms")

    def make_plan(self, question: PlanQuestion) -> Plan:
        """Plans from now to where prices, forecast or horizon end.

        Raises PriceDataError where no price is known for now, PlanFailed as the optimizer does.
        """
        site, now_utc = self._site, question.now_utc.astimezone(UTC)
        intervals = intervals_of(site, now_utc, question.prices, question.forecast)
        house = plan_problem(
            site, question.soc_pct, intervals, question.prices, question.forecast, self._abilities
        )
        zone = ZoneInfo(site.timezone)
        outlook = Outlook.of(intervals, house, question.prices.purchase, zone)
        flexible = self._flexible(outlook, question)
        problem = replace(house, load_w=house.load_w + flexible.total_w)
        outlook = replace(outlook, problem=problem)
        steps: list[StrategyStep] = []

        def wish(slot: int, stored_wh: float) -> SlotWish:
            steps.append(self._row.rule(outlook, slot, stored_wh))
            return SlotWish(mode=steps[-1].mode, power_w=steps[-1].battery_power_w)

        course = walk(problem, wish)
        caps_w = _caps_w(problem, intervals, question)
        return Plan(
            plan_id=f"{self._name}-{now_utc:%Y%m%d%H%M%S}",
            created=now_utc,
            expires=min(intervals[-1].end, now_utc + PLAN_LIFETIME),
            status=PlanStatus.STRATEGY,
            expected_cost=course.grid_cost,
            slots=tuple(
                self._slot(interval, slot, steps[slot], course, problem, flexible, caps_w[slot])
                for slot, interval in enumerate(intervals)
            ),
            note="; ".join([f"by the strategy {self._name}", *flexible.notes]),
        )

    def _flexible(self, outlook: Outlook, question: PlanQuestion) -> FlexiblePlan:
        """Returns when loads and rooms are on: where that costs least beside a battery at rest."""
        site, base = self._site, outlook.problem
        intervals = list(outlook.intervals)
        waiting: Waiting = waiting_of(site, intervals, question.loads_now, question.forecast, base)
        if not waiting.loads and not waiting.rooms:
            return flexible_plan(site, len(intervals), waiting, None)
        if self._row.heats_before:
            waiting = replace(waiting, rooms=pre_heated(outlook, waiting.rooms))
        resting = replace(base.battery, charge_max_w=0.0, discharge_max_w=0.0)
        whole = SiteProblem(
            base=base,
            batteries=(resting,),
            rooms=waiting.rooms,
            loads=waiting.loads,
            change_cost=site.planner.change_worth,
        )
        answer = solve_site(with_planned(whole, intervals[0], question.previous))
        return flexible_plan(site, len(intervals), waiting, answer)

    def _slot(
        self,
        interval: Interval,
        slot: int,
        step: StrategyStep,
        course: Course,
        problem: PlanProblem,
        flexible: FlexiblePlan,
        cap_w: float | None,
    ) -> PlanSlot:
        grid_w, price = float(course.grid_w[slot]), float(problem.import_price_per_kwh[slot])
        earned = float(problem.export_price_per_kwh[slot])
        limit_w = export_limit_w(earned, problem.export_max_w, planned_w=-grid_w)
        return PlanSlot(
            start=interval.start,
            end=interval.end,
            mode=step.mode,
            battery_power_w=step.battery_power_w,
            grid_power_w=grid_w,
            soc_end_pct=float(course.soc_pct[slot]),
            import_price_per_kwh=price,
            reason=f"{step.reason}; {price_text(price, self._site.currency)} now",
            export_limit_w=limit_w if self._abilities.throttles_pv else None,
            loads=flexible.planned(slot),
            terms=NO_TERMS if cap_w is None else SlotTerms(import_mean_max_w=cap_w),
        )


def _caps_w(
    problem: PlanProblem, intervals: Sequence[Interval], question: PlanQuestion
) -> list[float | None]:
    """Returns what is to be kept of each quarter hour: what self-consumption would need.

    A rule that buys knows nothing of what the highest quarter hour costs; it buys below that.
    """
    if not question.prices.demand:
        return [None] * len(intervals)
    needed_w = np.maximum(follow(problem, [FOLLOW] * problem.slots).grid_w, 0.0)
    return import_caps_w(question.prices.demand, intervals, needed_w.tolist(), question.peaks_w)
