"""What a driver of a Fox ESS must not believe."""

import pytest

from holdfast.core.commands import Point
from holdfast.devices.profile import load_profile
from holdfast.simulation.makers.box import Refused, Surroundings
from holdfast.simulation.makers.foxess import FoxH1, FoxH1G2, FoxH3, FoxH3Pro
from tests.simulation.makers.bench import TableBench

BOXES = (FoxH1, FoxH1G2, FoxH3, FoxH3Pro)
TABLES = ("foxess_h1", "foxess_h1_g2", "foxess_h3", "foxess_h3_pro")


def scene(time_s=0.0, *, pv_w=0.0, load_w=600.0):
    return Surroundings(
        time_s=time_s,
        load_w=load_w,
        pv_w=pv_w,
        soc_pct=50.0,
        charge_max_w=5000.0,
        discharge_max_w=5000.0,
    )


def told(box, ac_w, timeout_s=60):
    """The box, told a power of its AC side, + feeding in."""
    box.write(box.TIMEOUT_S, [timeout_s], multiple=False)
    words = [ac_w >> 16 & 0xFFFF, ac_w & 0xFFFF][-len(box.POWER) :]
    box.write(box.POWER[0], words, multiple=len(words) > 1)
    box.write(box.ENABLE, [1], multiple=False)
    return box


@pytest.mark.parametrize("kind", BOXES)
def test_its_power_is_that_of_the_ac_side_so_0_w_charges_with_the_sun(kind):
    assert told(kind(), 0).power_w(scene(pv_w=1500.0)) == 1500.0
    assert told(kind(), 1500).power_w(scene(pv_w=1500.0)) == 0.0
    assert told(kind(), -2000).power_w(scene()) == 2000.0


@pytest.mark.parametrize("kind", BOXES)
def test_a_timer_that_is_written_anew_without_a_power_does_not_keep_it(kind):
    box = told(kind(), -2000)
    box.now_s = 50.0
    box.write(box.TIMEOUT_S, [60], multiple=False)
    assert box.power_w(scene(61.0)) == -600.0
    assert box.registers[box.ENABLE] == 0


@pytest.mark.parametrize("kind", BOXES)
def test_without_a_timer_written_before_it_falls_back_at_once(kind):
    assert told(kind(), -2000, timeout_s=0).power_w(scene(1.0)) == -600.0


def test_an_h1_over_lan_has_no_work_mode_and_an_h3_pro_counts_them_from_1():
    with pytest.raises(Refused):
        FoxH1().write(41000, [0], multiple=False)
    with pytest.raises(Refused):
        FoxH3Pro().write(49203, [0], multiple=False)
    feeding_in = FoxH3Pro()
    feeding_in.write(49203, [2], multiple=False)
    assert feeding_in.power_w(scene(pv_w=2000.0)) == 0.0


@pytest.mark.parametrize("kind", [FoxH1, FoxH1G2, FoxH3])
def test_enable_and_timer_refuse_to_be_written_together(kind):
    with pytest.raises(Refused):
        kind().write(44000, [1, 60], multiple=True)


def test_an_h3_that_was_updated_takes_the_lower_word_first_and_does_not_do_what_is_meant():
    """From Manager 1.93 on: why its owner has to take the other table."""
    box = FoxH3()
    meant, swapped = [0xFFFF, 0xF830], [0xF830, 0xFFFF]
    box.write(44001, [60], multiple=False)
    box.write(44000, [1], multiple=False)
    for words, power_w in ((meant, 2000.0), (swapped, 5000.0)):
        box.write(44002, words, multiple=True)
        assert box.power_w(scene()) == power_w


@pytest.mark.parametrize("table", TABLES)
def test_what_follows_the_sun_is_written_anew_twice_a_second(table):
    assert load_profile(table).traits[Point.SETPOINT_W].refresh_ns == 500_000_000


@pytest.mark.parametrize("table", TABLES)
def test_strings_without_panels_tell_a_little_less_than_nothing_and_not_65_kw(table):
    bench = TableBench(table)
    image = bench.image()
    (row,) = (row for row in bench.profile.reads if row.signal == "pv_power_w")
    image |= dict.fromkeys((place for part in row.parts for place in part.places), 0xFFFF)
    assert -100.0 < row.value(image) < 0.0
