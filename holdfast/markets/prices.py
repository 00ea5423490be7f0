"""Prices in force, keyed by UTC instants."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from holdfast.core.errors import PriceDataError


class Direction(StrEnum):
    """Which way the energy goes that is paid for; the keys of ``prices`` in site.yaml."""

    PURCHASE = "purchase"
    FEED_IN = "feed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """One price and the interval it holds for, start included, end not."""

    start_utc: datetime
    end_utc: datetime
    price_per_kwh: float
    """In the currency of the series; may be zero or negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """Prices in order of time, without overlap; between two of them there may be a hole."""

    currency: str
    """ISO 4217, such as EUR."""
    slots: tuple[PriceSlot, ...]

    def __post_init__(self) -> None:
        """Refuse overlaps, disorder and naive times. Raises PriceDataError."""
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
        """Number of slots."""
        return len(self.slots)

    def __iter__(self) -> Iterator[PriceSlot]:
        """Slots in order of time."""
        return iter(self.slots)

    def slot_at(self, utc: datetime) -> PriceSlot | None:
        """The slot that ``utc`` lies in; None where the price is missing."""
        index = self._index_at(utc)
        return None if index is None else self.slots[index]

    def price_at(self, utc: datetime) -> float | None:
        """Price per kWh at ``utc``; None where it is missing."""
        slot = self.slot_at(utc)
        return None if slot is None else slot.price_per_kwh

    def prices_at(self, times_utc: Sequence[datetime]) -> list[float]:
        """Price per kWh at each of the times, which are in order. Raises PriceDataError where one
        is missing."""
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
        """End of the unbroken run of prices that ``utc`` lies in; None where it is missing."""
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
        """The slots that overlap the window; none is cut in two."""
        return PriceSeries(
            currency=self.currency,
            slots=tuple(
                slot for slot in self.slots if slot.start_utc < end_utc and slot.end_utc > start_utc
            ),
        )

    def _index_at(self, utc: datetime) -> int | None:
        index = bisect_right(self.slots, utc, key=lambda slot: slot.start_utc) - 1
        return index if index >= 0 and utc < self.slots[index].end_utc else None
