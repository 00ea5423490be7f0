"""What becomes of a stop is told as it is known, also on a computer that is too busy to try."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock
from holdfast.ui.emergency_interface import stop
from holdfast.ui.emergency_interface.stop import Outcome, StopAnswer, Stopper

ABSENT = StopAnswer(outcome=Outcome.ABSENT, reason="nobody listens")
FORBIDDEN = StopAnswer(outcome=Outcome.FORBIDDEN, reason="not yours")


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes tries end with these answers, and each later one not in time."""
    end = threading.Event()
    monkeypatch.setattr(stop, "WITHIN_S", 0.3)

    def tries(*answers: StopAnswer) -> None:
        left = iter(answers)

        def send_stop(_: SiteFiles) -> StopAnswer:
            if (answer := next(left, None)) is None:
                end.wait(30.0)
                return ABSENT
            return answer

        monkeypatch.setattr(stop, "send_stop", send_stop)

    yield tries
    end.set()


async def became(files: SiteFiles) -> StopAnswer:
    stopper = Stopper(files)
    try:
        return await stopper.stop()
    finally:
        stopper.close()


async def test_silence_is_a_controller_that_hangs_if_one_runs(
    files: SiteFiles, after: Callable[..., None]
) -> None:
    after()
    with hold_lock(files, "controller"):
        assert (await became(files)).outcome is Outcome.HANGS
    after()
    assert (await became(files)).outcome is Outcome.ABSENT


async def test_what_was_said_is_not_forgotten_for_a_try_that_was_too_late(
    files: SiteFiles, after: Callable[..., None]
) -> None:
    for said in (ABSENT, FORBIDDEN):
        after(said)
        assert await became(files) == said


async def test_one_that_came_meanwhile_may_have_been_asked(
    files: SiteFiles, after: Callable[..., None]
) -> None:
    after(ABSENT)
    with hold_lock(files, "controller"):
        assert (await became(files)).outcome is Outcome.HANGS


async def test_the_first_that_is_taken_counts(files: SiteFiles, after: Callable[..., None]) -> None:
    taken = StopAnswer(outcome=Outcome.TAKEN, reason="estop done")
    after(ABSENT, ABSENT, taken)
    assert await became(files) == taken
