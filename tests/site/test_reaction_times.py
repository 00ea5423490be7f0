"""What is promised, by device table: from an event to the command on the wire."""

import pytest

from holdfast.devices.can_profile import CanProfile
from holdfast.devices.profile import load_profile
from holdfast.site.reaction_times import SAMPLES, reaction_rows, reaction_times


def test_a_can_battery_takes_a_burst_for_each_sample() -> None:
    """With bursts of a second an over-current takes two of them to its trip, and one if it is
    far beyond."""
    times = reaction_times(load_profile("pylontech_lv_can"), cycle_s=0.02)
    assert times.after(1) == pytest.approx(1.07)
    assert times.after(2) == pytest.approx(2.12)
    assert times.old_s == pytest.approx(2.52)
    assert times.lost_s == pytest.approx(5.27)


def test_slower_bursts_are_old_later_and_lost_as_ever() -> None:
    table = load_profile("pylontech_lv_can")
    assert isinstance(table, CanProfile)
    times = reaction_times(table.model_copy(update={"burst_period_s": 3.0}), cycle_s=0.02)
    assert (times.old_s, times.lost_s) == (pytest.approx(4.52), pytest.approx(5.27))


def test_a_polled_device_takes_a_poll_for_each_sample() -> None:
    times = reaction_times(load_profile("generic_inverter"), cycle_s=0.1)
    assert times.after(3) == pytest.approx(0.4)
    assert (times.old_s, times.lost_s) == (pytest.approx(0.6), pytest.approx(1.35))


def test_the_table_has_what_can_take_the_power_away() -> None:
    heading, *rows = reaction_rows(cycle_s=0.02)
    assert all(len(row) == len(heading) for row in rows)
    assert {row[0] for row in rows} >= {"generic_bms", "generic_meter", "generic_emergency_input"}
    assert "generic_load_switch" not in {row[0] for row in rows}
    assert (2, 3) in SAMPLES
    assert (1, 1) not in SAMPLES
