"""The day the clocks go back has an hour that comes twice, and that servers get wrong.

On 2025-10-26 the ENTSO-E platform gave 0.00 for the repeated hour, and shifted what followed
by an hour. Zero is a price that markets do have, so it is doubted only where all of that hour
is exactly zero and nothing in the hours beside it is.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.markets.prices import PriceSeries
from holdfast.markets.sources.left_out import LeftOut

_HOUR = timedelta(hours=1)


def without_doubtful_hours(prices: PriceSeries, zone: ZoneInfo, left_out: LeftOut) -> PriceSeries:
    """Returns ``prices`` without a doubtful repeated hour, and without the rest of its day."""
    for start in _repeated_hours(prices, zone):
        if _is_doubtful(prices, start):
            day = start.astimezone(zone).date()
            doubted = tuple(
                slot
                for slot in prices
                if slot.start_utc >= start and slot.start_utc.astimezone(zone).date() == day
            )
            left_out.add(
                "the repeated hour of the clock change is exactly 0.00, which is doubtful, and so "
                "is the rest of its day",
                start,
                doubted[-1].end_utc,
            )
            kept = tuple(slot for slot in prices if slot not in set(doubted))
            return PriceSeries(currency=prices.currency, slots=kept)
    return prices


def _repeated_hours(prices: PriceSeries, zone: ZoneInfo) -> list[datetime]:
    """Returns the starts of the two hours that one hour of the clock stands for, both of them."""
    second = [slot.start_utc for slot in prices if slot.start_utc.astimezone(zone).fold]
    return [min(second) - _HOUR, min(second)] if second else []


def _is_doubtful(prices: PriceSeries, start: datetime) -> bool:
    hour = prices.between(start, start + _HOUR).slots
    before = prices.between(start - _HOUR, start).slots
    after = prices.between(start + _HOUR, start + 2 * _HOUR).slots
    zero = all(slot.price_per_kwh == 0.0 for slot in hour)
    lonely = all(slot.price_per_kwh != 0.0 for slot in (*before, *after))
    return bool(hour and before and after) and zero and lonely
