"""What calculates for long is done in a process of its own, politely, one at a time.

A job is a module of :mod:`holdfast.api.work`: it gets JSON on its standard input, and gives its
answer on its standard output. It ends with who has started it.
"""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any, Final

from fastapi import HTTPException

from holdfast.core.texts import MAX_REASON, shown

WAITING: Final = 4
"""So many jobs wait; one more is refused."""
LONGEST_S: Final = 120.0
LONGEST_BYTES: Final = 16 * 1024 * 1024
_COME_AGAIN: Final = {"Retry-After": "20"}


class Jobs:
    """Runs jobs, one after the other."""

    def __init__(self, *, longest_s: float = LONGEST_S) -> None:
        self._turn = asyncio.Lock()
        self._longest_s = longest_s
        self._waiting = 0

    async def run(self, name: str, question: dict[str, object]) -> Any:
        """Returns the JSON that the job ``name`` answers. Raises HTTPException 503."""
        return json.loads(await self.output(name, question))

    async def output(self, name: str, question: dict[str, object]) -> bytes:
        """Returns what the job ``name`` writes. Raises HTTPException 503."""
        if self._waiting >= WAITING:
            raise HTTPException(503, "other calculations wait already", _COME_AGAIN)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_s), self._turn:
                return await _run(name, json.dumps(question).encode())
        except TimeoutError:
            raise HTTPException(503, f"{name} took too long", _COME_AGAIN) from None
        finally:
            self._waiting -= 1


async def _run(name: str, question: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"holdfast.api.work.{name}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LONGEST_BYTES,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(len(question).to_bytes(4, "big") + question)
        # It stays open: when we end, the job hears it and ends.
        output, errors = await asyncio.gather(_all(process.stdout), _all(process.stderr))
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if code != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise HTTPException(503, shown(f"{name} failed: {''.join(last)}", MAX_REASON))
    return output


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()
