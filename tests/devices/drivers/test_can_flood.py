"""What a node that floods the bus may cost; and the words for the errors of a bus."""

import can
import pytest

from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.drivers.can_errors import error_in_words, is_bus_off
from holdfast.devices.drivers.can_flood import MOST_OF_ONE_ID, FloodGuard


def test_of_one_identifier_so_many_frames_are_taken_in_a_second_and_it_is_told():
    guard = FloodGuard()
    assert guard.told(NS_PER_S) is None
    taken = [guard.takes(0x351) for _ in range(1000)]
    assert sum(taken) == MOST_OF_ONE_ID
    assert guard.takes(0x355), "another one is not left out for it"
    assert guard.told(2 * NS_PER_S - 1) is None, "at the end of the second"
    told = guard.told(2 * NS_PER_S)
    assert "a node floods the bus: frame 0x351 comes more than 50 times a second" in told
    assert guard.takes(0x351)
    assert guard.told(3 * NS_PER_S) is None


def test_what_packs_send_is_no_flood():
    guard = FloodGuard()
    guard.told(NS_PER_S)
    assert all(guard.takes(id_) for id_ in range(0x351, 0x361) for _ in range(10))
    assert guard.told(2 * NS_PER_S) is None


def test_reading_rests_when_more_come_than_two_thousand_a_second():
    guard, now_ns, read = FloodGuard(), NS_PER_S, 0
    while now_ns < 2 * NS_PER_S:
        now_ns += guard.rest_ns(now_ns) + 1000
        read += 1
    assert 1900 < read <= 2100


def test_reading_never_rests_when_they_come_one_after_the_other():
    guard = FloodGuard()
    assert {guard.rest_ns(NS_PER_S + n * NS_PER_MS) for n in range(1000)} == {0}


@pytest.mark.parametrize(
    ("id_", "status", "words"),
    [
        (0x40, 0, "has left the bus (bus-off)"),
        (0x20, 0, "nobody acknowledges what is sent"),
        (0x04, 0x10, "error-passive"),
        (0x04, 0x20, "error-passive"),
        (0x04, 0x04, "warns of many errors"),
        (0x04, 0x08, "warns of many errors"),
        (0x04, 0x01, "buffer overflows"),
        (0x08, 0, "break the protocol"),
        (0x80, 0, "errors on the bus"),
        (0x10, 0, "transceiver"),
        (0x01, 0, "could not be sent in time"),
        (0x20 | 0x88, 0, "nobody acknowledges"),
        (0x04, 0, "the adapter tells of an error on the bus"),
        (0x100, 0, "the adapter tells of an error on the bus"),
    ],
)
def test_an_error_frame_of_the_kernel_is_told_in_words(id_, status, words):
    data = bytes([0, status, 0, 0, 0, 0, 0, 0])
    message = can.Message(arbitration_id=id_, is_error_frame=True, data=data)
    assert words in error_in_words(message, "socketcan")
    assert is_bus_off(message, "socketcan") == bool(id_ & 0x40)
    assert error_in_words(message, "pcan") == "the adapter tells of an error on the bus"
    assert not is_bus_off(message, "pcan")


def test_an_error_frame_without_data_is_told():
    message = can.Message(arbitration_id=0x04, is_error_frame=True)
    assert error_in_words(message, "socketcan") == "the adapter tells of an error on the bus"
