"""What takes long is done for a few at a time; who would wait too long is told to come again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Final, cast

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

AT_ONCE: Final = 2
"""A computer on site has two to four cores, and control needs one."""
WAITING: Final = 20
WAIT_S: Final = 8.0
_COME_AGAIN: Final = {"Retry-After": "3"}


class RequestTurns:
    """Lets ``at_once`` work, and a few wait."""

    def __init__(
        self, at_once: int = AT_ONCE, *, waiting: int = WAITING, wait_s: float = WAIT_S
    ) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most, self._wait_s = waiting, wait_s
        self._waiting = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Waits for a turn, and holds it. Raises HTTPException 503."""
        if self._waiting >= self._most:
            raise HTTPException(503, "too many ask for what takes long", _COME_AGAIN)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise HTTPException(503, "others are being served", _COME_AGAIN) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def turn_of(
    turns: Callable[[HTTPConnection], RequestTurns],
) -> Callable[[HTTPConnection], AsyncIterator[None]]:
    """Returns the dependency of a route that waits for its turn among ``turns``, and holds it."""

    async def in_turn(connection: HTTPConnection) -> AsyncIterator[None]:
        async with turns(connection).one():
            yield

    return in_turn


def _turns(connection: HTTPConnection) -> RequestTurns:
    return cast("RequestTurns", connection.app.state.turns)


IN_TURN: Final = Depends(turn_of(_turns))
"""A route with this dependency reads much, or calculates."""
InTurn = Annotated[None, IN_TURN]
