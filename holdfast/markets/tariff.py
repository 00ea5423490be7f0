"""From the exchange's price to what the owner pays or gets: (price + adder) x (1 + VAT)."""

from dataclasses import replace

from holdfast.core.config import Tariff
from holdfast.markets.prices import PriceSeries


def owner_price_per_kwh(exchange_price_per_kwh: float, tariff: Tariff) -> float:
    """Price for the owner, in the currency of the exchange's price.

    VAT applies to negative prices as well, as it does on a bill.

    >>> round(owner_price_per_kwh(0.10, Tariff(adder_per_kwh=0.15, vat_pct=20)), 6)
    0.3
    """
    return (exchange_price_per_kwh + tariff.adder_per_kwh) * (1.0 + tariff.vat_pct / 100.0)


def with_tariff(exchange: PriceSeries, tariff: Tariff) -> PriceSeries:
    """The whole series as the owner sees it."""
    return PriceSeries(
        currency=exchange.currency,
        slots=tuple(
            replace(slot, price_per_kwh=owner_price_per_kwh(slot.price_per_kwh, tariff))
            for slot in exchange
        ),
    )
