"""The recordings of incidents lie in a folder of their own, the newest ones, within bounds."""

import errno
import os
from pathlib import Path

from holdfast.monitoring.replay.recording import RecordingCause
from holdfast.site.files import write_atomically

KEPT = 20
KEPT_BYTES = 40_000_000
KEEP_FREE_BYTES = 64_000_000
"""It leaves this much room on the disk: four times what the audit log leaves for latches."""
_NAMES = "*.json.gz"


class IncidentFolder:
    """Keeps recordings. It may be used in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, cause: RecordingCause, content: bytes) -> str:
        """Writes a recording, and deletes the oldest; returns its name. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for torn in self._folder.glob(f"{_NAMES}.new"):
            torn.unlink(missing_ok=True)
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < KEEP_FREE_BYTES + len(content):
            raise OSError(errno.ENOSPC, f"less than {KEEP_FREE_BYTES / 1e6:g} MB would be free")
        path = self._folder / f"{cause.utc:%Y%m%dT%H%M%SZ}-{cause.row}.json.gz"
        write_atomically(path, content)
        self._prune(path)
        return path.name

    def _prune(self, newest: Path) -> None:
        left = KEPT_BYTES - newest.stat().st_size
        others = sorted(set(self._folder.glob(_NAMES)) - {newest}, reverse=True)
        for number, path in enumerate(others, 1):
            left -= path.stat().st_size
            if number >= KEPT or left < 0:
                path.unlink(missing_ok=True)
