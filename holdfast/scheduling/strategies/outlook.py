"""An outlook is what a strategy is told: prices, what is expected, and the battery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.interval import Interval
from holdfast.core.quarter_hours import QUARTER, quarter_start
from holdfast.markets.prices import PriceSeries
from holdfast.optimization.problem import Array, PlanProblem

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """Tells what is known when a plan is made. Arrays have one value a slot."""

    intervals: Sequence[Interval]
    problem: PlanProblem
    """It holds prices, what load and PV are expected, and the battery."""
    zone: ZoneInfo
    local: tuple[datetime, ...]
    """It tells when the slots begin, on the site's clock."""
    known: Array
    """It holds all prices of bought energy that are known, past ones of the day included."""
    days: Mapping[date, Mapping[datetime, float]]
    """It holds them by local day and start of the quarter hour, UTC."""

    @classmethod
    def of(
        cls,
        intervals: Sequence[Interval],
        problem: PlanProblem,
        purchase: PriceSeries,
        zone: ZoneInfo,
    ) -> Self:
        """Returns what is known; ``purchase`` may begin before the plan."""
        days: dict[date, dict[datetime, float]] = {}
        for price in purchase:
            start = quarter_start(price.start_utc)
            while start < price.end_utc:
                day = days.setdefault(start.astimezone(zone).date(), {})
                day[start] = price.price_per_kwh
                start += QUARTER
        return cls(
            intervals=intervals,
            problem=problem,
            zone=zone,
            local=tuple(interval.start.astimezone(zone) for interval in intervals),
            known=np.array([slot.price_per_kwh for slot in purchase]),
            days=days,
        )

    @property
    def bought(self) -> Array:
        """Returns the price of a bought kWh."""
        return self.problem.import_price_per_kwh

    @property
    def sold(self) -> Array:
        """Returns the price of a sold kWh."""
        return self.problem.export_price_per_kwh

    @property
    def net_w(self) -> Array:
        """Returns the load that is expected, less PV."""
        return self.problem.net_load_w

    @property
    def usable_wh(self) -> float:
        """Returns what the battery holds between its limits."""
        battery = self.problem.battery
        return battery.soc_max_wh - battery.soc_min_wh

    @property
    def round_trip(self) -> float:
        """Returns the share of a bought kWh that the battery gives back."""
        battery = self.problem.battery
        return battery.charge_efficiency * battery.discharge_efficiency

    def worth_from(self, price_per_kwh: float) -> float:
        """Returns the price from which on a kWh pays that was stored at ``price_per_kwh``."""
        wear = self.problem.battery.wear_cost_per_kwh
        return max(price_per_kwh, 0.0) / self.round_trip + wear

    def ahead(self, slot: int, hours: float) -> slice:
        """Returns the slots after ``slot`` that begin within ``hours`` of its start."""
        until = self.intervals[slot].start + hours * _HOUR
        last = slot + 1
        while last < len(self.intervals) and self.intervals[last].start < until:
            last += 1
        return slice(slot + 1, last)

    def day_prices(self, slot: int) -> Mapping[datetime, float]:
        """Returns the prices of the local day of ``slot`` by start of the quarter hour, UTC."""
        return self.days[self.local[slot].date()]

    def cheapest(self, slot: int, quarters: int) -> set[datetime]:
        """Returns so many quarter hours of the slot's local day that are the cheapest."""
        prices = self.day_prices(slot)
        return set(sorted(prices, key=lambda start: (prices[start], start))[:quarters])

    def quarter(self, slot: int) -> datetime:
        """Returns the start of the quarter hour that ``slot`` lies in, UTC."""
        return quarter_start(self.intervals[slot].start)
