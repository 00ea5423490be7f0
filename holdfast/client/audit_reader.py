"""This module reads the audit log of a site, also while it is being written."""

import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from holdfast.monitoring.audit.log_lines import Line, Place, decode_line, event_of
from holdfast.monitoring.audit.verify import Verdict, Wrong, verify

HEAD_NAME = "audit.head"
_TRIES, _PAUSE_S = 5, 0.2
_NAME = re.compile(r"audit-([0-9]{6,12})\.jsonl")


def audit_files(folder: Path) -> list[Path]:
    """Returns the files of the log in ``folder``, the oldest first."""
    numbered = {
        int(match[1]): path
        for path in folder.glob("audit-*.jsonl")
        if (match := _NAME.fullmatch(path.name)) is not None
    }
    return [numbered[number] for number in sorted(numbered)]


def read_head(folder: Path) -> bytes | None:
    """Returns the content of the head; None if there is none. Raises OSError."""
    try:
        return (folder / HEAD_NAME).read_bytes()
    except FileNotFoundError:
        return None


def verify_folder(folder: Path, contains: Iterable[Place] = ()) -> Verdict:
    """Verifies the log in ``folder``. Raises OSError.

    What looks torn or gone may be in the middle of being written or rotated: that is looked at
    again a few times.
    """
    wanted = tuple(contains)
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            head = read_head(folder)
            files = audit_files(folder)
            verdict = verify(((path.name, path.read_bytes()) for path in files), head, wanted)
        except FileNotFoundError:
            continue
        if verdict.problem is None or verdict.problem.wrong not in {Wrong.TORN, Wrong.MISSING}:
            return verdict
    return verdict


def verdict_content(verdict: Verdict) -> dict[str, object]:
    """Returns a verdict for programs, as ``holdfast audit verify --json`` prints it."""
    first, last, problem = verdict.first, verdict.last, verdict.problem
    return {
        "ok": problem is None,
        "problem": problem,
        "files": verdict.files,
        "lines": verdict.lines,
        "first_utc": None if first is None else first.utc,
        "last_utc": None if last is None else last.utc,
        "last_line": None if last is None else f"{last.sequence}:{last.hash}",
        "notes": verdict.notes,
    }


def lines_backwards(
    folder: Path, until: datetime | None = None, *, before: int | None = None
) -> Iterator[Line]:
    """Yields lines of the log in ``folder``, newest first. Raises OSError.

    None is after the time ``until``, and none has the sequence number ``before`` or a higher one.
    """

    def is_wanted(line: Line) -> bool:
        is_early = until is None or line.time <= until
        return is_early and (before is None or line.sequence < before)

    for path in reversed(audit_files(folder)):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # rotated away meanwhile
            return
        first = decode_line(content.partition(b"\n")[0])
        if first is not None and not is_wanted(first):
            continue
        for raw in reversed(content.split(b"\n")):
            line = decode_line(raw)
            if line is not None and is_wanted(line):
                yield line


def line_content(line: Line) -> dict[str, object]:
    """Returns a line for programs, as ``holdfast audit show --json`` prints it."""
    return {"sequence": line.sequence, "utc": line.utc, "event": event_of(line)}
