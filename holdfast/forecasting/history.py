"""The history keeps what was measured and known, as quarter-hour values of the last 400 days."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY, quarter_of
from holdfast.forecasting.array_file import Array, ArrayFile, Floats

KEPT_DAYS = 400
"""A year is kept, so that the same season was seen, and a month."""

_JSON_VERSION = 1
_PACKED_VERSION = 2
_KIND = "power history"
_MOST = 1e12
"""It is in W; what is more is no power of a site, nor is NaN."""
_MOST_SAMPLES = 3600
"""A mean goes on as if it had no more than these, so that the count fits 16 bits."""


class Field(StrEnum):
    """Tells what is kept for each quarter hour."""

    LOAD_W = "load_w"
    PV_W = "pv_w"
    PV_MODEL_W = "pv_model_w"
    """This is what the weather forecast makes of the configured arrays, uncorrected; future too."""
    PV_CLEAR_W = "pv_clear_w"
    """This is what the configured arrays make under a clear sky, uncorrected; future too."""
    TEMPERATURE_C = "temperature_c"
    """It is the outdoor one of the weather forecast, future too."""
    PRICE_PER_KWH = "price_per_kwh"
    """This is what a kWh from the grid costs, as published, tariff applied; never a forecast."""


_ROW = {field: row for row, field in enumerate(Field)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """Holds one UTC day.

    It has values by field and quarter (NaN: not known), and the samples behind each.
    """

    values: Array
    samples: Array


def _empty_day() -> _Day:
    shape = (len(Field), QUARTERS_PER_DAY)
    return _Day(values=np.full(shape, np.nan, np.float32), samples=np.zeros(shape, np.uint16))


class PowerHistory:
    """Holds the quarter-hour values of a site; it is bounded, and tolerates gaps.

    Samples may come late or out of order. When it is full, the day farthest from the new
    one goes: after a time with a wrong clock this forgets what that clock wrote.
    """

    def __init__(self) -> None:
        self._days: dict[int, _Day] = {}

    def __len__(self) -> int:
        """Returns the number of quarters in which load or PV was measured."""
        rows = [_ROW[Field.LOAD_W], _ROW[Field.PV_W]]
        return sum(int((day.samples[rows] > 0).any(axis=0).sum()) for day in self._days.values())

    def add(self, utc: datetime, load_w: float | None, pv_w: float | None) -> None:
        """Takes in one measurement at ``utc`` (aware), in W; None where nothing was measured.

        Raises ValueError for a naive time or a number that is not finite.
        """
        quarter = quarter_of(utc)
        measured = ((Field.LOAD_W, load_w), (Field.PV_W, pv_w))
        for field, value in measured:
            if value is not None and not abs(value) < _MOST:
                raise ValueError(f"{field} is {value}")
        for field, value in measured:
            if value is not None:
                self._add(field, quarter, value)

    def put(self, field: Field, first: int, values: Floats) -> None:
        """Keeps ``values`` of ``field`` from quarter ``first`` on; NaN leaves what is known.

        Raises ValueError for numbers that none of them can be.
        """
        if (np.abs(values) > _MOST).any():
            raise ValueError(f"{field} is beyond all measure")
        row = _ROW[field]
        for offset, value in enumerate(values.tolist()):
            if not math.isnan(value):
                day, slot = divmod(first + offset, QUARTERS_PER_DAY)
                held = self._day(day)
                held.values[row, slot], held.samples[row, slot] = value, 1

    def window(self, field: Field, first: int, count: int) -> Floats:
        """Returns ``count`` quarters' values from ``first`` on; NaN where nothing is known."""
        row, result = _ROW[field], np.full(count, np.nan)
        for day in range(first // QUARTERS_PER_DAY, (first + count - 1) // QUARTERS_PER_DAY + 1):
            held = self._days.get(day)
            if held is not None:
                begin = day * QUARTERS_PER_DAY - first
                low, high = max(begin, 0), min(begin + QUARTERS_PER_DAY, count)
                result[low:high] = held.values[row, low - begin : high - begin]
        return result

    def load_w(self, quarter: int) -> float | None:
        """Returns the mean load in that quarter hour, in W; None where it was not measured."""
        return self._value(Field.LOAD_W, quarter)

    def pv_w(self, quarter: int) -> float | None:
        """Returns the mean PV power in that quarter hour, in W; None where it was not measured."""
        return self._value(Field.PV_W, quarter)

    def first_quarter(self, field: Field, before: int) -> int | None:
        """Returns the oldest quarter of the last ``KEPT_DAYS`` before ``before`` with a value."""
        oldest = before - KEPT_DAYS * QUARTERS_PER_DAY
        known = np.flatnonzero(np.isfinite(self.window(field, oldest, before - oldest)))
        return oldest + int(known[0]) if known.size else None

    def to_bytes(self) -> bytes:
        """Returns everything held, as :meth:`from_bytes` reads it."""
        days = sorted(self._days)
        shape = (len(days), len(Field), QUARTERS_PER_DAY)
        values, samples = np.empty(shape, np.float32), np.empty(shape, np.uint16)
        for index, day in enumerate(days):
            values[index], samples[index] = self._days[day].values, self._days[day].samples
        about = {"kind": _KIND, "version": _PACKED_VERSION, "fields": list(Field)}
        arrays: dict[str, Array] = {
            "days": np.array(days, np.int64),
            "values": values,
            "samples": samples,
        }
        return ArrayFile(about=about, arrays=arrays).to_bytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "PowerHistory":
        """Reads what :meth:`to_bytes` wrote, or the JSON of older releases.

        Raises ValueError for anything else.
        """
        if content[:1] == b"{":
            return cls._from_json(content)
        file = ArrayFile.from_bytes(content)
        if (file.about.get("kind"), file.about.get("version")) != (_KIND, _PACKED_VERSION):
            raise ValueError("is no power history")
        history, fields = cls(), file.about.get("fields")
        try:
            days, values, samples = (file.arrays[name] for name in ("days", "values", "samples"))
        except KeyError as error:
            raise ValueError(f"is no power history: {error!r}") from error
        shape = (len(days), len(Field), QUARTERS_PER_DAY)
        if fields != list(Field) or values.shape != shape or samples.shape != shape:
            raise ValueError("is a power history of another release")
        if np.isinf(values).any():
            raise ValueError("is no power history: a value is infinite")
        for index, day in enumerate(days.tolist()[-KEPT_DAYS:]):
            index += max(len(days) - KEPT_DAYS, 0)
            history._days[int(day)] = _Day(
                values=values[index].astype(np.float32), samples=samples[index].astype(np.uint16)
            )
        return history

    @classmethod
    def _from_json(cls, content: bytes) -> "PowerHistory":
        history = cls()
        try:
            table = json.loads(content)
            if table["version"] != _JSON_VERSION:
                raise ValueError(f"version {table['version']!r} is not known")
            for name, field in (("load", Field.LOAD_W), ("pv", Field.PV_W)):
                for quarter, mean_w, samples in table[name]:
                    day, slot = divmod(_natural(quarter), QUARTERS_PER_DAY)
                    held, row = history._day(day), _ROW[field]
                    held.values[row, slot] = _finite(mean_w)
                    held.samples[row, slot] = min(_natural(samples), _MOST_SAMPLES)
        except (KeyError, TypeError, RecursionError, OverflowError) as error:
            raise ValueError(f"is no power history: {error!r}") from error
        return history

    def _add(self, field: Field, quarter: int, value: float) -> None:
        day, slot = divmod(quarter, QUARTERS_PER_DAY)
        held, row = self._day(day), _ROW[field]
        samples = min(int(held.samples[row, slot]) + 1, _MOST_SAMPLES)
        mean = float(held.values[row, slot]) if samples > 1 else 0.0
        held.values[row, slot] = mean + (value - mean) / samples
        held.samples[row, slot] = samples

    def _day(self, day: int) -> _Day:
        held = self._days.get(day)
        if held is None:
            while len(self._days) >= KEPT_DAYS:
                del self._days[max(self._days, key=lambda known: abs(known - day))]
            held = self._days[day] = _empty_day()
        return held

    def _value(self, field: Field, quarter: int) -> float | None:
        day, slot = divmod(quarter, QUARTERS_PER_DAY)
        held = self._days.get(day)
        value = math.nan if held is None else float(held.values[_ROW[field], slot])
        return None if math.isnan(value) else value


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**12:
        raise ValueError(f"{value!r} is no positive whole number")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not abs(value) < _MOST:
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
