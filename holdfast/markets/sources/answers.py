"""This module reads what answers of all sources are made of: JSON, rows, instants."""

import codecs
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSlot
from holdfast.markets.sources.conversation import Asked
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of

_SHOWN = 3
_MAX_ROWS = 40_000
_MINUTE = timedelta(minutes=1)
_OFF = timedelta(seconds=2)
"""An instant that is no further from a full minute means that."""

_YEARS = range(2000, 2200)
HOUR = timedelta(hours=1)
"""No price of these sources holds longer, where only its start is told."""
LAST_SECOND = int(datetime(_YEARS.stop, 1, 1, tzinfo=UTC).timestamp())
"""It ends the instants that are taken for real, in seconds since 1970."""


def to_utc(time: datetime) -> datetime:
    """Returns an aware ``time`` in UTC, without the seconds that some starts are late.

    Raises ValueError for one of another century.
    """
    if time.year not in _YEARS:
        raise ValueError("lies in another century")
    utc = time.astimezone(UTC)
    minute = (utc + _MINUTE / 2).replace(second=0, microsecond=0)
    return minute if abs(utc - minute) <= _OFF else utc


Utc = Annotated[AwareDatetime, AfterValidator(to_utc)]
"""An instant with a zone is turned into UTC."""
Number = Annotated[float, Field(allow_inf_nan=False)]


class Answered(BaseModel):
    """Each part of a JSON answer must have what is named; what is more is left alone."""

    model_config = ConfigDict(frozen=True, strict=True)


_AnyAnswer = TypeVar("_AnyAnswer", bound=Answered)


def read_json(shape: type[_AnyAnswer], body: bytes) -> _AnyAnswer:
    """Reads ``body`` as ``shape``. Raises PriceDataError, whose text repeats no value of it."""
    body = body.removeprefix(codecs.BOM_UTF8)
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
        raise PriceDataError(f"the answer is not as expected: {_places(error)}") from None


def _places(error: ValidationError) -> str:
    """Returns where an answer is not as expected; values of it are not repeated."""
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(
        f"{'.'.join(str(key) for key in item['loc']) or 'the whole'}: {item['msg']}"
        for item in found[:_SHOWN]
    )


def read_rows(
    shape: type[_AnyAnswer],
    rows: Sequence[object],
    left_out: LeftOut,
    end_of: Callable[[Any], datetime],
) -> list[_AnyAnswer]:
    """Returns each row that is a ``shape``; the others are left out.

    ``end_of`` tells when a row's price ends, as far as that can be read: what ends before now is
    needed by nobody.
    """
    if len(rows) > _MAX_ROWS:
        raise PriceDataError(f"the answer has {len(rows)} rows; {_MAX_ROWS} are a year")
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(shape.model_validate_json(to_json(row, inf_nan_mode="null")))
        except ValidationError as error:
            told = _places(error)
            why = f"row {number} is not as expected: {told}"
            left_out.add(why, end_utc=_end(row, end_of), kind=told)
    return found


def _end(row: object, end_of: Callable[[Any], datetime]) -> datetime | None:
    """Returns when the price of a bad row ends; None if that cannot be read either."""
    try:
        return end_of(row)
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


def instant(text: str) -> datetime:
    """Returns an instant in ISO 8601 with a zone. Raises TypeError or ValueError for others."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("has no zone")
    return to_utc(time)


def is_eur_per_mwh(unit: str) -> bool:
    """Tells whether ``unit`` is euros per MWh, however it is written."""
    return "".join(unit.split()).lower() == "eur/mwh"


def answer_of(
    currency: str, slots: Sequence[PriceSlot], asked: Asked, left_out: LeftOut
) -> PriceAnswer:
    """Returns what a source told, within the window asked for. Raises PriceDataError."""
    prices = series_of(currency, slots, asked.start_utc, asked.end_utc, left_out)
    return PriceAnswer(prices=prices, notes=left_out.notes(), is_partial=left_out.is_partial)
