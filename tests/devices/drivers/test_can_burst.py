"""Bursts: what belongs together is committed together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.devices.drivers.can_burst import BurstCollector
from holdfast.devices.profile import load_profile

MS = 1_000_000
PYLON = load_profile("pylontech_lv_can")
IDS = [frame.id for frame in PYLON.frames]

LIMITS = (0x351, bytes.fromhex("1402C012C012C201"))
CHARGE = (0x355, bytes.fromhex("58005E00"))
MEASURED = (0x356, bytes.fromhex("7A13F2FE6B01"))
CELLS = (0x373, bytes.fromhex("E40CF80C22012C01"))
"""3.300 V to 3.320 V, 17 °C to 27 °C."""


@pytest.fixture
def collector():
    return BurstCollector(PYLON)


def feed(collector, *frames, at_ms=0):
    return [collector.add(id_, data, (at_ms + i) * MS) for i, (id_, data) in enumerate(frames)]


def test_frames_of_one_burst_share_the_time_of_the_first(collector):
    assert feed(collector, LIMITS, CHARGE, MEASURED, at_ms=100) == [None, None, None]
    burst = collector.take()
    assert burst.time_ns == 100 * MS
    assert burst.values[Signal.SOC_PCT] == 88
    assert burst.values[Signal.BATTERY_CURRENT_A] == pytest.approx(-27.0)
    assert collector.take() is None


def test_repeated_frame_starts_a_new_burst(collector):
    *_, ended = feed(collector, LIMITS, CHARGE, LIMITS)
    assert ended.time_ns == 0
    assert Signal.SOC_PCT in ended.values
    assert collector.take().time_ns == 2 * MS


def test_gap_starts_a_new_burst(collector):
    feed(collector, LIMITS)
    assert collector.add(*CHARGE, 50 * MS) is None
    ended = collector.add(*MEASURED, 101 * MS)
    assert ended.time_ns == 0
    assert Signal.PACK_VOLTAGE_V not in ended.values
    assert collector.take().time_ns == 101 * MS


@given(order=st.permutations([LIMITS, CHARGE, MEASURED, CELLS]))
def test_cell_temperatures_count_more_than_the_mean_in_any_order(order):
    collector = BurstCollector(PYLON)
    feed(collector, *order)
    values = collector.take().values
    assert values[Signal.CELL_TEMPERATURE_MIN_C] == pytest.approx(17)
    assert values[Signal.CELL_TEMPERATURE_MAX_C] == pytest.approx(27)


def test_mean_temperature_is_used_by_a_pack_without_cell_data(collector):
    feed(collector, MEASURED)
    assert collector.take().values[Signal.CELL_TEMPERATURE_MAX_C] == pytest.approx(36.3)


def test_mean_temperature_never_stands_in_for_a_lost_hottest_cell(collector):
    feed(collector, MEASURED, CELLS)
    collector.take()
    feed(collector, LIMITS, MEASURED, at_ms=1000)
    values = collector.take().values
    assert Signal.CELL_TEMPERATURE_MAX_C not in values
    assert Signal.PACK_VOLTAGE_V in values


def test_short_frame_is_refused_and_the_rest_of_the_burst_stays(collector):
    feed(collector, LIMITS)
    with pytest.raises(ValueError, match="0x356 has 5 bytes, 6 are needed"):
        collector.add(0x356, b"\x00" * 5, 1 * MS)
    burst = collector.take()
    assert Signal.CHARGE_CURRENT_LIMIT_A in burst.values
    assert Signal.PACK_VOLTAGE_V not in burst.values


@given(
    frames=st.lists(
        st.tuples(st.sampled_from(IDS), st.binary(max_size=8), st.integers(0, 200)), max_size=40
    )
)
def test_nothing_is_lost_mixed_or_made_up(frames):
    collector = BurstCollector(PYLON)
    lengths = {frame.id: frame.length for frame in PYLON.frames}
    now_ms, starts, bursts = 0, set(), []
    for id_, data, wait_ms in frames:
        now_ms += wait_ms
        if len(data) < lengths[id_]:
            with pytest.raises(ValueError, match="bytes"):
                collector.add(id_, data, now_ms * MS)
            continue
        starts.add(now_ms * MS)
        bursts.append(collector.add(id_, data, now_ms * MS))
    bursts.append(collector.take())
    times = [burst.time_ns for burst in bursts if burst is not None]
    assert times == sorted(times)
    assert set(times) <= starts
    assert bool(times) == bool(starts)
