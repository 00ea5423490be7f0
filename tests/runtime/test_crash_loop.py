"""A controller that keeps crashing does not bring power back; one that is restarted may."""

import json
import time

import pytest

from holdfast.runtime.crash_loop import CRASHES, StartRecord


def crash(path, times):
    return [StartRecord(path).begin() for _ in range(times)]


def test_the_sixth_start_after_five_crashes_is_locked_out(tmp_path):
    assert crash(tmp_path / "starts.json", CRASHES + 1) == [False] * CRASHES + [True]


def test_clean_ends_do_not_count(tmp_path):
    for _ in range(3 * CRASHES):
        start = StartRecord(tmp_path / "starts.json")
        assert start.begin() is False
        start.end()


def test_crashes_of_long_ago_do_not_count(tmp_path):
    path = tmp_path / "starts.json"
    path.write_text(json.dumps([time.time() - 700.0] * 10))
    assert StartRecord(path).begin() is False


def test_a_clock_that_was_set_back_hides_no_crash(tmp_path):
    path = tmp_path / "starts.json"
    path.write_text(json.dumps([time.time() + 5000.0] * CRASHES))
    assert StartRecord(path).begin() is True


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[1, null]", b"7", b"\xff", b"[" * 5000,
        b"[" + b"9" * 400 + b"]", b"[Infinity, Infinity, Infinity, Infinity, Infinity]", b"[NaN]",
    ],
)  # fmt: skip
def test_a_torn_record_stops_nobody(tmp_path, content):
    path = tmp_path / "starts.json"
    path.write_bytes(content)
    start = StartRecord(path)
    assert start.begin() is False
    assert len(json.loads(path.read_bytes())) == 1


def test_where_nothing_can_be_written_it_still_counts_in_vain(tmp_path):
    assert StartRecord(tmp_path / "missing" / "starts.json").begin() is False
