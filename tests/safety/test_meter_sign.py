"""A meter the wrong way round is found while the power is on its way; a house is not."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety import meter_sign
from holdfast.safety.finding import Reaction
from holdfast.safety.meter_sign import MeterMemory, MeterSign, Point
from holdfast.testing.demo_site import simulated_site
from holdfast.testing.plant import SitePlant
from holdfast.testing.simulation import Simulation
from tests.builders import T0, UNIT, build_site, unit_content

SITE_YAML = build_site()  # 5 kW: a step is 500 W, at rest is below 50 W
CHECK = MeterSign(SITE_YAML)


def at(seconds):
    return T0 + round(seconds * NS_PER_S)


class Run:
    """One unit and one meter, each sampled when a test says so."""

    def __init__(self, check=CHECK):
        self.check, self.memory, self.now_ns, self.findings = check, MeterMemory(), T0, ()
        self.battery = self.grid = None

    def look(self, *, battery=None, grid=None, seconds=None):
        """A cycle; what is told is a new sample of ``seconds`` after the start."""
        sampled_ns = self.now_ns if seconds is None else at(seconds)
        self.now_ns = max(self.now_ns, sampled_ns)
        if battery is not None:
            self.battery = Good(value=battery, time_ns=sampled_ns)
        if grid is not None:
            self.grid = Good(value=grid, time_ns=sampled_ns)
        readings = {
            UNIT: {} if self.battery is None else {Signal.BATTERY_POWER_W: self.battery},
            SITE: {} if self.grid is None else {Signal.GRID_POWER_W: self.grid},
        }
        snapshot = Snapshot(time_ns=self.now_ns, readings=readings)
        self.findings, self.memory = self.check.assess(snapshot, self.memory)
        return [found.row for found in self.findings]

    def both(self, battery_w, grid_w, after_s=0.1):
        """Both sampled at one instant, and told to two cycles."""
        self.now_ns += round(after_s * NS_PER_S)
        seconds = (self.now_ns - T0) / NS_PER_S
        self.look(battery=battery_w, grid=grid_w, seconds=seconds)
        return self.look()

    def steps(self, *signs, size_w=500.0, after_s=0.1):
        """The batteries step, and the meter moves with (1.0) or against (-1.0) them, or else."""
        seen = []
        for sign in signs:
            battery_w = self.memory.step[1].battery_w + size_w
            grid_w = self.memory.step[1].grid_w + sign * size_w
            seen = self.both(battery_w, grid_w, after_s)
            self.both(battery_w, grid_w, after_s)  # the next sample completes the one before
            seen = [found.row for found in self.findings]
        return seen


def ready(check=CHECK):
    run = Run(check)
    run.both(0.0, 0.0)
    run.both(0.0, 0.0)
    run.both(0.0, 0.0)
    return run


W, R = -1.0, 1.0


def test_the_numbers_are_these():
    assert (meter_sign.STEP, meter_sign.AT_REST, meter_sign.SIMILAR) == (0.1, 0.01, 0.25)
    assert meter_sign.SAMPLES == (4, 5)
    assert (meter_sign.GAP_NS, meter_sign.HOLD_NS) == (3 * NS_PER_S, 60 * NS_PER_S)
    assert MeterMemory() == MeterMemory(
        battery=None, grid=None, step=None, wrong=(), found_since_ns=None, stepped_ns=0
    )


# What steps show. -------------------------------------------------------------------------------


def test_four_of_five_steps_the_wrong_way_take_the_power_to_zero():
    run = ready()
    assert run.steps(W, W, W) == []
    assert run.steps(W) == ["meter_sign_wrong"]
    (found,) = run.findings
    assert (found.owner, found.reaction) == (SITE, Reaction.RAMP_TO_ZERO)
    assert found.since_ns == run.memory.stepped_ns
    assert "4 of 5" in found.text


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ((W, W, R, W, W), True), ((R, W, W, W, W), True), ((W, W, W, W, R), True),
        ((W, W, R, R, W, W), False), ((W, W, W, R, R), False), ((R, R, R, R, R), False),
        ((0.0, 0.0, 0.0, 0.0, 0.0), False), ((W, W, W, 0.0, 0.0), False),
    ],
)  # fmt: skip
def test_what_the_last_five_showed(shown, found):
    assert ready().steps(*shown) == (["meter_sign_wrong"] if found else [])


def test_two_steps_the_right_way_acquit_the_meter():
    run = ready()
    run.steps(W, W, W, W)
    since_ns = run.memory.found_since_ns
    assert run.steps(W) == ["meter_sign_wrong"]
    assert run.memory.found_since_ns == since_ns
    assert run.steps(R) == ["meter_sign_wrong"]
    assert run.steps(R) == []
    assert run.memory.found_since_ns is None
    assert len(run.memory.wrong) == 5


@pytest.mark.parametrize(
    ("share", "wrong"),
    [
        (-0.75, True), (-0.749, False), (-1.25, True), (-1.251, False), (-1.0, True),
        (1.0, False), (0.0, False), (-3.0, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size_w", [512.0, -512.0])
def test_wrong_is_what_moves_against_the_batteries_by_as_much(share, wrong, size_w):
    run = ready()
    run.steps(share, size_w=size_w)
    assert run.memory.wrong == (wrong,)


@pytest.mark.parametrize(("size_w", "steps"), [(500.0, 1), (-500.0, 1), (499.9, 0), (-499.9, 0)])
def test_a_step_is_a_tenth_of_the_rated_power(size_w, steps):
    run = ready()
    run.steps(W, size_w=size_w)
    assert len(run.memory.wrong) == steps


@pytest.mark.parametrize(
    "inverter",
    [
        {"charge_power_max_w": 9000, "discharge_power_max_w": 100},
        {"charge_power_max_w": 100, "discharge_power_max_w": 9000},
    ],
)
def test_the_measure_is_the_larger_rating_of_all_units_together(inverter):
    site = build_site(unit_content("left", inverter_hardware=inverter), unit_content("right"))
    check = MeterSign(site)
    assert (check._step_w, check._at_rest_w) == (1400.0, 140.0)


def test_a_step_is_made_of_several_samples_while_the_batteries_are_on_their_way():
    run = ready()
    for index in range(1, 27):
        run.both(200.0 * index, -200.0 * index)
        if run.memory.wrong:
            break
    assert run.memory.step[0].battery_w == 600.0
    assert run.memory.wrong == (True,)


def test_what_the_house_did_while_the_batteries_stood_still_is_no_part_of_a_step():
    run = ready()
    run.both(0.0, 1000.0)  # a kettle
    run.both(49.0, 1000.0)
    assert run.steps(R, size_w=-900.0) == []
    assert run.memory.wrong == (False,)
    assert run.memory.step[0].battery_w == run.memory.step[1].battery_w


def test_at_rest_is_less_than_a_hundredth_of_the_rated_power():
    for moved_w, rests in ((49.9, True), (50.0, False), (-49.9, True), (-50.0, False)):
        run = ready()
        run.both(moved_w, 0.0)
        run.both(moved_w, 0.0)
        start, last = run.memory.step
        assert last.battery_w == moved_w
        assert (start.battery_w == moved_w) is rests


# Two devices, each asked in its own time. -------------------------------------------------------


def test_what_the_batteries_did_when_the_meter_was_read_lies_between_their_samples():
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    run.look(grid=70.0, seconds=0.025)
    assert run.memory.battery == (T0, 0.0)
    assert run.memory.grid == (at(0.025), 70.0)
    run.look(battery=400.0, seconds=0.1)
    point = Point(time_ns=at(0.025), battery_w=100.0, grid_w=70.0)
    assert run.memory.step == (point, point)
    assert (run.memory.battery, run.memory.grid) == ((at(0.1), 400.0), None)


def test_a_fast_inverter_that_answers_before_the_meter_shows_it_does_not_accuse_the_meter():
    """A load of 1 kW, the batteries' answer, and only then the meter's: always the same way."""
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    for cycle in range(20):
        sign, seconds = (1.0, -1.0)[cycle % 2], 2.0 * cycle + 1.0
        load_w = 500.0 + 500.0 * sign
        rest_w = load_w - sign * 1000.0
        run.look(battery=-rest_w, grid=rest_w - rest_w, seconds=seconds)
        run.look(grid=load_w - rest_w, seconds=seconds + 0.10)
        run.look(battery=-load_w, seconds=seconds + 0.19)
        run.look(grid=0.0, seconds=seconds + 0.20)
        run.look(battery=-load_w, seconds=seconds + 0.29)
        run.look(grid=0.0, seconds=seconds + 0.30)
        assert run.look(battery=-load_w, seconds=seconds + 0.39) == []
    assert True not in run.memory.wrong
    assert False in run.memory.wrong


def test_a_meter_that_is_read_just_after_the_batteries_each_time_is_matched_all_the_same():
    run = Run()
    for index in range(20):
        seconds = 0.1 * index
        run.look(battery=300.0 * index, seconds=seconds)
        seen = run.look(grid=-300.0 * index, seconds=seconds + 0.001)
    assert seen == ["meter_sign_wrong"]


def test_a_meter_that_is_read_just_before_the_batteries_each_time_is_matched_all_the_same():
    run = Run()
    for index in range(20):
        seconds = 0.1 * index
        run.look(grid=-300.0 * index, seconds=seconds)
        seen = run.look(battery=300.0 * index, seconds=seconds + 0.001)
    assert seen == ["meter_sign_wrong"]


def test_of_two_samples_of_the_meter_the_first_waits_for_the_batteries():
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    run.look(grid=1.0, seconds=0.1)
    run.look(grid=2.0, seconds=0.2)
    assert run.memory.grid == (at(0.1), 1.0)
    run.look(battery=0.0, seconds=0.05)  # older than what waits
    assert (run.memory.battery, run.memory.grid) == ((at(0.05), 0.0), (at(0.1), 1.0))
    assert run.memory.step is None
    run.look(battery=60.0, seconds=0.1)
    assert run.memory.step[1] == Point(time_ns=at(0.1), battery_w=60.0, grid_w=1.0)


def test_a_sample_of_the_meter_that_comes_late_is_passed_over():
    run = Run()
    run.look(battery=0.0, seconds=0.5)
    run.look(grid=1.0, seconds=0.4)
    assert run.memory.grid is None
    run.look(grid=1.0, seconds=0.5)
    assert run.memory.grid == (at(0.5), 1.0)


def test_samples_that_are_read_again_change_nothing():
    run = ready()
    run.look()
    before = run.memory
    for _ in range(10):
        run.look()
        assert run.memory is before


@pytest.mark.parametrize(("gap_s", "kept"), [(3.0, True), (3.0 + 1e-9, False)])
def test_over_a_gap_of_more_than_three_seconds_no_step_is_seen(gap_s, kept):
    run = ready()
    run.both(0.0, 0.0)
    run.steps(W, after_s=gap_s)
    assert run.memory.wrong == ((True,) if kept else ())


def test_over_a_gap_of_the_meter_alone_no_step_is_seen():
    for after_s, steps in ((3.0, 1), (3.0 + 1e-9, 0)):
        run = Run()
        run.look(battery=0.0, grid=0.0, seconds=0.0)
        run.look()
        run.look(battery=0.0, seconds=1.0)
        run.look(battery=1000.0, seconds=2.0)
        run.look(battery=1000.0, grid=-1000.0, seconds=after_s)
        run.look()
        run.look(battery=1000.0, seconds=after_s + 1.0)
        assert len(run.memory.wrong) == steps


def test_a_slow_step_may_take_longer_than_the_gap_between_two_samples():
    run = ready()
    for index in range(1, 11):
        run.both(60.0 * index, -60.0 * index, 1.0)
    assert run.memory.wrong == (True,)


def test_no_line_is_drawn_over_a_gap_of_the_batteries():
    for back_s, drawn in ((3.0, True), (3.0 + 1e-9, False)):
        run = Run()
        run.look(battery=0.0, grid=0.0, seconds=0.0)
        run.look(grid=7.0, seconds=2.9)
        run.look(battery=0.0, seconds=back_s)
        assert (run.memory.step is not None) is drawn
        assert run.memory.grid is None


def test_both_may_be_new_in_one_cycle_the_meter_being_the_older():
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    run.grid = Good(value=70.0, time_ns=at(0.05))
    run.look(battery=400.0, seconds=0.1)
    assert run.memory.step[1] == Point(time_ns=at(0.05), battery_w=200.0, grid_w=70.0)


def test_a_gap_of_the_batteries_drops_what_waits_and_keeps_what_was_shown():
    run = ready()
    run.steps(W, W)
    run.look(grid=5.0, seconds=1.5)
    assert run.memory.grid is not None
    run.look(battery=0.0, seconds=9.0)
    assert (run.memory.battery, run.memory.grid) == ((at(9.0), 0.0), None)
    assert run.memory.wrong == (True, True)


@pytest.mark.parametrize("lost", ["battery", "grid"])
def test_without_one_of_both_everything_stays_as_it_is(lost):
    run = ready()
    run.steps(W, W, W, W)
    before = run.memory
    setattr(run, lost, Bad(reason="lost", time_ns=run.now_ns))
    run.now_ns += 100 * NS_PER_S
    assert run.look() == ["meter_sign_wrong"]
    assert run.memory is before


@pytest.mark.parametrize("ages_ns", [(5, 9), (9, 5)])
def test_of_several_units_all_must_be_known_and_the_oldest_sample_counts(ages_ns):
    check = MeterSign(build_site(unit_content("left"), unit_content("right")))
    grid = {Signal.GRID_POWER_W: Good(value=1.0, time_ns=T0)}
    units = {
        "left": {Signal.BATTERY_POWER_W: Good(value=30.0, time_ns=T0 - ages_ns[0])},
        "right": {Signal.BATTERY_POWER_W: Good(value=400.0, time_ns=T0 - ages_ns[1])},
    }
    snapshot = Snapshot(time_ns=T0, readings={SITE: grid, **units})
    _, memory = check.assess(snapshot, MeterMemory())
    assert memory.battery == (T0 - 9, 430.0)
    for name in units:
        snapshot = Snapshot(time_ns=T0, readings={SITE: grid, **units, name: {}})
        assert check.assess(snapshot, MeterMemory()) == ((), MeterMemory())


# The way back. ----------------------------------------------------------------------------------


def test_a_minute_after_the_last_step_it_clears_and_must_be_seen_anew():
    run = ready()
    run.steps(W, W, W, W)
    battery_w, grid_w = run.memory.step[1].battery_w, run.memory.step[1].grid_w
    stepped_ns = run.memory.stepped_ns
    while run.memory.step[1].time_ns < stepped_ns + 59 * NS_PER_S:
        assert run.both(battery_w, grid_w, 1.0) == ["meter_sign_wrong"]
    for _ in range(3):
        run.both(battery_w, grid_w, 1.0)
    assert run.findings == ()
    assert run.memory.wrong == ()
    assert run.steps(W, W, W) == []
    assert run.steps(W) == ["meter_sign_wrong"]


@pytest.mark.parametrize(
    ("after_ns", "clears"), [(60 * NS_PER_S, True), (60 * NS_PER_S - 1, False)]
)
def test_it_is_exactly_a_minute_and_only_what_was_found_is_forgotten(after_ns, clears):
    found = MeterMemory(wrong=(True,) * 4, found_since_ns=T0 - 9, stepped_ns=T0)
    after = meter_sign._forgiven(found, T0 + after_ns)
    assert after == (replace(found, wrong=(), found_since_ns=None) if clears else found)
    suspect = MeterMemory(wrong=(True,) * 3, stepped_ns=T0)
    assert meter_sign._forgiven(suspect, T0 + after_ns) is suspect


# A whole site. ----------------------------------------------------------------------------------


class WrongWayRound(SitePlant):
    """Its meter counts export as import."""

    def samples(self):
        for role, owner, signal, value in super().samples():
            yield role, owner, signal, -value if signal is Signal.GRID_POWER_W else value


class House:
    """A site in self-consumption without sun, ten cycles a second."""

    def __init__(self, plant_type=SitePlant):
        site = simulated_site()
        self.plant = plant_type.from_site(site)
        self.plant.household.pv_override_w = self.plant.household.load_override_w = 0.0
        start = datetime(2026, 4, 1, tzinfo=UTC)
        self.simulation = Simulation(site, self.plant, start=start, step_s=0.1)
        self.simulation.start()
        self.run([0.0] * 50)

    def run(self, loads_w):
        """For each load: what the battery does, and whether the meter is accused."""
        seen = []
        for load_w in loads_w:
            self.plant.household.load_override_w = load_w
            found = {new.row for new in self.simulation.step().assessment.findings}
            seen.append((self.plant.battery_power_w, "meter_sign_wrong" in found))
        return seen


def test_a_meter_the_wrong_way_round_is_found_within_two_seconds_and_the_power_goes_to_zero():
    seen = House(WrongWayRound).run([300.0] * 100)
    first = [accused for _, accused in seen].index(True)
    assert first <= 20
    assert all(power_w == 0.0 for power_w, _ in seen[first + 20 :])
    assert max(abs(power_w) for power_w, _ in seen) < 3500.0


def test_without_the_check_the_battery_goes_to_its_limit_and_stays_there(monkeypatch):
    monkeypatch.setattr(MeterSign, "assess", lambda _, __, memory: ((), memory))
    seen = House(WrongWayRound).run([300.0] * 300)
    assert all(power_w > 4900.0 for power_w, _ in seen[-100:])


def ramp(to_w, w_per_s):
    return [min(to_w, w_per_s * index / 10) for index in range(150)]


@pytest.mark.parametrize("w_per_s", [500.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0, 1e6])
def test_a_load_that_ramps_up_and_down_does_not_accuse_the_meter(w_per_s):
    up = ramp(11_000.0, w_per_s)
    assert not any(accused for _, accused in House().run([*up, *up[::-1], *[0.0] * 30]))


def test_a_load_that_ramps_twice_as_fast_as_the_battery_follows_accuses_it_for_a_second():
    """Nothing tells the two apart until the power falls: then the meter acquits itself."""
    seen = House().run(ramp(11_000.0, 4000.0))
    accused = [index for index, (_, accused) in enumerate(seen) if accused]
    assert 0 < len(accused) <= 10
    assert accused[-1] - accused[0] < 10


def test_an_ordinary_evening_does_not_accuse_the_meter():
    house, dice, load_w = House(), random.Random(3), 400.0
    loads = []
    for second in range(1200):
        if second % 6 == 0:  # a hob, and whatever else is switched
            load_w = 300.0 + dice.choice([0.0, 900.0, 1800.0]) + dice.choice([0.0, 0.0, 2200.0])
        loads += [load_w + dice.gauss(0.0, 40.0) for _ in range(10)]
    assert not any(accused for _, accused in house.run(loads))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.sampled_from([-0.3, 0.0, 0.02, 0.1, 1.0, 5.0]),
        ),
        max_size=80,
    )
)
def test_whatever_comes_it_neither_fails_nor_grows(samples):
    run, seconds = Run(), 1.0
    for battery_w, grid_w, after_s in samples:
        seconds += after_s
        seen = run.look(battery=battery_w, grid=grid_w, seconds=max(seconds, 0.0))
        assert len(run.memory.wrong) <= 5
        assert bool(seen) is (sum(run.memory.wrong) >= 4)


@given(
    st.lists(
        st.tuples(st.floats(-5000.0, 5000.0), st.sampled_from([0.02, 0.1, 1.0, 5.0])), min_size=10
    ),
    st.floats(-15.0, 15.0),
)
def test_a_meter_that_shows_what_the_batteries_do_is_never_accused(samples, offset_w):
    run = Run()
    for index, (battery_w, after_s) in enumerate(samples):
        noise_w = offset_w * (index % 3)
        assert run.both(battery_w, battery_w + 300.0 + noise_w, after_s) == []
