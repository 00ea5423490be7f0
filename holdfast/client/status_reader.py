"""This module reads the controller's status from shared memory."""

import time

from holdfast.core.units import s_from_ns
from holdfast.monitoring.status.codec import decode_status
from holdfast.monitoring.status.schema import FRESH_S, Status
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordReader


class StatusReader:
    """Reads the controller's latest status and its age."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._reader: RecordReader | None = None

    def latest(self) -> tuple[Status, float] | None:
        """Returns status and age in s; None if no controller has published since the boot."""
        try:
            if self._reader is None:
                self._reader = RecordReader(self._files.status)
            content = self._reader.latest()
            if content is None:
                return None
            status = decode_status(content)
        except (OSError, ValueError):
            return None
        age_s = s_from_ns(time.monotonic_ns() - status.monotonic_ns)
        # A status from the future was written before the computer was started anew.
        return (status, age_s) if age_s >= 0.0 else None

    def fresh(self) -> Status | None:
        """Returns the status of a controller that runs; None if there is none."""
        found = self.latest()
        return found[0] if found is not None and found[1] <= FRESH_S else None
