"""This module tells what the highest quarter hour of a period costs: numbers for an optimizer."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config.local_window import lies_in
from holdfast.core.config.prices import DemandCharge, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPrice:
    """A demand price is paid for the highest mean import of a quarter hour, after VAT."""

    price_per_kw: float
    """It is due for each period anew, in the site's currency per kW."""
    terms: DemandCharge
    zone: ZoneInfo

    def counts_at(self, utc: datetime) -> bool:
        """Says whether import in the quarter hour that begins at ``utc`` counts."""
        return lies_in(self.terms, utc, self.zone)

    def period_of(self, utc: datetime) -> str:
        """Returns the name of the period of ``utc``: equal names, one highest quarter hour.

        It looks like 2026-05-08, 2026-05 or 2026, by the local clock.
        """
        formats = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
        return utc.astimezone(self.zone).strftime(formats[self.terms.period])


def demand_prices(prices: Prices, zone: ZoneInfo) -> tuple[DemandPrice, ...]:
    """Returns one price for each row of the configuration."""
    vat = 1.0 + prices.purchase.vat_pct / 100.0
    return tuple(
        DemandPrice(price_per_kw=terms.price_per_kw * vat, terms=terms, zone=zone)
        for terms in prices.demand_charges
    )
