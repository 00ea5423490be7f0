"""Single prices become a series: this module tells how long each holds, and which count."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.plausible import plausible_slots

_SLOT_LENGTHS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60))
_CONTRADICTION = "two prices for one time, and nothing says which counts"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slots_from_starts(
    prices: Iterable[tuple[datetime, float]], left_out: LeftOut
) -> list[PriceSlot]:
    """Returns slots from their starts (UTC) alone, in any order; equal rows count once.

    What has no length that a market has, or begins with two prices, is left out.
    """
    known: dict[datetime, set[float]] = {}
    for start, price in prices:
        known.setdefault(start, set()).add(price)
    starts = sorted(known)
    slots = []
    for start, length in zip(starts, _lengths(starts), strict=True):
        if length is None:
            left_out.add(f"one price alone, at {start:%FT%RZ}, does not tell its length", start)
        elif length not in _SLOT_LENGTHS:
            left_out.add(f"prices around {start:%FT%RZ} are {length} apart", start, kind="apart")
        elif len(known[start]) > 1:
            left_out.add(_CONTRADICTION, start, start + length)
        else:
            (price,) = known[start]
            slots.append(PriceSlot(start_utc=start, end_utc=start + length, price_per_kwh=price))
    return slots


def _lengths(starts: Sequence[datetime]) -> list[timedelta | None]:
    """Returns the length of the slot at each start; None where nothing tells it.

    It is the shorter of the distances to both neighbours, and no longer than both of those are.
    So a missing one leaves a hole, and nothing is stretched over it. Where longer slots follow
    shorter ones, the first of them is as long as the next.
    """
    gaps = [after - before for before, after in pairwise(starts)]
    if not gaps:
        return [None for _ in starts]
    steps = [min(gaps[max(index - 1, 0) : index + 1]) for index in range(len(starts))]
    lengths: list[timedelta | None] = []
    for index, start in enumerate(starts):
        beside = steps[max(index - 1, 0) : index] + steps[index + 1 : index + 2]
        length = min(steps[index], max(beside))
        after = gaps[index : index + 2]
        if len(after) == 2 and after[0] == after[1] and _begins(after[0], start):
            length = after[0]
        lengths.append(length)
    return lengths


def _begins(length: timedelta, start: datetime) -> bool:
    """Tells whether a market's slot of this length begins at ``start``."""
    return length in _SLOT_LENGTHS and (start - _EPOCH) % length == timedelta(0)


def series_of(
    currency: str,
    slots: Iterable[PriceSlot],
    start_utc: datetime,
    end_utc: datetime,
    left_out: LeftOut,
) -> PriceSeries:
    """Returns the prices within the window, in order of time, without what cannot count.

    Raises PriceDataError if nothing is left, or all are in another unit.
    """
    lasting = []
    for slot in slots:
        if slot.start_utc < slot.end_utc:
            lasting.append(slot)
        else:
            left_out.add("a price has no length", slot.start_utc)
    within = list(_within(lasting, start_utc, end_utc))
    apart = without_contradictions(plausible_slots(currency, within, left_out), left_out)
    good = list(_within(apart, start_utc, end_utc))  # of one that reached beyond, a piece may be
    if not good and left_out.is_partial:
        raise PriceDataError("; ".join(left_out.notes()))
    return PriceSeries(currency=currency, slots=tuple(good))


def _within(
    slots: Iterable[PriceSlot], start_utc: datetime, end_utc: datetime
) -> Iterator[PriceSlot]:
    return (slot for slot in slots if slot.start_utc < end_utc and slot.end_utc > start_utc)


def without_contradictions(slots: Iterable[PriceSlot], left_out: LeftOut) -> list[PriceSlot]:
    """Returns slots in order of time. Where two overlap with different prices neither counts."""
    found: list[PriceSlot] = []
    for cluster in _clusters(slots):
        found += cluster if len(cluster) == 1 else _agreed(cluster, left_out)
    return found


def _clusters(slots: Iterable[PriceSlot]) -> Iterator[list[PriceSlot]]:
    """Yields slots that overlap, directly or by others, together."""
    cluster: list[PriceSlot] = []
    end = None
    for slot in sorted(set(slots), key=lambda slot: (slot.start_utc, slot.end_utc)):
        if end is not None and slot.start_utc >= end:
            yield cluster
            cluster, end = [], None
        cluster.append(slot)
        end = slot.end_utc if end is None else max(end, slot.end_utc)
    if cluster:
        yield cluster


def _agreed(cluster: list[PriceSlot], left_out: LeftOut) -> Iterator[PriceSlot]:
    """Yields what one price alone holds for."""
    changes: dict[datetime, Counter[float]] = {}
    for slot in cluster:
        changes.setdefault(slot.start_utc, Counter())[slot.price_per_kwh] += 1
        changes.setdefault(slot.end_utc, Counter())[slot.price_per_kwh] -= 1
    active: Counter[float] = Counter()
    for start, end in pairwise(sorted(changes)):
        for price, change in changes[start].items():
            active[price] += change
        prices = [price for price, count in active.items() if count > 0]
        if len(prices) == 1:
            yield PriceSlot(start_utc=start, end_utc=end, price_per_kwh=prices[0])
        elif prices:
            left_out.add(_CONTRADICTION, start, end)
