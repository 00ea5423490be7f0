"""Live streams: Server-Sent Events for pages, a WebSocket for programs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, WebSocket
from starlette.requests import HTTPConnection
from starlette.responses import StreamingResponse

from holdfast.api.access import Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.live import Live, LiveEvent, TooManyWatchers, Watcher
from holdfast.api.spoken import Spoken
from holdfast.core.errors import AccountsCorrupt
from holdfast.monitoring.language import Language

router = APIRouter(tags=["live"], dependencies=[Depends(needs(Right.SITE_READ))])
ASK_AGAIN_S: Final = 5.0
"""Who has logged out, or lost his role, sees nothing more from then on."""
PING_EVERY_S: Final = 2.0
"""A page takes 3 s without anything for no data."""
_TRY_AGAIN: Final = 1013
_MAY_NOT: Final = 1008
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `snapshot` and `gone`, each with its JSON in `data`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def live_of(connection: HTTPConnection, language: Spoken) -> Live:
    """Returns what streams in ``language`` are fed from."""
    live: dict[Language, Live] = connection.app.state.live
    return live[language]


Streams = Annotated[Live, Depends(live_of)]


@router.get("/live", response_class=StreamingResponse, responses=_STREAM)
async def live(request: Request, streams: Streams) -> StreamingResponse:
    """Streams snapshots, once a second and at each change of state, as Server-Sent Events."""
    place = ExitStack()
    try:
        watcher = place.enter_context(streams.watcher())
    except TooManyWatchers as error:
        raise HTTPException(503, str(error), {"Retry-After": "10"}) from error
    return StreamingResponse(
        _events(watcher, place, request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    watcher: Watcher, place: ExitStack, connection: HTTPConnection
) -> AsyncIterator[str]:
    with place:
        yield "retry: 1000\n\n"
        async for happened in _watched(watcher, connection):
            if happened is None:
                yield ": still here\n\n"
            else:
                yield f"event: {happened.event}\ndata: {happened.data}\n\n"


async def _watched(watcher: Watcher, connection: HTTPConnection) -> AsyncIterator[LiveEvent | None]:
    """Yields what happens, None while nothing does, as long as somebody may see it."""
    clock = asyncio.get_running_loop().time
    asked_s = clock()
    while True:
        happened = await watcher.next(PING_EVERY_S)
        if clock() - asked_s >= ASK_AGAIN_S:
            asked_s = clock()
            if not _may_see(connection):
                return
        yield happened


def _may_see(connection: HTTPConnection) -> bool:
    try:
        auth_of(connection).admit(connection, Right.SITE_READ)
    except (AuthRefused, AccountsCorrupt):
        return False
    return True


@router.websocket("/ws")
async def stream(socket: WebSocket, streams: Streams) -> None:
    """Streams the same as JSON messages ``{"event", "data"}``."""
    await socket.accept()
    try:
        with streams.watcher() as watcher:
            sending = asyncio.create_task(_send(socket, watcher))
            listening = asyncio.create_task(_until_it_goes(socket))
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, listening):
                task.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)
    except TooManyWatchers as error:
        await socket.close(_TRY_AGAIN, str(error))


async def _until_it_goes(socket: WebSocket) -> None:
    """Passes over what a client says, until it has gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(socket: WebSocket, watcher: Watcher) -> None:
    async for happened in _watched(watcher, socket):
        if happened is not None:
            await socket.send_text(_message(happened))
    await socket.close(_MAY_NOT, "log in again")


def _message(happened: LiveEvent) -> str:
    return f'{{"event":{json.dumps(happened.event)},"data":{happened.data}}}'
