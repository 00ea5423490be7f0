"""This module knows which prices can be; a wrong unit shows in all of them together.

The harmonised limits of the European day-ahead coupling are -0.50 and +4 EUR/kWh, Agile's cap is
1 GBP/kWh. The Australian market's are -1 and about +20 AUD/kWh, before losses and tax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import PriceSlot
from holdfast.markets.sources.left_out import LeftOut

PER_EURO = {
    **dict.fromkeys(("EUR", "GBP", "CHF", "USD"), 1.0),
    "CAD": 1.5, "AUD": 1.7, "NZD": 1.9, "BGN": 2.0, "BAM": 2.0, "PLN": 4.5, "RON": 5.0,
    "DKK": 7.5, "SEK": 12.0, "NOK": 12.0, "CZK": 25.0, "UAH": 45.0, "TRY": 50.0, "MKD": 62.0,
    "RSD": 117.0, "HUF": 400.0,
}  # fmt: skip
"""It is about what one euro costs, good enough to tell a unit from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausible:
    """Tells what prices per kWh of one currency can be."""

    low: float
    high: float
    """No single price lies beyond these two."""
    usual_high: float
    """Half of a day's prices never lie above it."""
    usual_low: float
    """Some price of a day is further from zero than this."""


_WILD = Plausible(low=-2.0, high=40.0, usual_high=5.0, usual_low=0.002)
_UNKNOWN = Plausible(low=-1e3, high=1e4, usual_high=1e4, usual_low=0.0)


def plausible(currency: str) -> Plausible:
    """Returns what can be in ``currency``; of one that is not known nearly everything."""
    if currency in {"AUD", "NZD"}:
        return _WILD
    if currency not in PER_EURO:
        return _UNKNOWN
    rate = PER_EURO[currency]
    return Plausible(low=-rate, high=10.0 * rate, usual_high=1.5 * rate, usual_low=0.002 * rate)


def plausible_slots(
    currency: str, slots: Sequence[PriceSlot], left_out: LeftOut
) -> list[PriceSlot]:
    """Returns the slots whose price can be.

    Raises PriceDataError where so many cannot that all of them are in another unit.
    """
    bounds = plausible(currency)
    good = []
    for slot in slots:
        price = slot.price_per_kwh
        if bounds.low <= price <= bounds.high:
            good.append(slot)
        else:
            why = (
                f"price {price:g} {currency} per kWh at {slot.start_utc:%FT%RZ} is not within "
                f"{bounds.low:g} to {bounds.high:g}"
            )
            left_out.add(why, slot.start_utc, slot.end_utc, kind="bounds")
    _check_unit(currency, bounds, good, len(slots), left_out)
    return good


def _check_unit(
    currency: str, bounds: Plausible, good: list[PriceSlot], count: int, left_out: LeftOut
) -> None:
    if not count:
        return
    if 4 * (count - len(good)) > count:
        raise PriceDataError(
            f"{count - len(good)} of {count} prices are not within {bounds.low:g} to "
            f"{bounds.high:g} {currency} per kWh; are they in another unit?"
        )
    sizes = [abs(slot.price_per_kwh) for slot in good]
    middle, highest = median(sizes), max(sizes)
    if middle > bounds.usual_high:
        raise PriceDataError(
            f"prices of about {middle:.3g} {currency} per kWh are not plausible; are they in "
            "another unit, such as cents, or per MWh?"
        )
    if 0.0 < highest < bounds.usual_low:
        left_out.doubt(
            f"doubtful: no price is above {highest:.3g} {currency} per kWh; are they in another "
            "unit?"
        )
