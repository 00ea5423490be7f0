"""Prices in force are keyed by UTC instants."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from holdfast.core.errors import PriceDataError


class Direction(StrEnum):
    """Tells which way the paid energy goes; the values are the keys of ``prices`` in site.yaml."""

    PURCHASE = "purchase"
    FEED_IN = "feed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """A price holds for an interval, start included, end not."""

    start_utc: datetime
    end_utc: datetime
    price_per_kwh: float
    """It is in the currency of the series; it may be zero or negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """Prices come in order of time, without overlap; between two of them there may be a hole."""

    currency: str
    """The code follows ISO 4217, such as EUR."""
    slots: tuple[PriceSlot, ...]

    def __post_init__(self) -> None:
        """Refuses overlaps, disorder and naive times. Raises PriceDataError."""
        utc = timedelta(0)
        for slot in self.slots:
            if not slot.start_utc.utcoffset() == utc == slot.end_utc.utcoffset():
                raise PriceDataError(f"price slot at {slot.start_utc} is not in UTC")
            if not slot.start_utc < slot.end_utc:
                raise PriceDataError(f"price slot at {slot.start_utc:%FT%RZ} has no length")
            if not -1e9 < slot.price_per_kwh < 1e9:
                raise PriceDataError(f"price at {slot.start_utc:%FT%RZ} is not a finite number")
        for before, after in zip(self.slots, self.slots[1:], strict=False):
            if not before.end_utc <= after.start_utc:
                raise PriceDataError(
                    f"price slots overlap or are out of order at {after.start_utc:%FT%RZ}"
                )

    def __len__(self) -> int:
        """Returns the number of slots."""
        return len(self.slots)

    def __iter__(self) -> Iterator[PriceSlot]:
        """Gives the slots in order of time."""
        return iter(self.slots)

    def slot_at(self, utc: datetime) -> PriceSlot | None:
        """Returns the slot that ``utc`` lies in; None where the price is missing."""
        index = self._index_at(utc)
        return None if index is None else self.slots[index]

    def price_at(self, utc: datetime) -> float | None:
        """Returns the price per kWh at ``utc``; None where it is missing."""
        slot = self.slot_at(utc)
        return None if slot is None else slot.price_per_kwh

    def prices_at(self, times_utc: Sequence[datetime]) -> list[float]:
        """Returns the price per kWh at each of the times, which are in order.

        Raises PriceDataError where one is missing.
        """
        found: list[float] = []
        index = 0 if not times_utc else self._index_at(times_utc[0])
        for utc in times_utc:
            while index is not None and utc >= self.slots[index].end_utc:
                index = index + 1 if index + 1 < len(self.slots) else None
            if index is None or utc < self.slots[index].start_utc:
                raise PriceDataError(f"no price is known for {utc:%FT%RZ}")
            found.append(self.slots[index].price_per_kwh)
        return found

    def known_until(self, utc: datetime) -> datetime | None:
        """Returns the end of the unbroken run of prices around ``utc``; None if there is none."""
        index = self._index_at(utc)
        if index is None:
            return None
        end_utc = self.slots[index].end_utc
        for slot in self.slots[index + 1 :]:
            if slot.start_utc != end_utc:
                break
            end_utc = slot.end_utc
        return end_utc

    def between(self, start_utc: datetime, end_utc: datetime) -> "PriceSeries":
        """Returns the slots that overlap the window; none is cut in two."""
        first = bisect_right(self.slots, start_utc, key=lambda slot: slot.end_utc)
        last = bisect_left(self.slots, end_utc, key=lambda slot: slot.start_utc)
        return PriceSeries(currency=self.currency, slots=self.slots[first:last])

    def _index_at(self, utc: datetime) -> int | None:
        index = bisect_right(self.slots, utc, key=lambda slot: slot.start_utc) - 1
        return index if index >= 0 and utc < self.slots[index].end_utc else None
