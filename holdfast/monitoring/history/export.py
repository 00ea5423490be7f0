"""A part of the history is exported as a table: CSV for people, Parquet for programs."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.errors import DataError
from holdfast.monitoring.history.past_values import PastValues
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.value_codec import Floats

MOST_ROWS = 1_000_000
"""A table with more is exported at a coarser step."""
_CHUNK = timedelta(days=1)
_WHEN = "time_utc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Describes a table: a row a step, at the finest step that is kept.

    Where nothing was measured a cell is empty, and a row without any value is left out. From
    minutes on each series has its lowest and highest beside the mean.
    """

    reader: HistoryReader
    keys: Sequence[str]
    start: datetime
    end: datetime

    def csv_lines(self) -> Iterator[str]:
        """Yields the lines of a CSV file, many at a time. Raises as the reader does."""
        names: list[str] = []
        for columns in self._chunks():
            text = io.StringIO()
            table = csv.writer(text, lineterminator="\n")
            if not names:
                names = list(columns)
                table.writerow(names)
            cells = [_times(columns[_WHEN]), *(_cells(columns[name]) for name in names[1:])]
            table.writerows(zip(*cells, strict=True))
            yield text.getvalue()

    def write_parquet(self, path: Path) -> None:
        """Writes a Parquet file. Raises DataError if pyarrow is missing, and as the reader does."""
        try:
            import pyarrow as pa  # it is an extra, and large
            from pyarrow import parquet
        except ImportError as error:
            raise DataError(
                "Parquet needs pyarrow: pip install 'holdfast[parquet]', or export CSV"
            ) from error
        writer: Any = None
        try:
            for columns in self._chunks():
                arrays = {
                    name: pa.array(column, from_pandas=True) for name, column in columns.items()
                }
                arrays[_WHEN] = pa.array(columns[_WHEN], pa.timestamp("s", tz="UTC"))
                table = pa.table(arrays)
                writer = writer or parquet.ParquetWriter(path, table.schema)
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()

    def _chunks(self) -> Iterator[dict[str, Any]]:
        """Yields columns by name, a day at a time; the first is the time, in s since 1970."""
        step_s = self.reader.finest_step_s(self.keys, self.start, self.end, MOST_ROWS)
        start = self.start
        while start < self.end:
            # The next part begins where the steps of this one end.
            ends_s = int(min(start + _CHUNK, self.end).timestamp())
            ends_s += -ends_s % step_s
            end = datetime.fromtimestamp(ends_s, self.start.tzinfo)
            yield _columns(self.reader.values_at(self.keys, start, end, step_s))
            start = end


def _columns(part: PastValues) -> dict[str, Any]:
    columns: dict[str, Floats] = {}
    for key, series in part.series.items():
        columns[key] = series.mean
        if part.step_s > 1:
            columns[f"{key} lowest"], columns[f"{key} highest"] = series.lowest, series.highest
    known = ~np.isnan(np.stack(list(columns.values()))).all(axis=0)
    times_s = int(part.start.timestamp()) + part.step_s * np.flatnonzero(known)
    return {_WHEN: times_s} | {name: column[known] for name, column in columns.items()}


def _times(times_s: Any) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(times_s.astype("datetime64[s]")).tolist()]


def _cells(column: Floats) -> list[str]:
    return ["" if value != value else f"{value:.10g}" for value in column.tolist()]
