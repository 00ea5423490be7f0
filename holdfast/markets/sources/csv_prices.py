"""Prices come in a CSV file: ``time_utc,price_per_kwh``, or one column for each direction.

``time_utc`` is the start of the interval; without a zone it is taken for UTC, as its name
says. The currency is the site's. Other columns are left alone; an empty price is a hole. Where the
columns are separated by semicolons, prices may have a decimal comma.
"""

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction
from holdfast.markets.sources.answers import to_utc
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of, slots_from_starts

_COLUMNS = {
    Direction.PURCHASE: "import_price_per_kwh",
    Direction.FEED_IN: "export_price_per_kwh",
}
_BOTH = "price_per_kwh"


def parse_csv(content: bytes, direction: Direction, currency: str) -> PriceAnswer:
    """Returns the prices for ``direction``; lines that cannot be read are left out.

    Raises PriceDataError, which names the line.
    """
    left_out = LeftOut()
    try:
        rows = list(_rows(content.decode("utf-8-sig").splitlines(), direction, left_out))
    except (csv.Error, UnicodeDecodeError) as error:
        raise PriceDataError(f"is not CSV in UTF-8: {error}") from error
    slots = slots_from_starts(rows, left_out)
    if not slots:
        raise PriceDataError("; ".join(left_out.notes()) or "holds no price")
    prices = series_of(currency, slots, slots[0].start_utc, slots[-1].end_utc, left_out)
    return PriceAnswer(prices=prices, notes=left_out.notes(), is_partial=left_out.is_partial)


def _rows(
    lines: list[str], direction: Direction, left_out: LeftOut
) -> Iterator[tuple[datetime, float]]:
    separator = ";" if lines and ";" in lines[0] else ","
    reader = csv.DictReader(lines, strict=True, delimiter=separator)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    column = next((name for name in (_COLUMNS[direction], _BOTH) if name in columns), None)
    if "time_utc" not in columns or column is None:
        raise PriceDataError(f"its first line needs time_utc and {_COLUMNS[direction]} or {_BOTH}")
    for row in reader:
        try:
            price = _price(row[column], comma=separator == ";")
            if price is not None:
                yield _time(row["time_utc"]), price
        except ValueError as error:
            left_out.add(f"line {reader.line_num}: {error}", kind="line")


def _time(text: str | None) -> datetime:
    written = (text or "").strip()
    try:
        instant = datetime.fromisoformat(written)
        return to_utc(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)
    except ValueError:
        raise ValueError(f"{written[:40]!r} is no time (ISO 8601)") from None


def _price(text: str | None, *, comma: bool) -> float | None:
    written = (text or "").strip()
    if not written:
        return None
    try:
        price = float(written.replace(",", ".") if comma else written)
    except ValueError:
        price = math.nan
    if not math.isfinite(price):
        raise ValueError(f"{written[:40]!r} is no price")
    return price
