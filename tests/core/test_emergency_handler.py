"""The emergency stop: who asks for it, and what a release takes."""

import pytest

from holdfast.core.commands import Command
from holdfast.core.emergency_handler import emergency_cause, is_released
from holdfast.core.signals import SIGNALS, Signal
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
