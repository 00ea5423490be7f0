"""One request at a time is on a line: turns say whose is next.

What is always safe goes first, then come commands, then polls, each in the order in which they
came. But no device has two of a kind before a poll that waits, or a ramp on a slow line would keep
every reading off it. A device has one poll and one command under way, so all have equal shares.
"""

import asyncio
from enum import IntEnum


class Urgency(IntEnum):
    """Says what goes first: a lower number."""

    SAFE = 0
    """It takes power away, or arms a timer."""
    COMMAND = 1
    POLL = 2


class _Waiting:
    def __init__(self, device: object, urgency: Urgency) -> None:
        self.device, self.urgency = device, urgency
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.passed_by: set[tuple[int, Urgency]] = set()
        """These have had their turn while this one waited."""

    @property
    def who(self) -> tuple[int, Urgency]:
        return id(self.device), self.urgency


class Turns:
    """Gives the line to one at a time."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: list[_Waiting] = []

    async def take(self, device: object, urgency: Urgency) -> None:
        """Waits for the turn of ``device``, which ends with :meth:`give_back`."""
        if not self._is_taken:
            self._is_taken = True
            return
        one = _Waiting(device, urgency)
        self._waiting.append(one)
        try:
            await one.granted
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
            else:  # it was granted in the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """Ends a turn; the next begins."""
        waiting = [one for one in self._waiting if not one.granted.done()]
        if not waiting:
            self._is_taken = False
            return
        following = _next_of(waiting)
        self._waiting.remove(following)
        following.granted.set_result(None)
        for one in waiting:
            one.passed_by.add(following.who)


def _next_of(waiting: list[_Waiting]) -> _Waiting:
    """Returns whose turn it is; ``waiting`` is in the order in which they came."""
    of_kind = {kind: [one for one in waiting if one.urgency is kind] for kind in Urgency}
    polls = of_kind[Urgency.POLL]
    for kind in (Urgency.SAFE, Urgency.COMMAND):
        for one in of_kind[kind]:
            if not (polls and one.who in polls[0].passed_by):
                return one
    return polls[0]
