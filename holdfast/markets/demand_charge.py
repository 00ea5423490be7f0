"""This module tells what the highest quarter hour of a period costs: numbers for an optimizer."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config.charges import CapacityCharge, DemandCharge
from holdfast.core.config.local_window import lies_in
from holdfast.core.config.prices import Prices
from holdfast.core.quarter_hours import QUARTER
from holdfast.markets.periods import begin_of, period_name


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPrice:
    """A demand price is paid for the highest mean import of a quarter hour, after VAT."""

    price_per_kw: float
    """It is due for each period anew, in the site's currency per kW above ``free_w``.

    Where the mean of several periods is paid for, a kW costs a part of it in each of them: all
    together it is as much.
    """
    terms: DemandCharge | CapacityCharge
    zone: ZoneInfo
    row: int = 0
    """It is above 0 for another charge by the same period: each has a peak of its own."""

    @property
    def free_w(self) -> float:
        """Returns the power up to which an import costs nothing more, in W."""
        terms = self.terms
        return 1e3 * (terms.least_kw if isinstance(terms, DemandCharge) else terms.subscribed_kw)

    def counts_at(self, utc: datetime) -> bool:
        """Says whether import in the quarter hour that begins at ``utc`` counts."""
        return lies_in(self.terms, utc, self.zone)

    def period_of(self, utc: datetime) -> str:
        """Returns the name of the period of ``utc``: equal names, one highest quarter hour.

        It looks like 2026-05-08, 2026-05 or 2026, by the local clock, or 2026-05/1 for the second
        charge by the month.
        """
        name = period_name(utc, self.terms.period, self.zone)
        return f"{name}/{self.row}" if self.row else name

    def last_periods(self, utc: datetime, count: int) -> list[str]:
        """Returns the names of the period of ``utc`` and of those before it, ``count`` in all."""
        names = []
        for _ in range(count):
            names.append(self.period_of(utc))
            utc = begin_of(utc, self.terms.period, self.zone) - QUARTER
        return names


def demand_prices(prices: Prices, zone: ZoneInfo) -> tuple[DemandPrice, ...]:
    """Returns one price for each row of the configuration: demand charges, then capacity."""
    vat = vat_factor(prices)
    rows: Counter[str] = Counter()
    found = []
    charges: list[DemandCharge | CapacityCharge] = [*prices.demand_charges]
    charges += prices.capacity_charges
    for terms in charges:
        per_kw = terms.price_per_kw if isinstance(terms, DemandCharge) else terms.excess_per_kw
        found.append(
            DemandPrice(price_per_kw=per_kw * vat, terms=terms, zone=zone, row=rows[terms.period])
        )
        rows[terms.period] += 1
    return tuple(found)


def vat_factor(prices: Prices) -> float:
    """Returns what a price before VAT is to be multiplied by."""
    return 1.0 + prices.purchase.vat_pct / 100.0
