"""The latch file: its version, and what is in it when nothing is latched."""

import json

import pytest

from holdfast.core.errors import LatchCorrupt
from holdfast.core.latches import (
    CONTROL_EXCEPTION,
    CRASH_LOOP,
    LATCH_FILE_CORRUPT,
    Latches,
    decode,
    encode,
)
from tests.core.test_latches import signed


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
