"""Bursts: what belongs together is committed together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.devices.drivers.can_burst import BurstCollector
from holdfast.devices.profile import load_profile, parse_profile

MS = 1_000_000
PYLON = load_profile("pylontech_lv_can")
IDS = [frame.id for frame in PYLON.frames]

LIMITS = (0x351, bytes.fromhex("1402C012C012C201"))
CHARGE = (0x355, bytes.fromhex("58005E00"))
MEASURED = (0x356, bytes.fromhex("7A13F2FE6B01"))
CELLS = (0x373, bytes.fromhex("E40CF80C22012C01"))
"""3.300 V to 3.320 V, 17 °C to 27 °C."""
NO_SENSOR = (0x373, bytes.fromhex("E40CF80C00000000"))
QUIET_BITS = (0x359, bytes(7))
RAISED_BITS = (0x359, bytes.fromhex("02000000000000"))
QUIET_PAIRS = (0x35A, b"\xaa" * 8)
RAISED_PAIRS = (0x35A, bytes.fromhex("A6AAAAAAAAAAAAAA"))


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


def test_mean_temperature_stays_where_the_cell_frame_has_none(collector):
    for at_ms in (0, 1000):
        feed(collector, MEASURED, NO_SENSOR, at_ms=at_ms)
        values = collector.take().values
        assert values[Signal.CELL_TEMPERATURE_MAX_C] == pytest.approx(36.3)
        assert values[Signal.CELL_VOLTAGE_MAX_V] == pytest.approx(3.32)


def test_mean_temperature_never_stands_in_for_a_sensor_that_has_failed(collector):
    feed(collector, MEASURED, CELLS)
    collector.take()
    feed(collector, MEASURED, NO_SENSOR, at_ms=1000)
    assert Signal.CELL_TEMPERATURE_MAX_C not in collector.take().values


# A flag that several frames carry. --------------------------------------------------------------


def told(collector, *frames, at_ms=0, signal=Signal.BMS_PROTECTION):
    """What a burst of these frames tells of the flag; None: nothing."""
    feed(collector, *frames, at_ms=at_ms)
    return collector.take().values.get(signal)


@pytest.mark.parametrize("frame", [QUIET_BITS, QUIET_PAIRS])
def test_a_pack_that_sends_one_of_two_frames_with_a_flag_is_believed(collector, frame):
    assert [told(collector, frame, at_ms=n * 1000) for n in range(3)] == [0.0] * 3


@given(
    first=st.sampled_from([QUIET_BITS, RAISED_BITS]),
    second=st.sampled_from([QUIET_PAIRS, RAISED_PAIRS]),
    swapped=st.booleans(),
)
def test_a_flag_is_raised_by_any_of_its_frames_in_any_order(first, second, swapped):
    frames = (second, first) if swapped else (first, second)
    raised = first is RAISED_BITS or second is RAISED_PAIRS
    collector = BurstCollector(PYLON)
    for at_ms in (0, 1000):
        assert told(collector, *frames, at_ms=at_ms) == float(raised)


@pytest.mark.parametrize(
    ("quiet", "raised"), [(QUIET_BITS, RAISED_BITS), (QUIET_PAIRS, RAISED_PAIRS)]
)
def test_a_flag_whose_other_frame_is_lost_ages_unless_it_is_raised(collector, quiet, raised):
    assert told(collector, QUIET_BITS, QUIET_PAIRS) == 0.0
    assert told(collector, quiet, at_ms=1000) is None
    assert told(collector, quiet, at_ms=2000) is None
    assert told(collector, raised, at_ms=3000) == 1.0
    assert told(collector, quiet, at_ms=4000) is None
    assert told(collector, QUIET_BITS, QUIET_PAIRS, at_ms=5000) == 0.0


def test_a_frame_that_is_too_short_for_the_flag_tells_nothing_of_it(collector):
    frames = QUIET_BITS, QUIET_PAIRS
    short = 0x35A, b"\xaa" * 4
    for at_ms in (0, 1000):
        feed(collector, *frames, at_ms=at_ms)
        collector.take()
    feed(collector, QUIET_BITS, short, at_ms=2000)
    values = collector.take().values
    assert values[Signal.BMS_PROTECTION] == 0.0
    assert Signal.BMS_ALARM not in values


def test_a_pack_that_sends_its_frames_apart_is_believed_once_a_set(collector):
    assert told(collector, QUIET_BITS) == 0.0
    seen = [
        told(collector, frame, at_ms=set_ * 1000 + place * 200)
        for set_ in range(1, 4)
        for place, frame in enumerate([QUIET_PAIRS, LIMITS, QUIET_BITS])
    ]
    assert seen[2:] == [0.0, None, None, 0.0, None, None, 0.0]
    assert told(collector, RAISED_PAIRS, at_ms=4000) == 1.0
    assert told(collector, QUIET_BITS, at_ms=4400) is None
    assert told(collector, RAISED_PAIRS, at_ms=5000) == 1.0


def test_what_one_frame_said_long_ago_is_no_all_clear_with_what_another_says_now(collector):
    assert told(collector, QUIET_BITS, QUIET_PAIRS) == 0.0
    assert told(collector, QUIET_BITS, at_ms=1000) is None
    assert told(collector, QUIET_PAIRS, at_ms=3001) is None
    assert told(collector, QUIET_BITS, at_ms=5001) == 0.0


TWO_PERMISSIONS = """
name: x
protocol: can
roles: [bms]
source: test
burst_period_s: 1
frames:
  - {id: 0x100, fields: [{signal: soc_pct, byte: 0, type: uint8}]}
  - {id: 0x101, flags: [{signal: charge_allowed, masks: {0: 1}}]}
  - {id: 0x102, flags: [{signal: charge_allowed, masks: {0: 1}}]}
"""


@pytest.mark.parametrize("one", [0, 1])
@pytest.mark.parametrize("other", [0, 1])
def test_a_permission_is_given_by_all_of_its_frames_and_taken_back_by_any(one, other):
    collector = BurstCollector(parse_profile(TWO_PERMISSIONS, source="x.yaml"))
    both = (0x101, bytes([one])), (0x102, bytes([other]))
    for n in range(2):
        allowed = told(collector, *both, at_ms=n * 1000, signal=Signal.CHARGE_ALLOWED)
        assert allowed == float(one and other)
    left = told(collector, both[0], at_ms=2000, signal=Signal.CHARGE_ALLOWED)
    assert left == (None if one else 0.0)


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
    lengths = {
        frame.id: min(part.end for part in frame.parts) if frame.optional else frame.length
        for frame in PYLON.frames
    }
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


# A counter that stands still. -------------------------------------------------------------------

COUNTED = """
name: x
protocol: can
roles: [bms]
source: test
burst_period_s: 1
frames:
  - id: 0x100
    counter: {byte: 1, mask: 0x0F}
    fields: [{signal: soc_pct, byte: 0, type: uint8}]
"""


def test_a_frame_whose_counter_stands_still_is_no_news():
    """A converter that has lost its battery goes on sending the last frame."""
    collector = BurstCollector(parse_profile(COUNTED, source="x.yaml"))
    told = []
    for second, data in enumerate(["3200", "3301", "3301", "33F1", "3302", "34"]):
        try:
            collector.add(0x100, bytes.fromhex(data), second * 1000 * MS)
        except ValueError as error:
            told.append(str(error))
        else:
            told.append(collector.take().values[Signal.SOC_PCT])
    old = "frame 0x100 is an old one, sent again: its counter stands at 1"
    assert told == [50, 51, old, old, 51, 52]
