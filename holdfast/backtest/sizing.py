"""What a year would cost with another battery, other PV or another tariff: an estimate.

By the quarter hour: what a mode makes of the mean load and PV of a quarter hour, as the planner
itself expects of a forecast, in place of the cycle. Plans are the optimizer's, made anew every two
hours on forecasts of what was measured before; nothing is known in advance but published prices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.foreseen import EVERY_QUARTERS, Foreseen
from holdfast.backtest.quarter_data import QuarterData
from holdfast.backtest.run import Floats
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.tariff_bill import MeteredQuarter, TariffTerms, tariff_bill
from holdfast.optimization.model import PlanModels
from holdfast.optimization.problem import BatteryModel, PlanProblem
from holdfast.scheduling.course import follow
from holdfast.scheduling.plan_problem import battery_model, terminal_value_per_kwh
from holdfast.scheduling.slot_modes import slot_mode
from holdfast.scheduling.slot_wish import FOLLOW, SlotWish
from holdfast.scheduling.trajectory import Trajectory, build_trajectory
from holdfast.site.devices import abilities

_HOURS = 0.25
_YEAR_DAYS = 365.25
_SOC_START_PCT = 50.0
_MOST_MODELS = 48
"""Plans have as many lengths as there are times of a day to plan at, and a few more at its ends."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TariffCase:
    """Holds a house at one tariff."""

    name: str
    data: QuarterData
    terms: TariffTerms
    """They are what a bill counts beside the price of each kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeCase:
    """Names one combination."""

    battery_kwh: float
    power_kw: float
    pv_scale: float
    tariff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOf:
    """Tells what a year comes to with a battery, run in one way."""

    cost: float
    """It is paid at the meter, less what the battery holds more at the end than at the start."""
    saved: float
    """It is less than without a battery, at the same PV and tariff."""
    import_kwh: float
    export_kwh: float
    full_cycles: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """Tells what a year comes to in one combination, in the site's currency."""

    case: SizeCase
    cost_without_battery: float
    self_consumption: YearOf
    plans: YearOf
    plans_failed: int
    """So many plans could not be made; in their time it was self-consumption."""


class Sizing:
    """Estimates combinations for one house, one after the other."""

    def __init__(self, site: Site, foreseen: Sequence[Foreseen]) -> None:
        self._site = site
        self._foreseen = foreseen
        self._models = PlanModels(_MOST_MODELS)
        found = abilities(site)
        self._throttles, self._switches = found.throttles_pv, found.switches_pv

    def estimate(self, tariff: TariffCase, case: SizeCase) -> Sized:
        """Returns what a year comes to. Raises PlanFailed for a battery that cannot be."""
        data = tariff.data.with_pv(case.pv_scale)
        battery = _resized(self._site, data, case)
        resting = np.where(np.isfinite(data.load_w), data.load_w - data.pv_w, np.nan)
        without = _cost_a_year(data, tariff.terms, resting)
        ruled = self._by_rule(data, battery)
        planned, failed = self._by_plans(data, battery, case.pv_scale)
        return Sized(
            case=case,
            cost_without_battery=without,
            self_consumption=_year_of(data, tariff.terms, battery, ruled, without),
            plans=_year_of(data, tariff.terms, battery, planned, without),
            plans_failed=failed,
        )

    def _by_rule(self, data: QuarterData, battery: BatteryModel) -> "_Ran":
        ran = _Ran.of(data)
        for stretch in data.stretches:
            problem = self._problem(data, stretch, battery)
            battery = ran.take(stretch, problem, [FOLLOW] * len(stretch))
        return ran

    def _by_plans(
        self, data: QuarterData, battery: BatteryModel, pv_scale: float
    ) -> tuple["_Ran", int]:
        ran, failed = _Ran.of(data), 0
        for seen in self._foreseen:
            ahead = range(seen.index, seen.index + len(seen.load_w))
            known = self._problem(data, ahead, battery)
            worth = terminal_value_per_kwh(
                known.import_price_per_kwh, battery.discharge_efficiency, battery.wear_cost_per_kwh
            )
            asked = replace(
                known,
                load_w=seen.load_w,
                # Forecasts of PV are sums of what was measured: they go with its size.
                pv_w=seen.pv_w * pv_scale,
                battery=replace(battery, terminal_value_per_kwh=worth),
                sells_stored=seen.a_day,
            )
            until = min(seen.until, ahead.stop)
            now = range(seen.index, until)
            try:
                starts = tuple(data.start_of(index) for index in ahead)
                wishes = self._wishes(asked, starts)[: len(now)]
            except PlanFailed:
                failed += 1
                wishes = [FOLLOW] * len(now)
            battery = ran.take(now, self._problem(data, now, battery), wishes)
            if until < seen.until:
                rest = range(until, seen.until)
                follows = self._problem(data, rest, battery)
                battery = ran.take(rest, follows, [FOLLOW] * len(rest))
        return ran, failed

    def _wishes(self, asked: PlanProblem, starts: tuple[datetime, ...]) -> list[SlotWish]:
        solution = self._models.of(asked.slots).solve(asked, warm=False)
        trajectory = build_trajectory(starts, asked, solution)
        return [
            SlotWish(mode=_mode(trajectory, slot), power_w=trajectory.battery_w[slot])
            for slot in range(min(asked.slots, EVERY_QUARTERS))
        ]

    def _problem(self, data: QuarterData, part: range, battery: BatteryModel) -> PlanProblem:
        here, grid = slice(part.start, part.stop), self._site.grid
        return PlanProblem(
            dt_h=np.full(len(part), _HOURS),
            import_price_per_kwh=data.import_price_per_kwh[here],
            export_price_per_kwh=data.export_price_per_kwh[here],
            load_w=data.load_w[here],
            pv_w=data.pv_w[here],
            import_max_w=min(grid.import_max_w, grid.mean_import_max_w or np.inf),
            export_max_w=grid.export_max_w,
            battery=battery,
            pv_curtailable=self._throttles,
            pv_switchable=self._switches,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ran:
    """Collects what was done, by quarter hour."""

    grid_w: Floats
    battery_w: Floats
    stored_wh: Floats
    """It is taken at the end of each quarter hour."""

    @classmethod
    def of(cls, data: QuarterData) -> "_Ran":
        grid_w, battery_w, stored_wh = np.full((3, len(data.load_w)), np.nan)
        return cls(grid_w=grid_w, battery_w=battery_w, stored_wh=stored_wh)

    def take(self, part: range, problem: PlanProblem, wishes: Iterable[SlotWish]) -> BatteryModel:
        """Has ``wishes`` followed, and returns the battery as it is after that."""
        course, here = follow(problem, wishes), slice(part.start, part.stop)
        stored_wh = course.soc_pct / 100.0 * problem.battery.capacity_wh
        self.grid_w[here], self.battery_w[here] = course.grid_w, course.battery_w
        self.stored_wh[here] = stored_wh
        return replace(problem.battery, soc_now_wh=float(stored_wh[-1]))


def _mode(trajectory: Trajectory, slot: int) -> SlotMode:
    """Returns the mode of a slot; a battery that the plan leaves alone beside an import is held.

    Where one kWh more is worth less than one kWh less is missed, live the next plan sees within
    minutes that it is missed; here a plan stands for hours.
    """
    mode = slot_mode(trajectory, slot)
    rests = trajectory.battery_sign[slot] == 0 and trajectory.grid_sign[slot] > 0
    return SlotMode.HOLD if mode is SlotMode.SELF_CONSUMPTION and rests else mode


def _resized(site: Site, data: QuarterData, case: SizeCase) -> BatteryModel:
    """Returns the site's battery with another capacity and power; its limits keep their shares."""
    known = data.import_price_per_kwh[np.isfinite(data.import_price_per_kwh)]
    whole = battery_model(site, _SOC_START_PCT, known)
    share = 1e3 * case.battery_kwh / whole.capacity_wh
    return replace(
        whole,
        capacity_wh=whole.capacity_wh * share,
        soc_min_wh=whole.soc_min_wh * share,
        soc_max_wh=whole.soc_max_wh * share,
        soc_now_wh=whole.soc_now_wh * share,
        ageing_above_wh=whole.ageing_above_wh * share,
        charge_max_w=1e3 * case.power_kw,
        discharge_max_w=1e3 * case.power_kw,
        # They are of the inverter that is there, which is no other size's.
        conversion=None,
        taper_per_h=0.0,
        hybrid_ac_max_w=None,
        pv_stored_per_kwh=0.0,
    )


def _year_of(
    data: QuarterData, terms: TariffTerms, battery: BatteryModel, ran: _Ran, without: float
) -> YearOf:
    kept = np.isfinite(ran.grid_w)
    years = data.known / QUARTERS_PER_DAY / _YEAR_DAYS
    gained_kwh = (float(ran.stored_wh[kept][-1]) - battery.soc_now_wh) / 1e3
    cheapest = float(data.import_price_per_kwh[kept][-QUARTERS_PER_DAY:].min())
    left = gained_kwh * max(cheapest, 0.0) / battery.charge_efficiency
    cost = _cost_a_year(data, terms, ran.grid_w) - left / years
    kwh = ran.grid_w[kept] * _HOURS / 1e3
    delivered_wh = float(np.maximum(-ran.battery_w[kept], 0.0).sum()) * _HOURS
    return YearOf(
        cost=cost,
        saved=without - cost,
        import_kwh=float(np.maximum(kwh, 0.0).sum()) / years,
        export_kwh=float(np.maximum(-kwh, 0.0).sum()) / years,
        full_cycles=delivered_wh / battery.capacity_wh / years,
    )


def _cost_a_year(data: QuarterData, terms: TariffTerms, grid_w: Floats) -> float:
    """Returns what a year costs at the meter, from what is known of one."""
    kept = np.flatnonzero(np.isfinite(grid_w))
    bought_wh = np.maximum(grid_w[kept], 0.0) * _HOURS
    sold_wh = np.maximum(-grid_w[kept], 0.0) * _HOURS
    buy, sell = data.import_price_per_kwh[kept], data.export_price_per_kwh[kept]
    cost = float(bought_wh @ buy - sold_wh @ sell) / 1e3
    if terms.demand or terms.standing or terms.quotas:
        columns = (kept, bought_wh, sold_wh, buy, sell)
        bill = tariff_bill(
            [
                MeteredQuarter(
                    start_utc=data.start_of(index),
                    import_wh=imported,
                    export_wh=exported,
                    purchase_per_kwh=purchase,
                    feed_in_per_kwh=feed_in,
                )
                for index, imported, exported, purchase, feed_in in zip(
                    *(column.tolist() for column in columns), strict=True
                )
            ],
            terms,
        )
        cost = bill.total
    return cost * _YEAR_DAYS * QUARTERS_PER_DAY / data.known


def no_terms(site: Site) -> TariffTerms:
    """Returns the terms of a tariff that has nothing beside the price of a kWh."""
    return TariffTerms(zone=ZoneInfo(site.timezone))
