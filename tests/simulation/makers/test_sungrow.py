"""What a driver of a Sungrow SH must not believe."""

import pytest

from holdfast.core.signals import Signal
from holdfast.simulation.makers.box import Refused, Surroundings
from holdfast.simulation.makers.sungrow import SungrowSh
from tests.simulation.makers.bench import TableBench

CHARGE, DISCHARGE = 0xAA, 0xBB
FORCED, EXTERNAL = 2, 3


def scene(time_s):
    return Surroundings(
        time_s=time_s,
        load_w=600.0,
        pv_w=0.0,
        soc_pct=50.0,
        charge_max_w=5000.0,
        discharge_max_w=5000.0,
    )


def told(mode):
    box = SungrowSh()
    box.write(13049, [mode, CHARGE, 2000], multiple=True)
    return box


def test_forced_by_hand_it_goes_on_for_ever():
    assert told(FORCED).power_w(scene(100_000.0)) == 2000.0


def test_commands_do_not_keep_it_awake_and_only_its_heartbeat_does():
    box = told(EXTERNAL)
    box.write(13079, [30], multiple=False)
    box.now_s = 25.0
    box.write(13049, [EXTERNAL, CHARGE, 2000], multiple=True)
    assert box.power_w(scene(29.0)) == 2000.0
    assert box.power_w(scene(31.0)) == -600.0
    assert box.registers[13049] == 0


def test_its_heartbeat_is_counted_down_so_what_was_written_is_not_shown():
    box = told(EXTERNAL)
    box.write(13079, [60], multiple=False)
    box.power_w(scene(20.0))
    assert box.registers[13079] == 40


def test_its_power_has_no_sign_and_does_nothing_by_itself():
    box = SungrowSh()
    box.write(13051, [2000], multiple=False)
    assert box.power_w(scene(0.0)) == -600.0
    box.write(13049, [FORCED, DISCHARGE], multiple=True)
    assert box.power_w(scene(0.0)) == -2000.0


def test_modes_and_commands_that_it_does_not_have_are_refused_and_change_nothing():
    box = SungrowSh()
    for words in ([1, CHARGE, 2000], [EXTERNAL, 1, 2000]):
        with pytest.raises(Refused):
            box.write(13049, words, multiple=True)
    assert box.registers == box.AS_DELIVERED


def test_the_time_until_it_goes_back_is_told_as_long_as_it_is():
    bench = TableBench("sungrow_sh")
    bench.tell(1000.0)
    told_s = bench.told()[Signal.REVERT_TIMEOUT_READBACK_S]
    bench.run(told_s - 5.0)
    assert bench.power_w == pytest.approx(1000.0, abs=5.0)
    bench.run(10.0)
    assert bench.power_w == pytest.approx(-600.0, abs=60.0)
