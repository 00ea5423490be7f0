"""What a stick is told for a Modbus request, and what its answer stands for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import ModbusPDU

from holdfast.core.errors import DeviceRefused
from holdfast.devices.drivers.modbus_pdu import read_request, words_of, write_request
from holdfast.devices.drivers.stick_words import StickAnswer, answer_in, command_of, response_to
from holdfast.devices.profile import load_profile, outline_of
from holdfast.devices.register_image import LastShown, Table, WriteRequest
from holdfast.devices.verbs import VerbWrite
from tests.builders import build_site

GROWATTS = ["growatt_sph", "growatt_mod", "growatt_vpp"]


def read(address: int, count: int = 1, table: Table = "holding", device_id: int = 1) -> ModbusPDU:
    return read_request(table, address, count, device_id)


def write(address: int, *words: int, function: Any = "multiple") -> ModbusPDU:
    request = WriteRequest(
        device_id=None, table="holding", address=address, words=words, function=function
    )
    return write_request(request, 1)


def answered(**content: Any) -> StickAnswer:
    whole = {"correlationId": "a", "success": True, "message": "success", "command": "x"}
    answer = answer_in(json.dumps(whole | content).encode())
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("request_", "name", "content"),
    [
        (read(1044), "modbus/get", {"id": 1044, "type": "16b", "registerType": "H"}),
        (read(1009, 2, "input"), "modbus/get", {"id": 1009, "type": "32b", "registerType": "I"}),
        (
            write(3047, 40, function="single"),
            "modbus/set",
            {"id": 3047, "type": "16b", "registerType": "H", "value": 40},
        ),
        (
            write(1090, 100),
            "modbus/set",
            {"id": 1090, "type": "16b", "registerType": "H", "value": 100},
        ),
        (
            write(1100, 0, 5947, 1),
            "batteryfirst/set/timeslot",
            {"slot": 1, "start": "00:00", "stop": "23:59", "enabled": True},
        ),
        (
            write(1086, 1566, 1800, 0),
            "gridfirst/set/timeslot",
            {"slot": 3, "start": "06:30", "stop": "07:08", "enabled": False},
        ),
        (write(3038, 40960, 5947), "priority/set", {"mode": 1}),
        (write(3038, 49152, 5947), "priority/set", {"mode": 2}),
        (write(3038, 0, 0), "priority/set", {"mode": 0}),
    ],
)  # fmt: skip
def test_a_request_is_a_command_of_the_gateways(
    request_: ModbusPDU, name: str, content: dict[str, Any]
) -> None:
    command = command_of(request_)
    assert (command.name, command.content) == (name, content)
    assert json.loads(command.message("q-1")) == content | {"correlationId": "q-1"}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (read(1009, 3, "input"), "has no command for that"),
        (read(1, 1, "coil"), "has no command for that"),
        (read(1, 1, "discrete"), "has no command for that"),
        (write(1101, 0, 5947, 1), "has no command for that"),
        (write(1100, 0, 5947), "has no command for that"),
        (write(3038, 40960, 5946), "has no command for that"),
        (write(3040, 40960, 5947), "has no command for that"),
        (read(842, device_id=225), "asks device 1 alone"),
    ],
)
def test_what_no_stick_can_do_is_refused_before_anything_is_sent(
    request_: ModbusPDU, why: str
) -> None:
    with pytest.raises(DeviceRefused, match=why):
        command_of(request_)


@pytest.mark.parametrize("table", GROWATTS)
@pytest.mark.parametrize("power_w", [3000.0, -3000.0, 0.0])
def test_all_that_a_growatt_is_told_and_asked_has_a_command(table: str, power_w: float) -> None:
    hardware = build_site().storage[0].inverter_hardware
    profile = outline_of(load_profile(table)).bound(hardware).in_pieces(2)
    for block in profile.blocks():
        command_of(read(block.address, block.count, block.table))
    (verbs,) = (row for row in profile.writes if isinstance(row, VerbWrite))
    held = LastShown(image={}, told=dict.fromkeys(verbs.rests_on, 50.0))
    for request in verbs.requests(power_w, held):
        command_of(write_request(request, 1))


def test_registers_are_read_out_of_one_number() -> None:
    assert words_of(response_to(read(5, 2), answered(value=0x1234_5678)), 2) == [0x1234, 0x5678]
    assert words_of(response_to(read(5), answered(value=65_535)), 1) == [65_535]
    assert words_of(response_to(read(5, 2, "input"), answered(value=7)), 2) == [0, 7]


def test_what_was_written_is_confirmed() -> None:
    confirmed = response_to(write(1090, 40), answered())
    assert (confirmed.address, confirmed.function_code) == (1090, 16)
    assert not confirmed.isError()


@pytest.mark.parametrize(
    "value", [None, "7", -1, 65_536, 0.5, 1 << 32, True, [7], {"value": 7}, 1e300]
)
def test_an_answer_without_a_number_that_fits_is_none(value: Any) -> None:
    with pytest.raises(DeviceRefused, match="answered without its value"):
        response_to(read(5), answered(value=value))


def test_a_failure_is_told_in_the_words_of_the_stick() -> None:
    failed = answered(success=False, message="Failed to read\nholding register")
    with pytest.raises(DeviceRefused) as error:
        response_to(read(5), failed)
    assert str(error.value) == (
        "read holding registers at 5 of device 1 was answered with a failure: "
        "Failed to read holding register"
    )
    with pytest.raises(DeviceRefused, match="no reason"):
        response_to(read(5), answered(success=False, message=None))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"7",
        b'{"success": true}',
        b'{"correlationId": 7, "success": true}',
        b'{"correlationId": "a", "success": "true"}',
        b'{"correlationId": "a", "success": true' + b"[" * 70_000,
    ],
)
def test_what_is_no_answer_is_left_alone(payload: bytes) -> None:
    assert answer_in(payload) is None


@given(payload=st.binary(max_size=300))
def test_nothing_that_comes_raises_anything(payload: bytes) -> None:
    answer_in(payload)
