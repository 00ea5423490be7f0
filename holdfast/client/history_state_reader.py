"""This module reads from shared memory how the history of a site fares."""

import time

from holdfast.core.units import s_from_ns
from holdfast.monitoring.history.state import HistoryState, decode_history_state
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordReader


class HistoryStateReader:
    """Reads the latest state of the history and its age."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._reader: RecordReader | None = None

    def latest(self) -> tuple[HistoryState, float] | None:
        """Returns the state and its age in s; None if nobody has written history since the boot."""
        try:
            if self._reader is None:
                self._reader = RecordReader(self._files.history_state)
            content = self._reader.latest()
            if content is None:
                return None
            state = decode_history_state(content)
        except (OSError, ValueError):
            return None
        age_s = s_from_ns(time.monotonic_ns() - state.monotonic_ns)
        # A state from the future was told before the computer was started anew.
        return (state, age_s) if age_s >= 0.0 else None
