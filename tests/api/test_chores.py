"""What is worked out now and then: it is done, and ends with the API."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from holdfast.api import chores
from holdfast.api.chores import JUDGING, MONEY, compare_days_now_and_then, run_chore
from holdfast.testing.processes import children_of
from tests.api.bench import write_site


async def test_days_are_compared_once_there_is_a_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, config = write_site(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert not await run_chore(MONEY, "--config", str(config))
    assert "no history has been written yet" in caplog.text


async def test_it_is_done_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []

    async def chore(*words: str) -> bool:
        done.append(words)
        return False  # that it went wrong stops nothing

    monkeypatch.setattr(chores, "run_chore", chore)
    monkeypatch.setattr(chores, "FIRST_S", 0.0)
    monkeypatch.setattr(chores, "EVERY_S", 0.0)
    task = asyncio.create_task(compare_days_now_and_then(Path("site.yaml")))
    while len(done) < 2:  # noqa: ASYNC110 - it ends by itself
        await asyncio.sleep(0)
    task.cancel()
    assert done[:2] == [(module, "--config", "site.yaml") for module in (MONEY, JUDGING)]


async def test_it_ends_with_the_api_and_does_not_last_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = tmp_path / "endless.py"
    module.write_text("import time; time.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = set(children_of_this())
    task = asyncio.create_task(run_chore("endless"))
    while set(children_of_this()) == before:  # noqa: ASYNC110 - it is a process
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert set(children_of_this()) == before
    monkeypatch.setattr(chores, "LONGEST_S", 0.1)
    assert not await run_chore("endless")


def children_of_this() -> list[int]:

    return children_of(os.getpid())
