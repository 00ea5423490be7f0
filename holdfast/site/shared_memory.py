"""Shared memory has one writer and any number of readers; nobody waits for anybody.

It is a file in RAM that is written and read whole, and never mapped: whoever shortens a mapped file
kills all who have it. A record carries its length and a checksum, so a reader that catches it
half-written, or cut off, reads again. A file that was deleted or replaced is made anew by its
writer, and found by its readers: systemd clears ``/dev/shm`` of a user who logs out.
"""

import logging
import os
import stat
import struct
import weakref
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from holdfast.site.memory_folder import restore_memory_folder

_log = logging.getLogger(__name__)

_HEADER = struct.Struct("<QII")  # sequence, length, checksum
RECORD_BYTES = 512 * 1024
LONGEST_RECORD = RECORD_BYTES - _HEADER.size
"""So many bytes of content fit."""
_READ_TRIES = 5
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""No link is followed, and no pipe in the place of a file holds anybody up."""


class _Shared:
    """Keeps one file open, and sees that it is the one that others find."""

    def __init__(self, path: Path, size: int, *, writable: bool) -> None:
        """A writer asks the disk for ``size``, so that no full disk stops it later; less than that
        is no file that can be read."""
        self._path, self._size, self._writable = path, size, writable
        self._owner: int | None = None
        self._failing = False
        self._use(self._open())

    def _use(self, descriptor: int) -> None:
        self._descriptor, self._place = descriptor, _place(os.fstat(descriptor))
        # Who forgets to close lets go all the same: a process may open only so many files.
        self._let_go = weakref.finalize(self, os.close, descriptor)

    def _open(self) -> int:
        """Opens the file, which must be a plain one in the folder that it was in before."""
        folder = self._open_folder()
        try:
            if self._writable:
                return self._checked(self._open_or_make(folder))
            return self._checked(os.open(self._path.name, os.O_RDONLY | _SAFELY, dir_fd=folder))
        finally:
            os.close(folder)

    def _open_or_make(self, folder: int) -> int:
        return os.open(self._path.name, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600, dir_fd=folder)

    def _checked(self, descriptor: int) -> int:
        """Returns ``descriptor`` of a plain file that has room, or is ready to be read."""
        try:
            self._check(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(f"{self._path} is no plain file")
        if self._writable:
            os.posix_fallocate(descriptor, 0, self._size)
        elif found.st_size < self._size:
            raise FileNotFoundError(f"{self._path} is not ready")

    def _open_folder(self) -> int:
        """Opens the folder, made anew if it was deleted, but not if it is another's by now."""
        if self._owner is not None and self._writable:
            restore_memory_folder(self._path.parent)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        owner = os.fstat(folder).st_uid
        if self._owner not in {None, owner}:
            os.close(folder)
            raise PermissionError(f"{self._path.parent} is another user's")
        self._owner = owner
        return folder

    def _renew(self) -> None:
        """Opens what stands in the place of the file by now, if it can be used."""
        with suppress(OSError):
            if _place(self._path.lstat()) == self._place:
                return
        try:
            descriptor = self._open_anew()
        except OSError:
            return  # what is open still serves those who have it, too
        let_go = self._let_go
        self._use(descriptor)
        let_go()

    def _open_anew(self) -> int:
        try:
            return self._open()
        except OSError:
            if not self._writable:
                raise
        # A link, a pipe, or another's file stands there: the writer puts its own in their place.
        folder, own = self._open_folder(), f"{self._path.name}.new"
        try:
            with suppress(FileNotFoundError):
                os.unlink(own, dir_fd=folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY
            descriptor = self._checked(os.open(own, flags, 0o600, dir_fd=folder))
            try:
                os.rename(own, self._path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.close(descriptor)
                raise
            return descriptor
        finally:
            os.close(folder)

    def _write(self, content: bytes) -> None:
        """Writes the whole content. A disk that fails stops nobody: those who listen see it."""
        self._renew()
        try:
            os.pwrite(self._descriptor, content, 0)
        except OSError as error:
            if not self._failing:
                _log.critical("%s cannot be written: %s", self._path, error)
            self._failing = True
        else:
            self._failing = False

    def _read(self, size: int, offset: int = 0) -> bytes:
        """Reads so many bytes, or what is there; nothing if that fails."""
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError:
            return b""

    def close(self) -> None:
        """Lets go of the memory."""
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class RecordWriter(_Shared):
    """Publishes the latest record."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, RECORD_BYTES, writable=True)
        self._sequence = 0

    def publish(self, content: bytes) -> None:
        """Makes ``content`` the latest record. Raises ValueError if it is too long."""
        if len(content) > LONGEST_RECORD:
            raise ValueError(f"a record of {len(content)} bytes does not fit")
        self._sequence += 1
        self._write(_HEADER.pack(self._sequence, len(content), zlib.crc32(content)) + content)


class RecordReader(_Shared):
    """Reads the latest record. Raises FileNotFoundError while there is no writer yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _HEADER.size, writable=False)

    def latest(self) -> bytes | None:
        """Returns the latest whole record; None if there is none."""
        self._renew()
        for _ in range(_READ_TRIES):
            header = self._read(_HEADER.size)
            if len(header) < _HEADER.size:
                continue
            _, length, checksum = _HEADER.unpack(header)
            content = self._read(min(length, RECORD_BYTES), _HEADER.size)
            if length and len(content) == length and zlib.crc32(content) == checksum:
                return content
        return None


_BEAT = struct.Struct("<QqqQI")  # count, monotonic ns, flag, digest, checksum of the four
_BEAT_BODY = struct.Struct("<QqqQ")


class Beat(NamedTuple):
    """Holds what the last beat said; all zero if there never was one."""

    time_ns: int = 0
    """Tells the monotonic time."""
    flag: int = 0
    digest: int = 0
    """Tells which configuration whoever beats runs, as :func:`holdfast.site.digest.site_digest`."""


class Heartbeat(_Shared):
    """Beats, with one flag: from the controller the end of a cycle, from the watchdog that it
    is armed. ``digest`` is of the configuration that both have to run."""

    def __init__(self, path: Path, digest: int = 0) -> None:
        super().__init__(path, _BEAT.size, writable=True)
        self._count = 0
        self._digest = digest

    def beat(self, now_ns: int, flag: int = 1) -> None:
        """Tells that all is well at ``now_ns`` (monotonic)."""
        self._count += 1
        body = _BEAT_BODY.pack(self._count, now_ns, flag, self._digest)
        self._write(body + zlib.crc32(body).to_bytes(4, "little"))


class HeartbeatReader(_Shared):
    """Listens to a heartbeat. Raises FileNotFoundError while there is none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _BEAT.size, writable=False)
        self._last = Beat()

    def last(self) -> Beat:
        """Returns the last whole beat; all zero if there never was one."""
        self._renew()
        content = self._read(_BEAT.size)
        body = content[: _BEAT_BODY.size]
        if len(content) == _BEAT.size and zlib.crc32(body) == int.from_bytes(
            content[_BEAT_BODY.size :], "little"
        ):
            self._last = Beat(*_BEAT_BODY.unpack(body)[1:])
        return self._last
