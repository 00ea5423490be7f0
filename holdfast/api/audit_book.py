"""The audit log as the API reads it: from where it is asked for, and never whole.

A file that was looked through once is not looked through again, as it only grows.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from holdfast.client.audit_reader import audit_files
from holdfast.monitoring.audit.log_lines import Line, decode_line
from holdfast.monitoring.incidents import Incident, Mark, incidents_of, mark_of

_BLOCK_BYTES: Final = 256 * 1024
_FIRST_LINE_BYTES: Final = 64 * 1024
FILES_AT_ONCE: Final = 3
"""One request looks through so many files that nobody has looked through before."""


class _Read:
    """Tells how far a file was looked through, and what was found."""

    def __init__(self) -> None:
        self.end = 0
        self.marks: list[Mark] = []


class AuditBook:
    """Reads the log in one folder; threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._firsts: dict[str, Line] = {}
        self._read: dict[str, _Read] = {}
        self._lock = Lock()

    def backwards(
        self, until: datetime | None = None, *, before: int | None = None
    ) -> Iterator[Line]:
        """Yields lines, newest first: none after ``until``, all with numbers below ``before``.

        Raises OSError.
        """

        def is_wanted(line: Line) -> bool:
            return (until is None or line.time <= until) and (
                before is None or line.sequence < before
            )

        for path in reversed(audit_files(self._folder)):
            first = self._first(path)
            if first is not None and not is_wanted(first):
                continue
            for block in _blocks_backwards(path):
                earliest = next(filter(None, map(decode_line, block)), None)
                if earliest is not None and not is_wanted(earliest):
                    continue  # all of it is later still
                for raw in reversed(block):
                    line = decode_line(raw)
                    if line is not None and is_wanted(line):
                        yield line

    def incidents(self) -> tuple[Incident, ...]:
        """Returns the incidents on record, newest first, as far back as was looked until now."""
        with self._lock:
            marks = [mark for path in self._looked_through() for mark in self._marks_of(path)]
        return incidents_of(marks)[::-1]

    def _looked_through(self) -> list[Path]:
        """Returns the newest files, oldest first: all that are known, and a few more."""
        files = audit_files(self._folder)
        names = {path.name for path in files}
        self._read = {name: read for name, read in self._read.items() if name in names}
        chosen: list[Path] = []
        new = 0
        for path in reversed(files):
            new += path.name not in self._read
            if new > FILES_AT_ONCE:
                break
            chosen.append(path)
        return chosen[::-1]

    def _marks_of(self, path: Path) -> list[Mark]:
        read = self._read.setdefault(path.name, _Read())
        try:
            with path.open("rb") as file:
                file.seek(read.end)
                for raw in file:
                    if not raw.endswith(b"\n"):
                        break  # it is being written
                    read.end += len(raw)
                    mark = mark_of(raw[:-1])
                    if mark is not None:
                        read.marks.append(mark)
        except FileNotFoundError:  # rotated away meanwhile
            return []
        return read.marks

    def _first(self, path: Path) -> Line | None:
        found = self._firsts.get(path.name)
        if found is None:
            try:
                with path.open("rb") as file:
                    found = decode_line(file.readline(_FIRST_LINE_BYTES).rstrip(b"\n"))
            except FileNotFoundError:
                return None
            if found is not None:
                self._firsts[path.name] = found
        return found


def _blocks_backwards(path: Path) -> Iterator[list[bytes]]:
    """Yields the lines of a file in blocks, the last block first, each in its order."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # rotated away meanwhile
        return
    with file:
        end, rest = file.seek(0, 2), b""
        while end > 0:
            begin = max(end - _BLOCK_BYTES, 0)
            file.seek(begin)
            rest, *lines = (file.read(end - begin) + rest).split(b"\n")
            if begin == 0:
                lines.insert(0, rest)
            yield lines
            end = begin
