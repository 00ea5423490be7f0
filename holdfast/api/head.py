"""Who asks for the head of an answer gets what GET would answer, without its body."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ENDLESS: Final = "/api/v1/live"


class HeadRequests:
    """Asks the application as GET does, and keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        # The body of a stream has no end to wait for.
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] == _ENDLESS:
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)
