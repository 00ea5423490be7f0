"""Exchanges publish zeros for an auction that is not yet held; they are left out.

The other known mistake, that of the day the clocks go back, is in :mod:`clock_change`.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.sources.clock_change import without_doubtful_hours
from holdfast.markets.sources.conversation import Asked
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of

_LONGEST_ZERO = timedelta(hours=20)
"""Never was an auction's price exactly zero for so long; an empty table is, for a day."""


def exchange_answer(
    currency: str, slots: Iterable[PriceSlot], asked: Asked, left_out: LeftOut
) -> PriceAnswer:
    """Returns what an exchange told, within the window asked for. Raises PriceDataError."""
    found = series_of(currency, slots, asked.start_utc, asked.end_utc, left_out)
    real = without_empty_days(found, left_out)
    kept = without_doubtful_hours(real, asked.zone, left_out)
    if found and not kept:
        raise PriceDataError("; ".join(left_out.notes()) or "all prices are zero")
    return PriceAnswer(prices=kept, notes=left_out.notes(), is_partial=left_out.is_partial)


def without_empty_days(prices: PriceSeries, left_out: LeftOut) -> PriceSeries:
    """Returns ``prices`` without those that stand for none: exactly zero for most of a day."""
    kept: list[PriceSlot] = []
    for run in _runs(prices.slots):
        start, end = run[0].start_utc, run[-1].end_utc
        if run[0].price_per_kwh == 0.0 and end - start >= _LONGEST_ZERO:
            left_out.add("exactly 0.00 for a day, as before an auction is held", start, end)
        else:
            kept += run
    return PriceSeries(currency=prices.currency, slots=tuple(kept))


def _runs(slots: Sequence[PriceSlot]) -> list[list[PriceSlot]]:
    """Returns zeros in a row together, and so others."""
    runs: list[list[PriceSlot]] = []
    for slot in slots:
        last = runs[-1][-1] if runs else None
        if last is not None and (last.price_per_kwh == 0.0) == (slot.price_per_kwh == 0.0):
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs
