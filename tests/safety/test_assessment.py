"""The assessment over time: what was lost stays at zero for its hold time, and then comes back."""

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from tests.builders import T0, UNIT, Bench

BMS = [Signal.SOC_PCT, Signal.PACK_VOLTAGE_V, Signal.CHARGE_CURRENT_LIMIT_A]


def rows(record):
    return {found.row for found in record.assessment.findings}


def envelope(record):
    return record.assessment.envelopes[UNIT]


def running():
    bench = Bench()
    bench.start()
    bench.run(1.0)
    return bench


def with_a_gap(signal, seconds):
    """A site that runs, and one of whose signals has not come for ``seconds``."""
    bench = running()
    value, bench.values[UNIT, signal] = bench.values[UNIT, signal], None
    bench.run(seconds, dt_s=0.1)
    bench.values[UNIT, signal] = value
    return bench


@pytest.mark.parametrize("signal", BMS)
def test_a_bms_that_was_silent_must_be_stable_for_30_s_before_power_flows(signal):
    bench = with_a_gap(signal, 7.0)
    record = bench.step()
    assert "bms_data_lost" in rows(record)
    assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)
    record = bench.run(29.8, dt_s=0.1)
    assert "bms_data_lost" in rows(record)
    assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)
    record = bench.run(0.4, dt_s=0.1)
    assert rows(record) == set()
    assert 0.0 < envelope(record).max_w <= 5000.0 * 0.05 * 0.4  # and then it rises slowly
    assert bench.state.machine is State.RUNNING


def test_an_inverter_that_was_silent_comes_back_after_a_second():
    bench = with_a_gap(Signal.INVERTER_TEMPERATURE_C, 2.0)
    assert "inverter_data_lost" in rows(bench.run(0.9, dt_s=0.1))
    assert rows(bench.run(0.2, dt_s=0.1)) == set()


def test_one_wild_value_of_a_bms_is_as_bad_as_a_gap_for_it_may_be_booting():
    bench = running()
    value, bench.values[UNIT, Signal.SOC_PCT] = bench.values[UNIT, Signal.SOC_PCT], 101.0
    bench.step()
    bench.values[UNIT, Signal.SOC_PCT] = value
    assert "bms_data_bad" in rows(bench.run(29.9, dt_s=0.1))
    assert rows(bench.run(0.2, dt_s=0.1)) == set()


def test_a_gap_while_idle_keeps_the_site_from_starting_until_the_bms_is_stable():
    bench = Bench()
    bench.run(0.1)
    bench.values[UNIT, Signal.SOC_PCT] = None
    bench.run(7.0, dt_s=0.1)
    bench.values[UNIT, Signal.SOC_PCT] = 50.0
    bench.run(29.0, dt_s=0.1)
    assert "not yet for long enough" in bench.step(Command.START).moved.refused[Command.START]
    bench.run(1.2, dt_s=0.1)
    bench.step(Command.START)
    assert bench.state.machine is State.RUNNING


def test_a_site_that_boots_waits_for_nothing_but_the_first_data():
    bench = Bench()
    told = {signal: bench.values[UNIT, signal] for signal in BMS}
    bench.values |= dict.fromkeys(((UNIT, signal) for signal in BMS), None)
    record = bench.run(3.0, dt_s=0.1)
    assert "bms_data_missing" in rows(record)
    assert bench.state.machine is State.BOOT
    bench.values |= {(UNIT, signal): value for signal, value in told.items()}
    record = bench.step()
    assert rows(record) == set()
    assert bench.state.machine is State.IDLE
    assert record.inputs.now_ns - T0 < 4 * 10**9


def test_a_limit_of_the_bms_that_goes_stale_or_bad_takes_its_direction_to_zero():
    """Its fallback only narrows: no limit told is the data sheet's, a lost one is none at all."""
    for lost, narrowed in ((None, "bms_data_lost"), (-1.0, "bms_data_bad")):
        bench = running()
        bench.set(Signal.CHARGE_CURRENT_LIMIT_A, lost)
        record = bench.run(5.6, dt_s=0.1)
        assert narrowed in rows(record)
        assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)
