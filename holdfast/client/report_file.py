"""Reports that are written each few minutes are compressed: an SD card wears out by bytes.

They are JSON in gzip, which ``zcat`` shows. One that is not compressed is read as well.
"""

import gzip
import zlib
from pathlib import Path

MAX_BYTES = 20_000_000
"""No report is larger; more would be a file that fills the memory."""
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
"""As zlib names it: a window of 32 kB, in a frame of gzip."""


def packed(content: bytes) -> bytes:
    """Returns what is written; the same content makes the same bytes."""
    return gzip.compress(content, compresslevel=6, mtime=0)


def read_packed(path: Path) -> bytes:
    """Returns what was written. Raises OSError, and ValueError for what is damaged or too large."""
    content = path.read_bytes()
    if not content.startswith(_GZIP):
        return content
    decompressor = zlib.decompressobj(_GZIP_WINDOW)
    try:
        unpacked = decompressor.decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise ValueError(f"is damaged: {error}") from error
    if not decompressor.eof:
        raise ValueError("is damaged: it has no end, or is too large")
    return unpacked
