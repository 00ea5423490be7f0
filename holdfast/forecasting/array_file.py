"""One file holds arrays with a description: compact, checked, and never a pickle.

A file is a line that names the format, the SHA-256 of the rest, and the rest: a numpy
archive of plain arrays and of the description as JSON. Reading runs no code of the file.
"""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = b"holdfast packed 1\n"
_DIGEST = 64
_ABOUT = "about"
_MAX_BYTES = 64 * 1024 * 1024
_UNREADABLE = (
    KeyError, TypeError, OSError, EOFError, RuntimeError, OverflowError, MemoryError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""These come from an archive that is none, beside ValueError."""

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayFile:
    """Holds a description (JSON values) and named arrays."""

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def to_bytes(self) -> bytes:
        """Returns the bytes that :meth:`from_bytes` reads."""
        text = json.dumps(dict(self.about), allow_nan=False, sort_keys=True).encode()
        content = io.BytesIO()
        described: dict[str, Any] = {_ABOUT: np.frombuffer(text, np.uint8), **self.arrays}
        np.savez_compressed(content, **described)
        body = content.getvalue()
        return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body

    @classmethod
    def from_bytes(cls, content: bytes) -> "ArrayFile":
        """Reads what :meth:`to_bytes` wrote. Raises ValueError for anything else."""
        head = len(_MAGIC) + _DIGEST + 1
        if not content.startswith(_MAGIC) or len(content) > _MAX_BYTES:
            raise ValueError("is no file of arrays")
        digest, body = content[len(_MAGIC) : head - 1], content[head:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            raise ValueError("is damaged: the checksum differs")
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            about = dict(json.loads(arrays.pop(_ABOUT).tobytes()))
        except _UNREADABLE as error:
            raise ValueError(f"is no file of arrays: {error!r}") from error
        return cls(about=about, arrays=arrays)
