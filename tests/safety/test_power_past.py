"""What a power was some seconds ago."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.units import NS_PER_S
from holdfast.safety.power_past import ENTRIES, PAST_NS, noted, power_at, powers_between

MS = NS_PER_S // 1000
PAST = ((10, 100.0), (20, 300.0), (40, -100.0))


def past_of(*entries, kept_ns=PAST_NS):
    past = ()
    for time_ns, power_w in entries:
        past = noted(past, time_ns, power_w, kept_ns)
    return past


def test_ten_seconds_are_kept():
    assert PAST_NS == 10 * NS_PER_S
    assert ENTRIES == 100


def test_between_two_entries_it_lies_on_the_line_from_one_to_the_other():
    at = [power_at(PAST, time_ns) for time_ns in (10, 15, 20, 25, 40)]
    assert at == [100.0, 200.0, 300.0, 200.0, -100.0]


def test_before_the_first_it_was_that_and_since_the_last_it_is_that():
    assert [power_at(PAST, time_ns) for time_ns in (-5, 9, 41, 10**12)] == [
        100.0,
        100.0,
        -100.0,
        -100.0,
    ]


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "found"),
    [
        (10, 40, (-100.0, 300.0)),
        (15, 18, (200.0, 260.0)),
        (15, 25, (200.0, 300.0)),
        (20, 20, (300.0, 300.0)),
        (30, 50, (-100.0, 100.0)),
        (0, 5, (100.0, 100.0)),
        (50, 60, (-100.0, -100.0)),
    ],
)
def test_least_and_most_of_a_time_are_those_of_its_ends_and_of_all_between(from_ns, to_ns, found):
    assert powers_between(PAST, from_ns, to_ns) == found


def test_a_sample_that_is_there_already_or_older_changes_nothing():
    past = past_of((10, 1.0), (20, 2.0))
    assert noted(past, 20, 2.0) is past
    assert noted(past, 19, 5.0) is past


def test_another_value_of_the_same_time_takes_its_place():
    assert noted(((10, 1.0), (20, 2.0)), 20, 3.0) == ((10, 1.0), (20, 3.0))
    assert noted(((10, 1.0),), 10, 3.0) == ((10, 3.0),)
    apart = ((0, 1.0), (NS_PER_S, 2.0), (2 * NS_PER_S, 3.0))
    assert noted(apart, 2 * NS_PER_S, 4.0) == (*apart[:2], (2 * NS_PER_S, 4.0))


def test_the_newest_is_kept_and_what_is_too_close_before_it_is_not():
    entries = [(count * 60 * MS, float(count)) for count in range(5)]
    assert past_of(*entries) == (entries[0], entries[2], entries[4])
    apart = [(count * 100 * MS, float(count)) for count in range(5)]
    assert past_of(*apart) == tuple(apart)
    close = [(count * 100 * MS - count, float(count)) for count in range(3)]
    assert past_of(*close) == (close[0], close[2])


def test_what_is_older_than_is_asked_for_goes_but_for_the_one_before_that_time():
    seconds = [(count * NS_PER_S, float(count)) for count in range(14)]
    assert past_of(*seconds) == tuple(seconds[3:])
    assert past_of(*seconds, kept_ns=3 * NS_PER_S) == tuple(seconds[10:])
    for power_w in (1e15, -1e15):  # whatever the power is, time decides
        extreme = [(time_ns, power_w) for time_ns, _ in seconds]
        assert past_of(*extreme) == tuple(extreme[3:])
        assert past_of(*extreme[:11]) == tuple(extreme[:11])
    assert past_of(seconds[0], seconds[1], seconds[13]) == (seconds[1], seconds[13])
    assert past_of(seconds[0], seconds[13]) == (seconds[0], seconds[13])
    between = (seconds[13][0] + 1, 0.0)
    assert past_of(*seconds[:13], between)[0] == seconds[3]


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.floats(-1e6, 1e6)), min_size=1, max_size=300),
    st.integers(0, 2 * 10**9),
)
def test_it_is_bounded_and_never_beyond_what_was_noted(steps, ago_ns):
    past, now_ns = (), 0
    for step_ns, power_w in steps:
        now_ns += step_ns
        past = noted(past, now_ns, power_w)
    assert len(past) <= ENTRIES + 2
    assert past[-1] == (now_ns, steps[-1][1])
    powers = [power_w for _, power_w in steps]
    low_w, high_w = powers_between(past, now_ns - ago_ns, now_ns)
    rounding = 1e-6
    assert min(powers) - rounding <= low_w <= high_w <= max(powers) + rounding
    assert low_w <= power_at(past, now_ns - ago_ns) <= high_w
