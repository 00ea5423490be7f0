"""A meter that tells of a grid which does not breathe is frozen, though no battery has moved."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Stale
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety import still_meter
from holdfast.safety.finding import Reaction
from holdfast.safety.still_meter import StillMemory, StillMeter
from tests.builders import T0, UNIT, Bench, build_site, unit_content

SITE_YAML = build_site()  # 5 kW: from 250 W on something rests on the meter
VALUES = {
    Signal.GRID_VOLTAGE_V: 230.1,
    Signal.GRID_FREQUENCY_HZ: 50.01,
    Signal.GRID_POWER_W: 700.0,
    Signal.PV_POWER_W: 0.0,
}


class Run:
    """A meter that is asked once a second, and the batteries."""

    def __init__(self, site=SITE_YAML):
        self.check, self.memory, self.now_ns, self.findings = (
            StillMeter(site),
            StillMemory(),
            T0,
            (),
        )
        self.shown, self.units = dict(VALUES), dict.fromkeys(site.unit_names, 3000.0)
        self.more = {}

    def __call__(self, seconds=1, every_s=1.0, **changes):
        """Asks so often, at the end with these values; the keys of the findings."""
        for left in range(round(seconds / every_s), 0, -1):
            self.now_ns += ns_from_s(every_s)
            if left == 1:
                self.shown |= {Signal(name): value for name, value in changes.items()}
            self.look()
        return [found.key for found in self.findings]

    def look(self):
        shown = {
            signal: value if not isinstance(value, float) else self.good(value)
            for signal, value in self.shown.items()
            if value is not None
        }
        units = {
            name: {}
            if power_w is None
            else {Signal.BATTERY_POWER_W: self.good(power_w), **self.more.get(name, {})}
            for name, power_w in self.units.items()
        }
        snapshot = Snapshot(time_ns=self.now_ns, readings={SITE: shown, **units})
        self.findings, self.memory = self.check.assess(snapshot, self.memory)

    def good(self, value):
        return Good(value=value, time_ns=self.now_ns)


def test_the_numbers_are_these():
    assert (still_meter.STILL_NS, still_meter.RESTS_ON_IT) == (30 * NS_PER_S, 0.05)
    assert still_meter.GAP_NS == 10 * NS_PER_S
    assert StillMemory() == StillMemory(values=(), since_ns=0, sample_ns=0, found_since_ns=None)


@pytest.mark.parametrize(("every_s", "found"), [(10.0, True), (10.000_001, False)])
def test_nothing_stands_still_over_a_gap(every_s, found):
    run = Run()
    run()
    assert bool(run(60 * every_s, every_s=every_s)) is found


def test_half_a_minute_of_the_same_values_takes_the_power_to_zero():
    run = Run()
    run()
    since_ns = run.now_ns
    assert run(29) == []
    assert run(1) == ["site/meter_data_frozen"]
    (found,) = run.findings
    assert (found.owner, found.reaction) == (SITE, Reaction.RAMP_TO_ZERO)
    assert found.since_ns == since_ns + 30 * NS_PER_S
    assert found.text.endswith(": grid and all for 30 s")
    assert run(30) == ["site/meter_data_frozen"]
    assert run.findings[0].since_ns == found.since_ns
    assert run.findings[0].text.endswith(" for 60 s")


@pytest.mark.parametrize("signal", VALUES)
def test_one_value_that_moves_by_the_very_least_is_a_living_grid(signal):
    run = Run()
    for step in range(200):
        moved = math.nextafter(VALUES[signal], 1e9) if step % 25 == 0 else VALUES[signal]
        assert run(**{signal: moved}) == []


def test_what_was_found_stands_until_another_value_comes_though_nothing_flows_any_more():
    run = Run()
    run(31)
    run.units = {UNIT: 0.0}
    assert run(600) == ["site/meter_data_frozen"]
    assert run(grid_voltage_v=230.2) == []
    assert run.memory == StillMemory(
        values=(230.2, 50.01, 700.0, 0.0), since_ns=run.now_ns, sample_ns=run.now_ns
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_it_matters_from_a_twentieth_of_the_rated_power_on(sign):
    run = Run()
    run.units = {UNIT: sign * 249.9}
    assert run(600) == []
    run.units = {UNIT: sign * 250.0}
    assert run(1) == ["site/meter_data_frozen"]


@pytest.mark.parametrize(
    "inverter",
    [
        {"charge_power_max_w": 9000, "discharge_power_max_w": 100},
        {"charge_power_max_w": 100, "discharge_power_max_w": 9000},
    ],
)
def test_the_measure_is_the_larger_rating_of_all_units_together(inverter):
    site = build_site(unit_content("left", inverter_hardware=inverter), unit_content("right"))
    run = Run(site)
    run.units = {"left": 400.0, "right": 299.9}
    assert run(60) == []
    run.units = {"left": 400.0, "right": 300.0}
    assert run(1) == ["site/meter_data_frozen"]
    run = Run(site)
    run.units = {"left": 4000.0, "right": None}
    assert run(60) == []


@pytest.mark.parametrize("told", [Signal.GRID_VOLTAGE_V, Signal.GRID_FREQUENCY_HZ])
def test_voltage_or_frequency_has_to_be_told(told):
    run = Run()
    run.shown = {told: VALUES[told], Signal.GRID_POWER_W: 700.0}
    assert run(31) == ["site/meter_data_frozen"]
    run = Run()
    run.shown = {Signal.GRID_POWER_W: 700.0, Signal.PV_POWER_W: 0.0}
    assert run(600) == []
    assert run.memory == StillMemory()


@pytest.mark.parametrize(
    "lost", [None, Stale(value=700.0, time_ns=T0), Bad(reason="lost", time_ns=T0)]
)
def test_a_meter_that_is_lost_is_another_fault_and_is_judged_anew(lost):
    run = Run()
    run(31)
    assert run(grid_power_w=lost) == []
    assert run.memory == StillMemory()
    assert run(grid_power_w=700.0) == []
    assert run(30) == ["site/meter_data_frozen"]


def test_an_answer_that_is_read_again_is_not_younger():
    run = Run()
    run(30)
    before = run.memory
    for _ in range(100):
        run.look()
        assert run.memory == before
    assert run.findings == ()


def test_on_an_island_there_is_no_grid_that_could_breathe():
    run = Run()
    run.more = {UNIT: {Signal.ISLANDED: Good(value=1.0, time_ns=T0)}}
    run.shown |= {Signal.GRID_VOLTAGE_V: 0.0, Signal.GRID_FREQUENCY_HZ: 0.0}
    assert run(600) == []
    run.more = {}
    assert run(1) == ["site/meter_data_frozen"]
    run = Run()
    run.more = {UNIT: {Signal.ISLANDED: Good(value=1.0, time_ns=T0)}}  # the meter denies it
    assert run(31) == ["site/meter_data_frozen"]


def test_one_of_two_units_on_an_island_is_enough():
    run = Run(build_site(unit_content("left"), unit_content("right")))
    run.shown |= {Signal.GRID_VOLTAGE_V: 0.0}
    run.more = {"left": {Signal.ISLANDED: Good(value=1.0, time_ns=T0)}}
    assert run(60) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*VALUES, Signal.BATTERY_POWER_W]),
            st.one_of(st.none(), st.floats(-1e4, 1e4)),
            st.sampled_from([0.0, 1.0, 20.0]),
        ),
        max_size=40,
    )
)
def test_it_is_found_only_with_half_a_minute_without_a_change(changes):
    run, changed_ns = Run(), T0
    for signal, value, after_s in changes:
        run.now_ns += ns_from_s(after_s)
        if signal is Signal.BATTERY_POWER_W:
            run.units = {UNIT: value}
        else:
            if run.shown.get(signal) != value:
                changed_ns = run.now_ns
            run.shown[signal] = value
        run.look()
        assert not run.findings or run.now_ns - changed_ns >= 30 * NS_PER_S


def test_a_site_whose_meter_stands_still_while_it_charges_goes_to_zero():
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -2000.0)
    bench.set(Signal.GRID_FREQUENCY_HZ, 50.0)
    for cycle in range(450):
        bench.set(Signal.GRID_VOLTAGE_V, 230.0 + (0.1 * (cycle % 10) if cycle < 50 else 0.0))
        if cycle > 10:  # the meter shows what the battery takes, and then nothing new
            bench.set(Signal.GRID_POWER_W, 0.0)
        record = bench.step(dt_s=0.1)
    assert "site/meter_data_frozen" in {found.key for found in record.assessment.findings}
    assert record.assessment.envelopes[UNIT].max_w == 0.0
