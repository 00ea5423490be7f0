"""A pulse is somebody's heartbeat, heard from when there is one."""

from contextlib import suppress
from pathlib import Path

from holdfast.site.shared_memory import Beat, HeartbeatReader


class Pulse:
    """Listens to a heartbeat that may not be there yet. Never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: HeartbeatReader | None = None

    def last(self) -> Beat:
        """Returns the last beat; all zero while there is none."""
        if self._reader is None:
            with suppress(OSError):
                self._reader = HeartbeatReader(self._path)
        return Beat() if self._reader is None else self._reader.last()
