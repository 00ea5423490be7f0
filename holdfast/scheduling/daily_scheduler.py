"""A plan for the coming day or two: prices and forecast in, slots with modes and reasons out."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.plan import Plan, PlanSlot, SlotMode
from holdfast.forecasting.forecast import PowerForecast
from holdfast.forecasting.history import QUARTER, quarter_of, start_of
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import (
    Array,
    BatteryModel,
    PlanProblem,
    PlanSolution,
)
from holdfast.scheduling.outlook import Outlook, build_outlook
from holdfast.scheduling.reasons import Reasons
from holdfast.scheduling.slot_modes import slot_mode

PLAN_LIFETIME = timedelta(minutes=30)
"""A plan that was not renewed for this long rests on prices and a forecast gone stale."""

_SHORTEST_SLOT = timedelta(seconds=1)
"""The rest of the present quarter counts as at least this long, or power = energy / time
would magnify rounding."""
_TERMINAL_QUANTILE = 0.25
_TERMINAL_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    start: datetime
    end: datetime


class DailyScheduler:
    """Makes plans for one site; keeps the optimizer's model between them.

    Equal inputs give equal plans, whatever was planned before: each solve starts afresh,
    since among answers of equal cost a warm start may find another one.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._model: PlanModel | None = None

    def make_plan(
        self, *, now_utc: datetime, soc_pct: float, prices: SitePrices, forecast: SiteForecast
    ) -> Plan:
        """Plan from ``now_utc`` (aware) to where prices, forecast or horizon end.

        ``prices`` are the owner's, tariffs applied. ``soc_pct`` is that of all storage
        units together. The first slot begins now and is what is left of the present quarter
        hour.

        Raises PriceDataError where no price is known for now, or in another currency than
        the site's; PlanFailed for numbers that no plan can rest on.
        """
        site = self._site
        if now_utc.tzinfo is None or not 0.0 <= soc_pct <= 100.0:
            raise PlanFailed(f"needs an aware time and 0..100 %, not {now_utc}, {soc_pct} %")
        now_utc = now_utc.astimezone(UTC)
        intervals = _intervals(site, now_utc, prices, forecast)
        problem = _problem(site, soc_pct, intervals, prices, forecast)
        if self._model is None or self._model.slots != problem.slots:
            self._model = PlanModel(problem.slots)
        solution = self._model.solve(problem, warm=False)
        slots = _plan_slots(site, intervals, problem, solution)
        return Plan(
            plan_id=_plan_id(now_utc, problem),
            created=now_utc,
            expires=min(intervals[-1].end, now_utc + PLAN_LIFETIME),
            status=solution.status,
            expected_cost=solution.grid_cost,
            slots=slots,
        )


def _intervals(
    site: Site, now_utc: datetime, prices: SitePrices, forecast: SiteForecast
) -> list[_Interval]:
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
    return [_Interval(start=start, end=end) for start, end in pairwise([now_utc, *ends])]


def _problem(
    site: Site,
    soc_pct: float,
    intervals: list[_Interval],
    prices: SitePrices,
    forecast: SiteForecast,
) -> PlanProblem:
    bought, sold = (_prices(series, intervals) for series in (prices.purchase, prices.feed_in))
    lengths = [max(item.end - item.start, _SHORTEST_SLOT) for item in intervals]
    return PlanProblem(
        dt_h=np.array([length / timedelta(hours=1) for length in lengths]),
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
        load_w=_powers(forecast.load, intervals),
        pv_w=_powers(forecast.pv, intervals),
        import_max_w=site.grid.import_max_w,
        export_max_w=site.grid.export_max_w,
        battery=_battery(site, soc_pct, bought),
    )


def _prices(series: PriceSeries, intervals: list[_Interval]) -> Array:
    """Per kWh; :func:`_intervals` has made sure that each is known."""
    known = [series.price_at(interval.start) for interval in intervals]
    return np.array([price for price in known if price is not None])


def _powers(forecast: PowerForecast, intervals: list[_Interval]) -> Array:
    powers = [forecast.at(interval.start) for interval in intervals]
    known = [power for power in powers if power is not None]
    if len(known) < len(powers):
        raise PlanFailed(f"the forecast begins at {forecast.start_utc}, after the plan")
    return np.array(known, dtype=np.float64)


def _battery(site: Site, soc_pct: float, import_price_per_kwh: Array) -> BatteryModel:
    """All storage units as one: capacities and powers add up, efficiency is their mean."""
    capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
    efficiency = (
        sum(u.battery.capacity_wh * u.inverter_hardware.efficiency_pct for u in site.storage)
        / capacity_wh
        / 100.0
    )
    limit_w = site.limited_power_w if site.authority == "limited" else np.inf
    wear = site.planner.wear_cost_per_kwh
    return BatteryModel(
        capacity_wh=capacity_wh,
        soc_min_wh=_energy_wh(site, "soc_min_pct"),
        soc_max_wh=min(_energy_wh(site, "soc_max_pct"), capacity_wh),
        soc_now_wh=min(soc_pct / 100.0 * capacity_wh, capacity_wh),
        charge_max_w=min(site.charge_power_max_w, limit_w),
        discharge_max_w=min(site.discharge_power_max_w, limit_w),
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        wear_cost_per_kwh=wear,
        terminal_value_per_kwh=terminal_value_per_kwh(import_price_per_kwh, efficiency, wear),
    )


def _energy_wh(site: Site, limit: str) -> float:
    return sum(
        unit.battery.capacity_wh * float(getattr(unit.operation, limit)) / 100.0
        for unit in site.storage
    )


def terminal_value_per_kwh(
    import_price_per_kwh: Array, discharge_efficiency: float, wear_cost_per_kwh: float
) -> float:
    """What a stored kWh is worth when the plan ends.

    Without it the plan would sell whatever is left in its last hours. After the end there
    will be cheap hours again to charge in, so energy is worth what it saves in one of the
    cheap hours: the lower quartile of the import price, after losses and wear. A tenth is
    taken off since a use within the plan is certain and one after it is not; so at one
    flat price the battery serves the load today. Never negative: nobody must discharge.
    """
    cheap = float(np.quantile(import_price_per_kwh, _TERMINAL_QUANTILE))
    return max(0.0, _TERMINAL_SHARE * (cheap - wear_cost_per_kwh) * discharge_efficiency)


def _plan_slots(
    site: Site, intervals: list[_Interval], problem: PlanProblem, solution: PlanSolution
) -> tuple[PlanSlot, ...]:
    numbers = (solution.battery_w, solution.grid_w, solution.soc_wh)
    if not all(np.isfinite(values).all() for values in numbers):
        raise PlanFailed("the solver's answer holds a number that is not finite")
    outlook = build_outlook(tuple(interval.start for interval in intervals), problem, solution)
    reasons = Reasons(outlook, timezone=ZoneInfo(site.timezone), currency=site.currency)
    return tuple(
        _plan_slot(interval, outlook, slot, reasons) for slot, interval in enumerate(intervals)
    )


def _plan_slot(interval: _Interval, outlook: Outlook, slot: int, reasons: Reasons) -> PlanSlot:
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
        reason=reasons.reason(slot, mode),
    )


def _plan_id(now_utc: datetime, problem: PlanProblem) -> str:
    """Twelve digits that depend on nothing but what the plan was made from."""
    battery = problem.battery
    numbers = [getattr(battery, name) for name in battery.__slots__]
    numbers += [problem.import_max_w, problem.export_max_w]
    digest = hashlib.sha256(json.dumps([now_utc.isoformat(), numbers]).encode())
    for values in (
        problem.dt_h,
        problem.import_price_per_kwh,
        problem.export_price_per_kwh,
        problem.load_w,
        problem.pv_w,
    ):
        digest.update(values.tobytes())
    return digest.hexdigest()[:12]
