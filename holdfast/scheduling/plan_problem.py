"""Site, prices and forecast become the question that the optimizer answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

import numpy as np

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.interval import Interval
from holdfast.core.quarter_hours import QUARTER, quarter_of, start_of
from holdfast.forecasting.forecast import PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.demand_charge import DemandPrice
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.problem import Array, BatteryModel, PlanProblem
from holdfast.optimization.site_problem import ModeRules, PeakPrice, SiteProblem
from holdfast.scheduling.loads.problem import Waiting
from holdfast.scheduling.peaks import paid_w
from holdfast.scheduling.storage_losses import (
    conversion_of,
    efficiencies_of,
    hybrid_of,
    taper_of,
)

_SHORTEST_SLOT = timedelta(seconds=1)
"""The rest of the present quarter counts as at least this long, or power = energy / time
would magnify rounding."""
_TERMINAL_QUANTILE = 0.25
_TERMINAL_SHARE = 0.9
_AGEING_REFERENCE_C = 25.0
_AGEING_DOUBLES_PER_C = 10.0
"""Arrhenius' law holds as a rule of thumb."""
_AGEING_FACTORS = (0.25, 4.0)
"""They hold from 5 to 45 °C.

Farther out the rule is not to be trusted, nor are cells as cold or hot as the air.
"""


def intervals_of(
    site: Site, now_utc: datetime, prices: SitePrices, forecast: SiteForecast
) -> list[Interval]:
    """Lists the intervals from now to where prices, forecast or horizon end.

    The rest of this quarter comes first, then whole ones. Raises PriceDataError where no price is
    known for now, or in another currency.
    """
    if prices.currency != site.currency:
        raise PriceDataError(f"prices are in {prices.currency}, the site is in {site.currency}")
    known_until = prices.known_until(now_utc)
    if known_until is None:
        raise PriceDataError(f"no price is known for {now_utc:%FT%RZ}")
    until = min(
        known_until,
        now_utc + timedelta(hours=site.planner.horizon_h),
        forecast.load.end_utc,
        forecast.pv.end_utc,
    )
    ends = [start_of(quarter_of(now_utc)) + QUARTER]
    while ends[-1] + QUARTER <= until:
        ends.append(ends[-1] + QUARTER)
    if ends[0] > until:
        raise PriceDataError(f"prices or forecast end at {until:%FT%RZ}, within this slot")
    return [Interval(start=start, end=end) for start, end in pairwise([now_utc, *ends])]


def plan_problem(
    site: Site,
    soc_pct: float,
    intervals: list[Interval],
    prices: SitePrices,
    forecast: SiteForecast,
    abilities: Abilities = SETPOINT_ONLY,
) -> PlanProblem:
    """Returns the question for all storage units as one. Raises PlanFailed, PriceDataError.

    An interval may be a part of a quarter hour, and lies within one.
    """
    bought, sold = (_prices(series, intervals) for series in (prices.purchase, prices.feed_in))
    lengths = [max(item.end - item.start, _SHORTEST_SLOT) for item in intervals]
    quantile = site.planner.load_quantile
    return PlanProblem(
        dt_h=np.array([length / timedelta(hours=1) for length in lengths]),
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
        load_w=_powers(forecast.load, intervals, quantile),
        pv_w=_powers(forecast.pv, intervals, 1.0 - quantile),
        import_max_w=min(site.grid.import_max_w, site.grid.mean_import_max_w or np.inf),
        export_max_w=site.grid.export_max_w,
        battery=battery_model(site, soc_pct, bought),
        pv_curtailable=abilities.throttles_pv,
        pv_switchable=abilities.switches_pv,
        sells_stored=forecast.learned.a_day,
        ageing_factor=_ageing_factor(site, intervals, forecast),
    )


def _ageing_factor(site: Site, intervals: list[Interval], forecast: SiteForecast) -> Array | None:
    """Returns how much faster than at 25 °C cells age.

    They age as at 25 °C where no temperature is known.
    """
    if site.planner.ageing_cost_per_kwh_day == 0.0:
        return None
    known = [forecast.temperature_at(interval.start) for interval in intervals]
    if all(value is None for value in known):
        return None
    cells_c = np.array([_AGEING_REFERENCE_C if value is None else value for value in known])
    factor = np.exp2((cells_c - _AGEING_REFERENCE_C) / _AGEING_DOUBLES_PER_C)
    return np.clip(factor, *_AGEING_FACTORS)


def site_problem(
    site: Site,
    units_soc_pct: Sequence[float],
    intervals: list[Interval],
    base: PlanProblem,
    demand: tuple[DemandPrice, ...],
    peaks_w: Mapping[str, float],
    waiting: Waiting,
    modes: ModeRules | None,
) -> SiteProblem | None:
    """Returns the question with each storage unit by itself, if need be.

    It has demand charges, deep cycles, modes, and what is ``waiting``. ``peaks_w`` is the highest
    import so far, in W, by the period's name. Returns None if ``base`` says it all.
    """
    alike = len({_shape(site, index) for index in range(len(site.storage))}) == 1
    plain = not (demand or waiting.loads or waiting.rooms or modes)
    if alike and plain and not site.planner.deep_wear_cost_per_kwh:
        return None
    return SiteProblem(
        base=base,
        batteries=tuple(
            _unit_battery(site, index, soc_pct, base.battery)
            for index, soc_pct in enumerate(units_soc_pct)
        ),
        demand=tuple(
            charge for price in demand for charge in _demand_charges(price, intervals, peaks_w)
        ),
        rooms=waiting.rooms,
        loads=waiting.loads,
        modes=modes,
        change_cost=site.planner.change_worth,
    )


def _demand_charges(
    price: DemandPrice, intervals: list[Interval], peaks_w: Mapping[str, float]
) -> list[PeakPrice]:
    """Returns one for each period that the plan touches."""
    periods = [price.period_of(interval.start) for interval in intervals]
    counts = [price.counts_at(interval.start) for interval in intervals]
    return [
        PeakPrice(
            cost_per_kw=price.price_per_kw,
            peak_so_far_w=paid_w(price, period, peaks_w),
            hours_only=tuple(
                name == period and counted for name, counted in zip(periods, counts, strict=True)
            ),
        )
        for period, _ in groupby(periods)
    ]


def _shape(site: Site, index: int) -> tuple[object, ...]:
    """Returns equal tuples for units that are alike but for their size."""
    unit = site.storage[index]
    capacity_wh = unit.battery.capacity_wh
    return (
        round(unit.charge_power_max_w / capacity_wh, 3),
        round(unit.discharge_power_max_w / capacity_wh, 3),
        unit.inverter_hardware.efficiency_pct,
        unit.losses.model_copy(update={"standby_w": 0.0}),
        round(unit.losses.standby_w / capacity_wh, 6),
        lowest_soc_pct(site, index),
        unit.operation.soc_max_pct,
    )


def lowest_soc_pct(site: Site, index: int) -> float:
    """Returns what plans keep in a unit, in %: its minimum, or the reserve for an outage."""
    operation = site.storage[index].operation
    return max(operation.soc_min_pct, operation.backup_reserve_pct)


def kept_soc_pct(site: Site) -> float:
    """Returns what plans keep in all units together, in %."""
    capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
    kept_wh = (
        unit.battery.capacity_wh * lowest_soc_pct(site, index)
        for index, unit in enumerate(site.storage)
    )
    return sum(kept_wh) / capacity_wh


def _prices(series: PriceSeries, intervals: list[Interval]) -> Array:
    """Returns the prices per kWh; :func:`intervals_of` has made sure that each is known."""
    return np.array(series.prices_at([interval.start for interval in intervals]))


def _powers(forecast: PowerForecast, intervals: list[Interval], quantile: float) -> Array:
    quarters = np.array([quarter_of(interval.start) for interval in intervals])
    quarters -= quarters[0]
    powers_w = forecast.levels(quantile, intervals[0].start, int(quarters[-1]) + 1)
    if powers_w is None:
        raise PlanFailed(f"the forecast begins at {forecast.start_utc}, after the plan")
    return np.asarray(powers_w[quarters])


def battery_model(site: Site, soc_pct: float, import_price_per_kwh: Array) -> BatteryModel:
    """Takes all storage units as one: capacities and powers add up, efficiency is their mean."""
    capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
    conversion = conversion_of(site.storage)
    efficiencies = efficiencies_of(site.storage, conversion)
    taper_per_h, taper_end_wh = taper_of(site.storage, conversion)
    hybrid_ac_max_w, pv_stored_per_kwh = hybrid_of(site)
    limit_w = site.limited_power_w if site.authority == "limited" else np.inf
    planner, worth = site.planner, site.planner.terminal_price_per_kwh
    if worth is None:
        worth = terminal_value_per_kwh(
            import_price_per_kwh, efficiencies.discharge, planner.wear_cost_per_kwh
        )
    return BatteryModel(
        capacity_wh=capacity_wh,
        soc_min_wh=min(kept_soc_pct(site) / 100.0, 1.0) * capacity_wh,
        soc_max_wh=min(
            sum(u.battery.capacity_wh * u.operation.soc_max_pct / 100.0 for u in site.storage),
            capacity_wh,
        ),
        soc_now_wh=min(soc_pct / 100.0 * capacity_wh, capacity_wh),
        charge_max_w=min(site.charge_power_max_w, limit_w),
        discharge_max_w=min(site.discharge_power_max_w, limit_w),
        charge_efficiency=efficiencies.charge,
        discharge_efficiency=efficiencies.discharge,
        wear_cost_per_kwh=planner.wear_cost_per_kwh,
        terminal_value_per_kwh=worth,
        ageing_cost_per_kwh_h=planner.ageing_cost_per_kwh_day / 24.0,
        ageing_above_wh=capacity_wh * planner.ageing_above_pct / 100.0,
        conversion=conversion,
        taper_per_h=taper_per_h,
        taper_end_wh=taper_end_wh,
        hybrid_ac_max_w=hybrid_ac_max_w,
        pv_stored_per_kwh=pv_stored_per_kwh,
    )


def _unit_battery(site: Site, index: int, soc_pct: float, whole: BatteryModel) -> BatteryModel:
    unit = site.storage[index]
    capacity_wh = unit.battery.capacity_wh
    share = whole.charge_max_w / site.charge_power_max_w
    conversion = conversion_of([unit])
    efficiencies = efficiencies_of([unit], conversion)
    return BatteryModel(
        capacity_wh=capacity_wh,
        soc_min_wh=capacity_wh * lowest_soc_pct(site, index) / 100.0,
        soc_max_wh=capacity_wh * unit.operation.soc_max_pct / 100.0,
        soc_now_wh=min(soc_pct / 100.0 * capacity_wh, capacity_wh),
        charge_max_w=unit.charge_power_max_w * share,
        discharge_max_w=unit.discharge_power_max_w
        * (whole.discharge_max_w / site.discharge_power_max_w),
        charge_efficiency=efficiencies.charge,
        discharge_efficiency=efficiencies.discharge,
        wear_cost_per_kwh=whole.wear_cost_per_kwh,
        terminal_value_per_kwh=whole.terminal_value_per_kwh,
        ageing_cost_per_kwh_h=whole.ageing_cost_per_kwh_h,
        ageing_above_wh=capacity_wh * site.planner.ageing_above_pct / 100.0,
        deep_wear_cost_per_kwh=site.planner.deep_wear_cost_per_kwh,
        deep_from_wh=capacity_wh * site.planner.deep_from_pct / 100.0,
        conversion=conversion,
        hybrid_ac_max_w=whole.hybrid_ac_max_w,
    )


def terminal_value_per_kwh(
    import_price_per_kwh: Array, discharge_efficiency: float, wear_cost_per_kwh: float
) -> float:
    """Returns what a stored kWh is worth when the plan ends.

    Without it the plan would sell whatever is left in its last hours. After the end there
    will be cheap hours again to charge in, so energy is worth what it saves in one of the
    cheap hours: the lower quartile of the import price, after losses and wear. A tenth is
    taken off since a use within the plan is certain and one after it is not; so at one
    flat price the battery serves the load today. Never negative: nobody must discharge.
    """
    cheap = float(np.quantile(import_price_per_kwh, _TERMINAL_QUANTILE))
    return max(0.0, _TERMINAL_SHARE * (cheap - wear_cost_per_kwh) * discharge_efficiency)
