"""The regulator in a loop: a meter that is late, a device that is slow or wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.control_scenes import flipping, ripple, stepped
from benchmarks.steered_house import House, SteeredHouse
from holdfast.control.regulation.quality import RegulationVerdict
from holdfast.control.regulation.regulator import RegulationMemory, Regulator, RegulatorWish
from holdfast.core.signals import Signal
from tests.builders import T0, build_site, snapshot_of, unit_content

STEP = stepped(300.0, ((30.0, 1900.0),), ripple(1, 2.0))


def site(**hardware):
    return build_site(
        unit_content(inverter_hardware={"response_time_s": 1.5, **hardware}),
        cycle={"period_ms": 100},
    )


def steered(load_w, duration_s, **house):
    return SteeredHouse(
        site(), House(load_w=load_w, duration_s=duration_s, steps_s=(30.0,), **house)
    ).run()


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 1.0, 3.0, 10.0])
def test_a_step_is_answered_once_the_meter_shows_it_and_not_again(delay_s):
    run = steered(STEP, 90.0, delay_s=delay_s)
    assert run.back_s(30.0) <= delay_s + 3.0
    assert run.crossings() <= 1
    assert max(run.battery_w[600:]) - min(run.battery_w[600:]) < 40.0
    assert min(run.battery_w) >= -2200.0 - 60.0


@pytest.mark.parametrize("delivers", [0.5, 1.5])
@pytest.mark.parametrize(("delay_s", "period_s"), [(0.5, 0.0), (10.0, 0.0), (1.0, 10.0)])
def test_a_device_that_delivers_half_as_much_or_as_much_again_makes_no_swing(
    delivers, delay_s, period_s
):
    run = steered(STEP, 150.0, delay_s=delay_s, period_s=period_s, delivers=delivers)
    assert run.rms_w(from_s=90.0) < 25.0
    assert run.crossings(90.0) == 0
    assert run.quality.verdict is RegulationVerdict.STABLE


@pytest.mark.parametrize("tells", [0.8, 1.2])
def test_a_device_that_tells_less_or_more_than_it_does_is_found_out_by_the_meter(tells):
    run = steered(STEP, 150.0, delay_s=1.0, tells=tells)
    assert run.rms_w(from_s=90.0) < 30.0


def test_a_surplus_that_comes_and_goes_makes_no_flapping_and_once_it_stays_it_is_stored():
    run = steered(flipping, 180.0, delay_s=0.5)
    assert run.reversals(60.0, 120.0) <= 1
    assert run.stored_s(120.0, 1000.0) <= 10.0


def test_a_house_about_0_w_turns_the_battery_less_than_once_a_minute():
    run = steered(ripple(5, 80.0), 600.0, delay_s=0.5)
    assert run.reversals() <= 10


def test_a_wish_that_is_not_about_the_meter_passes_as_it_is():
    regulator, memory = Regulator(site(min_power_w=200.0)), RegulationMemory()
    for power_w in (1000.0, 1001.0, -50.0, 0.0, 4000.0):
        wish = RegulatorWish(power_w=power_w)
        asked_w, memory = regulator.step(wish, snapshot_of(), memory, 0.02)
        assert asked_w == power_w
        assert regulator.quality(memory) is None


def test_it_begins_where_a_wish_that_passed_has_ended():
    regulator = Regulator(site())
    _, memory = regulator.step(
        RegulatorWish(power_w=-900.0), snapshot_of(), RegulationMemory(), 0.02
    )
    asked_w, memory = regulator.step(
        RegulatorWish(power_w=-903.0, grid_w=0.0), snapshot_of(), memory, 0.02
    )
    assert asked_w == -903.0
    assert regulator.quality(memory) is not None
    asked_w, _ = regulator.step(
        RegulatorWish(power_w=3000.0, grid_w=0.0), snapshot_of(), memory, 0.02
    )
    assert asked_w == 0.0


def test_a_limit_at_the_meter_waits_for_nothing():
    regulator = Regulator(site())
    _, memory = regulator.step(
        RegulatorWish(power_w=-900.0), snapshot_of(), RegulationMemory(), 0.02
    )
    wish = RegulatorWish(power_w=3000.0, grid_w=0.0, urgent=True)
    assert regulator.step(wish, snapshot_of(), memory, 0.02)[0] == 3000.0


def test_the_coarsest_device_decides_what_is_no_error():
    regulator, memory = Regulator(site(), coarse_w=100.0), RegulationMemory()
    for count in range(100):
        snapshot = snapshot_of({Signal.BATTERY_POWER_W: 900.0}, now_ns=T0 + count * 100_000_000)
        asked_w, memory = regulator.step(
            RegulatorWish(power_w=990.0, grid_w=0.0), snapshot, memory, 0.1
        )
    assert asked_w == 990.0


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(-6000.0, 6000.0),
            st.sampled_from([None, 0.0, 500.0]),
            st.booleans(),
            st.booleans(),
            st.floats(-6000.0, 6000.0),
        ),
        max_size=40,
    )
)
def test_no_wish_is_turned_round_and_nothing_is_asked_that_is_no_number(steps):
    regulator, memory = Regulator(site()), RegulationMemory()
    for count, (power_w, grid_w, urgent, limited, measured_w) in enumerate(steps):
        snapshot = snapshot_of(
            {Signal.BATTERY_POWER_W: measured_w, Signal.GRID_POWER_W: power_w / 2.0},
            now_ns=T0 + count * 20_000_000,
        )
        wish = RegulatorWish(power_w=power_w, grid_w=grid_w, urgent=urgent, is_limited=limited)
        asked_w, memory = regulator.step(wish, snapshot, memory, 0.02)
        assert asked_w * power_w >= 0.0
        assert abs(asked_w) <= 2.0 * 6000.0 + 100.0
