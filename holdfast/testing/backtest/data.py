"""Measured load, PV and the owner's prices, read from a CSV file. Nothing is filled in.

A row is one interval; its time is the interval's start, in UTC. All rows are one step apart.
"""

import csv
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from holdfast.core.errors import DataError

TIME = "time_utc"
IMPORT_PRICE, EXPORT_PRICE = "import_price_per_kwh", "export_price_per_kwh"
LOAD, PV = "load_w", "pv_w"
COLUMNS = (TIME, IMPORT_PRICE, EXPORT_PRICE, LOAD, PV)
PV_FORECAST = "pv_forecast_w"
"""A column that may be there: PV power as it was forecast a day or more before."""
PRICE_MAX_PER_KWH = 10.0
"""Twice the highest limit of any European day-ahead auction. More is a wrong unit."""
POWER_MAX_W = 1e8
STEP_MIN_S, STEP_MAX_S = 60, 3600
_ROWS_MAX = 1_200_000
"""Two years of minutes, and some."""
_HOUR_S = 3600


class Gaps(StrEnum):
    """What to do where rows, or values in them, are missing."""

    REFUSE = "refuse"
    SKIP = "skip"
    """Leave the missing time out: there the clock jumps, and nothing is planned across it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One interval."""

    start_s: int
    """UTC, seconds since 1970."""
    import_price_per_kwh: float
    export_price_per_kwh: float
    """Earned per kWh fed in."""
    load_w: float
    pv_w: float
    pv_forecast_w: float | None = None
    """As forecast from weather before the day began; None: there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """What was measured, one row per interval in order of time."""

    step_s: int
    rows: tuple[Row, ...]
    missing: int = 0
    """Intervals that were left out between the first and the last row."""

    @property
    def start(self) -> datetime:
        """Start of the first interval, UTC."""
        return utc_of(self.rows[0].start_s)

    @property
    def end(self) -> datetime:
        """End of the last interval, UTC."""
        return utc_of(self.rows[-1].start_s + self.step_s)

    @property
    def days(self) -> float:
        """Time that the rows cover."""
        return len(self.rows) * self.step_s / 86_400

    def index_from(self, utc: datetime) -> int:
        """Index of the first row that starts at ``utc`` or later."""
        return bisect_left(self.rows, utc.timestamp(), key=lambda row: row.start_s)

    def split(self, start: datetime | None, days: float | None) -> tuple["SiteData", "SiteData"]:
        """The rows before ``start``, and ``days`` from it on. Raises DataError if none are left."""
        first = 0 if start is None else self.index_from(start)
        last = len(self.rows)
        if days is not None and first < last:
            span = timedelta(days=days)
            last = self.index_from(utc_of(self.rows[first].start_s) + span)
        if first >= last:
            raise DataError(
                f"nothing is left of it: it reaches from {self.start:%FT%RZ} to {self.end:%FT%RZ}"
            )
        chosen = self.rows[first:last]
        span_s = chosen[-1].start_s + self.step_s - chosen[0].start_s
        missing = span_s // self.step_s - len(chosen)
        return (
            SiteData(step_s=self.step_s, rows=self.rows[:first]),
            SiteData(step_s=self.step_s, rows=chosen, missing=missing),
        )


def utc_of(seconds: int) -> datetime:
    """The instant, UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def read_data(
    path: Path, *, gaps: Gaps = Gaps.REFUSE, price_max_per_kwh: float = PRICE_MAX_PER_KWH
) -> SiteData:
    """Read a file. Raises DataError, which names line and column, and what would be right."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return parse_data(file, gaps=gaps, price_max_per_kwh=price_max_per_kwh)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def parse_data(
    lines: Iterable[str],
    *,
    gaps: Gaps = Gaps.REFUSE,
    price_max_per_kwh: float = PRICE_MAX_PER_KWH,
) -> SiteData:
    """Read ``lines``, header first. Raises DataError as :func:`read_data` does."""
    reader = _Reader(gaps, price_max_per_kwh)
    try:
        for number, cells in _lines(lines):
            reader.take(number, cells)
    except csv.Error as error:
        raise DataError(f"is not CSV: {error}") from error
    return reader.data()


def _lines(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    table = csv.reader(lines, strict=True)
    for cells in table:
        if any(cell.strip() for cell in cells):
            yield table.line_num, [cell.strip() for cell in cells]


class _Reader:
    """Takes line by line; keeps what the next line is checked against."""

    def __init__(self, gaps: Gaps, price_max_per_kwh: float) -> None:
        self._skips = gaps is Gaps.SKIP
        self._price_max = price_max_per_kwh
        self._places: dict[str, int] = {}
        self._rows: list[Row] = []
        self._numbers: list[int] = []
        self._last_s: int | None = None
        """Of the last line, whether it became a row or was skipped."""

    def take(self, number: int, cells: list[str]) -> None:
        """One line of the file."""
        if not self._places:
            self._places = _places(cells)
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
                load_w=_power(number, LOAD, text),
                pv_w=_power(number, PV, text),
                pv_forecast_w=_forecast_power(number, text),
            )
        )

    def data(self) -> SiteData:
        """What was read, once it is complete."""
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
        return SiteData(step_s=step_s, rows=tuple(self._rows), missing=missing)

    def _step_s(self) -> int:
        """The smallest distance of two rows: a larger one is a gap."""
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
        price = _number(number, column, text[column])
        if not -self._price_max <= price <= self._price_max:
            raise DataError(
                f"line {number}: {column} {price:g} per kWh is absurd; is it per MWh, or in "
                f"another currency? Up to {self._price_max:g} is believed (--price-max)"
            )
        return price


def _places(header: list[str]) -> dict[str, int]:
    for column in (*COLUMNS, PV_FORECAST):
        if header.count(column) > 1:
            raise DataError(f"line 1: column {column} stands {header.count(column)} times")
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        hint = "; columns are separated by commas" if len(header) == 1 and len(missing) > 1 else ""
        raise DataError(
            f"line 1: column {', '.join(missing)} is missing; needed are {', '.join(COLUMNS)}{hint}"
        )
    there = [column for column in (*COLUMNS, PV_FORECAST) if column in header]
    return {column: header.index(column) for column in there}


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


def _number(number: int, column: str, text: str) -> float:
    if _is_empty(text):
        raise DataError(
            f"line {number}: {column} is empty; fill it with what was measured, or leave such rows "
            "out with --gaps skip"
        )
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise DataError(f"line {number}: {column} {text[:40]!r} is no decimal number such as 0.25")
    return value


def _power(number: int, column: str, text: dict[str, str]) -> float:
    power_w = _number(number, column, text[column])
    if power_w < 0.0:
        raise DataError(
            f"line {number}: {column} is {power_w:g}; it must not be negative: load and PV are "
            "each their own, not what the grid sees"
        )
    if not power_w <= POWER_MAX_W:
        raise DataError(f"line {number}: {column} is {power_w:g} W, which no site here has")
    return power_w


def _forecast_power(number: int, text: dict[str, str]) -> float | None:
    """A forecast may swing a little below 0 W at night, where the sun does not."""
    if _is_empty(text.get(PV_FORECAST, "")):
        return None
    power_w = _number(number, PV_FORECAST, text[PV_FORECAST])
    if not abs(power_w) <= POWER_MAX_W:
        raise DataError(f"line {number}: {PV_FORECAST} is {power_w:g} W, which no site here has")
    return max(power_w, 0.0)


def require_an_hour(data: SiteData) -> None:
    """Refuse less than an hour. Raises DataError."""
    covered_s = len(data.rows) * data.step_s
    if covered_s < _HOUR_S:
        raise DataError(f"covers {covered_s // 60} minutes; a backtest needs at least an hour")
