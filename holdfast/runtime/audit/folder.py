"""The audit log on the disk is a row of files, appended to, rotated and bounded, and their head.

It is not shared between threads.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from holdfast.client.audit_reader import HEAD_NAME, audit_files, read_head
from holdfast.monitoring.audit.events import AuditEvent, LogDeleted, LogOpened
from holdfast.monitoring.audit.log_lines import (
    START,
    Place,
    decode_head,
    decode_line,
    encode_head,
    encode_line,
    follows,
    opening,
    sha256,
)
from holdfast.site.files import write_atomically

FILE_BYTES = 10_000_000
TOTAL_BYTES = 20 * FILE_BYTES
KEEP_FREE_BYTES = 16_000_000
"""The log leaves this much room on the disk: it must not be what keeps a latch from being saved."""
_FIRST_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Holds an event and when it happened."""

    utc: datetime
    monotonic_ns: int
    event: AuditEvent


class AuditFolder:
    """Appends to the log in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        file_bytes: int = FILE_BYTES,
        total_bytes: int = TOTAL_BYTES,
        keep_free_bytes: int = KEEP_FREE_BYTES,
    ) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._total_bytes = total_bytes
        self._keep_free_bytes = keep_free_bytes
        self._descriptor: int | None = None
        self._size = self._number = 0
        self._place = START
        self._head: Place | None = None
        """Holds the head as it is on the disk."""
        self._opening: LogOpened | None = None
        """Holds what the next file begins with if something was found; else it just follows."""
        self._known = False
        """What is on the disk was looked at, and nothing has gone wrong since."""

    def open(self) -> None:
        """Looks at what is there. Raises OSError; then the next :meth:`append` does it."""
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        head = read_head(self._folder)
        self._head = None if head is None else decode_head(head)
        removed_bytes = self._remove_unbegun()
        files = audit_files(self._folder)
        found = "" if self._head or not files else "the head is missing or cannot be read"
        content = files[-1].read_bytes() if files else b""
        place, end = _last_place(content, self._head) if files else (START, 0)
        self._place, disagrees = _agreed(place, self._head)
        # What does not agree with the head was changed by somebody, and stays for all to see.
        rest = b"" if disagrees else content[end:]
        self._number = int(files[-1].stem.removeprefix("audit-")) if files else 0
        self._size = len(content)
        self._opening = None
        if rest or removed_bytes or found or disagrees:
            self._opening = LogOpened(
                after_sequence=self._place.sequence,
                after_hash=self._place.hash,
                torn_bytes=len(rest),
                torn_sha256=sha256(rest) if rest else "",
                removed_bytes=removed_bytes,
                found=disagrees or found,
            )
        elif files:
            self._descriptor = os.open(files[-1], os.O_WRONLY | os.O_APPEND)
        self._known = True

    def append(self, entries: Sequence[Entry]) -> None:
        """Writes ``entries``; on return they are on the disk.

        Raises OSError, and then none of them is in the log.
        """
        if not self._known:
            self.open()
        self._check_room()
        if self._head is None:
            self.save_head()
        if self._descriptor is None or self._size >= self._file_bytes:
            self._append_to_new(entries)
        else:
            self._append(self._descriptor, entries)

    def start_over(self, entries: Sequence[Entry]) -> None:
        """Deletes all that is on record, and writes ``entries``.

        The chain goes on: the one file that is left begins with what was deleted, up to which line
        and with which hash, so it can be verified, and who kept such a hash finds it again. Raises
        OSError, and then nothing is deleted.
        """
        self.open()
        self._append_to_new(entries, delete_all=True)

    def save_head(self) -> None:
        """Brings the head to the disk if it is behind. Raises OSError."""
        if self._known and self._head != self._place:
            write_atomically(self._folder / HEAD_NAME, encode_head(self._place))
            self._head = self._place

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._known = None, False

    def _append(self, descriptor: int, entries: Sequence[Entry]) -> None:
        content, place = _encode(entries, self._place)
        try:
            _write_through(descriptor, content)
        except OSError:
            self._take_back(descriptor)
            raise
        self._place, self._size = place, self._size + len(content)

    def _take_back(self, descriptor: int) -> None:
        """Cuts off what of a batch was written; if that fails too, it is found at the opening."""
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            self._known = False

    def _append_to_new(self, entries: Sequence[Entry], *, delete_all: bool = False) -> None:
        stamp = entries[0]
        opened = self._opening or LogOpened(
            after_sequence=self._place.sequence, after_hash=self._place.hash
        )
        outgrown, deleted = self._outgrown(0 if delete_all else self._total_bytes)
        own: list[AuditEvent] = [opened, *deleted]
        batch = [
            Entry(utc=stamp.utc, monotonic_ns=stamp.monotonic_ns, event=event) for event in own
        ]
        content, place = _encode([*batch, *entries], self._place)
        path = self._folder / f"audit-{self._number + 1:06d}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            _write_through(descriptor, content)
        except OSError:
            os.close(descriptor)
            self._known = False  # unless it can be undone
            path.unlink()
            self._known = True
            raise
        self.close()
        self._descriptor, self._known, self._opening = descriptor, True, None
        self._place, self._size, self._number = place, len(content), self._number + 1
        # Only now: a deletion that is not on record is a log that somebody has cut.
        self.save_head()
        for old in outgrown:
            old.unlink(missing_ok=True)

    def _outgrown(self, total_bytes: int) -> tuple[list[Path], list[LogDeleted]]:
        """Returns the oldest files, as many as must go for one more, and the events that say so.

        The newest stays, unless nothing may be left.
        """
        files = audit_files(self._folder)
        sizes = [path.stat().st_size for path in files]
        most = len(files) if total_bytes == 0 else len(files) - 1
        count = 0
        while sum(sizes[count:]) + self._file_bytes > total_bytes and count < most:
            count += 1
        openings = [_first_line(path) for path in files[: count + 1]]
        if count == len(files):
            openings.append(
                LogOpened(after_sequence=self._place.sequence, after_hash=self._place.hash)
            )
        asked = total_bytes == 0
        events = [
            _deleted(path, openings[index], openings[index + 1], asked=asked)
            for index, path in enumerate(files[:count])
        ]
        return files[:count], events

    def _remove_unbegun(self) -> int:
        """Removes files at the end that a crash left without any line; counts their bytes."""
        removed_bytes = 0
        for path in reversed(audit_files(self._folder)):
            content = path.read_bytes()
            if b"\n" in content:
                break
            path.unlink()
            removed_bytes += len(content)
        return removed_bytes

    def _check_room(self) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._keep_free_bytes:
            raise OSError(
                errno.ENOSPC,
                f"less than {self._keep_free_bytes / 1e6:g} MB are free, kept for latches",
            )


def _encode(entries: Sequence[Entry], place: Place) -> tuple[bytes, Place]:
    lines = []
    for entry in entries:
        line, place = encode_line(place, entry.utc, entry.monotonic_ns, entry.event)
        lines.append(line)
    return b"".join(lines), place


def _write_through(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:  # a disk that is nearly full takes a part, and reports no error
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _last_place(content: bytes, head: Place | None) -> tuple[Place | None, int]:
    """Finds the last line of a file's chain and its end. None if it does not agree with the head.

    What the head names was on the disk; only behind it a power cut may have left anything.
    """
    place, end = _place_of(content, head)
    if place is None:
        opened = _decode_first(content)
        if opened is None:
            return None, 0
        place, end = Place(sequence=opened.after_sequence, hash=opened.after_hash), 0
        must_come = head is not None and place.sequence < head.sequence
    else:
        must_come = False
    while (line_end := content.find(b"\n", end)) >= 0:
        raw = content[end:line_end]
        line = decode_line(raw)
        if line is None or not follows(raw, line, place):
            break
        place, end = line.place, line_end + 1
    return (None, 0) if must_come else (place, end)


def _place_of(content: bytes, head: Place | None) -> tuple[Place | None, int]:
    """Finds the head's line in ``content`` and where it ends."""
    if head is not None:
        begin = content.rfind(b'\n{"seq":%d,' % head.sequence) + 1
        line_end = content.find(b"\n", begin)
        line = decode_line(content[begin:line_end]) if line_end >= 0 else None
        if line is not None and line.place == head:
            return head, line_end + 1
    return None, 0


def _agreed(place: Place | None, head: Place | None) -> tuple[Place, str]:
    """Tells where the chain goes on, and what is wrong if log and head do not agree.

    The chain goes on from the head then, so that the gap stays for all to see.
    """
    if head is None:
        return place or START, "" if place else "the last file is no audit log"
    if place is None or place.sequence < head.sequence:
        return head, f"line {head.sequence}, which was on the disk, is not at the end of the log"
    return place, ""


def _decode_first(content: bytes) -> LogOpened | None:
    line = decode_line(content.partition(b"\n")[0])
    return None if line is None else opening(line)


def _first_line(path: Path) -> LogOpened | None:
    with path.open("rb") as file:
        return _decode_first(file.readline(_FIRST_LINE_BYTES))


def _deleted(
    path: Path, own: LogOpened | None, following: LogOpened | None, *, asked: bool
) -> LogDeleted:
    return LogDeleted(
        file=path.name,
        first_sequence=0 if own is None else own.after_sequence + 1,
        last_sequence=0 if following is None else following.after_sequence,
        last_hash="" if following is None else following.after_hash,
        asked=asked,
    )
