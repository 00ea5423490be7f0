"""What somebody types is awaited while other things go on."""

import asyncio
import os
import sys


class Typed:
    """Reads standard input line by line, once each is there."""

    def __init__(self) -> None:
        self._rest = ""

    async def line(self) -> str:
        """Returns the next line without its end. Raises EOFError where nobody can type any more."""
        while "\n" not in self._rest:
            text = await _more(sys.stdin.fileno())
            if not text:
                raise EOFError
            self._rest += text
        line, _, self._rest = self._rest.partition("\n")
        return line.strip()


async def _more(source: int) -> str:
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def ready() -> None:
        loop.remove_reader(source)
        read.set_result(os.read(source, 4096).decode(errors="replace"))

    try:
        loop.add_reader(source, ready)
    except PermissionError:  # a file is always ready, and nobody who looks at a house
        return ""
    try:
        return await read
    finally:
        loop.remove_reader(source)
