"""Two batteries on one bus: values that jump to and fro, and those that only look so."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.drivers.can_burst import BurstCollector
from holdfast.devices.drivers.can_twins import TwinWatch
from holdfast.devices.profile import load_profile

SOC, SOH = Signal.SOC_PCT, Signal.SOH_PCT


def doubts(values, signal=SOC):
    watch = TwinWatch()
    return [watch.saw({signal: value}) is not None for value in values]


def test_values_that_jump_between_two_batteries_are_found_after_five_jumps():
    assert doubts([40, 80] * 4) == [False] * 5 + [True] * 3


@pytest.mark.parametrize(
    "values",
    [
        [40, 40, 80, 80] * 4,  # two that send at other paces
        [40, 80, 40] * 4,
        [40, 42] * 6,
        [40, 60, 80] * 5,  # three
        [40.2, 79.9, 40.1, 80.0, 40.0, 80.1, 39.9],
    ],
)
def test_two_batteries_are_found_however_their_frames_fall(values):
    assert any(doubts(values))


@pytest.mark.parametrize(
    "values",
    [
        [81] * 30,
        [0, 0, 0, 81, 81, 81],  # it has just started
        [50, 51] * 20,  # on the edge of a percent
        [*range(0, 100, 3)],
        [*range(100, 0, -3)],
        [81, 0, 81, 81, 81, 81],  # it restarted
        [40] + [40, 40, 80] * 2 + [80] * 30,
        [math.nan, 50] * 10,
        [300, 50] * 10,
    ],
)
def test_one_battery_is_not_taken_for_two(values):
    assert not any(doubts(values))


def test_jumps_that_are_far_apart_are_no_second_battery():
    assert not any(doubts(([40] * 3 + [80] * 3) * 10))


def test_what_is_over_is_forgotten():
    told = doubts([40, 80] * 4 + [80] * 40)
    assert told[5:20] == [True] * 15
    assert told[-20:] == [False] * 20


def test_it_is_told_what_jumps_and_between_what():
    watch = TwinWatch()
    for _ in range(5):
        watch.saw({SOC: 50.0, SOH: 99.0})
        told = watch.saw({SOC: 50.0, SOH: 93.0})
    assert told is not None
    assert told.startswith("soh_pct jumps between 93 and 99 %: do two batteries send")


def test_bursts_without_the_values_say_nothing():
    assert TwinWatch().saw({}) is None


@given(st.lists(st.floats(0, 100), max_size=60))
def test_a_charge_that_moves_as_a_battery_does_is_never_doubted(steps):
    soc, walk = 50.0, []
    for step in steps:
        soc += math.copysign(min(abs(step - 50) / 100, 0.3), step - 50)
        walk.append(soc)
    assert not any(doubts(walk))


@pytest.mark.parametrize("table", ["pylontech_lv_can", "sma_victron_lv_can"])
def test_two_packs_that_one_of_them_speaks_for_are_not_doubted(shared_data: Path, table: str):
    """Recorded at a Dyness B4850 with a second one behind it."""
    profile = load_profile(table)
    collector, watch, bursts = BurstCollector(profile), TwinWatch(), []
    ids = {frame.id for frame in profile.frames}
    with (shared_data / "can_dyness_B4850_2bat_a.csv").open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if int(row["id_hex"], 16) in ids:
                data = bytes.fromhex(row["data_hex"])
                bursts.append(collector.add(int(row["id_hex"], 16), data, number * NS_PER_MS))
    heard = [burst for burst in bursts if burst is not None]
    assert len(heard) > 80
    assert [watch.saw(burst.values) for burst in heard] == [None] * len(heard)
