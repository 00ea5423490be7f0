"""How old a value is by the clock of its device, which may be any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import DeviceRefused
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers.document_reader import DocumentReader
from holdfast.devices.drivers.source_clock import LATELY_NS, SourceClock
from holdfast.devices.json_rows import JsonDocument

T0 = 5_000 * NS_PER_S


def sampled_s(clock: SourceClock, stamp_s: float, came_s: float) -> float | None:
    """Counts from T0, as ``came_s`` does."""
    sampled_ns = clock.sampled_ns(stamp_s, T0 + round(came_s * NS_PER_S))
    return None if sampled_ns is None else (sampled_ns - T0) / NS_PER_S


@pytest.mark.parametrize("device_s", [0.0, 1.7e9, -3600.0])
def test_a_value_is_as_old_as_its_message_is_late(device_s: float) -> None:
    clock = SourceClock()
    assert sampled_s(clock, device_s + 10, 10.0) is None, "nobody knows how old the first one is"
    assert sampled_s(clock, device_s + 11, 11.0) == pytest.approx(11.0)
    assert sampled_s(clock, device_s + 12, 12.7) == pytest.approx(12.0)
    assert sampled_s(clock, device_s + 13, 13.0) == pytest.approx(13.0)


def test_a_stamp_that_stands_still_makes_a_value_older_and_older() -> None:
    clock = SourceClock()
    assert sampled_s(clock, 10, 10.0) is None
    assert sampled_s(clock, 10, 10.5) is None
    assert sampled_s(clock, 11, 11.0) == 11.0
    for came_s in (11.3, 15.0, 5000.0):
        assert sampled_s(clock, 11, came_s) == 11.0


def test_what_was_kept_back_and_comes_in_a_burst_is_old() -> None:
    clock = SourceClock()
    for second in range(10):
        sampled_s(clock, second, second)
    for second in range(10, 100):
        assert sampled_s(clock, second, 100.0 + second / 1000) == pytest.approx(second)
    assert sampled_s(clock, 101, 101.0) == pytest.approx(101.0)


def test_a_clock_that_is_set_forward_makes_nothing_old() -> None:
    clock = SourceClock()
    for second in range(5):
        sampled_s(clock, second, second)
    assert sampled_s(clock, 3605, 5.0) == pytest.approx(5.0)
    assert sampled_s(clock, 3606, 6.0) == pytest.approx(6.0)


def test_a_clock_that_is_set_back_is_believed_again_in_the_end() -> None:
    clock = SourceClock()
    for second in range(5):
        sampled_s(clock, second, second)
    assert sampled_s(clock, 5 - 3600, 5.0) == pytest.approx(5.0 - 3600)
    last_s = LATELY_NS // NS_PER_S + 6
    for second in range(6, last_s):
        told_s = sampled_s(clock, second - 3600, float(second))
    assert told_s == pytest.approx(last_s - 1)


@given(st.lists(st.tuples(st.floats(-1e15, 1e15), st.floats(0, 1e4)), max_size=20))
def test_no_value_is_younger_than_its_message(stamps: list[tuple[float, float]]) -> None:
    clock = SourceClock()
    came_s = 0.0
    for stamp_s, later_s in stamps:
        came_s += later_s
        sampled_ns = clock.sampled_ns(stamp_s, T0 + round(came_s * NS_PER_S))
        assert sampled_ns is None or sampled_ns <= T0 + round(came_s * NS_PER_S)


def test_what_tells_of_long_ago_is_refused_with_its_age() -> None:
    rows = [{"signal": Signal.GRID_POWER_W, "json": "p"}]
    document = JsonDocument.model_validate({"values": rows, "time": "t"})
    reader = DocumentReader(document, lost_s=5.0)
    with pytest.raises(DeviceRefused, match=r"^t has not moved yet$"):
        reader.read(b'{"p": 1, "t": 100}', T0)
    (told,) = reader.read(b'{"p": 1, "t": 101}', T0 + NS_PER_S)
    assert told.time_ns == T0 + NS_PER_S
    (told,) = reader.read(b'{"p": 1, "t": 101}', T0 + 6 * NS_PER_S)
    assert told.time_ns == T0 + NS_PER_S
    with pytest.raises(DeviceRefused, match=r"^it tells what was 5\.5 s ago$"):
        reader.read(b'{"p": 1, "t": 101}', T0 + 6 * NS_PER_S + NS_PER_S // 2)
