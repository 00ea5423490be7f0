"""What a driver of Growatt's hybrids must not believe."""

import math

import pytest

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile
from holdfast.simulation.makers.box import Refused, Surroundings
from holdfast.simulation.makers.growatt import GrowattMod, GrowattSph, GrowattVpp
from tests.simulation.makers.bench import TableBench

WHOLE_DAY_ON = (0, 5947, 1)
MOD_BATTERY_FIRST, MOD_GRID_FIRST = (40960, 5947), (49152, 5947)


def scene(*, soc_pct: float = 50.0, pv_w: float = 0.0, time_s: float = 0.0) -> Surroundings:
    """A house that takes 600 W, and a battery of 5 kW."""
    return Surroundings(
        time_s=time_s,
        load_w=600.0,
        pv_w=pv_w,
        soc_pct=soc_pct,
        charge_max_w=5000.0,
        discharge_max_w=5000.0,
    )


def test_an_sph_that_is_battery_first_charges_from_the_grid_though_it_is_told_not_to() -> None:
    box = GrowattSph()
    box.write(1092, [0], multiple=True)
    box.write(1100, WHOLE_DAY_ON, multiple=True)
    assert box.power_w(scene(pv_w=0.0)) == 5000.0
    box.write(1091, [50], multiple=True)
    assert box.power_w(scene(pv_w=0.0)) == 0.0, "pinned to what it has it rests"
    assert box.power_w(scene(soc_pct=48.0)) > 0.0, "and goes back to it"


def test_an_sph_that_is_grid_first_charges_up_to_a_stop_that_is_left_from_before() -> None:
    box = GrowattSph()
    box.write(1071, [80], multiple=True)
    box.write(1080, WHOLE_DAY_ON, multiple=True)
    assert box.power_w(scene(soc_pct=50.0)) > 0.0


@pytest.mark.parametrize("place", [1100, 1101, 1102])
def test_an_sph_forgets_what_is_written_to_a_slot_one_by_one(place: int) -> None:
    box = GrowattSph()
    box.write(place, [1], multiple=False)
    assert box.registers[place] == 0


def test_an_sph_takes_no_second_mode_while_the_first_is_on() -> None:
    box = GrowattSph()
    box.write(1100, WHOLE_DAY_ON, multiple=True)
    box.write(1080, WHOLE_DAY_ON, multiple=True)
    assert box.registers[1082] == 0


def test_a_pinned_sph_that_loses_charge_takes_it_back_slowly() -> None:
    bench = TableBench("growatt_sph")
    bench.tell(2000.0)
    bench.tell(0.0)
    box = bench.unit.box
    assert box is not None
    assert box.power_w(scene(soc_pct=48.0)) == 250.0, "whatever rate it charged at before"


def test_a_mod_without_leave_to_charge_from_the_grid_forgets_its_slots() -> None:
    box = GrowattMod()
    box.write(3038, MOD_BATTERY_FIRST, multiple=True)
    assert box.registers[3038] == 0
    box.write(3049, [1], multiple=False)
    box.write(3038, MOD_BATTERY_FIRST, multiple=True)
    assert box.power_w(scene()) == 5000.0


@pytest.mark.parametrize("place", [3038, 3039])
def test_a_mod_refuses_half_a_slot(place: int) -> None:
    box = GrowattMod()
    with pytest.raises(Refused):
        box.write(place, [5947], multiple=True)


@pytest.mark.parametrize("place", [1071, 1091])
def test_a_mod_acknowledges_the_stops_of_an_sph_and_forgets_them(place: int) -> None:
    box = GrowattMod()
    box.write(place, [50], multiple=False)
    assert box.registers[place] == 0


def test_a_mod_charges_from_the_grid_up_to_the_lower_of_two_stops_one_of_which_is_hidden() -> None:
    box = GrowattMod()
    box.write(3312, [40], multiple=False)
    box.write(3049, [1], multiple=False)
    box.write(3038, MOD_BATTERY_FIRST, multiple=True)
    assert box.power_w(scene()) == 0.0
    assert box.power_w(scene(pv_w=1600.0)) == 1000.0, "what is left of the sun it still takes"


def test_a_mod_below_its_floor_charges_though_it_is_told_to_discharge() -> None:
    box = GrowattMod()
    box.write(3049, [1], multiple=False)
    box.write(3038, MOD_GRID_FIRST, multiple=True)
    box.write(3067, [90], multiple=False)
    assert box.power_w(scene()) > 0.0


def test_a_mod_that_is_released_charges_from_the_sun_again() -> None:
    bench = TableBench("growatt_mod", pv_w=1600.0)
    bench.tell(0.0)
    bench.send(bench.release())
    bench.run(3.0)
    assert bench.power_w == pytest.approx(1000.0, abs=60.0), "its stop was pinned"


def test_no_temperature_of_an_apx_battery_is_no_warm_battery() -> None:
    table = load_profile("growatt_mod")
    assert isinstance(table, ModbusProfile)
    rows = {row.signal: row for row in table.reads}
    for signal in (Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C):
        assert math.isnan(rows[signal].decode([0])), "it tells 0, which stands for no value"


def test_vpp_without_authority_does_nothing_and_with_authority_alone_rests() -> None:
    box = GrowattVpp()
    box.write(30409, [40], multiple=False)
    box.write(30407, [1], multiple=False)
    assert box.power_w(scene()) == -600.0
    box.write(30407, [0], multiple=False)
    box.write(30100, [1], multiple=False)
    assert box.power_w(scene()) == 0.0


@pytest.mark.parametrize(("ends", "power_w"), [(True, -600.0), (False, -2000.0)])
def test_vpp_may_end_after_its_minutes_or_not_and_shows_the_command_either_way(
    *, ends: bool, power_w: float
) -> None:
    bench = TableBench("growatt_vpp")
    box = bench.unit.box
    assert isinstance(box, GrowattVpp)
    box.ends = ends
    bench.tell(-2000.0, 70.0)
    assert bench.power_w == pytest.approx(power_w, abs=60.0)
    assert bench.told()[Signal.SETPOINT_READBACK_W] == -2000.0


def test_vpp_at_no_percent_follows_its_own_rule_and_stands_idle_at_one() -> None:
    bench = TableBench("growatt_vpp")
    bench.tell(0.0)
    assert bench.power_w == 0.0
    assert bench.told()[Signal.SETPOINT_READBACK_W] == 0.0
    bench.registers.write(6, 30409, [0])
    bench.run(3.0)
    assert bench.power_w == pytest.approx(-600.0, abs=60.0)


def test_vpp_is_asked_for_nothing_between_idle_and_two_percent() -> None:
    bench = TableBench("growatt_vpp")
    assert bench.profile.traits[Point.SETPOINT_W].step == 100.0, "two percent of 5 kW"


def test_vpp_charges_from_the_grid_only_with_leave_to_do_so() -> None:
    box = GrowattVpp()
    for place, word in ((30100, 1), (30407, 1), (30409, 40)):
        box.write(place, [word], multiple=False)
    assert box.power_w(scene(pv_w=500.0)) == 500.0
    box.write(30410, [1], multiple=False)
    assert box.power_w(scene(pv_w=500.0)) == 2000.0


@pytest.mark.parametrize("power_w", [5050.0, -5050.0])
@pytest.mark.parametrize("table", ["growatt_sph", "growatt_mod", "growatt_vpp"])
def test_more_than_the_whole_of_its_rated_power_is_not_sent(table: str, power_w: float) -> None:
    with pytest.raises(ValueError, match="rated for"):
        TableBench(table).requests(power_w)
