"""The value codec packs a table of numbers with gaps into few bytes.

Each row is rounded to its decimals. What is kept is the change from one value to the next, byte
after byte of all of them, compressed: what stands still or moves slowly takes next to nothing.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]
_Flags = NDArray[np.bool_]

_VERSION = 1
_HEADER = struct.Struct("<BBHH")  # version, bytes of a change, rows, columns
_MOST = float(2**52)
"""Beyond it whole numbers are not told apart: such a value is a gap."""
_EFFORT = 6


def encode(values: Floats, decimals: NDArray[np.int8]) -> bytes:
    """Returns ``values`` (rows x columns; NaN is a gap), rounded to each row's decimals.

    Raises ValueError for a table without a value, or with more rows or columns than 65,535.
    """
    rows, columns = values.shape
    if not (rows and columns and max(rows, columns) <= 0xFFFF):
        raise ValueError(f"a table of {rows} x {columns} values cannot be packed")
    scaled = np.rint(values * 10.0 ** decimals[:, None])
    gaps: _Flags = ~(np.abs(scaled) < _MOST)
    whole = _without_gaps(scaled, gaps)
    changes = np.diff(whole, axis=1)
    folded = ((changes << 1) ^ (changes >> 63)).astype(np.uint64)  # small also where negative
    width = _width(int(folded.max(initial=0)))
    in_bytes = folded.astype(f"<u{width}").view(np.uint8).reshape(-1, width)
    content = b"".join(
        (
            decimals.astype(np.int8).tobytes(),
            whole[:, 0].astype("<i8").tobytes(),
            np.packbits(gaps, axis=1).tobytes(),
            in_bytes.T.tobytes(),
        )
    )
    return _HEADER.pack(_VERSION, width, rows, columns) + zlib.compress(content, _EFFORT)


def decode(content: bytes) -> Floats:
    """Returns the table. Raises ValueError for anything that :func:`encode` did not make."""
    try:
        version, width, rows, columns = _HEADER.unpack_from(content)
        if version != _VERSION or width not in (1, 2, 4, 8) or not rows * columns:
            raise ValueError(f"is no block of version {_VERSION}")
        packed = np.frombuffer(zlib.decompress(content[_HEADER.size :]), np.uint8)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"is no whole block: {error}") from error
    parts = np.cumsum([rows, 8 * rows, rows * -(-columns // 8), rows * (columns - 1) * width])
    if packed.size != parts[-1]:
        raise ValueError("is no whole block: its length is wrong")
    decimals, first, gaps, changes = np.split(packed, parts[:-1])
    folded = np.ascontiguousarray(changes.reshape(width, -1).T).view(f"<u{width}")
    folded = folded.reshape(rows, columns - 1).astype(np.uint64)
    whole = np.empty((rows, columns), np.int64)
    whole[:, 0] = first.view("<i8")
    whole[:, 1:] = (folded >> np.uint64(1)).view(np.int64) ^ -(folded & np.uint64(1)).view(np.int64)
    values: Floats = np.cumsum(whole, axis=1) / 10.0 ** decimals.view(np.int8)[:, None]
    values[np.unpackbits(gaps.reshape(rows, -1), axis=1, count=columns).astype(bool)] = np.nan
    return values


def _without_gaps(scaled: Floats, gaps: _Flags) -> _Integers:
    """Fills each gap with the value before it, those at the beginning with the first one."""
    places = np.where(gaps, -1, np.arange(scaled.shape[1]))
    before = np.maximum.accumulate(places, axis=1)
    first = np.argmax(~gaps, axis=1)[:, None]
    filled = np.take_along_axis(scaled, np.where(before < 0, first, before), axis=1)
    is_empty = np.all(gaps, axis=1, keepdims=True)
    return np.where(is_empty, 0.0, filled).astype(np.int64)


def _width(most: int) -> int:
    """Returns how many bytes a change needs."""
    return next(width for width in (1, 2, 4, 8) if most < 1 << 8 * width)
