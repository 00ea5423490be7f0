"""Prices in a CSV file: ``time_utc,price_per_kwh``, or one column for each direction.

``time_utc`` is the start of the interval; without a zone it is taken for UTC, as its name
says. Currency is the site's. Other columns are left alone; an empty price is a hole.
"""

import csv
import math
from datetime import UTC, datetime

from holdfast.core.errors import PriceDataError
from holdfast.markets.answers import series_of, slots_from_starts, to_utc
from holdfast.markets.prices import Direction, PriceSeries

_COLUMNS = {
    Direction.PURCHASE: "import_price_per_kwh",
    Direction.FEED_IN: "export_price_per_kwh",
}
_BOTH = "price_per_kwh"


def parse_csv(content: bytes, direction: Direction, currency: str) -> PriceSeries:
    """The prices for ``direction``. Raises PriceDataError, which names the line."""
    try:
        reader = csv.DictReader(content.decode("utf-8-sig").splitlines(), strict=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        column = next((name for name in (_COLUMNS[direction], _BOTH) if name in columns), None)
        if "time_utc" not in columns or column is None:
            raise PriceDataError(
                f"its first line needs time_utc and {_COLUMNS[direction]} or {_BOTH}"
            )
        rows = [
            (_time(row["time_utc"], reader.line_num), price)
            for row in reader
            if (price := _price(row[column], reader.line_num)) is not None
        ]
    except (csv.Error, UnicodeDecodeError) as error:
        raise PriceDataError(f"is not CSV in UTF-8: {error}") from error
    slots = slots_from_starts(rows)
    if not slots:
        raise PriceDataError("holds no price")
    return series_of(currency, slots, slots[0].start_utc, slots[-1].end_utc)


def _time(text: str | None, line: int) -> datetime:
    written = (text or "").strip()
    try:
        instant = datetime.fromisoformat(written)
        return to_utc(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)
    except ValueError:
        raise PriceDataError(f"line {line}: {written[:40]!r} is no time (ISO 8601)") from None


def _price(text: str | None, line: int) -> float | None:
    written = (text or "").strip()
    if not written:
        return None
    try:
        price = float(written)
    except ValueError:
        price = math.nan
    if not math.isfinite(price):
        raise PriceDataError(f"line {line}: {written[:40]!r} is no price")
    return price
