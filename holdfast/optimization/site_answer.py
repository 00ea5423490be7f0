"""The columns of a site's program become an answer that was tried: simulated, and priced."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from holdfast.core.device_mode import DeviceMode
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import PlanStatus
from holdfast.optimization.answer import battery_cost
from holdfast.optimization.flexible_program import change_cost, room_temperatures, waiting_cost
from holdfast.optimization.problem import Array, BatteryModel, Mask, PlanSolution, SlackGroup
from holdfast.optimization.site_problem import (
    Room,
    SiteProblem,
    SiteSlack,
    SiteSolution,
)
from holdfast.optimization.site_program import (
    SiteColumns,
    UnitColumns,
    unserved_kwh,
)

_TINY_KWH = 1e-3
_TINY_K = 0.1
"""A thermometer shows this much."""
_OF_PLAN = frozenset(group.value for group in SlackGroup)
_PENALIZED = tuple(group for group in SiteSlack if group is not SiteSlack.COMFORT)
"""Discomfort has a price of its own."""
_HALF = 0.5
"""It tells whole numbers apart, in spite of the solver's tolerances."""
_TOLERANCE_SHARE, _TOLERANCE_COST = 1e-4, 1e-3
_PROVEN = 2e-4
"""A cost that is proven to be this close, as a share, is taken for the best."""


def build_site_solution(
    problem: SiteProblem,
    columns: SiteColumns,
    values: Array,
    worth: Array,
    *,
    cost: float,
    bound: float,
) -> SiteSolution:
    """Builds the answer from the columns' ``values``.

    Raises PlanFailed if it does not cost what the solver says once it is followed.
    """
    base, followed = problem.base, _follow(problem, columns, values)
    price = np.where(followed.grid_w > 0.0, base.import_price_per_kwh, base.export_price_per_kwh)
    grid_cost = float((price * followed.grid_w) @ base.dt_h) / 1e3
    objective = grid_cost + _other_costs(problem, followed)
    outside = _outside(problem, followed)
    penalty = base.penalty_per_kwh * sum(outside[group] for group in _PENALIZED)
    modes = _modes(columns, values)
    penalty += _preferences(problem, followed, modes)
    if not abs(objective + penalty - cost) <= _TOLERANCE_SHARE * abs(cost) + _TOLERANCE_COST:
        raise PlanFailed(f"the answer costs {objective + penalty:.4f}, not {cost:.4f} as it says")
    relaxed = tuple(
        group
        for group, amount in outside.items()
        if amount > (_TINY_K if group is SiteSlack.COMFORT else _TINY_KWH)
    )
    cut_short = not cost - bound <= _PROVEN * abs(cost) + _TOLERANCE_COST
    plan = PlanSolution(
        status=_status(relaxed, cut_short=cut_short),
        relaxed=tuple(SlackGroup(group) for group in relaxed if group in _OF_PLAN),
        battery_w=followed.unit_w.sum(0),
        grid_w=followed.grid_w,
        curtailed_w=followed.curtailed_w,
        pv_off=followed.pv_off,
        soc_wh=followed.unit_soc_wh.sum(0),
        stored_value_per_kwh=worth,
        grid_cost=grid_cost,
        objective=objective,
        bound=min(bound - penalty, objective),
        cut_short=cut_short,
    )
    return SiteSolution(
        plan=plan,
        cost=objective + penalty,
        relaxed=relaxed,
        unit_w=followed.unit_w,
        unit_soc_wh=followed.unit_soc_wh,
        room_w=followed.room_w,
        room_c=followed.room_c,
        load_w=followed.load_w,
        short_wh=_short_wh(problem, followed.load_w),
        modes=modes,
    )


def _status(relaxed: tuple[SiteSlack, ...], *, cut_short: bool) -> PlanStatus:
    if relaxed:
        return PlanStatus.RELAXED
    return PlanStatus.BEST_FOUND if cut_short else PlanStatus.OPTIMAL


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Followed:
    """Tells what happens if the site does as the answer says.

    Shapes are (units, slots) and so on.
    """

    unit_w: Array
    unit_soc_wh: Array
    room_w: Array
    room_c: Array
    load_w: Array
    grid_w: Array
    curtailed_w: Array
    pv_off: Mask
    lost_w: Array


def _follow(problem: SiteProblem, columns: SiteColumns, values: Array) -> _Followed:
    base, hours = problem.base, problem.base.dt_h / 1e3
    unit_w = _stacked(
        [
            _unit_w(battery, unit, values, hours)
            for battery, unit in zip(problem.batteries, columns.units, strict=True)
        ],
        base.slots,
    )
    room_w = _stacked([values[block] / hours for block in columns.rooms], base.slots)
    load_w = np.zeros((len(problem.loads), base.slots))
    for row_w, load, each in zip(load_w, problem.loads, columns.loads, strict=True):
        row_w[load.slots] = values[each.run] / hours[load.slots]
    grid = columns.grid
    pv_off = values[grid.pv_off] > _HALF
    curtailed_w = (values[grid.curtailed] + values[grid.lost] + values[grid.cut_off]) / hours
    curtailed_w += values[grid.pv_off] * base.pv_w
    return _Followed(
        unit_w=unit_w,
        unit_soc_wh=_stacked(
            [_stored(*unit, base.dt_h) for unit in zip(problem.batteries, unit_w, strict=True)],
            base.slots,
        ),
        room_c=_stacked(
            [
                room_temperatures(*room, base.dt_h)
                for room in zip(problem.rooms, room_w, strict=True)
            ],
            base.slots,
        ),
        room_w=room_w,
        load_w=load_w,
        grid_w=base.net_load_w + unit_w.sum(0) + room_w.sum(0) + load_w.sum(0) + curtailed_w,
        curtailed_w=curtailed_w,
        pv_off=pv_off,
        lost_w=values[columns.grid.lost] / hours,
    )


def _stacked(rows: list[Array], slots: int) -> Array:
    return np.stack(rows) if rows else np.zeros((0, slots))


def _unit_w(battery: BatteryModel, columns: UnitColumns, values: Array, hours: Array) -> Array:
    """Returns the power in W within what the unit can, in spite of the solver's tolerances.

    So the controller clamps nothing.
    """
    power_w = (values[columns.charge] - values[columns.discharge]) / hours
    return np.clip(power_w, -battery.discharge_max_w, battery.charge_max_w)


def _stored(battery: BatteryModel, power_w: Array, dt_h: Array) -> Array:
    factor = np.where(power_w > 0.0, battery.charge_efficiency, 1 / battery.discharge_efficiency)
    gained_wh = (power_w * factor - battery.idle_w) * dt_h
    return np.asarray(battery.soc_now_wh + np.cumsum(gained_wh))


def _other_costs(problem: SiteProblem, followed: _Followed) -> float:
    """Returns the cost of wear, ageing, demand and discomfort, less what is stored at the end."""
    dt_h, cost = problem.base.dt_h, 0.0
    units = zip(problem.batteries, followed.unit_w, followed.unit_soc_wh, strict=True)
    for battery, power_w, soc_wh in units:
        cost += battery_cost(replace(problem.base, battery=battery), power_w, soc_wh)
        if battery.deep_wear_cost_per_kwh > 0.0:
            cost += battery.deep_wear_cost_per_kwh * _deep_kwh(battery, power_w, dt_h)
    for charge in problem.demand:
        counted = followed.grid_w[list(charge.hours_only)] if charge.hours_only else followed.grid_w
        peak_w = max(float(counted.max(initial=0.0)) - charge.peak_so_far_w, 0.0)
        cost += charge.cost_per_kw * peak_w / 1e3
    for room, room_c in zip(problem.rooms, followed.room_c, strict=True):
        cost += room.discomfort_cost_per_k_h * float(_uncomfortable_k(room, room_c) @ dt_h)
        cost += room.end_cost_per_k * max(float(room.low_c[-1] - room_c[-1]), 0.0)
    return cost


def _deep_kwh(battery: BatteryModel, power_w: Array, dt_h: Array) -> float:
    """Returns what is delivered beyond ``deep_from_wh`` of a cycle, kWh AC.

    The shallow part of what is stored is used first, and filled first.
    """
    shallow_wh = min(battery.soc_now_wh, battery.deep_from_wh)
    deep_wh = 0.0
    for energy_wh in (power_w * dt_h).tolist():
        if energy_wh > 0.0:
            gained_wh = energy_wh * battery.charge_efficiency
            shallow_wh = min(shallow_wh + gained_wh, battery.deep_from_wh)
        else:
            left_wh = shallow_wh + energy_wh / battery.discharge_efficiency
            deep_wh += max(-left_wh, 0.0) * battery.discharge_efficiency
            shallow_wh = max(left_wh, 0.0)
    return deep_wh / 1e3


def _preferences(
    problem: SiteProblem, followed: _Followed, modes: tuple[DeviceMode, ...] | None
) -> float:
    """Returns what is no cost, and decides between answers of nearly equal cost."""
    cost = 0.0
    if problem.modes is not None and modes is not None:
        changes = sum(mode is not before for before, mode in pairwise([problem.modes.now, *modes]))
        cost += problem.change_cost * changes
        unserved = unserved_kwh(problem, modes, followed.grid_w)
        cost += problem.base.penalty_per_kwh * unserved
    for room, power_w in zip(problem.rooms, followed.room_w, strict=True):
        cost += change_cost(problem, room, float(power_w[0]))
    for load, power_w in zip(problem.loads, followed.load_w, strict=True):
        cost += change_cost(problem, load, float(power_w[0]))
        cost += waiting_cost(problem, load, power_w)
    return cost


def _uncomfortable_k(room: Room, room_c: Array) -> Array:
    return np.maximum(np.maximum(room.low_c - room_c, room_c - room.high_c), 0.0)


def _outside(problem: SiteProblem, followed: _Followed) -> dict[SiteSlack, float]:
    """Tells by group of limits how much is outside, in kWh; for comfort in kelvins."""
    base, hours = problem.base, problem.base.dt_h / 1e3
    low_kwh = high_kwh = final_kwh = 0.0
    for battery, soc_wh in zip(problem.batteries, followed.unit_soc_wh, strict=True):
        final_wh = max(battery.soc_min_wh, min(battery.soc_final_min_wh, battery.soc_max_wh))
        low_kwh += float(np.maximum(battery.soc_min_wh - soc_wh[:-1], 0.0).sum()) / 1e3
        final_kwh += max(final_wh - float(soc_wh[-1]), 0.0) / 1e3
        high_kwh += float(np.maximum(soc_wh - battery.soc_max_wh, 0.0).sum()) / 1e3
    over_w = np.maximum(followed.grid_w - base.import_max_w, 0.0)
    worst_k = [
        float(_uncomfortable_k(room, room_c).max())
        for room, room_c in zip(problem.rooms, followed.room_c, strict=True)
    ]
    return {
        SiteSlack.SOC: low_kwh + high_kwh,
        SiteSlack.FINAL_SOC: final_kwh,
        SiteSlack.IMPORT_LIMIT: float(over_w @ hours),
        SiteSlack.EXPORT_LIMIT: float(followed.lost_w @ hours),
        SiteSlack.DEADLINE: float(_short_wh(problem, followed.load_w).sum()) / 1e3,
        SiteSlack.COMFORT: max(worst_k, default=0.0),
    }


def _short_wh(problem: SiteProblem, load_w: Array) -> Array:
    wanted_wh = np.array([load.energy_wh for load in problem.loads])
    return np.asarray(np.maximum(wanted_wh - load_w @ problem.base.dt_h, 0.0))


def _modes(columns: SiteColumns, values: Array) -> tuple[DeviceMode, ...] | None:
    if not columns.modes:
        return None
    order = list(columns.modes)
    chosen = np.stack([values[columns.modes[mode]] for mode in order]).argmax(0)
    return tuple(order[index] for index in chosen)
