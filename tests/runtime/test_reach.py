"""Whether the watchdog reaches an inverter: judged over a window, not by one answer."""

import pytest

from holdfast.core.config.device import ModbusRtu, ModbusTcp
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.runtime.reach import AGAIN_S, LOOK_EVERY_S, WITHIN_NS, Reach, timeout_s


@pytest.fixture
def reach() -> Reach:
    return Reach(0.2)


def test_an_inverter_that_never_answered_is_not_reached(reach: Reach) -> None:
    assert not reach.judge(False, 0)
    assert reach.judge(True, 1)


def test_a_device_that_is_busy_for_a_moment_is_reached_all_the_same(reach: Reach) -> None:
    for number in range(1000):
        assert reach.judge(number % 5 != 1, number * 250 * NS_PER_MS)


def test_it_is_lost_once_nothing_was_answered_for_a_second(reach: Reach) -> None:
    reach.judge(True, 0)
    assert reach.judge(False, WITHIN_NS)
    assert not reach.judge(False, WITHIN_NS + 1)
    assert reach.judge(True, WITHIN_NS + 2)


def test_what_was_not_answered_is_asked_again_sooner(reach: Reach) -> None:
    assert reach.pause_s == AGAIN_S
    reach.judge(True, 0)
    assert reach.pause_s == LOOK_EVERY_S
    reach.judge(False, 1)
    assert reach.pause_s == AGAIN_S < LOOK_EVERY_S


def test_a_slow_device_may_leave_a_request_unanswered() -> None:
    slow = Reach(3.0)
    slow.judge(True, 0)
    assert slow.judge(False, 9 * NS_PER_S)
    assert not slow.judge(False, 9 * NS_PER_S + 1)


@pytest.mark.parametrize(("given_s", "waits_s"), [(0.1, 0.2), (0.5, 0.2), (0.6, 0.6), (3.0, 3.0)])
def test_only_a_device_that_is_given_more_time_than_usual_gets_it(
    given_s: float, waits_s: float
) -> None:
    assert timeout_s(ModbusTcp(host="192.0.2.1", timeout_s=given_s)) == waits_s
    assert timeout_s(ModbusTcp(host="192.0.2.1")) == 0.2
    assert timeout_s(ModbusRtu(port="/dev/ttyUSB0", timeout_s=given_s)) == given_s
