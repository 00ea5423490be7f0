"""Frames on a serial line: what is an answer, what may become one, and what it is instead."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.core.config.device import ModbusRtu, ModbusRtuTcp
from holdfast.devices.drivers.modbus_pdu import read_request, write_request
from holdfast.devices.drivers.rtu_frame import (
    answer_in,
    answer_length,
    frame_of,
    is_beginning,
    silence_of,
    silence_s,
    stray,
)
from holdfast.devices.registers import WriteRequest
from tests.devices.drivers.serial_bench import with_sum


def written(table="holding", words=(1,), function="single"):
    return write_request(
        WriteRequest(device_id=None, table=table, address=4, words=words, function=function), 7
    )


REQUESTS = {
    "registers": read_request("holding", 0, 9, 7),
    "input": read_request("input", 300, 2, 7),
    "coils": read_request("coil", 3, 17, 7),
    "inputs": read_request("discrete", 0, 1, 7),
    "register": written(),
    "many registers": written(words=(1, 2), function="multiple"),
    "coil": written(table="coil"),
    "many coils": written(table="coil", words=(1, 0, 1), function="multiple"),
}
any_request = st.sampled_from(list(REQUESTS.values()))


def proper(request):
    """The bytes that a good device answers."""
    frame = frame_of(request)
    if request.function_code in (1, 2, 3, 4):
        size = answer_length(request) - 5
        return with_sum(frame[:2] + bytes([size]) + bytes(size))
    return with_sum(frame[:6])


def test_a_request_is_as_the_standard_has_it():
    """An example that is on many pages: one holding register 0x0107 of device 0x11."""
    assert frame_of(read_request("holding", 0x6B, 3, 0x11)).hex() == "1103006b00037687"


@pytest.mark.parametrize(
    ("baud", "silence"), [(1200, 0.0321), (9600, 0.0040), (19_200, 0.0020), (115_200, 0.00175)]
)
def test_the_silence_is_three_and_a_half_characters(baud, silence):
    assert silence_s(baud) == pytest.approx(silence, abs=5e-5)
    assert silence_of(ModbusRtu(port="/dev/x", baudrate=baud)) == silence_s(baud)


def test_behind_a_gateway_the_silence_is_the_gateways():
    assert silence_of(ModbusRtuTcp(host="h")) == 0.0


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_the_answer_is_taken_once_it_is_whole(request_):
    answer = proper(request_)
    for length in range(len(answer)):
        assert answer_in(request_, answer[:length]) is None
        assert is_beginning(request_, answer[:length])
    assert answer_in(request_, answer) is not None
    assert not is_beginning(request_, answer + b"\x00")
    assert answer_in(request_, answer + b"\x00") is None


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_an_exception_is_an_answer(request_):
    answer = with_sum(bytes([7, request_.function_code | 0x80, 2]))
    for length in range(len(answer)):
        assert is_beginning(request_, answer[:length])
    found = answer_in(request_, answer)
    assert found is not None
    assert (found.isError(), found.exception_code, found.dev_id) == (True, 2, 7)
    assert answer_in(request_, with_sum(bytes([8, request_.function_code | 0x80, 2]))) is None


@given(request=any_request, data=st.data())
def test_a_changed_answer_is_none(request, data):
    """Any byte is another one, with a right check sum or with the old one."""
    answer = proper(request)
    place = data.draw(st.integers(0, len(answer) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != answer[place]))
    changed = answer[:place] + bytes([value]) + answer[place + 1 :]
    assert answer_in(request, changed) is None
    stray(request, changed)
    whole = with_sum(changed[:-2])
    is_content = 3 <= place < len(answer) - 2 and request.function_code < 5
    if place < len(answer) - 2 and not is_content:
        assert answer_in(request, whole) is None
        assert stray(request, whole).is_frame


@given(request=any_request, heard=st.binary(max_size=300))
def test_noise_raises_nothing_and_is_no_answer(request, heard):
    assume(heard != proper(request))
    answer = answer_in(request, heard)
    if answer is not None:  # only what no device could say otherwise
        assert heard[0] == 7
        assert heard[1] & 0x7F == request.function_code
        assert with_sum(heard[:-2]) == heard
    is_beginning(request, heard)
    assert stray(request, heard).reason


@given(request=any_request, body=st.binary(min_size=2, max_size=254))
def test_a_whole_frame_of_anything_raises_nothing(request, body):
    heard = with_sum(body)
    answer = answer_in(request, heard)
    if answer is not None:
        assert (answer.dev_id, answer.function_code & 0x7F) == (7, request.function_code)
    found = stray(request, heard)
    assert found.is_frame
    assert found.reason


@given(request=any_request, other=any_request)
def test_the_answer_to_another_request_is_known_by_its_shape(request, other):
    assume(proper(request) != proper(other))
    assert answer_in(request, proper(other)) is None
    assert stray(request, proper(other)).is_frame


def test_what_it_is_instead_is_told():
    request = REQUESTS["registers"]
    for heard, told in [
        (with_sum(b"\x09\x03\x12" + bytes(18)), "device id 9 instead of 7"),
        (with_sum(b"\x07\x04\x12" + bytes(18)), "function 4 instead of 3"),
        (with_sum(b"\x07\x03\x10" + bytes(16)), "8 registers instead of 9"),
        (with_sum(b"\x07\x63\x01"), "a frame of device 7, function 99, that is no answer"),
        (frame_of(request), "its own echo; an adapter that echoes has to be told not to"),
        (bytes(7), "7 bytes whose check sum is wrong"),
    ]:
        assert stray(request, heard).reason == told
