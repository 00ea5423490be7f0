"""Shared memory between processes: one writer, any number of readers, nobody waits for anybody.

Files under ``state_dir`` are mapped into each process. A record carries a sequence number
and a checksum, so a reader that catches it half-written reads again.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import Self

_HEADER = struct.Struct("<QII")  # sequence, length, checksum
_RECORD_BYTES = 512 * 1024
_READ_TRIES = 5


class _Mapped:
    def __init__(self, path: Path, size: int, *, writable: bool) -> None:
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        descriptor = os.open(path, flags, 0o600)
        try:
            if writable:
                # On a full disk this fails; writing to a hole in a mapped file would kill us.
                os.posix_fallocate(descriptor, 0, size)
            elif os.fstat(descriptor).st_size < size:
                raise FileNotFoundError(f"{path} is not ready")
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._map = mmap.mmap(descriptor, size, access=access)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the memory."""
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RecordWriter(_Mapped):
    """Publishes the latest record."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _RECORD_BYTES, writable=True)
        self._sequence = 0

    def publish(self, content: bytes) -> None:
        """Make ``content`` the latest record. Raises ValueError if it is too long."""
        if len(content) > _RECORD_BYTES - _HEADER.size:
            raise ValueError(f"a record of {len(content)} bytes does not fit")
        self._sequence += 1
        self._map[_HEADER.size : _HEADER.size + len(content)] = content
        _HEADER.pack_into(self._map, 0, self._sequence, len(content), zlib.crc32(content))


class RecordReader(_Mapped):
    """Reads the latest record. Raises FileNotFoundError while there is no writer yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _RECORD_BYTES, writable=False)

    def latest(self) -> bytes | None:
        """The latest whole record; None if there is none."""
        for _ in range(_READ_TRIES):
            _, length, checksum = _HEADER.unpack_from(self._map, 0)
            content = self._map[_HEADER.size : _HEADER.size + length]
            if length and zlib.crc32(content) == checksum:
                return content
        return None


_BEAT = struct.Struct("<QqqI")  # count, monotonic ns, flag, checksum of the three
_BEAT_BODY = struct.Struct("<Qqq")


class Heartbeat(_Mapped):
    """Beats, with one flag: from the controller the end of a cycle, from the watchdog that it
    is armed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _BEAT.size, writable=True)
        self._count = 0

    def beat(self, now_ns: int, flag: int = 1) -> None:
        """Tell that all is well at ``now_ns`` (monotonic)."""
        self._count += 1
        body = _BEAT_BODY.pack(self._count, now_ns, flag)
        self._map[: _BEAT.size] = body + zlib.crc32(body).to_bytes(4, "little")


class HeartbeatReader(_Mapped):
    """Listens to a heartbeat. Raises FileNotFoundError while there is none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _BEAT.size, writable=False)
        self._last = (0, 0)

    def last(self) -> tuple[int, int]:
        """Monotonic time and flag of the last beat; (0, 0) if there never was one."""
        content = self._map[: _BEAT.size]
        body = content[: _BEAT_BODY.size]
        if zlib.crc32(body) == int.from_bytes(content[_BEAT_BODY.size :], "little"):
            _, time_ns, flag = _BEAT_BODY.unpack(body)
            self._last = (time_ns, flag)
        return self._last
