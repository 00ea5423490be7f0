"""This module keeps latches on the disk, and keeps back what tells of them until they are there.

A kill between showing a latch and saving it would lose what somebody relies on. So what a cycle
has to tell waits for its latches; the writes to the devices never do. A disk that fails or
stands still does not make it wait for long: then it is told, with the word that it is not saved.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.latches import Latches
from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.runtime.latch_file import save_latches

_log = logging.getLogger(__name__)

HOLD_NS = 2 * NS_PER_S
"""A save that takes longer counts as failed: people have to see what the site does."""
HELD_REPORTS = 512
"""So many wait at most; more than come within HOLD_NS at the shortest period."""
SAVE_AGAIN_NS = 1 * NS_PER_S

Report = Callable[[bool], None]
"""Tells something; True if the latches that it tells of are on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Holds a report that waits."""

    change: int
    """It tells of the latches after so many changes."""
    since_ns: int
    report: Report


class LatchKeeper:
    """Saves latches in a helper thread, which waits for the disk and not for us."""

    def __init__(self, path: Path, told: Callable[[], None]) -> None:
        """``told`` is called after reports, once for all that came out together."""
        self._path = path
        self._told = told
        self._on_disk: Latches | None = None
        """Tells what is in the file; None before the first save, during one, after a failure."""
        self._wanted: Latches | None = None
        self._change = self._settled = 0
        """They count the changes of what is wanted, and those that were saved, or given up."""
        self._held: deque[_Held] = deque()
        self._saving: asyncio.Task[None] | None = None
        self._again_ns = 0

    def tell(self, latches: Latches, now_ns: int, report: Report) -> None:
        """Has ``latches`` saved; calls ``report`` once they are, or could not be, and in order."""
        self._want(latches)
        if now_ns >= self._again_ns:
            self._begin()
        self._held.append(_Held(change=self._change, since_ns=now_ns, report=report))
        waited_ns = now_ns - self._held[0].since_ns
        if waited_ns >= HOLD_NS or len(self._held) > HELD_REPORTS:
            self._give_up()
        self._release()

    async def save(self, latches: Latches) -> bool:
        """Brings ``latches`` to the disk, as far as it lets us in time; True if they are there."""
        self._want(latches)
        self._begin()
        end_ns = time.monotonic_ns() + HOLD_NS
        while self._saving is not None:
            left_ns = end_ns - time.monotonic_ns()
            if left_ns <= 0:
                self._give_up()
                break
            await asyncio.wait({self._saving}, timeout=s_from_ns(left_ns))
        self._release()
        return self._on_disk is not None

    def _want(self, latches: Latches) -> None:
        if latches != self._wanted:
            self._wanted = latches
            self._change += 1
            self._again_ns = 0  # what has changed does not wait for its turn

    def _begin(self) -> None:
        """Saves what is wanted, unless it is there or on its way."""
        if self._saving is None and self._wanted is not None and self._on_disk != self._wanted:
            self._on_disk = None
            save = self._save(self._wanted, self._change)
            self._saving = asyncio.get_running_loop().create_task(save)

    async def _save(self, latches: Latches, change: int) -> None:
        try:
            await asyncio.to_thread(save_latches, self._path, latches)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and tried again
            _log.critical("latches are not on disk: %s", error)
            self._again_ns = time.monotonic_ns() + SAVE_AGAIN_NS
        else:
            self._on_disk = latches
        self._saving = None
        self._settled = max(self._settled, change)
        self._release()
        if change != self._change:
            self._begin()

    def _give_up(self) -> None:
        """What waits is told, though it is not saved; the save goes on all the same."""
        if self._settled != self._change:
            _log.critical("latches are not on disk within %g s", s_from_ns(HOLD_NS))
        self._settled = self._change

    def _release(self) -> None:
        waiting = len(self._held)
        while self._held and self._held[0].change <= self._settled:
            self._held.popleft().report(self._on_disk is not None)
        if len(self._held) < waiting:
            self._told()
