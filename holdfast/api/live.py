"""Whoever watches gets each snapshot once it is there; who is slow misses some, and delays nobody.

One task reads the status and makes the text once, for all who watch.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal

from holdfast.monitoring.status.schema import Status

LOOK_EVERY_S: Final = 0.2
"""The controller publishes so often."""
SHOW_EVERY_S: Final = 1.0
WAITING: Final = 2
"""So many events wait for one who is slow; the oldest is dropped."""
MAX_WATCHERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """Holds one event and its JSON."""

    event: Literal["snapshot", "gone"]
    data: str


class TooManyWatchers(Exception):
    """No more may watch now."""


class Watcher:
    """Keeps the newest events for one who watches."""

    def __init__(self) -> None:
        self._events: deque[LiveEvent] = deque(maxlen=WAITING)
        self._arrived = asyncio.Event()

    def put(self, event: LiveEvent) -> None:
        """Has ``event`` waiting; the oldest goes if there are too many."""
        self._events.append(event)
        self._arrived.set()

    async def next(self, within_s: float) -> LiveEvent | None:
        """Returns what happens next; None if nothing does ``within_s``."""
        try:
            async with asyncio.timeout(within_s):
                while not self._events:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None
        return self._events.popleft()


class Live:
    """Reads the status of a site, and gives it to all who watch."""

    def __init__(
        self,
        latest: Callable[[], tuple[Status, float] | None],
        as_json: Callable[[Status, float], str],
        *,
        most: int = MAX_WATCHERS,
    ) -> None:
        self._latest = latest
        self._as_json = as_json
        self._most = most
        self._watchers: set[Watcher] = set()
        self._last: LiveEvent | None = None
        self._state: object = None
        self._shown_s = 0.0
        self._joined = asyncio.Event()

    async def run(self) -> None:
        """Looks and tells, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._look(loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._joined.wait()
            self._joined.clear()

    @contextmanager
    def watcher(self) -> Iterator[Watcher]:
        """Gives what hears of all that happens from now on, at first how it is.

        Raises TooManyWatchers.
        """
        if len(self._watchers) >= self._most:
            raise TooManyWatchers(f"{self._most} watch already; come again later")
        watcher = Watcher()
        self._watchers.add(watcher)
        if self._last is not None:
            watcher.put(self._last)
        self._joined.set()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def _look(self, now_s: float) -> None:
        if not self._watchers:
            self._last = None
            return
        found = self._latest()
        state = None if found is None else (found[0].state, found[0].emergency_stop_latched)
        is_news = self._last is None or state != self._state
        if not is_news and now_s - self._shown_s < SHOW_EVERY_S:
            return
        self._state, self._shown_s = state, now_s
        self._last = (
            LiveEvent(event="gone", data="{}")
            if found is None
            else LiveEvent(event="snapshot", data=self._as_json(*found))
        )
        for watcher in self._watchers:
            watcher.put(self._last)
