"""The emergency stop: who asks for it, and what a release takes."""

import pytest

from holdfast.core.commands import Command
from holdfast.core.emergency_handler import (
    LOST_NS,
    emergency_cause,
    is_released,
    loop_known_ns,
)
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S
from tests.builders import T0, snapshot_of

LOOP = Signal.EMERGENCY_LOOP_CLOSED


def loop(value, age_ns=0):
    return snapshot_of({LOOP: value}, now_ns=T0, sampled_ns=T0 - age_ns)


@pytest.mark.parametrize("value", [0.0, 0.5, 0.999])
def test_anything_but_a_clean_1_is_an_open_loop(value):
    assert emergency_cause(loop(value), ()) == "the emergency-stop loop is open"
    assert not is_released(loop(value))


def test_a_closed_loop_is_no_emergency_and_is_released():
    assert emergency_cause(loop(1.0), ()) is None
    assert is_released(loop(1.0))


def test_a_command_stops_whatever_the_loop_says():
    for value in (0.0, 1.0, None, float("nan")):
        cause = emergency_cause(loop(value), [Command.START, Command.EMERGENCY_STOP])
        assert cause == "emergency stop by command"


@pytest.mark.parametrize("command", [Command.START, Command.STOP, Command.RESET])
def test_no_other_command_is_an_emergency(command):
    assert emergency_cause(loop(1.0), [command]) is None


TOO_OLD_NS = SIGNALS[LOOP].max_age_ns + 1


@pytest.mark.parametrize(
    ("value", "age_ns"),
    [(None, 0), (float("nan"), 0), (2.0, 0), (1.0, TOO_OLD_NS), (0.0, TOO_OLD_NS), (1.0, -1)],
    ids=["missing", "nan", "implausible", "stale", "stale open", "future"],
)
def test_an_input_that_cannot_be_read_is_no_emergency_and_no_release_either(value, age_ns):
    assert emergency_cause(loop(value, age_ns), ()) is None
    assert not is_released(loop(value, age_ns))


NOT_KNOWN = [(None, 0), (float("nan"), 0), (2.0, 0), (1.0, TOO_OLD_NS), (1.0, -1)]


@pytest.mark.parametrize(("value", "age_ns"), NOT_KNOWN)
def test_an_input_that_is_not_known_for_three_seconds_is_a_stop(value, age_ns):
    assert LOST_NS == 3 * NS_PER_S
    now = loop(value, age_ns)
    assert emergency_cause(now, (), T0 - LOST_NS) is None
    cause = "the emergency-stop loop is not known for 3 s"
    assert emergency_cause(now, (), T0 - LOST_NS - 1) == cause
    assert emergency_cause(now, (), None) is None  # it was never there: nothing was lost


def test_an_input_that_is_known_is_judged_by_what_it_says():
    assert emergency_cause(loop(1.0), (), T0) is None
    assert emergency_cause(loop(0.0), (), T0 - LOST_NS - 1) == "the emergency-stop loop is open"


@pytest.mark.parametrize(("value", "age_ns"), NOT_KNOWN)
@pytest.mark.parametrize("before_ns", [None, T0 - 5])
def test_while_it_is_not_known_it_was_known_when_it_was_before(value, age_ns, before_ns):
    assert loop_known_ns(loop(value, age_ns), before_ns) == before_ns


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_it_is_known_at_the_time_of_its_sample(value):
    assert loop_known_ns(loop(value, 7), None) == loop_known_ns(loop(value, 7), 1) == T0 - 7
