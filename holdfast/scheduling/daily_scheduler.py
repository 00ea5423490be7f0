"""A plan for the coming day or two: prices and forecast in, slots with modes and reasons out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan, PlanSlot, SlotMode
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import PlanProblem, PlanSolution, SlackGroup
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import SiteSolution
from holdfast.scheduling.interval import Interval
from holdfast.scheduling.load_book import LoadsNow
from holdfast.scheduling.load_problem import Waiting, mode_rules, waiting_of
from holdfast.scheduling.load_reasons import LoadReasons
from holdfast.scheduling.load_slots import FlexiblePlan, flexible_plan
from holdfast.scheduling.outlook import Outlook, build_outlook
from holdfast.scheduling.plan_problem import intervals_of, plan_problem, site_problem
from holdfast.scheduling.reasons import Reasons
from holdfast.scheduling.slot_modes import slot_mode
from holdfast.scheduling.steadiness import keeping, keeps, with_planned

PLAN_LIFETIME = timedelta(minutes=30)
"""A plan that was not renewed for this long rests on prices and a forecast gone stale."""

_RELAXED = {
    SlackGroup.SOC: "the battery is outside its limits, and led back",
    SlackGroup.IMPORT_LIMIT: "the load is above the import limit, and the battery cannot help",
    SlackGroup.EXPORT_LIMIT: "PV is above the export limit, and the battery cannot take it",
    SlackGroup.FINAL_SOC: "what shall be stored at the end cannot be reached",
}


class DailyScheduler:
    """Makes plans for one site; keeps the optimizer's model between them.

    Equal inputs give equal plans, whatever was planned before: each solve starts afresh,
    since among answers of equal cost a warm start may find another one.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._model: PlanModel | None = None

    def make_plan(
        self,
        *,
        now_utc: datetime,
        soc_pct: float,
        prices: SitePrices,
        forecast: SiteForecast,
        previous: Plan | None = None,
        peaks_w: dict[str, float] | None = None,
        loads_now: LoadsNow | None = None,
        units_soc_pct: Sequence[float] = (),
    ) -> Plan:
        """Plan from ``now_utc`` (aware) to where prices, forecast or horizon end.

        ``prices`` are the owner's, tariffs applied. ``soc_pct`` is that of all storage
        units together. The first slot begins now and is what is left of the present quarter
        hour. ``previous`` is kept to, unless the change is worth ``planner.change_worth``.
        ``peaks_w``: highest import so far of the periods of demand charges. ``loads_now``: what
        loads had, and rooms have; None: nothing is known, all is outstanding. ``units_soc_pct``: of
        each storage unit; empty: all are as ``soc_pct``.

        Raises PriceDataError where no price is known for now, or in another currency than
        the site's; PlanFailed for numbers that no plan can rest on.
        """
        site = self._site
        if now_utc.tzinfo is None or not 0.0 <= soc_pct <= 100.0:
            raise PlanFailed(f"needs an aware time and 0..100 %, not {now_utc}, {soc_pct} %")
        now_utc = now_utc.astimezone(UTC)
        intervals = intervals_of(site, now_utc, prices, forecast)
        problem = plan_problem(site, soc_pct, intervals, prices, forecast)
        loads_now = LoadsNow() if loads_now is None else loads_now
        waiting = waiting_of(site, intervals, loads_now, forecast, problem)
        modes = mode_rules(site, intervals, loads_now.mode)
        whole = site_problem(
            site,
            units_soc_pct or [soc_pct] * len(site.storage),
            intervals,
            problem,
            prices.demand,
            peaks_w or {},
            waiting,
            modes,
        )
        answer: SiteSolution | None = None
        if whole is None:
            solution = self._steady(problem, intervals, previous)
        else:
            answer = solve_site(with_planned(whole, intervals[0], previous))
            solution = answer.plan
        flexible = flexible_plan(site, len(intervals), waiting, answer)
        notes = [_RELAXED[group] for group in solution.relaxed]
        return Plan(
            plan_id=_plan_id(now_utc, problem, waiting),
            created=now_utc,
            expires=min(intervals[-1].end, now_utc + PLAN_LIFETIME),
            status=solution.status,
            expected_cost=solution.grid_cost,
            slots=_plan_slots(site, intervals, problem, solution, flexible, waiting),
            note="; ".join([*notes, *flexible.notes]),
        )

    def _steady(
        self, problem: PlanProblem, intervals: list[Interval], previous: Plan | None
    ) -> PlanSolution:
        """The best answer, or the best that keeps to ``previous`` if that is hardly worse."""
        best = self._solve(problem)
        worth = self._site.planner.change_worth
        if previous is None or worth == 0.0:
            return best
        bounds = keeping(problem, tuple(interval.start for interval in intervals), previous)
        if bounds is None or keeps(best.battery_w, *bounds):
            return best
        try:
            narrower = replace(problem, least_w=bounds[0], most_w=bounds[1])
            # From the answer just found, which is the same whatever was planned before.
            kept = self._solve(narrower, warm=True)
        except PlanFailed:
            return best  # what was planned cannot be done any more
        return kept if kept.objective < best.objective + worth else best

    def _solve(self, problem: PlanProblem, *, warm: bool = False) -> PlanSolution:
        if self._model is None or self._model.slots != problem.slots:
            self._model = PlanModel(problem.slots)
        return self._model.solve(problem, warm=warm)


def _plan_slots(
    site: Site,
    intervals: list[Interval],
    problem: PlanProblem,
    solution: PlanSolution,
    flexible: FlexiblePlan,
    waiting: Waiting,
) -> tuple[PlanSlot, ...]:
    numbers = [solution.battery_w, solution.grid_w, solution.soc_wh]
    numbers += [*flexible.power_w.values(), *flexible.room_c.values()]
    if not all(np.isfinite(values).all() for values in numbers):
        raise PlanFailed("the solver's answer holds a number that is not finite")
    whole = replace(problem, load_w=problem.load_w + flexible.total_w)
    outlook = build_outlook(tuple(interval.start for interval in intervals), whole, solution)
    zone = ZoneInfo(site.timezone)
    reasons = Reasons(outlook, timezone=zone, currency=site.currency)
    load_reasons = LoadReasons(
        intervals, waiting, flexible, import_price_per_kwh=outlook.import_price_per_kwh,
        surplus_w=tuple((-problem.net_load_w).tolist()), timezone=zone, currency=site.currency,
    )  # fmt: skip
    return tuple(
        _plan_slot(interval, outlook, slot, reasons, flexible, load_reasons)
        for slot, interval in enumerate(intervals)
    )


def _plan_slot(
    interval: Interval,
    outlook: Outlook,
    slot: int,
    reasons: Reasons,
    flexible: FlexiblePlan,
    load_reasons: LoadReasons,
) -> PlanSlot:
    mode = slot_mode(outlook, slot)
    idles = mode is SlotMode.POWER and outlook.battery_sign[slot] == 0
    soc_pct = outlook.soc_wh[slot] / outlook.battery.capacity_wh * 100.0
    return PlanSlot(
        start=interval.start,
        end=interval.end,
        mode=mode,
        battery_power_w=0.0 if idles else outlook.battery_w[slot],
        grid_power_w=outlook.grid_w[slot],
        soc_end_pct=min(max(soc_pct, 0.0), 100.0),
        import_price_per_kwh=outlook.import_price_per_kwh[slot],
        reason="; ".join(filter(None, (reasons.reason(slot, mode), load_reasons.clause(slot)))),
        export_limit_w=outlook.export_limit_w[slot],
        loads=flexible.planned(slot),
        device_mode=None if flexible.modes is None else flexible.modes[slot],
    )


def _plan_id(now_utc: datetime, problem: PlanProblem, waiting: Waiting) -> str:
    """Twelve digits that depend on nothing but what the plan was made from."""
    battery = problem.battery
    numbers = [getattr(battery, name) for name in battery.__slots__]
    numbers += [problem.import_max_w, problem.export_max_w]
    numbers += [load.energy_wh for load in waiting.loads]
    numbers += [room.temperature_now_c for room in waiting.rooms]
    digest = hashlib.sha256(json.dumps([now_utc.isoformat(), numbers]).encode())
    for values in (
        problem.dt_h,
        problem.import_price_per_kwh,
        problem.export_price_per_kwh,
        problem.load_w,
        problem.pv_w,
        problem.ageing_cost_per_kwh,
    ):
        digest.update(values.tobytes())
    return digest.hexdigest()[:12]
