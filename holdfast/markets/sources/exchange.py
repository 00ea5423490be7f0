"""Exchanges publish zeros for an auction that is not yet held; they are left out.

The other known mistake, that of the day the clocks go back, is in :mod:`clock_change`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.sources.clock_change import without_doubtful_hours
from holdfast.markets.sources.conversation import Asked
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of

_LONGEST_SLOT = timedelta(hours=2)
_LONGEST_ZERO = timedelta(hours=20)
"""Never was an auction's price exactly zero for so long; an empty table is, for a day."""


def exchange_answer(
    currency: str, slots: Iterable[PriceSlot], asked: Asked, left_out: LeftOut
) -> PriceAnswer:
    """Returns what an exchange told, within the window asked for. Raises PriceDataError."""
    short = _short(slots, left_out)
    found = series_of(currency, short, asked.start_utc, asked.end_utc, left_out)
    real = without_empty_days(found, left_out)
    kept = without_doubtful_hours(real, asked.zone, left_out)
    if found and not kept:
        raise PriceDataError("; ".join(left_out.notes()) or "all prices are zero")
    return PriceAnswer(prices=kept, notes=left_out.notes(), is_partial=left_out.is_partial)


def _short(slots: Iterable[PriceSlot], left_out: LeftOut) -> Iterator[PriceSlot]:
    """Yields slots that an auction may have had: one price never holds for half a day."""
    for slot in slots:
        if slot.end_utc - slot.start_utc <= _LONGEST_SLOT:
            yield slot
        else:
            why = "a price that holds for longer than two hours"
            left_out.add(why, slot.start_utc, slot.end_utc, kind="long")


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
