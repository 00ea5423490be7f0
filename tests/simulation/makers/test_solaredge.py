"""What a driver of a SolarEdge StorEdge must not believe."""

import math
import struct

import pytest

from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile
from holdfast.devices.scaled import ScaledRead
from holdfast.simulation.makers.box import Refused, Surroundings
from holdfast.simulation.makers.solaredge import StorEdge
from tests.simulation.makers.bench import TableBench


def scene(time_s=0.0, *, pv_w=0.0):
    return Surroundings(
        time_s=time_s,
        load_w=600.0,
        pv_w=pv_w,
        soc_pct=50.0,
        charge_max_w=5000.0,
        discharge_max_w=5000.0,
    )


def words(power_w):
    high, low = struct.unpack(">HH", struct.pack(">f", power_w))
    return [low, high]


def told(mode, **limits):
    """A box in remote control, in a mode, with ``charge`` and ``discharge`` limits in W."""
    box = StorEdge()
    for address, name in ((0xE00E, "charge"), (0xE010, "discharge")):
        if name in limits:
            box.write(address, words(limits[name]), multiple=True)
    box.write(0xE00D, [mode], multiple=False)
    box.write(0xE004, [4], multiple=False)
    return box


def test_a_command_is_taken_and_not_done_until_it_is_in_remote_control():
    box = told(3, charge=2000.0)
    assert box.power_w(scene()) == 2000.0
    box.write(0xE004, [1], multiple=False)
    assert box.power_w(scene()) == -600.0


def test_where_its_owner_does_not_allow_the_grid_it_charges_from_the_sun_only():
    box = told(3, charge=2000.0)
    box.write(0xE005, [0], multiple=False)
    assert box.power_w(scene()) == 0.0
    assert box.power_w(scene(pv_w=1500.0)) == 1500.0


def test_a_limit_that_is_written_does_not_begin_the_timeout_anew():
    box = told(3, charge=2000.0)
    box.write(0xE00A, [7], multiple=False)
    box.write(0xE00B, [60, 0], multiple=True)
    box.now_s = 50.0
    box.write(0xE00E, words(1500.0), multiple=True)
    assert box.power_w(scene(59.0)) == 1500.0
    assert box.power_w(scene(61.0)) == -600.0


def test_after_the_timeout_it_still_shows_the_command():
    box = told(4, discharge=2000.0)
    box.write(0xE00B, [60, 0], multiple=True)
    assert box.power_w(scene(61.0)) == 0.0
    assert box.registers[0xE00D] == 4


def test_limits_hold_in_self_consumption_too_so_giving_it_back_takes_them_away():
    assert told(7, discharge=100.0).power_w(scene()) == -100.0
    bench = TableBench("solaredge_storedge")
    bench.tell(-100.0)
    bench.send(bench.release())
    bench.run(5.0)
    assert bench.power_w == pytest.approx(-600.0, abs=5.0)


@pytest.mark.parametrize("limit_w", [math.inf, math.nan])
def test_a_limit_that_is_no_number_fails_and_changes_nothing(limit_w):
    box = StorEdge()
    with pytest.raises(Refused):
        box.write(0xE00E, words(limit_w), multiple=True)
    assert box.registers == box.AS_DELIVERED


@pytest.mark.parametrize("power_w", [2000.0, -2000.0])
def test_pv_is_told_whatever_the_battery_does(power_w):
    bench = TableBench("solaredge_storedge", pv_w=1500.0)
    bench.tell(power_w, 20.0)
    assert bench.told()[Signal.PV_POWER_W] == pytest.approx(1500.0, abs=30.0)


def test_a_number_and_its_power_of_ten_come_in_one_request():
    """SolarEdge changes it as the power grows: of two requests one would be ten times too much."""
    profile = load_profile("solaredge_storedge")
    scaled = [row for row in profile.reads if isinstance(row, ScaledRead)]
    assert {row.signal for row in scaled} == {Signal.GRID_POWER_W, Signal.PV_POWER_W}
    for row in scaled:
        both = {*row.places, (None, "holding", row.scale_from)}
        assert any(both <= set(block.places) for block in profile.blocks())
