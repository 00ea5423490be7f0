"""The daily scheduler takes prices and a forecast and plans the coming day or two.

The plan's slots have modes and reasons.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.asked_slot import NO_TERMS
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan, PlanSlot
from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.model import PlanModels
from holdfast.optimization.problem import PlanProblem, PlanSolution, SlackGroup
from holdfast.optimization.scenarios import Marks
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import SiteSolution
from holdfast.scheduling.loads.problem import Waiting, mode_rules, waiting_of
from holdfast.scheduling.loads.reasons import LoadReasons
from holdfast.scheduling.loads.slots import FlexiblePlan, flexible_plan
from holdfast.scheduling.peaks import import_caps_w, with_caps
from holdfast.scheduling.plan_problem import intervals_of, plan_problem, site_problem
from holdfast.scheduling.plan_question import PLAN_LIFETIME, PlanQuestion
from holdfast.scheduling.planned_around import Around, plan_around
from holdfast.scheduling.power_doubts import power_doubts
from holdfast.scheduling.reasons import Reasons
from holdfast.scheduling.slot_modes import slot_mode
from holdfast.scheduling.steadiness import keeping, keeps, with_planned
from holdfast.scheduling.stored_value import (
    by_marks,
    kept_marks,
    marks_hold,
    new_marks,
    path_days,
    terms_of,
)
from holdfast.scheduling.trajectory import Trajectory, build_trajectory

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

    def __init__(
        self,
        site: Site,
        abilities: Abilities = SETPOINT_ONLY,
        models: PlanModels | None = None,
    ) -> None:
        """Takes its models from ``models``, which others may use beside it; None: its own."""
        self._site = site
        self._abilities = abilities
        self._models = PlanModels() if models is None else models

    def make_plan(self, question: PlanQuestion) -> Plan:
        """Plans from now to where prices, forecast or horizon end.

        The first slot begins now and is what is left of the present quarter hour.

        Raises PriceDataError where no price is known for now, or in another currency than
        the site's; PlanFailed for numbers that no plan can rest on.
        """
        site, soc_pct, forecast = self._site, question.soc_pct, question.forecast
        if question.now_utc.tzinfo is None or not 0.0 <= soc_pct <= 100.0:
            raise PlanFailed(
                f"needs an aware time and 0..100 %, not {question.now_utc}, {soc_pct} %"
            )
        now_utc = question.now_utc.astimezone(UTC)
        intervals = intervals_of(site, now_utc, question.prices, forecast)
        problem = plan_problem(site, soc_pct, intervals, question.prices, forecast, self._abilities)
        around = plan_around(problem, intervals, question.asked, self._solve)
        try:
            return self._made(question, now_utc, intervals, around)
        except PlanFailed as error:
            if around.problem is problem:
                raise
            note = f"not planned around what is asked for: {error}"
        plan = self._made(question, now_utc, intervals, Around(problem=problem, fixed=around.fixed))
        return replace(plan, note="; ".join(filter(None, [note, plan.note])))

    def _made(
        self,
        question: PlanQuestion,
        now_utc: datetime,
        intervals: list[Interval],
        around: Around,
    ) -> Plan:
        site, soc_pct, forecast = self._site, question.soc_pct, question.forecast
        problem = around.problem
        waiting = waiting_of(site, intervals, question.loads_now, forecast, problem)
        modes = mode_rules(site, intervals, question.loads_now.mode)
        whole = site_problem(
            site,
            question.units_soc_pct or [soc_pct] * len(site.storage),
            intervals,
            problem,
            question.prices.demand,
            question.peaks_w,
            waiting,
            modes,
        )
        answer: SiteSolution | None = None
        if whole is None:
            solution = self._steady(problem, intervals, question.previous)
        else:
            answer = solve_site(with_planned(whole, intervals[0], question.previous))
            solution = answer.plan
        flexible = flexible_plan(site, len(intervals), waiting, answer)
        caps_w = import_caps_w(
            question.prices.demand, intervals, solution.grid_w.tolist(), question.peaks_w
        )
        marks, planned = None, replace(problem, load_w=problem.load_w + flexible.total_w)
        if path_days(site):
            marks = self._marks(question, intervals, with_caps(planned, caps_w))
        if marks is not None:
            followed = by_marks(planned, solution, marks)
            solution, marks = (solution, None) if followed is None else (followed, marks)
        notes = [_RELAXED[group] for group in solution.relaxed]
        notes += power_doubts(problem.dt_h, problem.load_w, problem.pv_w)
        if solution.cut_short:
            notes.append(_cut_short(solution, site.currency))
        return Plan(
            plan_id=_plan_id(now_utc, problem, waiting),
            created=now_utc,
            expires=min(intervals[-1].end, now_utc + PLAN_LIFETIME),
            status=solution.status,
            expected_cost=solution.grid_cost,
            slots=_with_caps(
                _plan_slots(site, intervals, around, solution, flexible, waiting, marks), caps_w
            ),
            note="; ".join(filter(None, [forecast.learned.note, *notes, *flexible.notes])),
        )

    def _marks(
        self, question: PlanQuestion, intervals: list[Interval], problem: PlanProblem
    ) -> Marks | None:
        """Returns what stored energy is worth: from what may come, or as it was told this hour."""
        marks = new_marks(problem, intervals, question.forecast)
        if marks is not None or question.previous is None:
            return marks
        if not marks_hold(question.previous, question.now_utc, intervals[-1].end):
            return None
        return kept_marks(question.previous, intervals, problem)

    def _steady(
        self, problem: PlanProblem, intervals: list[Interval], previous: Plan | None
    ) -> PlanSolution:
        """Returns the best answer, or the best that keeps to ``previous`` if hardly worse."""
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
        if not kept.objective < best.objective + worth:
            return best
        return replace(kept, bound=best.bound)  # of the question, not of the narrower one

    def _solve(self, problem: PlanProblem, *, warm: bool = False) -> PlanSolution:
        return self._models.of(problem.slots).solve(problem, warm=warm)


def _cut_short(solution: PlanSolution, currency: str) -> str:
    less, cost = solution.objective - solution.bound, abs(solution.objective)
    how_much = f"up to {less:.2f} {currency}" if np.isfinite(less) else "nobody knows how much"
    share = f" ({100.0 * less / cost:.2g} %)" if less < cost else ""
    return f"the search was cut short: another plan may cost {how_much}{share} less"


def _plan_slots(
    site: Site,
    intervals: list[Interval],
    around: Around,
    solution: PlanSolution,
    flexible: FlexiblePlan,
    waiting: Waiting,
    marks: Marks | None,
) -> tuple[PlanSlot, ...]:
    problem = around.problem
    numbers = [solution.battery_w, solution.grid_w, solution.soc_wh]
    numbers += [*flexible.power_w.values(), *flexible.room_c.values()]
    if not all(np.isfinite(values).all() for values in numbers):
        raise PlanFailed("the solver's answer holds a number that is not finite")
    whole = replace(problem, load_w=problem.load_w + flexible.total_w)
    trajectory = build_trajectory(tuple(interval.start for interval in intervals), whole, solution)
    zone = ZoneInfo(site.timezone)
    reasons = Reasons(trajectory, timezone=zone, currency=site.currency)
    load_reasons = LoadReasons(
        intervals,
        waiting,
        flexible,
        import_price_per_kwh=trajectory.import_price_per_kwh,
        surplus_w=tuple((-problem.net_load_w).tolist()),
        timezone=zone,
        currency=site.currency,
    )
    slots = (
        _plan_slot(interval, trajectory, slot, reasons, flexible, load_reasons, marks)
        for slot, interval in enumerate(intervals)
    )
    fixed = around.fixed.tolist()
    return tuple(_left_open(slot) if fixed[index] else slot for index, slot in enumerate(slots))


def _left_open(slot: PlanSlot) -> PlanSlot:
    """Returns a slot that others have: what was planned of it is not what would be without them."""
    return replace(
        slot,
        mode=SlotMode.SELF_CONSUMPTION,
        battery_power_w=0.0,
        grid_power_w=None,
        soc_end_pct=None,
        reason="not planned: others ask for this time",
        device_mode=None,
    )


def _plan_slot(
    interval: Interval,
    trajectory: Trajectory,
    slot: int,
    reasons: Reasons,
    flexible: FlexiblePlan,
    load_reasons: LoadReasons,
    marks: Marks | None,
) -> PlanSlot:
    follows_marks = marks is not None and trajectory.pv_on[slot]
    mode = SlotMode.STORED_VALUE if follows_marks else slot_mode(trajectory, slot)
    terms = NO_TERMS if marks is None else terms_of(marks, slot, trajectory.battery.capacity_wh)
    idles = mode is SlotMode.POWER and trajectory.battery_sign[slot] == 0
    soc_pct = trajectory.soc_wh[slot] / trajectory.battery.capacity_wh * 100.0
    return PlanSlot(
        start=interval.start,
        end=interval.end,
        mode=mode,
        battery_power_w=0.0 if idles else trajectory.battery_w[slot],
        grid_power_w=trajectory.grid_w[slot],
        soc_end_pct=min(max(soc_pct, 0.0), 100.0),
        import_price_per_kwh=trajectory.import_price_per_kwh[slot],
        reason="; ".join(filter(None, (reasons.reason(slot, mode), load_reasons.clause(slot)))),
        export_limit_w=trajectory.export_limit_w[slot],
        pv_on=trajectory.pv_on[slot],
        loads=flexible.planned(slot),
        terms=terms,
        device_mode=None if flexible.modes is None else flexible.modes[slot],
    )


def _with_caps(slots: tuple[PlanSlot, ...], caps_w: list[float | None]) -> tuple[PlanSlot, ...]:
    """Returns ``slots`` with what the mean import of their quarter hours is to be kept within."""
    return tuple(
        slot if cap_w is None else replace(slot, terms=replace(slot.terms, import_mean_max_w=cap_w))
        for slot, cap_w in zip(slots, caps_w, strict=True)
    )


def _plan_id(now_utc: datetime, problem: PlanProblem, waiting: Waiting) -> str:
    """Returns twelve digits that depend on nothing but what the plan was made from."""
    battery = problem.battery
    numbers = [getattr(battery, name) for name in battery.__slots__]
    numbers += [problem.export_max_w, problem.sells_stored]
    numbers += [load.energy_wh for load in waiting.loads]
    numbers += [room.temperature_now_c for room in waiting.rooms]
    told = json.dumps([now_utc.isoformat(), numbers], default=repr)
    digest = hashlib.sha256(told.encode())
    for values in (
        problem.dt_h,
        problem.import_price_per_kwh,
        problem.export_price_per_kwh,
        problem.load_w,
        problem.pv_w,
        problem.ageing_cost_per_kwh,
        np.asarray(problem.import_max_w),
        *(each for each in (problem.least_w, problem.most_w) if each is not None),
    ):
        digest.update(values.tobytes())
    return digest.hexdigest()[:12]
