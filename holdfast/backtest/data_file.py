"""Measured data is read from a CSV file. Nothing is filled in.

A row is one interval; its time is the interval's start, in UTC. All rows are one step apart.
"""

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain, pairwise
from pathlib import Path

from holdfast.backtest.columns import (
    AS_NAMED,
    COLUMNS,
    EXPORT_PRICE,
    IMPORT_PRICE,
    KNOWN,
    LOAD,
    PV,
    PV_FORECAST,
    TIME,
    Columns,
    factor,
)
from holdfast.backtest.data import Row, SiteData, utc_of
from holdfast.core.errors import DataError
from holdfast.scheduling.power_doubts import LEAST_LOAD_W, LEAST_PV_W

PRICE_MAX_PER_KWH = 10.0
"""It is twice the highest limit of any European day-ahead auction. More is a wrong unit."""
POWER_MAX_W = 1e8
STEP_MIN_S, STEP_MAX_S = 60, 3600
_ROWS_MAX = 1_200_000
"""It is two years of minutes, and some."""
_DAY_S = 86_400
_WORKBOOK = b"PK\x03\x04"
_SEPARATORS = (",", ";", "\t")


class Gaps(StrEnum):
    """Tells what to do where rows, or values in them, are missing."""

    REFUSE = "refuse"
    SKIP = "skip"
    """The missing time is left out: there the clock jumps, and nothing is planned across it."""


def read_data(
    path: Path,
    *,
    gaps: Gaps = Gaps.REFUSE,
    price_max_per_kwh: float = PRICE_MAX_PER_KWH,
    columns: Columns = AS_NAMED,
) -> SiteData:
    """Reads a file.

    Raises DataError, which names line and column, and what would be right.
    """
    try:
        _refuse_workbook(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return parse_data(file, gaps=gaps, price_max_per_kwh=price_max_per_kwh, columns=columns)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is not in UTF-8, as byte {error.start} shows; in Excel, save it as CSV UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _refuse_workbook(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_WORKBOOK)) == _WORKBOOK:
            raise DataError("is a workbook of Excel or the like; save it as CSV UTF-8 there")


def parse_data(
    lines: Iterable[str],
    *,
    gaps: Gaps = Gaps.REFUSE,
    price_max_per_kwh: float = PRICE_MAX_PER_KWH,
    columns: Columns = AS_NAMED,
) -> SiteData:
    """Reads ``lines``, header first. Raises DataError as :func:`read_data` does.

    Cells are separated by commas; or by semicolons or tabs, and then a comma may stand for
    the decimal point.
    """
    rest = iter(lines)
    first = next(rest, "")
    separator = max(_SEPARATORS, key=first.count)
    reader = _Reader(gaps, price_max_per_kwh, columns, comma=separator != ",")
    try:
        for number, cells in _lines(chain((first,), rest), separator):
            reader.take(number, cells)
    except csv.Error as error:
        raise DataError(f"is not CSV: {error}") from error
    return reader.data()


def _lines(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    table = csv.reader(lines, delimiter=separator, strict=True)
    for cells in table:
        if any(cell.strip() for cell in cells):
            yield table.line_num, [cell.strip() for cell in cells]


class _Reader:
    """Takes line by line; keeps what the next line is checked against."""

    def __init__(
        self, gaps: Gaps, price_max_per_kwh: float, columns: Columns, *, comma: bool
    ) -> None:
        self._columns, self._comma = columns, comma
        self._factors = {
            key: 1.0 if column.is_energy else factor(key, column) for key, column in columns.items()
        }
        """Energies stay what they are until the step is known."""
        self._skips = gaps is Gaps.SKIP
        self._price_max = price_max_per_kwh
        self._places: dict[str, int] = {}
        self._rows: list[Row] = []
        self._numbers: list[int] = []
        self._last_s: int | None = None
        """It is that of the last line, whether it became a row or was skipped."""

    def take(self, number: int, cells: list[str]) -> None:
        """Takes one line of the file."""
        if not self._places:
            self._places = _places(cells, self._columns)
            return
        if len(self._rows) >= _ROWS_MAX:
            raise DataError(f"line {number}: more than {_ROWS_MAX} rows cannot be run")
        text = {column: _cell(cells, place) for column, place in self._places.items()}
        start_s = _seconds(number, text[TIME])
        if self._last_s is not None and start_s <= self._last_s:
            word = "comes twice" if start_s == self._last_s else "is earlier than the line before"
            raise DataError(f"line {number}: {TIME} {text[TIME]} {word}; rows must ascend")
        self._last_s = start_s
        if self._skips and any(_is_empty(text[column]) for column in COLUMNS[1:]):
            return
        self._numbers.append(number)
        self._rows.append(
            Row(
                start_s=start_s,
                import_price_per_kwh=self._price(number, IMPORT_PRICE, text),
                export_price_per_kwh=self._price(number, EXPORT_PRICE, text),
                load_w=self._power(number, LOAD, text),
                pv_w=self._power(number, PV, text),
                pv_forecast_w=self._forecast_power(number, text),
            )
        )

    def data(self) -> SiteData:
        """Returns what was read, once it is complete."""
        if not self._places:
            raise DataError(f"is empty; its first line must be {','.join(COLUMNS)}")
        if len(self._rows) < 2:
            raise DataError(f"has {len(self._rows)} rows of data; a step takes at least two")
        step_s = self._step_s()
        missing = 0
        for before, after, number in zip(
            self._rows, self._rows[1:], self._numbers[1:], strict=False
        ):
            steps, rest = divmod(after.start_s - before.start_s, step_s)
            if rest:
                raise DataError(
                    f"line {number}: {utc_of(after.start_s):%FT%TZ} is not a whole number of "
                    f"steps of {step_s} s after the row before it; all steps must be equal"
                )
            if steps > 1 and not self._skips:
                raise DataError(
                    f"line {number}: {steps - 1} rows are missing before "
                    f"{utc_of(after.start_s):%FT%TZ} (the step is {step_s} s); complete them, or "
                    "leave the time out with --gaps skip"
                )
            missing += steps - 1
        rows = tuple(self._in_watts(step_s))
        _ask_for_units(rows, step_s, self._columns)
        return SiteData(step_s=step_s, rows=rows, missing=missing)

    def _in_watts(self, step_s: int) -> Iterable[Row]:
        """Returns the rows, with energies of a step as mean powers: only now the step is known."""
        factors = {
            key: factor(key, self._columns[key], step_s)
            for key in (LOAD, PV, PV_FORECAST)
            if self._columns[key].is_energy
        }
        if not factors:
            return self._rows
        return (
            replace(
                row,
                **{
                    key: value * times
                    for key, times in factors.items()
                    if (value := getattr(row, key)) is not None
                },
            )
            for row in self._rows
        )

    def _step_s(self) -> int:
        """Returns the smallest distance of two rows, in s: a larger one is a gap."""
        starts = [row.start_s for row in self._rows]
        step_s = min(after - before for before, after in pairwise(starts))
        if not STEP_MIN_S <= step_s <= STEP_MAX_S or step_s % 60:
            raise DataError(
                f"the step between rows is {step_s} s; whole minutes from "
                f"{STEP_MIN_S // 60} to {STEP_MAX_S // 60} can be run"
            )
        if starts[0] % step_s:
            raise DataError(
                f"line {self._numbers[0]}: {utc_of(starts[0]):%FT%TZ} is off the grid of its own "
                f"step; {utc_of(starts[0] // step_s * step_s):%TZ} would be on it"
            )
        return step_s

    def _price(self, number: int, column: str, text: dict[str, str]) -> float:
        price = self._number(number, column, text[column])
        if not -self._price_max <= price <= self._price_max:
            raise DataError(
                f"line {number}: {column} {price:g} per kWh is absurd; is it per MWh, or in "
                f"another currency? Up to {self._price_max:g} is believed (--price-max)"
            )
        return price

    def _number(self, number: int, column: str, text: str) -> float:
        """Returns a number in the unit of ``column``, or an energy as it stands."""
        if _is_empty(text):
            raise DataError(
                f"line {number}: {column} is empty; fill it with what was measured, or leave such "
                "rows out with --gaps skip"
            )
        plain = text.replace(",", ".") if self._comma and "." not in text else text
        try:
            value = float(plain)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            raise DataError(
                f"line {number}: {column} {text[:40]!r} is no decimal number such as 0.25"
            )
        return value * self._factors[column]

    def _power(self, number: int, column: str, text: dict[str, str]) -> float:
        power_w = self._number(number, column, text[column])
        if power_w < 0.0:
            raise DataError(
                f"line {number}: {column} is {power_w:g}; it must not be negative: load and PV are "
                "each their own, not what the grid sees"
            )
        if not power_w <= POWER_MAX_W:
            raise DataError(f"line {number}: {column} is {power_w:g} W, which no site here has")
        return power_w

    def _forecast_power(self, number: int, text: dict[str, str]) -> float | None:
        """A forecast may swing a little below 0 W at night, where the sun does not."""
        if _is_empty(text.get(PV_FORECAST, "")):
            return None
        power_w = self._number(number, PV_FORECAST, text[PV_FORECAST])
        if not abs(power_w) <= POWER_MAX_W:
            raise DataError(
                f"line {number}: {PV_FORECAST} is {power_w:g} W, which no site here has"
            )
        return max(power_w, 0.0)


def _places(header: list[str], columns: Columns) -> dict[str, int]:
    for key in KNOWN:
        name = columns[key].name
        if header.count(name) > 1:
            raise DataError(f"line 1: column {name} stands {header.count(name)} times")
    missing = [columns[key].name for key in COLUMNS if columns[key].name not in header]
    if missing:
        raise DataError(
            f"line 1: column {', '.join(missing)} is missing; needed are {', '.join(COLUMNS)}. "
            f"There are: {', '.join(header)[:200]}. Another name: --column {LOAD}=NAME, or "
            f"{LOAD}=NAME:kWh with its unit"
        )
    there = [key for key in KNOWN if columns[key].name in header]
    return {key: header.index(columns[key].name) for key in there}


def _ask_for_units(rows: tuple[Row, ...], step_s: int, columns: Columns) -> None:
    """Refuses what looks like kW or kWh where watts are expected and no unit was told."""
    mean_w = sum(row.load_w for row in rows) / len(rows)
    peak_w = max(row.pv_w for row in rows)
    covers_a_day = len(rows) * step_s >= _DAY_S
    for key, value_w, least_w, what in (
        (LOAD, mean_w, LEAST_LOAD_W, "on average"),
        (PV, peak_w, LEAST_PV_W if covers_a_day else 0.0, "at most"),
    ):
        if not columns[key].unit and 0.0 < value_w < least_w:
            name = f"--column {key}={columns[key].name}"
            raise DataError(
                f"{key} is {value_w:.2g} W {what}: is that kWh of each row, or kW? Tell it with "
                f"{name}:kWh or {name}:kW; if it is W all the same, with {name}:W"
            )


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _is_empty(text: str) -> bool:
    return text.lower() in {"", "nan", "null", "none", "na", "n/a"}


def _seconds(number: int, text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(
            f"line {number}: {TIME} {text[:40]!r} is no time such as 2024-03-01T00:15:00Z"
        ) from error
    if time.utcoffset() is None:
        raise DataError(
            f"line {number}: {TIME} {text} has no zone, so it may be local time; write {text}Z if "
            "it is UTC"
        )
    if time.utcoffset() != timedelta(0):
        raise DataError(f"line {number}: {TIME} {text} is not UTC; write its time in UTC, with Z")
    seconds = (time - _EPOCH) / timedelta(seconds=1)
    if not 0 <= seconds <= _LAST_S or seconds % 60:
        raise DataError(f"line {number}: {TIME} {text} is no whole minute from 1970 to 2199")
    return int(seconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = 7_258_118_400
