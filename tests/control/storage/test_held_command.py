"""A setpoint that is permitted and stays unlike what is written is told, with who holds it."""

import pytest

from holdfast.control.storage.held_command import HELD_NS, NOTHING_HELD, HeldCommand, HeldMemory
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.point_traits import PLAIN, PointTraits
from tests.builders import T0, UNIT, Bench, build_site, unit_content

(CONFIG,) = build_site(unit_content()).storage
HELD = HeldCommand(CONFIG, PLAIN)


def setpoint(permitted_w, power_w=None):
    return Setpoint(
        unit=UNIT,
        asked_w=permitted_w,
        permitted_w=permitted_w,
        power_w=permitted_w if power_w is None else power_w,
    )


def watched(steps, held=HELD):
    """The findings after ``steps`` of a second each: what is permitted, ramped and written."""
    memory = NOTHING_HELD
    for second, (permitted_w, power_w, written_w) in enumerate(steps):
        memory, found = held.check(
            setpoint(permitted_w, power_w), written_w, memory, T0 + second * NS_PER_S
        )
    return found


def test_it_is_found_after_two_seconds():
    assert HELD_NS == 2 * NS_PER_S
    assert watched([(1557.0, 1557.0, 0.0)] * 2) == ()
    (found,) = watched([(1557.0, 1557.0, 0.0)] * 3)
    assert (found.owner, found.row, found.since_ns) == (UNIT, "command_held", T0)
    assert found.text.endswith("1557 W, and 0 W is written; held by the wrapper")


def test_a_nanosecond_before_it_is_not():
    memory = HeldMemory(since_ns=T0)
    for now_ns, count in ((T0 + HELD_NS - 1, 0), (T0 + HELD_NS, 1)):
        assert len(HELD.check(setpoint(900.0), 0.0, memory, now_ns)[1]) == count


def test_it_names_the_ramp_where_that_holds_it():
    (found,) = watched([(1557.0, 200.0, 200.0)] * 3)
    assert found.text.endswith("held by the ramp")


def test_a_setpoint_on_its_way_is_not_held():
    assert watched([(5000.0, 100.0 * n, 100.0 * n) for n in range(20)]) == ()
    (found,) = watched([(5000.0, 100.0, 100.0), *[(5000.0, 200.0, 200.0)] * 3])
    assert found.since_ns == T0 + NS_PER_S


def test_one_that_arrives_or_need_not_be_carried_out_begins_anew():
    for between in ((900.0, 900.0, 900.0), (900.0, 900.0, None)):
        steps = [(900.0, 900.0, 0.0)] * 2
        assert watched([*steps, between, *steps]) == ()


@pytest.mark.parametrize(("written_w", "count"), [(950.0, 0), (1050.0, 0), (949.0, 1), (1051.0, 1)])
def test_a_hundredth_of_the_rated_power_is_no_difference(written_w, count):
    assert len(watched([(1000.0, 1000.0, written_w)] * 3)) == count


def test_what_the_device_cannot_keep_is_not_held():
    coarse = HeldCommand(CONFIG, PointTraits(step=500.0))
    assert watched([(1499.0, 1499.0, 1000.0)] * 3, coarse) == ()
    whole = HeldCommand(CONFIG, PointTraits(whole_w=(4000.0, 4000.0)))
    assert watched([(3999.0, 3999.0, 0.0)] * 3, whole) == ()
    assert len(watched([(4000.0, 4000.0, 0.0)] * 3, whole)) == 1


def test_a_site_that_runs_tells_of_nothing_held_and_one_whose_write_is_kept_back_does():
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)
    record = bench.run(5.0)
    assert "command_held" not in {found.row for found in record.assessment.findings}
    assert bench.state.units[UNIT].held == NOTHING_HELD
    assert bench.state.units[UNIT].inverter[Point.SETPOINT_W].value == pytest.approx(3000.0)


def test_an_inverter_that_may_not_run_is_not_expected_to_carry_out_anything():
    bench = Bench()
    bench.run(5.0)
    assert bench.state.units[UNIT].held == NOTHING_HELD
