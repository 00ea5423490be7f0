"""From an answer to prices, with what all sources need: JSON, instants, slots, plausibility."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import PriceSeries, PriceSlot

_PRICE_BOUNDS_PER_KWH = dict.fromkeys(("EUR", "GBP", "CHF", "USD", "AUD", "CAD"), (-1.0, 10.0))
"""The harmonised limits of the European day-ahead coupling are -0.50 and +4 EUR/kWh, the
Australian ones -1 and about +20 AUD/kWh for five minutes, Agile's cap is 1 GBP/kWh."""
_OTHER_BOUNDS_PER_KWH = (-1e3, 1e4)
"""Other currencies: up to a thousand of them make one euro."""

_SLOT_LENGTHS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60))
_SHOWN = 3


_YEARS = range(2000, 2200)
LAST_SECOND = int(datetime(_YEARS.stop, 1, 1, tzinfo=UTC).timestamp())
"""Of the instants that are taken for real, since 1970."""


def to_utc(time: datetime) -> datetime:
    """An aware ``time`` in UTC. Raises ValueError for one of another century."""
    if time.year not in _YEARS:
        raise ValueError("lies in another century")
    return time.astimezone(UTC)


Utc = Annotated[AwareDatetime, AfterValidator(to_utc)]
"""An instant with a zone, turned into UTC."""
Number = Annotated[float, Field(allow_inf_nan=False)]


class Answered(BaseModel):
    """A part of a JSON answer: what is named must be there, what is more is left alone."""

    model_config = ConfigDict(frozen=True, strict=True)


_AnyAnswer = TypeVar("_AnyAnswer", bound=Answered)


def read_json(shape: type[_AnyAnswer], body: bytes) -> _AnyAnswer:
    """``body`` as ``shape``. Raises PriceDataError, whose text repeats no value of it."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise PriceDataError(
                f"the answer is not JSON; it begins with {body[:40]!r}"
                if body
                else "the answer is empty"
            ) from None
        places = [
            f"{'.'.join(str(key) for key in item['loc']) or 'the whole'}: {item['msg']}"
            for item in found[:_SHOWN]
        ]
        raise PriceDataError(f"the answer is not as expected: {'; '.join(places)}") from None


def slots_from_starts(prices: Iterable[tuple[datetime, float]]) -> list[PriceSlot]:
    """Slots from their starts (UTC) alone, in any order; equal rows count once.

    A slot is as long as the shorter of the distances to its neighbours, and no longer than
    both of them are. So a missing one leaves a hole, and nothing is stretched over it.
    Raises PriceDataError for two prices of one instant, or a length that no market has.
    """
    rows = sorted(set(prices))
    if not rows:
        return []
    gaps = [after - before for (before, _), (after, _) in pairwise(rows)]
    if not gaps:
        raise PriceDataError(f"one price alone, at {rows[0][0]:%FT%RZ}, does not tell its length")
    steps = [min(gaps[max(index - 1, 0) : index + 1]) for index in range(len(rows))]
    slots = []
    for index, (start, price) in enumerate(rows):
        beside = steps[max(index - 1, 0) : index] + steps[index + 1 : index + 2]
        length = min(steps[index], max(beside))
        if length not in _SLOT_LENGTHS:
            raise PriceDataError(f"prices around {start:%FT%RZ} are {length} apart")
        slots.append(PriceSlot(start_utc=start, end_utc=start + length, price_per_kwh=price))
    return slots


def series_of(
    currency: str, slots: Sequence[PriceSlot], start_utc: datetime, end_utc: datetime
) -> PriceSeries:
    """The prices within the window, in order of time; equal slots count once.

    Raises PriceDataError for overlaps, and for prices that cannot be.
    """
    low, high = _PRICE_BOUNDS_PER_KWH.get(currency, _OTHER_BOUNDS_PER_KWH)
    for slot in slots:
        if not low <= slot.price_per_kwh <= high:
            raise PriceDataError(
                f"price {slot.price_per_kwh:g} {currency} per kWh at {slot.start_utc:%FT%RZ} is "
                f"not within {low:g} to {high:g}"
            )
    unique = sorted(set(slots), key=lambda slot: (slot.start_utc, slot.end_utc))
    return PriceSeries(currency=currency, slots=tuple(unique)).between(start_utc, end_utc)
