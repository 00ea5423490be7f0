"""A resistance that rises is found, whatever the temperature, the sensor and the load are like."""

import random
from dataclasses import replace
from math import inf
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.safety import resistance
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.resistance import LoadSample, Probe, Resistance
from tests.builders import T0, UNIT, build_site, unit_content

SITE = build_site()  # 100 A: a step is 20 A
CHECK = Resistance(SITE)
MILLI = 1e-3


class Pack:
    """A pack that speaks once a second; its current steps between two values."""

    def __init__(self, check=CHECK):
        self.check, self.memory, self.now_ns, self.findings = check, {}, T0, ()
        self.r_ohm, self.temperature_c, self.soc_pct = 5 * MILLI, 25.0, 50.0
        self.resolution_v, self.noise = 0.01, None
        self.rest_v = 52.0

    def sample(self, current_a, after_s=1.0, *, voltage_v=None, skew_ns=0, **lost):
        self.now_ns += round(after_s * NS_PER_S)
        if voltage_v is None:
            voltage_v = self.rest_v + self.r_ohm * current_a
            if self.noise is not None:
                voltage_v += self.noise.gauss(0.0, 0.005)
                current_a += self.noise.gauss(0.0, 0.5)
            voltage_v = round(voltage_v / self.resolution_v) * self.resolution_v
        values = {
            Signal.PACK_VOLTAGE_V: voltage_v,
            Signal.BATTERY_CURRENT_A: current_a,
            Signal.SOC_PCT: self.soc_pct,
            Signal.CELL_TEMPERATURE_MIN_C: self.temperature_c,
        }
        readings = {
            signal: Good(value=value, time_ns=self.now_ns) for signal, value in values.items()
        }
        voltage = readings[Signal.PACK_VOLTAGE_V]
        readings[Signal.PACK_VOLTAGE_V] = replace(voltage, time_ns=self.now_ns + skew_ns)
        for name in lost:
            readings[Signal[name]] = Bad(reason="lost", time_ns=self.now_ns)
        return self.look(readings)

    def look(self, readings):
        snapshot = Snapshot(time_ns=self.now_ns, readings={UNIT: readings})
        self.findings, self.memory = self.check.assess(snapshot, self.memory)
        return [found.row for found in self.findings]

    def steps(self, count, size_a=40.0):
        seen = []
        for _ in range(count):
            current_a = 0.0 if self.memory and self.probe.point.current_a else size_a
            seen = self.sample(current_a)
        return seen

    @property
    def probe(self):
        return self.memory[UNIT]


def known(r_ohm=5 * MILLI):
    """A pack with a reference at 25 °C; its sensor has shown its step."""
    pack = Pack()
    pack.sample(0.0)
    pack.sample(2.0)
    pack.sample(0.0)
    pack.r_ohm = r_ohm
    pack.steps(15)
    return pack


def test_the_numbers_are_these():
    assert (resistance.SPACING_NS, resistance.GAP_NS) == (800 * NS_PER_MS, 3 * NS_PER_S)
    assert resistance.TOGETHER_NS == 50 * NS_PER_MS
    assert (resistance.STEP, resistance.STEPS_OF_SENSOR) == (0.2, 10.0)
    assert resistance.SOC_PCT == (20.0, 90.0)
    assert resistance.QUARTILE == 3
    assert (resistance.ESTIMATES, resistance.AGREE, resistance.BAND_C) == (15, 1.5, 5.0)
    assert resistance.LEVELS == ((Level.ALARM, 2.0), (Level.WARNING, 1.5))
    assert resistance.CLEARS_BELOW == 0.1
    assert Probe(point=LoadSample(time_ns=1, voltage_v=1.0, current_a=1.0)) == Probe(
        point=LoadSample(time_ns=1, voltage_v=1.0, current_a=1.0),
        sensor_step_v=inf,
        gathered={},
        reference_ohm={},
        ratios=(),
        level=Level.NORMAL,
        since_ns=0,
    )


def test_the_median_of_fifteen_steps_is_the_reference():
    pack = Pack()
    pack.sample(0.0)
    pack.sample(2.0)
    pack.sample(0.0)
    pack.steps(14)
    assert (len(pack.probe.gathered[5]), pack.probe.reference_ohm) == (14, {})
    pack.steps(1)
    assert pack.probe.gathered == {}
    assert pack.probe.reference_ohm == {5: pytest.approx(5 * MILLI)}
    assert pack.probe.sensor_step_v == pytest.approx(0.01)
    assert pack.probe.ratios == ()


@pytest.mark.parametrize(
    ("times", "row", "reaction"),
    [
        (1.49, None, None),
        (1.51, "resistance_rising", Reaction.LOG),
        (1.99, "resistance_rising", Reaction.LOG),
        (2.01, "resistance_doubled", Reaction.DERATE),
        (20.0, "resistance_doubled", Reaction.DERATE),
    ],
)
def test_one_and_a_half_times_is_logged_and_twice_derates(times, row, reaction):
    pack = known()
    pack.resolution_v = 1e-6
    pack.r_ohm *= times
    assert pack.steps(14) == []
    seen = pack.steps(1)
    assert seen == ([row] if row else [])
    if row:
        (found,) = pack.findings
        assert (found.owner, found.reaction, found.since_ns) == (UNIT, reaction, pack.now_ns)
        assert f"{times:.2f} times" in found.text


def judged(ratio, level=Level.NORMAL, since_ns=7):
    """Level and since when, after fifteen ratios of this median."""
    point = LoadSample(time_ns=T0, voltage_v=52.0, current_a=0.0)
    spread = (*[ratio - 1.0] * 7, ratio, *[ratio + 3.0] * 7)
    probe = Probe(point=point, ratios=spread, level=level, since_ns=since_ns)
    after = resistance._judged(probe)
    return after.level, after.since_ns


@pytest.mark.parametrize(
    ("ratio", "before", "level"),
    [
        (1.499, Level.NORMAL, Level.NORMAL), (1.5, Level.NORMAL, Level.WARNING),
        (1.999, Level.NORMAL, Level.WARNING), (2.0, Level.NORMAL, Level.ALARM),
        # It clears a tenth below.
        (1.4, Level.WARNING, Level.WARNING), (1.399, Level.WARNING, Level.NORMAL),
        (1.9, Level.ALARM, Level.ALARM), (1.899, Level.ALARM, Level.WARNING),
        (1.4, Level.ALARM, Level.WARNING), (1.399, Level.ALARM, Level.NORMAL),
        (1.9, Level.WARNING, Level.WARNING), (2.0, Level.WARNING, Level.ALARM),
    ],
)  # fmt: skip
def test_a_level_begins_at_its_ratio_and_ends_a_tenth_below(ratio, before, level):
    assert judged(ratio, before) == (level, 7 if level is before else T0)


def test_fewer_than_fifteen_ratios_are_not_judged():
    point = LoadSample(time_ns=T0, voltage_v=52.0, current_a=0.0)
    for count in (0, 1, 14):
        probe = Probe(point=point, ratios=(9.0,) * count)
        assert resistance._judged(probe) is probe


def test_what_was_repaired_clears_by_itself():
    pack = known()
    pack.r_ohm *= 3.0
    assert pack.steps(15) == ["resistance_doubled"]
    since_ns = pack.probe.since_ns
    assert pack.steps(5) == ["resistance_doubled"]
    assert pack.findings[0].since_ns == since_ns
    pack.r_ohm /= 3.0
    assert pack.steps(15) == []
    assert len(pack.probe.ratios) == 15


# Which steps count. -----------------------------------------------------------------------------


def ratios_after(pack, *args, **kwargs):
    before = len(pack.probe.ratios)
    pack.sample(*args, **kwargs)
    return len(pack.probe.ratios) - before


def at_rest():
    pack = known()
    pack.sample(0.0)
    return pack


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_is_a_fifth_of_the_smaller_rated_current_in_both_directions(sign):
    assert ratios_after(at_rest(), sign * 20.0) == 1
    assert ratios_after(at_rest(), sign * 19.9) == 0
    for battery in (
        {"charge_current_max_a": 300, "discharge_current_max_a": 100},
        {"charge_current_max_a": 100, "discharge_current_max_a": 300},
    ):
        pack = at_rest()
        pack.check = Resistance(build_site(unit_content(battery=battery)))
        assert ratios_after(pack, sign * 20.0) == 1


def test_a_voltage_must_move_by_ten_steps_of_its_sensor():
    pack = at_rest()
    step_v = pack.probe.sensor_step_v
    assert ratios_after(pack, 40.0, voltage_v=52.0 + 10.001 * step_v) == 1
    pack = at_rest()
    assert ratios_after(pack, 40.0, voltage_v=52.0 + 9.999 * step_v) == 0
    pack = at_rest()
    assert ratios_after(pack, 40.0, voltage_v=52.0 - 10.001 * step_v) == 1
    assert pack.probe.ratios[-1] < 0.0  # the wrong way round is an estimate like others


def test_ten_steps_of_the_sensor_are_enough_to_the_very_volt():
    pack = Pack()
    for voltage_v, current_a in ((52.0, 0.0), (52.25, 0.0), (54.75, 40.0)):
        pack.sample(current_a, voltage_v=voltage_v)
    assert pack.probe.gathered == {5: (2.5 / 40.0,)}


def test_the_step_of_the_sensor_is_the_smallest_change_that_was_ever_seen():
    pack = Pack()
    for voltage_v, step_v in (
        (52.0, inf), (52.0, inf), (52.5, 0.5), (52.25, 0.25), (52.25, 0.25), (51.25, 0.25),
    ):  # fmt: skip
        pack.sample(0.0, voltage_v=voltage_v)
        assert pack.probe.sensor_step_v == step_v


def test_a_gap_of_three_seconds_still_counts_and_a_longer_one_does_not():
    assert ratios_after(at_rest(), 40.0, 3.0) == 1
    assert ratios_after(at_rest(), 40.0, 3.0 + 1e-9) == 0


def test_samples_closer_than_the_spacing_are_passed_over():
    pack = at_rest()
    before = pack.memory
    assert ratios_after(pack, 40.0, 0.8 - 1e-9) == 0
    assert pack.memory is before
    assert ratios_after(at_rest(), 40.0, 0.8) == 1


@pytest.mark.parametrize("skew_ns", [50 * NS_PER_MS, -50 * NS_PER_MS])
def test_voltage_and_current_belong_to_one_instant(skew_ns):
    assert ratios_after(at_rest(), 40.0, skew_ns=skew_ns) == 1
    pack = at_rest()
    before = pack.memory
    assert ratios_after(pack, 40.0, skew_ns=skew_ns + (1 if skew_ns > 0 else -1)) == 0
    assert pack.memory is before


@pytest.mark.parametrize("name", ["PACK_VOLTAGE_V", "BATTERY_CURRENT_A"])
def test_a_sample_without_one_of_both_is_none(name):
    pack = at_rest()
    before = pack.memory
    assert ratios_after(pack, 40.0, **{name: None}) == 0
    assert pack.memory is before


@pytest.mark.parametrize("name", ["SOC_PCT", "CELL_TEMPERATURE_MIN_C"])
def test_a_step_at_an_unknown_charge_or_temperature_is_no_estimate(name):
    assert ratios_after(at_rest(), 40.0, **{name: None}) == 0


@pytest.mark.parametrize(("soc_pct", "counts"), [(19.9, 0), (20.0, 1), (90.0, 1), (90.1, 0)])
def test_near_empty_and_near_full_the_resistance_is_another_one(soc_pct, counts):
    pack = at_rest()
    pack.soc_pct = soc_pct
    assert ratios_after(pack, 40.0) == counts


def test_a_sample_that_is_read_again_changes_nothing():
    pack = at_rest()
    before = pack.memory
    reading = Good(value=0.0, time_ns=pack.now_ns)
    for _ in range(10):
        pack.look({Signal.BATTERY_CURRENT_A: reading, Signal.PACK_VOLTAGE_V: reading})
        assert pack.memory is before


# References. ------------------------------------------------------------------------------------


def test_the_cold_has_a_reference_of_its_own_and_no_alarm():
    pack = known()
    pack.temperature_c, pack.r_ohm = 0.0, 10 * MILLI
    assert pack.steps(60) == []
    assert pack.probe.reference_ohm == {
        5: pytest.approx(5 * MILLI),
        0: pytest.approx(10 * MILLI),
    }
    pack.r_ohm = 20 * MILLI
    assert pack.steps(15) == ["resistance_doubled"]


@pytest.mark.parametrize(("temperature_c", "band"), [(22.6, 5), (27.4, 5), (27.6, 6), (-8.0, -2)])
def test_a_band_is_five_degrees_wide(temperature_c, band):
    pack = Pack()
    pack.temperature_c = temperature_c
    pack.sample(0.0)
    pack.sample(2.0)
    pack.sample(0.0)
    pack.steps(1)
    assert set(pack.probe.gathered) == {band}


@pytest.mark.parametrize(
    ("times", "row"), [(1.7, "resistance_rising"), (3.0, "resistance_doubled")]
)
def test_what_has_risen_already_is_no_reference_for_another_temperature(times, row):
    pack = known()
    pack.r_ohm *= times
    pack.steps(15)
    pack.temperature_c = 35.0
    assert pack.steps(40) == [row]
    assert set(pack.probe.reference_ohm) == {5}
    assert pack.probe.gathered == {}


def test_two_temperatures_are_gathered_side_by_side():
    pack = Pack()
    pack.sample(0.0)
    pack.sample(2.0)
    pack.sample(0.0)
    for index in range(29):
        pack.temperature_c = (20.0, 30.0)[index % 2]
        pack.steps(1)
    assert set(pack.probe.reference_ohm) == {4}
    assert set(pack.probe.gathered) == {6}
    pack.steps(1)
    pack.temperature_c = 30.0
    pack.steps(1)
    assert set(pack.probe.reference_ohm) == {4, 6}


@pytest.mark.parametrize(
    ("low", "middle", "high", "agree"),
    [
        (4.0, 5.0, 6.0, True), (4.0, 5.0, 6.001, False),
        (0.0, 0.0, 0.0, False), (-2.0, 5.0, 5.0, False), (1e-9, 1e-9, 1e-9, True),
    ],
)  # fmt: skip
def test_a_reference_needs_a_middle_half_that_is_positive_and_close(low, middle, high, agree):
    estimates = (99.0, -99.0, 99.0, low, *[middle] * 7, high, 99.0, -99.0, -99.0)
    assert sorted(estimates)[3] == low
    assert sorted(estimates)[11] == high
    assert resistance._agree(estimates) is agree
    assert not resistance._agree(estimates[:-1])


def test_until_they_agree_the_last_fifteen_are_kept():
    point = LoadSample(time_ns=T0, voltage_v=52.0, current_a=0.0)
    probe = Probe(point=point)
    for index in range(40):
        probe = resistance._estimated(probe, 1, (-1.0, 1.0)[index % 2] * (index + 1))
    assert len(probe.gathered[1]) == 15
    assert abs(probe.gathered[1][-1]) == 40.0
    for _ in range(12):
        probe = resistance._estimated(probe, 1, 3.0)
    assert probe.reference_ohm == {1: 3.0}


def test_a_coarse_sensor_gives_no_estimate_and_no_alarm():
    """0.1 V on a pack that moves by 0.2 V: any ratio could come of it."""
    pack = Pack()
    pack.resolution_v, pack.rest_v = 0.1, 52.03
    for step in range(3000):
        pack.rest_v = 52.03 + 0.0002 * step
        assert pack.steps(1) == []
    assert pack.probe.reference_ohm == {}


def test_noise_spikes_and_a_loose_frame_now_and_then_are_no_alarm():
    pack, dice = Pack(), random.Random(5)
    pack.noise = dice
    for _ in range(4000):
        current_a = dice.choice([0.0, 25.0, 60.0, -40.0])
        pack.temperature_c = dice.uniform(10.0, 35.0)
        wild = 52.0 + dice.uniform(-3.0, 3.0) if dice.random() < 0.05 else None
        assert pack.sample(current_a, dice.choice([1.0, 1.0, 2.0, 9.0]), voltage_v=wild) == []
    assert pack.probe.reference_ohm
    assert median(pack.probe.ratios) == pytest.approx(1.0, abs=0.15)


def test_a_unit_does_not_answer_for_its_neighbour():
    check = Resistance(build_site(unit_content("left"), unit_content("right")))
    point = LoadSample(time_ns=T0, voltage_v=52.0, current_a=0.0)
    risen = Probe(point=point, ratios=(3.0,) * 15, level=Level.ALARM, since_ns=5)
    readings = {
        Signal.PACK_VOLTAGE_V: Good(value=50.0, time_ns=T0),
        Signal.BATTERY_CURRENT_A: Good(value=0.0, time_ns=T0),
    }
    snapshot = Snapshot(time_ns=T0, readings={"left": readings, "right": {}})
    findings, memory = check.assess(snapshot, {"right": risen})
    assert [(found.owner, found.since_ns) for found in findings] == [("right", 5)]
    assert set(memory) == {"left", "right"}
    assert memory["left"].point == LoadSample(time_ns=T0, voltage_v=50.0, current_a=0.0)


@given(
    st.lists(
        st.tuples(
            st.floats(-2000.0, 2000.0),
            st.floats(1.0, 1500.0),
            st.floats(-40.0, 120.0),
            st.sampled_from([0.0, 0.02, 0.8, 1.0, 2.0, 5.0]),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_whatever_comes_it_neither_fails_nor_grows(samples):
    pack = Pack()
    for current_a, voltage_v, temperature_c, after_s, lost in samples:
        pack.temperature_c = temperature_c
        missing = {"PACK_VOLTAGE_V": None} if lost else {}
        seen = pack.sample(current_a, after_s, voltage_v=voltage_v, **missing)
        assert len(seen) <= 1
        for probe in pack.memory.values():
            assert len(probe.ratios) <= 15
            assert len(probe.gathered) + len(probe.reference_ohm) <= 33
            assert all(len(kept) <= 15 for kept in probe.gathered.values())
            assert all(ohm > 0.0 for ohm in probe.reference_ohm.values())


@given(
    st.floats(1 * MILLI, 200 * MILLI),
    st.lists(
        st.tuples(st.floats(-100.0, 100.0), st.sampled_from([0.0, 0.3, 1.0, 1.0, 1.0, 2.0, 8.0])),
        min_size=40,
        max_size=150,
    ),
)
def test_a_resistance_that_stays_is_never_found_whatever_flows(r_ohm, samples):
    pack = Pack()
    pack.r_ohm = r_ohm
    for current_a, after_s in samples:
        assert pack.sample(current_a, after_s) == []
