"""From the exchange's price to what the owner pays or gets: (price + adder) x (1 + VAT)."""

from holdfast.core.config import Tariff


def owner_price_per_kwh(exchange_price_per_kwh: float, tariff: Tariff) -> float:
    """Price for the owner, in the currency of the exchange's price.

    VAT applies to negative prices as well, as it does on a bill.

    >>> round(owner_price_per_kwh(0.10, Tariff(adder_per_kwh=0.15, vat_pct=20)), 6)
    0.3
    """
    price = exchange_price_per_kwh if tariff.fixed_per_kwh is None else tariff.fixed_per_kwh
    return (price + tariff.adder_per_kwh) * (1.0 + tariff.vat_pct / 100.0)
