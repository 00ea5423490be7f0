"""What a loop tells of its cycles and deadlines."""

import time

from holdfast.runtime.loop_times import LoopTimes


def test_missed_deadlines_lateness_and_durations_are_counted() -> None:
    times = LoopTimes(0.02, real_time=True)
    times.woke(time.monotonic_ns() - 3_000_000, 2)
    times.ran(400_000)
    times.woke(time.monotonic_ns(), 0)
    times.ran(30_000_000)
    told = times.status()
    assert (told.period_s, told.real_time) == (0.02, True)
    assert (told.cycles, told.missed) == (2, 2)
    assert sum(told.lateness.counts) == 2
    assert told.lateness.sum_s >= 0.003
    assert (told.cycle.max_s, told.cycle.sum_s) == (0.03, 0.0304)
