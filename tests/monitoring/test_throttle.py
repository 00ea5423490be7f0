"""The log's throttle: no more lines than allowed, none waits for ever, each change is counted."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.monitoring.throttle import NEVER_NS, Allowance, Throttle

FOUR = Allowance(at_once=4, every_ns=100)
changes_after = st.lists(st.integers(0, 500), max_size=80)


def lines(allowance: Allowance, pauses: list[int]) -> list[tuple[int, int]]:
    """Time of each line and the changes that it tells, where one comes after each pause."""
    throttle, now_ns, told = Throttle(allowance=allowance), 0, []

    def tell_until(end_ns: int) -> None:
        nonlocal throttle
        if throttle.due_ns <= end_ns:
            at_ns = max(throttle.due_ns, now_ns)
            told.append((at_ns, 1 + throttle.left_out))
            throttle = throttle.told(at_ns)

    for pause_ns in pauses:
        tell_until(now_ns + pause_ns)
        now_ns += pause_ns
        throttle = throttle.changed()
        tell_until(now_ns)
    tell_until(now_ns + allowance.every_ns)
    return told


def test_some_lines_come_at_once_and_then_one_each_while() -> None:
    assert lines(FOUR, [0] * 6) == [(0, 1)] * 4 + [(100, 2)]
    assert lines(FOUR, [10] * 40)[4:] == [(110, 6), (210, 10), (310, 10), (410, 10)]


def test_after_a_rest_all_lines_may_come_at_once_again() -> None:
    told = lines(FOUR, [0] * 4 + [400] + [0] * 3)
    assert told == [(0, 1)] * 4 + [(400, 1)] * 4


@given(changes_after)
def test_no_change_is_lost_and_none_waits_longer_than_for_one_line(pauses: list[int]) -> None:
    told = lines(FOUR, pauses)
    assert sum(count for _, count in told) == len(pauses)


@given(changes_after)
def test_there_are_never_more_lines_than_allowed(pauses: list[int]) -> None:
    times = [at_ns for at_ns, _ in lines(FOUR, pauses)]
    for first, start_ns in enumerate(times):
        for count, end_ns in enumerate(times[first:], start=1):
            assert count <= FOUR.at_once + (end_ns - start_ns) / FOUR.every_ns


def test_a_line_that_could_not_wait_is_no_debt() -> None:
    throttle = Throttle(allowance=FOUR)
    for _ in range(9):
        throttle = throttle.changed().told(0)
    assert throttle.changed().due_ns == FOUR.every_ns


def test_what_is_not_worth_a_line_is_counted_and_never_due() -> None:
    throttle = Throttle(allowance=FOUR).told(0)
    for _ in range(3):
        throttle = throttle.changed(worth_a_line=False)
    assert throttle.due_ns == NEVER_NS
    throttle = throttle.changed()
    assert (throttle.due_ns <= 0, throttle.left_out) == (True, 3)


def test_it_is_rested_once_all_lines_are_there_again_and_nothing_waits() -> None:
    throttle = Throttle(allowance=FOUR)
    assert throttle.is_rested(0)
    told = throttle.told(1000)
    assert not told.is_rested(1099)
    assert told.is_rested(1100)
    assert not told.changed(worth_a_line=False).is_rested(5000)
