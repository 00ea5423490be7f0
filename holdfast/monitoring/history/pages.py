"""A page holds one minute of all series, second by second, until its hour is over."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.monitoring.history.value_codec import Floats, decode, encode

_COUNT = struct.Struct("<H")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """Holds a value each second of each series; NaN where nothing was measured."""

    series: NDArray[np.int32]
    """Holds the number of the series of each row."""
    values: Floats

    def over(self, before: "Page") -> "Page":
        """Returns both of the same minute; where both have a value, this one's counts."""
        rows = {int(series): row for series, row in zip(before.series, before.values, strict=True)}
        for series, row in zip(self.series, self.values, strict=True):
            known = rows.get(int(series), row)
            rows[int(series)] = np.where(np.isnan(row), known, row)
        return Page(series=np.array(list(rows), np.int32), values=np.array(list(rows.values())))


def encode_page(page: Page, decimals: NDArray[np.int8]) -> bytes:
    """Returns the page with each row rounded to its decimals."""
    content = page.series.astype("<i4").tobytes()
    return _COUNT.pack(len(page.series)) + content + encode(page.values, decimals)


def decode_page(content: bytes) -> Page:
    """Returns the page. Raises ValueError for what is none."""
    try:
        (count,) = _COUNT.unpack_from(content)
    except struct.error as error:
        raise ValueError(f"is no page: {error}") from error
    end = _COUNT.size + 4 * count
    series = np.frombuffer(content[_COUNT.size : end], "<i4").astype(np.int32)
    values = decode(content[end:])
    if values.shape[0] != count:
        raise ValueError("is no whole page")
    return Page(series=series, values=values)
