"""An answer is what a source told: its prices, and what of it is not used and why."""

from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.markets.prices import PriceSeries, PriceSlot


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    """Holds what a source told at one time."""

    prices: PriceSeries
    notes: tuple[str, ...] = ()
    """What was left out, and what is doubtful, in words."""
    is_partial: bool = False
    """True if something that is needed was left out."""
    tariff: str = ""
    """Code of the tariff in force, where a source has several; another one is another source."""
    open_from_utc: datetime | None = None
    """From here on a price without an end holds: none of it is published for a certain day."""

    def is_of(self, other: "PriceAnswer") -> bool:
        """Tells whether both answers are about the same prices."""
        mine, others = (self.prices.currency, self.tariff), (other.prices.currency, other.tariff)
        return mine == others

    def firm_until(self, utc: datetime) -> datetime | None:
        """Returns how far prices from ``utc`` on are published day by day; None if they are not."""
        known = self.prices.known_until(utc)
        if known is None or self.open_from_utc is None:
            return known
        return max(min(known, self.open_from_utc), utc)


def completed(
    answer: PriceAnswer, before: PriceAnswer, start_utc: datetime, end_utc: datetime
) -> PriceAnswer:
    """Returns ``answer`` with the prices of ``before`` where it has none within the window."""
    told = list(answer.prices)
    kept = [
        piece
        for slot in before.prices.between(start_utc, end_utc)
        for piece in _outside(slot, answer.prices, start_utc, end_utc)
    ]
    if not kept:
        return answer
    slots = sorted((*told, *kept), key=lambda slot: slot.start_utc)
    prices = PriceSeries(currency=answer.prices.currency, slots=tuple(slots))
    note = f"what was known before stays where none came, to {kept[-1].end_utc:%FT%RZ}"
    return replace(answer, prices=prices, notes=(*answer.notes, note))


def _outside(
    slot: PriceSlot, told: PriceSeries, start_utc: datetime, end_utc: datetime
) -> list[PriceSlot]:
    """Returns what of ``slot`` lies in the window and is not told."""
    at, end = max(slot.start_utc, start_utc), min(slot.end_utc, end_utc)
    pieces = []
    for other in told.between(at, end):
        if at < other.start_utc:
            pieces.append(replace(slot, start_utc=at, end_utc=other.start_utc))
        at = other.end_utc
    if at < end:
        pieces.append(replace(slot, start_utc=at, end_utc=end))
    return pieces
