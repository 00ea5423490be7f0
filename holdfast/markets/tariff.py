"""A tariff makes of a source's price what the owner pays or gets in each quarter hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config.local_window import lies_in
from holdfast.core.config.prices import FixedSource, Tariff, TimedPrice, TimeOfUseSource
from holdfast.core.errors import PriceDataError
from holdfast.core.quarter_hours import QUARTER, quarter_start
from holdfast.markets.prices import PriceSeries, PriceSlot


def price_at(table: tuple[TimedPrice, ...], utc: datetime, zone: ZoneInfo) -> float | None:
    """Returns the price per kWh of the first row that ``utc`` lies in; None if there is none."""
    for row in table:
        if lies_in(row, utc, zone):
            return row.price_per_kwh
    return None


def in_currency(source: PriceSeries, tariff: Tariff, currency: str) -> PriceSeries:
    """Returns ``source`` in ``currency``, by the exchange rate of ``tariff`` if it has one.

    Raises PriceDataError if the rate is wanted and missing, or there and not wanted.
    """
    rate = tariff.exchange_rate
    if (rate is None) == (source.currency == currency):
        return source if rate is None else _converted(source, rate, currency)
    if rate is None:
        raise PriceDataError(
            f"prices are in {source.currency}, the site is in {currency}; exchange_rate: beside "
            f"source: says how many {currency} one {source.currency} costs"
        )
    raise PriceDataError(f"prices are in {currency} already; remove exchange_rate:")


def _converted(source: PriceSeries, rate: float, currency: str) -> PriceSeries:
    slots = (replace(slot, price_per_kwh=slot.price_per_kwh * rate) for slot in source)
    return PriceSeries(currency=currency, slots=tuple(slots))


def owner_price_per_kwh(
    source_price_per_kwh: float, tariff: Tariff, utc: datetime, zone: ZoneInfo
) -> float:
    """Returns the price for the owner at ``utc``, in the currency of the source's price, per kWh.

    VAT applies to negative prices as well, as it does on a bill.
    """
    fee = price_at(tariff.fees, utc, zone) or 0.0
    net = source_price_per_kwh * tariff.factor + fee + tariff.levies_per_kwh
    return net * (1.0 + tariff.vat_pct / 100.0)


def owner_prices(source: PriceSeries, tariff: Tariff, zone: ZoneInfo) -> PriceSeries:
    """Applies ``tariff`` to ``source``, cut into quarter hours, at which fees may change."""
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
    source: FixedSource | TimeOfUseSource,
    currency: str,
    zone: ZoneInfo,
    start_utc: datetime,
    end_utc: datetime,
) -> PriceSeries:
    """Returns the quarter hours of the window; these sources know the price of any time."""
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


def quarters(start_utc: datetime, end_utc: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cuts the window at quarter hours."""
    start = start_utc
    while start < end_utc:
        end = min(quarter_start(start) + QUARTER, end_utc)
        yield start, end
        start = end
