"""What somebody types comes line by line, while other things go on."""

import asyncio
import os
import sys
from collections.abc import Iterator

import pytest

from holdfast.cli.typed import Typed


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where to write what is typed."""
    source, sink = os.pipe()
    with os.fdopen(source) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield sink


async def test_a_line_comes_once_it_is_whole_and_others_stay_for_later(keyboard: int) -> None:
    typed = Typed()
    waiting = asyncio.ensure_future(typed.line())
    os.write(keyboard, b"ser")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    os.write(keyboard, "ved \ngrüezi\non".encode())
    assert await waiting == "served"
    assert await typed.line() == "grüezi"
    os.close(keyboard)
    with pytest.raises(EOFError):
        await typed.line()


async def test_who_does_not_wait_any_longer_loses_nothing(keyboard: int) -> None:
    typed = Typed()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(typed.line(), 0.05)
    os.write(keyboard, b"on\n")
    assert await typed.line() == "on"
    os.close(keyboard)


async def test_a_file_is_nobody_who_looks_at_a_house(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path_factory.mktemp("typed") / "answers"
    path.write_text("served\non\n")
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(EOFError):
            await Typed().line()
