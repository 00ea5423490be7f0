"""From the source's price to what the owner pays or gets, quarter hour by quarter hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.price_config import FixedSource, Tariff, TimeOfUseSource
from holdfast.markets.local_clock import price_at
from holdfast.markets.prices import PriceSeries, PriceSlot

QUARTER = timedelta(minutes=15)


def owner_price_per_kwh(
    source_price_per_kwh: float, tariff: Tariff, utc: datetime, zone: ZoneInfo
) -> float:
    """Price for the owner at ``utc``, in the currency of the source's price.

    VAT applies to negative prices as well, as it does on a bill.
    """
    fee = price_at(tariff.fees, utc, zone) or 0.0
    net = source_price_per_kwh * tariff.factor + fee + tariff.levies_per_kwh
    return net * (1.0 + tariff.vat_pct / 100.0)


def owner_prices(source: PriceSeries, tariff: Tariff, zone: ZoneInfo) -> PriceSeries:
    """``source`` after ``tariff``, cut into quarter hours, at which fees may change."""
    return PriceSeries(
        currency=source.currency,
        slots=tuple(
            PriceSlot(
                start_utc=start,
                end_utc=end,
                price_per_kwh=owner_price_per_kwh(slot.price_per_kwh, tariff, start, zone),
            )
            for slot in source
            for start, end in quarters(slot.start_utc, slot.end_utc)
        ),
    )


def clock_prices(
    source: FixedSource | TimeOfUseSource, currency: str, zone: ZoneInfo,
    start_utc: datetime, end_utc: datetime,
) -> PriceSeries:  # fmt: skip
    """The quarter hours of the window; these sources know the price of any time."""
    first = quarter_start(start_utc)
    spans = quarters(first, end_utc)
    if isinstance(source, FixedSource):
        known = [(start, end, source.price_per_kwh) for start, end in spans]
    else:
        known = [
            (start, end, price)
            for start, end in spans
            if (price := price_at(source.prices, start, zone)) is not None
        ]
    return PriceSeries(
        currency=currency,
        slots=tuple(
            PriceSlot(start_utc=start, end_utc=end, price_per_kwh=price)
            for start, end, price in known
        ),
    )


def quarter_start(utc: datetime) -> datetime:
    """Start of the quarter hour that ``utc`` lies in."""
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


def quarters(start_utc: datetime, end_utc: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The window, cut at quarter hours."""
    start = start_utc
    while start < end_utc:
        end = min(quarter_start(start) + QUARTER, end_utc)
        yield start, end
        start = end
