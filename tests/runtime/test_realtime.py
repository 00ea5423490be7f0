"""The periodic timer: absolute deadlines, and every missed one is counted."""

import select
import time
from collections.abc import Iterator

import pytest

from holdfast.runtime.realtime import PeriodicTimer

PERIOD_NS = 20_000_000


@pytest.fixture
def timer() -> Iterator[PeriodicTimer]:
    timer = PeriodicTimer(PERIOD_NS)
    yield timer
    timer.close()


def wait(timer: PeriodicTimer) -> tuple[int, int]:
    assert select.select([timer], [], [], 2.0)[0]
    return timer.expire()


def test_deadlines_are_start_plus_n_periods_however_late_they_are_read(
    timer: PeriodicTimer,
) -> None:
    start_ns = timer.deadline_ns - PERIOD_NS
    for _ in range(5):
        deadline_ns, _ = wait(timer)
        assert (deadline_ns - start_ns) % PERIOD_NS == 0
        assert time.monotonic_ns() - deadline_ns >= 0
        time.sleep(0.003)


def test_missed_deadlines_are_counted_and_not_made_up_for(timer: PeriodicTimer) -> None:
    first_ns, _missed = wait(timer)
    time.sleep(5.5 * PERIOD_NS / 1e9)
    late_ns, late_missed = wait(timer)
    assert late_missed >= 4
    assert late_ns - first_ns == (late_missed + 1) * PERIOD_NS
    assert time.monotonic_ns() - late_ns >= 0
    assert timer.deadline_ns == late_ns + PERIOD_NS
    # Nothing is waiting: the next one is a deadline of its own.
    next_ns, _ = wait(timer)
    assert next_ns > late_ns


def test_before_the_deadline_there_is_nothing_to_read() -> None:
    timer = PeriodicTimer(3_600 * 1_000_000_000)
    try:
        with pytest.raises(BlockingIOError):
            timer.expire()
        assert not select.select([timer], [], [], 0)[0]
    finally:
        timer.close()
