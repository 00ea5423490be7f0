"""What a driver counts, and what it says of its device."""

import pytest

from holdfast.core.ports import LATELY, CommsCounters


def test_a_complete_reading_ends_a_silence():
    counters = CommsCounters(where="here")
    assert (counters.reads, counters.writes, counters.errors, counters.tries) == (0, 0, 0, 0)
    assert (counters.last_error, counters.why_silent, counters.heard_ns) == ("", "", None)
    counters.silent("refused")
    counters.silent("no route")
    assert (counters.tries, counters.why_silent, counters.errors) == (2, "no route", 2)
    counters.heard(7)
    assert (counters.reads, counters.tries, counters.why_silent) == (1, 0, "")
    assert (counters.heard_ns, counters.last_error) == (7, "no route")


def test_a_failure_of_a_device_that_answers_is_no_silence():
    counters = CommsCounters()
    counters.failed("busy")
    assert (counters.errors, counters.last_error) == (1, "busy")
    assert (counters.why_silent, counters.tries) == ("", 0)


@pytest.mark.parametrize("doubt", [None, "0 Hz is none"])
def test_a_reading_that_was_left_out_is_a_failure_with_its_doubt(doubt):
    counters = CommsCounters()
    counters.took(doubt, 5)
    assert (counters.reads, counters.errors) == ((1, 0) if doubt is None else (0, 1))
    assert counters.heard_ns == (5 if doubt is None else None)
    told = "" if doubt is None else "a reading was left out, it cannot be true: 0 Hz is none"
    assert counters.last_error == told


def test_what_failed_lately_is_of_the_last_hundred():
    assert LATELY == 100
    counters = CommsCounters()
    for count in range(150):
        if count % 10 == 0:
            counters.failed("busy")
        counters.heard(count)
    assert len(counters.lately) == LATELY
    assert sum(counters.lately) == 9
    assert CommsCounters().lately is not counters.lately
