"""One plan covers a whole file with everything known: the yardstick no controller can beat."""

from dataclasses import dataclass

import numpy as np

from holdfast.backtest.data import Row, SiteData, utc_of
from holdfast.backtest.final import Final
from holdfast.backtest.run import Floats
from holdfast.core.config import Site
from holdfast.core.errors import DataError
from holdfast.core.interval import Interval
from holdfast.core.plan import PlanStatus
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import BatteryModel, PlanProblem, PlanSolution, SlackGroup
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import SiteProblem, SiteSlack
from holdfast.scheduling.loads.problem import shiftable_loads
from holdfast.scheduling.loads.progress import LoadsNow
from holdfast.scheduling.storage_losses import (
    conversion_of,
    efficiencies_of,
    hybrid_of,
    taper_of,
)
from holdfast.site.devices import abilities


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholePlan:
    """Holds the answer. Arrays have one value for each row of the data."""

    status: PlanStatus
    relaxed: tuple[SlackGroup | SiteSlack, ...]
    objective: float
    """It is the sum of the terms, in the site's currency."""
    bound: float
    """No plan can have a lower objective, by proof."""
    terms: dict[str, float]
    battery_w: Floats
    grid_w: Floats
    curtailed_w: Floats
    soc_pct: Floats
    """It is taken at the end of each interval."""
    load_w: dict[str, Floats]
    """It is that of the flexible loads, in the windows that end within the data."""


def plan_whole(site: Site, data: SiteData, *, soc_pct: float, final: Final) -> WholePlan:
    """Makes the best plan for ``data`` from ``soc_pct`` on, as one problem.

    It has all that flexible loads need besides the load that was measured.

    Raises DataError for what cannot be planned, PlanFailed if the solver gives up.
    """
    if not 0.0 <= soc_pct <= 100.0:
        raise DataError(f"--soc {soc_pct:g}: is a percentage from 0 to 100")
    if data.missing:
        raise DataError(f"{data.missing} rows are missing; one plan cannot reach over a hole")
    battery = _battery(site, soc_pct, final)
    problem = _problem(site, data, battery)
    relaxed: tuple[SlackGroup | SiteSlack, ...]
    intervals = [_interval(row, data.step_s) for row in data.rows]
    waiting, _ = shiftable_loads(site, intervals, LoadsNow())
    load_w = {load.name: np.zeros(problem.slots) for load in site.loads}
    if waiting:
        answer = solve_site(SiteProblem(base=problem, batteries=(battery,), loads=waiting))
        solution, relaxed = answer.plan, answer.relaxed
        for load, part_w in zip(waiting, answer.load_w, strict=True):
            load_w[load.name] = load_w[load.name] + part_w
    else:
        solution = PlanModel(problem.slots).solve(problem)
        relaxed = solution.relaxed
    terms = _terms(problem, solution)
    return WholePlan(
        status=solution.status,
        relaxed=relaxed,
        objective=sum(terms.values()),
        bound=solution.bound,
        terms=terms,
        battery_w=solution.battery_w,
        grid_w=solution.grid_w,
        curtailed_w=solution.curtailed_w,
        soc_pct=solution.soc_wh / battery.capacity_wh * 100.0,
        load_w=load_w,
    )


def _interval(row: Row, step_s: int) -> Interval:
    return Interval(start=utc_of(row.start_s), end=utc_of(row.start_s + step_s))


def _battery(site: Site, soc_pct: float, final: Final) -> BatteryModel:
    """Takes all storage units as one, as the planner sees them.

    At the end nothing is worth anything.
    """
    units = site.storage
    capacity_wh = sum(unit.battery.capacity_wh for unit in units)
    conversion = conversion_of(units)
    efficiencies = efficiencies_of(units, conversion)
    taper_per_h, taper_end_wh = taper_of(units, conversion)
    hybrid_ac_max_w, pv_stored_per_kwh = hybrid_of(site)
    return BatteryModel(
        capacity_wh=capacity_wh,
        soc_min_wh=sum(u.battery.capacity_wh * u.operation.soc_min_pct / 100.0 for u in units),
        soc_max_wh=sum(u.battery.capacity_wh * u.operation.soc_max_pct / 100.0 for u in units),
        soc_now_wh=soc_pct / 100.0 * capacity_wh,
        charge_max_w=site.charge_power_max_w,
        discharge_max_w=site.discharge_power_max_w,
        charge_efficiency=efficiencies.charge,
        discharge_efficiency=efficiencies.discharge,
        wear_cost_per_kwh=site.planner.wear_cost_per_kwh,
        soc_final_min_wh=soc_pct / 100.0 * capacity_wh if final is Final.AT_LEAST_INITIAL else 0.0,
        conversion=conversion,
        taper_per_h=taper_per_h,
        taper_end_wh=taper_end_wh,
        hybrid_ac_max_w=hybrid_ac_max_w,
        pv_stored_per_kwh=pv_stored_per_kwh,
    )


def _problem(site: Site, data: SiteData, battery: BatteryModel) -> PlanProblem:
    rows = data.rows
    return PlanProblem(
        dt_h=np.full(len(rows), data.step_s / 3600.0),
        import_price_per_kwh=np.array([row.import_price_per_kwh for row in rows]),
        export_price_per_kwh=np.array([row.export_price_per_kwh for row in rows]),
        load_w=np.array([row.load_w for row in rows]),
        pv_w=np.array([row.pv_w for row in rows]),
        import_max_w=site.grid.import_max_w,
        export_max_w=site.grid.export_max_w,
        battery=battery,
        pv_curtailable=abilities(site).throttles_pv,
        pv_switchable=abilities(site).switches_pv,
    )


def _terms(problem: PlanProblem, solution: PlanSolution) -> dict[str, float]:
    """Returns what the objective is made of, in money; sold energy is negative."""
    grid_kwh = solution.grid_w * problem.dt_h / 1e3
    delivered_kwh = np.maximum(-solution.battery_w, 0.0) * problem.dt_h / 1e3
    return {
        "import": float(np.maximum(grid_kwh, 0.0) @ problem.import_price_per_kwh),
        "export": float(np.minimum(grid_kwh, 0.0) @ problem.export_price_per_kwh),
        "wear": float(delivered_kwh.sum()) * problem.battery.wear_cost_per_kwh,
    }
