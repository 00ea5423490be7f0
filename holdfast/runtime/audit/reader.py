"""This module reads the audit log of a site, also while it is being written."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from holdfast.monitoring.audit.log_lines import Line, Place, decode_line
from holdfast.monitoring.audit.verify import Verdict, Wrong, verify
from holdfast.runtime.audit.folder import audit_files, read_head

_TRIES, _PAUSE_S = 5, 0.2


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


def lines_backwards(folder: Path, until: datetime | None = None) -> Iterator[Line]:
    """Yields lines of the log in ``folder``, newest first, none after ``until``. Raises OSError."""
    for path in reversed(audit_files(folder)):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # rotated away meanwhile
            return
        first = decode_line(content.partition(b"\n")[0])
        if until is not None and first is not None and first.time > until:
            continue
        for raw in reversed(content.split(b"\n")):
            line = decode_line(raw)
            if line is not None and (until is None or line.time <= until):
                yield line
