"""A thread keeps something up to date: asking may take a minute, and who reads never waits."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

_LOOK_EVERY_S = 5.0
"""The wall clock may be set meanwhile, so no wait is as long as it seems."""


class Refresher:
    """Looks every few seconds whether there is something to ask."""

    def __init__(self, name: str, refresh: Callable[[datetime], None] | None) -> None:
        """``refresh`` is told the time; None if there is nothing to keep up to date."""
        self._name = name
        self._refresh = refresh
        self._thread: threading.Thread | None = None

    def start(self, end: threading.Event) -> None:
        """Refreshes until ``end`` is set. What is being asked then is left to itself."""
        self._thread = threading.Thread(target=self._run, args=(end,), name=self._name, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises RuntimeError if the thread has ended: whoever supervises us starts us anew."""
        if self._thread is not None and not self._thread.is_alive():
            raise RuntimeError(f"{self._name}: no longer watched")

    def _run(self, end: threading.Event) -> None:
        if self._refresh is None:
            end.wait()
            return
        while not end.is_set():
            self._refresh(datetime.now(UTC))
            end.wait(_LOOK_EVERY_S)
