"""What stored energy is worth goes into a plan: each slot gets the marks that the meter is led by.

The optimizer's answer to the forecast stays what is expected of loads, rooms and peaks; the battery
is planned against all the ways in which load and PV may come. Its marks hold for an hour: they
say what to do at any state of charge, so that nothing has to be planned anew when things come
otherwise.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import QUARTER, quarter_of
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.forecast import PriceForecast
from holdfast.forecasting.power_paths import PowerPaths
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.optimization.answer import build_solution
from holdfast.optimization.problem import Array, PlanProblem, PlanSolution
from holdfast.optimization.scenarios import Marks, ScenarioProblem, find_marks, follow_marks
from holdfast.optimization.slot_cost import build_curves
from holdfast.optimization.storage_limits import stored_limits

_AHEAD = timedelta(hours=36)
"""So far what may come is looked at, also where no price is published: before noon that is only
the evening, and a battery that is worth nothing at midnight would be sold empty."""
_APART_PCT = 1.0
"""Between buying and serving: a battery tells its state of charge no better."""
_LEAST_SLOTS = 8
"""From fewer prices it is not learned how those of purchase and feed-in go together."""


def path_days(site: Site) -> int:
    """Returns on how many days plans of ``site`` rest; 0: on the forecast alone.

    No mark tells a deep cycle from a shallow one, nor what an inverter does in a mode of its own.
    """
    planner = site.planner
    if planner.device_modes or planner.deep_wear_cost_per_kwh > 0.0:
        return 0
    return planner.scenario_days


def marks_hold(previous: Plan | None, now_utc: datetime, until: datetime) -> bool:
    """Says whether the marks of ``previous`` are of this hour, and reach as far as prices do."""
    if previous is None or not previous.slots or previous.slots[-1].end < until:
        return False
    made = previous.created.replace(minute=0, second=0, microsecond=0)
    return made <= now_utc < made + timedelta(hours=1) and any(
        slot.mode is SlotMode.STORED_VALUE for slot in previous.slots
    )


def kept_marks(previous: Plan, intervals: Sequence[Interval], problem: PlanProblem) -> Marks | None:
    """Returns the marks of ``previous``; None where it has none for an interval."""
    battery = problem.battery
    lowest, highest = battery.soc_min_wh / 1e3, battery.soc_max_wh / 1e3
    found = np.empty((len(intervals), 4))
    slots = iter(previous.slots)
    slot = next(slots, None)
    for index, interval in enumerate(intervals):
        while slot is not None and slot.end <= interval.start:
            slot = next(slots, None)
        if slot is None or slot.terms.serve_above_pct is None:
            return None
        terms, pct = slot.terms, battery.capacity_wh / 1e5
        found[index] = (
            lowest if terms.buy_below_pct is None else terms.buy_below_pct * pct,
            highest if terms.store_below_pct is None else terms.store_below_pct * pct,
            slot.terms.serve_above_pct * pct,
            highest if terms.sell_above_pct is None else terms.sell_above_pct * pct,
        )
    return Marks(table_kwh=found, lowest_kwh=lowest, highest_kwh=highest)


def new_marks(
    problem: PlanProblem, intervals: Sequence[Interval], forecast: SiteForecast
) -> Marks | None:
    """Returns the marks against what may come; None if nobody knows how it may."""
    if forecast.paths is None:
        return None
    whole = _farther(problem, intervals, forecast)
    load_w, pv_w = _paths(forecast, forecast.paths, intervals[0].start, whole)
    marks = find_marks(
        ScenarioProblem(base=whole, load_w=load_w, pv_w=pv_w, weight=forecast.paths.weight)
    )
    return replace(marks, table_kwh=marks.table_kwh[: problem.slots])


def by_marks(problem: PlanProblem, plain: PlanSolution, marks: Marks) -> PlanSolution | None:
    """Returns what comes of ``marks`` if things come as expected; None if it cannot be followed."""
    gained_kwh = follow_marks(problem, marks, plain.pv_off)
    stored_kwh = problem.battery.soc_now_wh / 1e3 + np.cumsum(gained_kwh)
    cost = float(build_curves(problem).cost_at(gained_kwh).sum())
    cost += stored_limits(problem).cost_of(stored_kwh)
    try:
        found = build_solution(
            problem, gained_kwh, plain.stored_value_per_kwh, cost=cost, bound=plain.bound
        )
    except PlanFailed:
        return None
    return replace(found, status=plain.status, relaxed=plain.relaxed, cut_short=plain.cut_short)


def terms_of(marks: Marks, slot: int, capacity_wh: float) -> SlotTerms:
    """Returns the marks of one slot, in %; what is never reached is left out."""
    buy, store, serve, sell = marks.table_kwh[slot].tolist()
    edge_kwh, pct = 1e-6 * capacity_wh, 1e5 / capacity_wh
    buys, sells = buy > marks.lowest_kwh + edge_kwh, sell < marks.highest_kwh - edge_kwh
    stores_all = store >= marks.highest_kwh - edge_kwh
    serve_pct = serve * pct
    if buys:
        serve_pct = max(serve_pct, buy * pct + _APART_PCT)
    return SlotTerms(
        buy_below_pct=_percent(buy * pct) if buys else None,
        store_below_pct=None if stores_all else _percent(store * pct),
        serve_above_pct=_percent(serve_pct),
        sell_above_pct=_percent(max(sell * pct, serve_pct)) if sells else None,
    )


def _percent(value: float) -> float:
    return min(max(value, 0.0), 100.0)


def _farther(
    problem: PlanProblem, intervals: Sequence[Interval], forecast: SiteForecast
) -> PlanProblem:
    """Returns ``problem`` with the time after it in which prices are expected, not known."""
    end = intervals[-1].end
    last = min(forecast.load.end_utc, forecast.pv.end_utc, intervals[0].start + _AHEAD)
    more = max(int((last - end) / QUARTER), 0)
    bought = _expected(forecast.price, end, more)
    more = len(bought)
    if not more:
        return problem
    battery = problem.battery

    def longer(values: Array, then: Array | float) -> Array:
        return np.concatenate([values, np.broadcast_to(then, more)])

    def bound(values: Array | None, then: float) -> Array | None:
        return None if values is None else longer(values, then)

    first = quarter_of(end)
    load_w, pv_w = (
        np.array(power.mean_w)[first - quarter_of(power.start_utc) :][:more]
        for power in (forecast.load, forecast.pv)
    )
    reached = problem.reached_wh
    return replace(
        problem,
        dt_h=longer(problem.dt_h, QUARTER / timedelta(hours=1)),
        import_price_per_kwh=longer(problem.import_price_per_kwh, bought),
        export_price_per_kwh=longer(problem.export_price_per_kwh, _sold(problem, bought)),
        load_w=longer(problem.load_w, load_w),
        pv_w=longer(problem.pv_w, pv_w),
        import_max_w=longer(_each(problem), np.max(problem.import_max_w)),
        least_w=bound(problem.least_w, -battery.discharge_max_w),
        most_w=bound(problem.most_w, battery.charge_max_w),
        floor_wh=bound(problem.floor_wh, battery.soc_min_wh),
        ceiling_wh=bound(problem.ceiling_wh, battery.soc_max_wh),
        reached_wh=None
        if reached is None
        else (longer(reached[0], battery.capacity_wh), longer(reached[1], 0.0)),
        ageing_factor=bound(problem.ageing_factor, 1.0),
    )


def _each(problem: PlanProblem) -> Array:
    return np.broadcast_to(np.asarray(problem.import_max_w, dtype=np.float64), problem.slots)


def _expected(price: PriceForecast | None, start: datetime, count: int) -> Array:
    """Returns the prices of purchase that are expected from ``start`` on, as far as there are."""
    if price is None:
        return np.zeros(0)
    skipped = quarter_of(start) - quarter_of(price.start_utc)
    return np.array(price.mean_per_kwh[skipped:][:count]) if skipped >= 0 else np.zeros(0)


def _sold(problem: PlanProblem, bought: Array) -> Array:
    """Returns the prices of feed-in that go with those of purchase, as they do where both are
    known: by a straight line."""
    known, sold = problem.import_price_per_kwh, problem.export_price_per_kwh
    if problem.slots < _LEAST_SLOTS or np.ptp(known) < 1e-6:
        return np.full(len(bought), float(sold.mean()))
    slope, level = np.polyfit(known, sold, 1)
    return np.asarray(np.minimum(slope * bought + level, bought))


def _paths(
    forecast: SiteForecast, paths: PowerPaths, start: datetime, whole: PlanProblem
) -> tuple[Array, Array]:
    """Returns load and PV of each path over the slots, in W, of which the first is cut.

    What the question knows beside the forecast's mean (loads that are planned, a quantile that its
    owner would rather have) is in each path.
    """
    first = quarter_of(start) - quarter_of(forecast.load.start_utc)
    window = slice(first, first + whole.slots)

    def shifted(paths_w: Array, asked_w: Array, mean_w: tuple[float, ...]) -> Array:
        return np.asarray(np.maximum(paths_w[:, window] + asked_w - np.array(mean_w)[window], 0.0))

    return (
        shifted(paths.load_w, whole.load_w, forecast.load.mean_w),
        shifted(paths.pv_w, whole.pv_w, forecast.pv.mean_w),
    )
