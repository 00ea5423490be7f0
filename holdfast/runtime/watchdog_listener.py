"""This module brings the watchdog's heartbeat to the data store, as any other reading."""

import time
from pathlib import Path

from holdfast.core.data_store import DataStore
from holdfast.core.signals import SITE, Internal, Signal
from holdfast.runtime.pulse import Pulse
from holdfast.site.shared_memory import Beat

ANOTHER = "it watches another configuration than the controller's; start the site anew"
"""It has hands on the inverters of that one, and armed says nothing of those of this one."""


class WatchdogListener:
    """Listens from when there is a watchdog, and believes one that runs our configuration."""

    def __init__(self, path: Path, store: DataStore, digest: int) -> None:
        self._pulse = Pulse(path)
        self._store = store
        self._digest = digest
        self._last = Beat()

    def listen(self) -> None:
        """Stores a beat that was not heard yet."""
        beat = self._pulse.last()
        # A beat from the future is left over from before the computer was started anew; the
        # store would keep it and drop every true one as older.
        if beat == self._last or beat.time_ns > time.monotonic_ns():
            return
        self._last = beat
        signal = (Internal.WATCHDOG, SITE, Signal.WATCHDOG_ARMED)
        if beat.digest == self._digest:
            self._store.put(*signal, float(beat.flag), beat.time_ns)
        else:
            self._store.put_bad(*signal, ANOTHER, beat.time_ns)
