"""Verification of an audit log is one walk along the chain, to the first bad place. It is pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from holdfast.monitoring.audit.events import LogDeleted, LogOpened
from holdfast.monitoring.audit.log_lines import (
    Line,
    Place,
    decode_head,
    decode_line,
    event_of,
    follows,
    opening,
    sha256,
)

AuditFile = tuple[str, bytes]
"""A file consists of its name and its content."""


class Wrong(StrEnum):
    """Names what can be wrong with a log."""

    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    TORN = "torn"
    """The last line is not whole: a write was cut short, and no controller has started since."""
    HEAD_AHEAD = "head ahead"
    """Lines that were on the disk are gone from the end."""
    HEAD_WRONG = "head wrong"
    BROKEN = "broken"
    """The controller itself found, when it opened the log, that something was not right."""
    NO_LOG = "no log"
    NOT_CONTAINED = "not contained"
    """A line that was noted elsewhere is not in this log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Holds the first bad place."""

    wrong: Wrong
    file: str
    line: int
    """Counts from 1 in its file; 0 if it is no line."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Holds what a verification found."""

    problem: Problem | None
    files: int
    lines: int
    """Counts good lines, up to the first problem."""
    first: Line | None
    last: Line | None
    notes: tuple[str, ...]
    """Tells what is not wrong, and worth knowing."""


def verify(
    files: Iterable[AuditFile], head: bytes | None, contains: Iterable[Place] = ()
) -> Verdict:
    """Checks a log: its files in their order, and its head; None for a file that is not there.

    ``contains`` are lines that were noted elsewhere and must be in it. Where the log is being
    written meanwhile, read the head before the files.
    """
    walk = _Walk(head, contains)
    problem = walk.along(files)
    return Verdict(
        problem=problem,
        files=walk.files,
        lines=walk.lines,
        first=walk.first,
        last=walk.last,
        notes=tuple(walk.notes),
    )


class _Walk:
    def __init__(self, head: bytes | None, contains: Iterable[Place]) -> None:
        self._head = None if head is None else decode_head(head)
        self._head_sequence = 0 if self._head is None else self._head.sequence
        self._wanted = {place.sequence: place.hash for place in contains}
        self._deleted: dict[int, str] = {}
        self._place: Place | None = None
        self.first: Line | None = None
        self.last: Line | None = None
        self.lines = self.files = 0
        self.notes: list[str] = []

    def along(self, files: Iterable[AuditFile]) -> Problem | None:
        for (name, content), opened in _with_next_opening(files):
            self.files += 1
            whole, problem = self._without_torn_end(name, content, opened)
            problem = problem or self._file(name, whole, torn=len(whole) < len(content))
            if problem is not None:
                return problem
        return self._beginning() or self._end() or self._not_contained()

    def _without_torn_end(
        self, name: str, content: bytes, opened: LogOpened | None
    ) -> tuple[bytes, Problem | None]:
        """Returns ``content`` without the end that the next file declares torn off by a crash."""
        if opened is None or opened.torn_bytes == 0:
            return content, None
        whole, torn = content[: -opened.torn_bytes], content[-opened.torn_bytes :]
        if len(torn) != opened.torn_bytes or sha256(torn) != opened.torn_sha256:
            text = "its torn end is not what was found when the log was opened again"
            return content, _problem(Wrong.ALTERED, name, whole.count(b"\n") + 1, text)
        self.notes.append(
            f"{name}: its last {len(torn)} bytes were torn off by a crash, as was found at the "
            "next start"
        )
        return whole, None

    def _file(self, name: str, content: bytes, *, torn: bool) -> Problem | None:
        *raws, rest = content.split(b"\n")
        if not raws and not torn:
            return _problem(Wrong.TORN, name, 1, "has not one whole line")
        for index, raw in enumerate(raws):
            line = decode_line(raw)
            if line is None:
                return _problem(Wrong.ALTERED, name, index + 1, "is no line of an audit log")
            problem = self._opens(name, line) if index == 0 else None
            problem = problem or self._line(name, index, raws, line)
            if problem is not None:
                return problem
        if rest:
            text = f"the last {len(rest)} bytes are no whole line"
            return _problem(Wrong.TORN, name, len(raws) + 1, text)
        return None

    def _opens(self, name: str, line: Line) -> Problem | None:
        opened = opening(line)
        if opened is None:
            return _problem(Wrong.MISSING, name, 1, "the line that opens this file is gone")
        if self._place is None:
            self._place = Place(sequence=opened.after_sequence, hash=opened.after_hash)
        return None

    def _line(self, name: str, index: int, raws: list[bytes], line: Line) -> Problem | None:
        assert self._place is not None
        if not follows(raws[index], line, self._place):
            return _misplaced(name, index, raws, line, self._place.sequence + 1)
        if line.sequence == self._head_sequence and line.place != self._head:
            return _problem(Wrong.HEAD_WRONG, name, index + 1, "is another line in the head")
        if self._wanted.pop(line.sequence, line.hash) != line.hash:
            text = f"is another line {line.sequence} than the one that was noted"
            return _problem(Wrong.NOT_CONTAINED, name, index + 1, text)
        self._place, self.last = line.place, line
        self.first = self.first or line
        self.lines += 1
        return self._of_the_log(name, index, line)

    def _of_the_log(self, name: str, index: int, line: Line) -> Problem | None:
        """Takes lines in which the log tells of itself."""
        if not line.event.startswith(b'{"kind":"log_'):
            return None
        match event_of(line):
            case LogDeleted(last_sequence=sequence, last_hash=digest):
                self._deleted[sequence] = digest
            case LogOpened(found=found) if found:
                return _problem(Wrong.BROKEN, name, index + 1, f"found at its opening: {found}")
            case LogOpened(removed_bytes=count) if count:
                self.notes.append(f"{name}: {count} bytes of a file without a line were removed")
            case _:
                pass
        return None

    def _beginning(self) -> Problem | None:
        """Lines before the first one must have been deleted on record."""
        if self.first is None or self.first.sequence == 1:
            return None
        gone = self.first.sequence - 1
        opened = opening(self.first)
        if opened is not None and self._deleted.get(gone) == opened.after_hash:
            self.notes.append(f"lines 1 to {gone} were deleted, which is on record")
            return None
        return _problem(
            Wrong.MISSING, "", 0, f"lines 1 to {gone} are gone, and the log did not delete them"
        )

    def _end(self) -> Problem | None:
        head, last = self._head, 0 if self.last is None else self.last.sequence
        if head is None:
            if self.files == 0:
                return _problem(Wrong.NO_LOG, "", 0, "there is no audit log")
            return _problem(Wrong.HEAD_WRONG, "", 0, "the head is missing or cannot be read")
        if head.sequence > last:
            text = f"the head names line {head.sequence}, and the log ends with line {last}"
            return _problem(Wrong.HEAD_AHEAD, "", 0, text)
        if self.first is not None and head.sequence < self.first.sequence - 1:
            return _problem(Wrong.HEAD_WRONG, "", 0, "the head is older than the whole log")
        if head.sequence < last:
            self.notes.append(
                f"the head is behind by {last - head.sequence} lines, which verify: they were "
                "written and not yet confirmed, or a crash came in between"
            )
        return None

    def _not_contained(self) -> Problem | None:
        first = 1 if self.first is None else self.first.sequence
        for sequence in sorted(self._wanted):
            if sequence >= first:
                return _problem(
                    Wrong.NOT_CONTAINED, "", 0, f"line {sequence}, which was noted, is not there"
                )
            self.notes.append(f"line {sequence}, which was noted, was deleted since")
        return None


def _with_next_opening(
    files: Iterable[AuditFile],
) -> Iterator[tuple[AuditFile, LogOpened | None]]:
    previous: AuditFile | None = None
    for file in files:
        if previous is not None:
            yield previous, _opening_of(file[1])
        previous = file
    if previous is not None:
        yield previous, None


def _opening_of(content: bytes) -> LogOpened | None:
    line = decode_line(content.partition(b"\n")[0])
    return None if line is None else opening(line)


def _misplaced(name: str, index: int, raws: list[bytes], line: Line, expected: int) -> Problem:
    """Tells as well as can be told what became of the line that should stand here."""
    here = index + 1
    later = [found.sequence for raw in raws[here:] if (found := decode_line(raw)) is not None]
    if line.sequence > expected and expected in later:
        text = f"line {line.sequence} stands before line {expected}"
        return _problem(Wrong.REORDERED, name, here, text)
    if line.sequence == expected or later[:1] == [expected + 1]:
        return _problem(Wrong.ALTERED, name, here, f"line {expected} does not fit its hash")
    if line.sequence < expected:
        if raws[index] in raws[:index]:
            return _problem(Wrong.DUPLICATED, name, here, f"line {line.sequence} stands here again")
        text = f"line {line.sequence} stands where line {expected} should"
        return _problem(Wrong.REORDERED, name, here, text)
    lines = (
        f"line {expected} is"
        if line.sequence == expected + 1
        else (f"lines {expected} to {line.sequence - 1} are")
    )
    return _problem(Wrong.MISSING, name, here, f"{lines} not here")


def _problem(wrong: Wrong, file: str, line: int, text: str) -> Problem:
    return Problem(wrong=wrong, file=file, line=line, text=text)
