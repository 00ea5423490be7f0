"""Fair time: a busy computer makes nothing late, and what does not come is told."""

import time
from itertools import count

import pytest

from holdfast.testing import waiting
from holdfast.testing.waiting import FairTime, Stopwatch, TooLate, until


@pytest.fixture
def stalls(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeps take no time, and each ends as late as the list says next."""
    late: list[float] = []
    now_s = [0.0]

    def sleep(seconds: float) -> None:
        now_s[0] += seconds + (late.pop(0) if late else 0.0)

    monkeypatch.setattr(waiting.time, "sleep", sleep)
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now_s[0])
    return late


def test_a_late_sleep_counts_as_two(stalls: list[float]) -> None:
    passed = FairTime()
    stalls += [0.0, 0.005, 60.0]
    told = []
    for _ in range(3):
        passed.sleep(0.01)
        told.append(passed.passed_s)
    assert told == pytest.approx([0.01, 0.025, 0.045])


def test_what_comes_is_handed_over(stalls: list[float]) -> None:
    stalls += [30.0] * 5
    numbers = count()
    assert until(lambda: (n := next(numbers)) >= 5 and f"number {n}", "five", 1.0) == "number 5"


def test_what_does_not_come_is_told(stalls: list[float]) -> None:
    with pytest.raises(TooLate, match=r"not within 2 s: the sun"):
        until(lambda: None, "the sun", 2.0)
    assert 2.0 < waiting.time.monotonic() < 2.1


def test_a_stopwatch_counts_what_passes_beside_it() -> None:
    with Stopwatch() as watch:
        began_s = time.monotonic()
        until(lambda: watch.passed_s > 0.2, "time", 60.0)
    assert time.monotonic() - began_s > 0.2 - 2 * waiting.POLL_S
