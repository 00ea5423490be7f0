"""Latches survive a restart, and nothing but what was written passes for them."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import LatchCorrupt
from holdfast.core.latches import (
    CONTROL_EXCEPTION,
    CRASH_LOOP,
    LATCH_FILE_CORRUPT,
    Latches,
    decode,
    encode,
)

EXAMPLE = Latches(emergency_stop=True, faults=("battery/cell_voltage_high", "site/cycle_gap"))


def signed(body: str) -> bytes:
    return f"{body}\n{hashlib.sha256(body.encode()).hexdigest()}\n".encode()


@given(st.booleans(), st.lists(st.text(), max_size=6, unique=True))
def test_what_was_latched_comes_back(emergency_stop, faults):
    latches = Latches(emergency_stop=emergency_stop, faults=tuple(faults))
    assert decode(encode(latches)) == latches


def test_a_person_can_read_the_file():
    first_line = encode(EXAMPLE).decode().splitlines()[0]
    assert json.loads(first_line)["faults"] == list(EXAMPLE.faults)


@pytest.mark.parametrize("latches", [Latches(), EXAMPLE], ids=["none", "some"])
def test_every_change_of_a_single_byte_is_refused(latches):
    content = encode(latches)
    for index in range(len(content)):
        for value in {content[index] ^ (1 << bit) for bit in range(8)} | {0, 10, 32, 255}:
            if value == content[index]:
                continue
            broken = content[:index] + bytes([value]) + content[index + 1 :]
            with pytest.raises(LatchCorrupt):
                decode(broken)


@pytest.mark.parametrize("latches", [Latches(), EXAMPLE], ids=["none", "some"])
def test_every_truncation_is_refused(latches):
    content = encode(latches)
    for length in range(len(content)):
        with pytest.raises(LatchCorrupt):
            decode(content[:length])


@pytest.mark.parametrize("tail", [b"\n", b"x", b" ", b"\x00", encode(EXAMPLE)])
def test_anything_behind_the_end_is_refused(tail):
    with pytest.raises(LatchCorrupt):
        decode(encode(EXAMPLE) + tail)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "1", "{}", '{"emergency_stop": true}', '{"faults": []}',
     '{"emergency_stop": false, "faults": 3}', '{"emergency_stop": false, "faults": null}',
     "[" * 5000],
)  # fmt: skip
def test_a_right_checksum_does_not_excuse_a_wrong_body(body):
    with pytest.raises(LatchCorrupt):
        decode(signed(body))


@pytest.mark.parametrize("value", ["null", "0", '"no"', "[]"])
def test_an_emergency_stop_is_off_only_if_it_says_false(value):
    assert (
        decode(signed(f'{{"version": 1, "emergency_stop": {value}, "faults": []}}')).emergency_stop
        is True
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_either_refused_or_the_coding_of_what_they_mean(content):
    with pytest.raises(LatchCorrupt):
        decode(content)


def test_faults_are_added_once_and_keep_the_order_in_which_they_came():
    latches = Latches(faults=("a/x",)).with_faults("b/y", "a/x", "b/y", "a/w")
    assert latches.faults == ("a/x", "b/y", "a/w")
    assert latches.with_faults("b/y") is latches
    assert Latches(emergency_stop=True).with_faults("a/x").emergency_stop is True


def test_nothing_is_latched_by_default():
    assert Latches() == Latches(emergency_stop=False, faults=())


def test_the_file_has_these_three_keys():
    body = json.loads(encode(Latches(emergency_stop=True, faults=("a/b",))).splitlines()[0])
    assert body == {"version": 1, "emergency_stop": True, "faults": ["a/b"]}


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_file_of_another_version_is_refused_and_its_version_named(version):
    body = {"version": version, "emergency_stop": False, "faults": []}
    with pytest.raises(LatchCorrupt, match=f"of version {version} is not known"):
        decode(signed(json.dumps(body)))
    assert decode(signed(json.dumps({**body, "version": 1}))) == Latches()


def test_a_wrong_checksum_is_named():
    with pytest.raises(LatchCorrupt, match="checksum"):
        decode(encode(Latches()).replace(b"false", b"true "))


def test_faults_are_read_as_texts():
    body = json.dumps({"version": 1, "emergency_stop": False, "faults": [1]})
    assert decode(signed(body)).faults == ("1",)


def test_the_faults_that_others_latch_have_these_names():
    assert LATCH_FILE_CORRUPT == "site/latch_file_corrupt"
    assert CRASH_LOOP == "site/crash_loop"
    assert CONTROL_EXCEPTION == "site/control_exception"
