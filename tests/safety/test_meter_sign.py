"""A meter the wrong way round is found while the power is on its way; a house is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety import meter_sign
from holdfast.safety.finding import Reaction
from holdfast.safety.meter_sign import MeterMemory, MeterSample, MeterSign, MeterStep
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
        self.noise_w = 1e-6

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
        """Both sampled at one instant, and told to two cycles. A meter's noise tells its sample."""
        self.now_ns += round(after_s * NS_PER_S)
        seconds = (self.now_ns - T0) / NS_PER_S
        self.noise_w = -self.noise_w
        self.look(battery=battery_w, grid=grid_w + self.noise_w, seconds=seconds)
        return self.look()

    def steps(self, *signs, size_w=500.0, after_s=0.1):
        """The batteries step, and the meter moves with (1.0) or against (-1.0) them, or else."""
        seen = []
        for sign in signs:
            battery_w = self.memory.step[1].battery_w + size_w
            grid_w = round(self.memory.step[1].grid_w + sign * size_w)
            seen = self.both(battery_w, grid_w, after_s)
            self.both(battery_w, grid_w, after_s)  # the next sample completes the one before
            seen = [found.row for found in self.findings]
        return seen

    @property
    def gains(self):
        return tuple(round(step.gain, 3) for step in self.memory.steps)


def ready(check=CHECK, grid_w=0.0):
    run = Run(check)
    for _ in range(3):
        run.both(0.0, grid_w)
    return run


W, R = -1.0, 1.0


def test_the_numbers_are_these():
    assert (meter_sign.STEP, meter_sign.AT_REST, meter_sign.SIMILAR) == (0.1, 0.01, 0.25)
    assert (meter_sign.FAR, meter_sign.STAYS_NS) == (0.1, 5 * NS_PER_S)
    assert (meter_sign.SAMPLES, meter_sign.AGAINST, meter_sign.UNMOVED) == ((4, 5), 0.0, 0.5)
    assert (meter_sign.GAP_NS, meter_sign.HOLD_NS) == (15 * NS_PER_S, 60 * NS_PER_S)
    assert MeterMemory() == MeterMemory(
        battery=None,
        grid=None,
        grid_w=None,
        step=None,
        steps=(),
        unmoved_ns=None,
        found_since_ns=None,
        stepped_ns=0,
    )


# What steps show. -------------------------------------------------------------------------------


def test_four_of_five_steps_the_wrong_way_take_the_power_to_zero():
    run = ready()
    assert run.steps(W, W, W) == []
    assert run.steps(W) == ["meter_sign_wrong"]
    (found,) = run.findings
    assert (found.owner, found.reaction) == (SITE, Reaction.RAMP_TO_ZERO)
    assert found.since_ns == run.memory.stepped_ns
    assert found.text.endswith(": of 5 steps it showed -1.00 times as much")


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
    assert run.gains == (W, W, W, R, R)


@pytest.mark.parametrize(
    ("gain", "wrong"),
    [
        (-0.751, True), (-0.749, False), (-1.249, True), (-1.251, False), (-1.0, True),
        (1.0, False), (0.0, False), (-3.0, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size_w", [5120.0, -5120.0])
def test_wrong_is_what_moves_against_the_batteries_by_as_much(gain, wrong, size_w):
    run = ready()
    seen = run.steps(*[gain] * 4, size_w=size_w)
    assert run.gains == pytest.approx((gain,) * 4, abs=1e-3)
    assert seen == (["meter_sign_wrong"] if wrong else [])


def shown(*gains, is_far=False):
    return tuple(MeterStep(gain=gain, is_far=is_far) for gain in gains)


@pytest.mark.parametrize(
    ("gains", "against"),
    [
        ((-0.75,) * 4, True), ((-1.25,) * 4, True),
        ((-0.7499,) * 4, False), ((-1.2501,) * 4, False),
        # the median counts: one step in which a kettle was switched on turns no verdict
        ((-1.0, -1.0, 9.0, -1.0, -1.0), True), ((-9.0, -1.0, 1.0, -1.0, -1.0), True),
        ((-9.0, -9.0, -9.0, -1.0, -1.0), False), ((-0.1, -0.1, -1.0, -1.0, -1.0), True),
        ((-1.0, -1.0, -1.0), False), ((-1.0, -1.0, -1.0, 0.0, 0.0), False),
        ((-1.0, -1.0, -1.0, -1e-9, 0.0), True),
    ],
)  # fmt: skip
def test_four_of_five_must_move_against_the_batteries_and_half_of_them_by_as_much(gains, against):
    assert meter_sign._is_against(shown(*gains)) is against


@pytest.mark.parametrize(
    ("gains", "unmoved"),
    [
        ((0.0,) * 4, True), ((0.25,) * 4, True), ((-0.25,) * 4, True),
        ((0.2501,) * 4, False), ((-0.2501,) * 4, False),
        ((0.5, 0.5, 0.0, 0.0, 0.0), True), ((-0.5, -0.5, 0.0, 0.0, 0.0), True),
        ((0.5001, 0.0, 0.0, 0.0, 0.0), True), ((0.5001, 0.5001, 0.0, 0.0, 0.0), False),
        ((-0.5001, -0.5001, 0.0, 0.0, 0.0), False), ((0.0, 0.0, 0.0), False),
    ],
)  # fmt: skip
def test_a_meter_without_gain_shows_none_in_four_of_five_steps_far_from_zero(gains, unmoved):
    assert meter_sign._is_unmoved(shown(*gains, is_far=True)) is unmoved
    assert not meter_sign._is_unmoved(shown(*gains))


def test_four_of_the_steps_without_gain_must_have_been_far_from_zero():
    assert meter_sign._is_unmoved((*shown(0.0, 0.0, 0.0, 0.0, is_far=True), *shown(0.0)))
    assert not meter_sign._is_unmoved((*shown(0.0, 0.0, 0.0, is_far=True), *shown(0.0, 0.0)))


# A meter that measures something else. ------------------------------------------------------------


@pytest.mark.parametrize("grid_w", [600.0, -600.0])
@pytest.mark.parametrize("size_w", [600.0, -600.0])
def test_a_meter_that_does_not_show_the_batteries_is_found_after_five_seconds(grid_w, size_w):
    run = ready(grid_w=grid_w)
    assert run.steps(*[0.0] * 4, size_w=size_w) == []
    unmoved_ns = run.memory.stepped_ns
    assert run.memory.unmoved_ns == unmoved_ns
    battery_w = run.memory.step[1].battery_w
    seen = []
    while not seen:
        seen = run.both(battery_w, grid_w)
    assert seen == ["meter_sign_wrong"]
    (found,) = run.findings
    assert found.since_ns == run.now_ns == unmoved_ns + 5 * NS_PER_S
    assert found.text.endswith("0.00 times as much")
    assert run.both(battery_w, grid_w) == ["meter_sign_wrong"]
    assert run.findings[0].since_ns == found.since_ns


@pytest.mark.parametrize(
    ("start_w", "end_w", "is_far"),
    [
        (500.0, 500.0, True), (-500.0, -500.0, True), (500.0, 499.9, False),
        (499.9, 500.0, False), (-499.9, -500.0, False),
    ],
)  # fmt: skip
def test_far_from_zero_is_a_tenth_of_the_rated_power_before_and_after_a_step(
    start_w, end_w, is_far
):
    run = Run()
    for battery_w, grid_w in ((0.0, start_w), (0.0, start_w * 1.0001), (5000.0, end_w)):
        run.look(battery=battery_w, grid=grid_w, seconds=(run.now_ns - T0) / NS_PER_S + 0.1)
        run.look()
    run.look(battery=5000.0, seconds=(run.now_ns - T0) / NS_PER_S + 0.1)
    (step,) = run.memory.steps
    assert step.is_far is is_far


def test_a_load_that_was_followed_hides_the_batteries_near_zero_and_is_none():
    run = ready()
    for _ in range(20):
        assert run.steps(0.0) == []
    assert run.gains == (0.0,) * 5
    assert run.memory.unmoved_ns is None


def unmoved(**more):
    return MeterMemory(
        grid_w=600.0, steps=shown(*[0.0] * 4, is_far=True), unmoved_ns=T0, stepped_ns=T0, **more
    )


@pytest.mark.parametrize(
    ("grid_w", "after_ns", "found", "is_suspect"),
    [
        (600.0, 5 * NS_PER_S, True, True), (600.0, 5 * NS_PER_S - 1, False, True),
        (500.0, 5 * NS_PER_S, True, True), (-500.0, 5 * NS_PER_S, True, True),
        (499.9, 5 * NS_PER_S, False, False), (-499.9, 5 * NS_PER_S, False, False),
        (499.9, 1, False, False),
    ],
)  # fmt: skip
def test_it_must_stay_far_from_zero_for_five_seconds(grid_w, after_ns, found, is_suspect):
    after = CHECK._stayed(unmoved(), Good(value=grid_w, time_ns=T0 + after_ns))
    assert (after.found_since_ns == T0 + after_ns) is found
    assert (after.unmoved_ns == T0) is is_suspect
    assert CHECK._stayed(MeterMemory(), Good(value=grid_w, time_ns=T0)) == MeterMemory()


def test_what_was_found_stays_found_until_the_meter_moves_with_the_batteries():
    run = ready(grid_w=600.0)
    run.steps(*[0.0] * 4)
    run.steps(0.0, after_s=5.0)
    since_ns = run.memory.found_since_ns
    assert since_ns is not None
    assert run.steps(R) == ["meter_sign_wrong"]
    assert run.memory.found_since_ns == since_ns
    assert run.steps(R) == []
    assert (run.memory.found_since_ns, run.memory.unmoved_ns) == (None, None)


def test_the_five_seconds_count_from_the_first_time_that_the_steps_showed_no_gain():
    run = ready(grid_w=600.0)
    run.steps(*[0.0] * 4)
    unmoved_ns = run.memory.unmoved_ns
    run.steps(0.0)
    assert run.memory.unmoved_ns == unmoved_ns < run.memory.stepped_ns


@pytest.mark.parametrize(("size_w", "steps"), [(500.0, 1), (-500.0, 1), (499.9, 0), (-499.9, 0)])
def test_a_step_is_a_tenth_of_the_rated_power(size_w, steps):
    run = ready()
    run.steps(W, size_w=size_w)
    assert len(run.memory.steps) == steps


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
    assert (check._step_w, check._at_rest_w, check._far_w) == (1400.0, 140.0, 1400.0)


def test_a_step_is_made_of_several_samples_while_the_batteries_are_on_their_way():
    run = ready()
    for index in range(1, 27):
        run.both(200.0 * index, -200.0 * index)
        if run.memory.steps:
            break
    assert run.memory.step[0].battery_w == 600.0
    assert run.gains == (W,)


def test_what_the_house_did_while_the_batteries_stood_still_is_no_part_of_a_step():
    run = ready()
    run.both(0.0, 1000.0)  # a kettle
    run.both(49.0, 1000.0)
    assert run.steps(R, size_w=-900.0) == []
    assert run.gains == (pytest.approx(R, abs=0.06),)
    assert run.memory.step[0].battery_w == run.memory.step[1].battery_w


@pytest.mark.parametrize("battery_w", [0.0, 3000.0])
def test_at_rest_is_less_than_a_hundredth_of_the_rated_power(battery_w):
    for moved_w, rests in ((49.9, True), (50.0, False), (-49.9, True), (-50.0, False)):
        run = Run()
        for shown_w in (*[battery_w] * 3, battery_w + moved_w, battery_w + moved_w):
            run.both(shown_w, 0.0)
        start, last = run.memory.step
        assert last.battery_w == battery_w + moved_w
        assert (start.battery_w == last.battery_w) is rests


# Two devices, each asked in its own time. -------------------------------------------------------


def test_what_the_batteries_did_when_the_meter_was_read_lies_between_their_samples():
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    run.look(grid=70.0, seconds=0.025)
    assert run.memory.battery == (T0, 0.0)
    assert run.memory.grid == (at(0.025), 70.0)
    run.look(battery=400.0, seconds=0.1)
    point = MeterSample(time_ns=at(0.025), battery_w=100.0, grid_w=70.0)
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
    assert len(run.gains) == 5


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
    assert run.memory.step[1] == MeterSample(time_ns=at(0.1), battery_w=60.0, grid_w=1.0)


def test_a_sample_of_the_meter_that_comes_late_is_passed_over():
    run = Run()
    run.look(battery=0.0, seconds=0.5)
    run.look(grid=1.0, seconds=0.4)
    run.look()
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


@pytest.mark.parametrize(("gap_s", "kept"), [(15.0, True), (15.0 + 1e-9, False)])
def test_over_a_gap_of_more_than_fifteen_seconds_no_step_is_seen(gap_s, kept):
    run = ready()
    run.both(0.0, 0.0)
    run.steps(W, after_s=gap_s)
    assert run.gains == ((W,) if kept else ())


def test_over_a_gap_of_the_meter_alone_no_step_is_seen():
    for after_s, steps in ((15.0, 1), (15.0 + 1e-9, 0)):
        run = Run()
        run.look(battery=0.0, grid=0.0, seconds=0.0)
        run.look()
        run.look(battery=0.0, seconds=7.0)
        run.look(battery=1000.0, seconds=14.0)
        run.look(battery=1000.0, grid=-1000.0, seconds=after_s)
        run.look()
        run.look(battery=1000.0, seconds=after_s + 1.0)
        assert len(run.memory.steps) == steps


def test_a_slow_step_may_take_longer_than_the_gap_between_two_samples():
    run = ready()
    for index in range(1, 11):
        run.both(60.0 * index, -60.0 * index, 7.0)
    assert run.gains == (W,)


def test_no_line_is_drawn_over_a_gap_of_the_batteries():
    for back_s, drawn in ((15.0, True), (15.0 + 1e-9, False)):
        run = Run()
        run.look(battery=0.0, grid=0.0, seconds=0.0)
        run.look(grid=7.0, seconds=14.9)
        run.look(battery=0.0, seconds=back_s)
        assert (run.memory.step is not None) is drawn
        assert run.memory.grid is None


def test_both_may_be_new_in_one_cycle_the_meter_being_the_older():
    run = Run()
    run.look(battery=0.0, grid=0.0, seconds=0.0)
    run.grid = Good(value=70.0, time_ns=at(0.05))
    run.look(battery=400.0, seconds=0.1)
    assert run.memory.step[1] == MeterSample(time_ns=at(0.05), battery_w=200.0, grid_w=70.0)


def test_a_gap_of_the_batteries_drops_what_waits_and_keeps_what_was_shown():
    run = ready()
    run.steps(W, W)
    run.look(grid=5.0, seconds=1.5)
    assert run.memory.grid is not None
    run.look(battery=0.0, seconds=16.0)
    assert (run.memory.battery, run.memory.grid) == ((at(16.0), 0.0), None)
    assert run.gains == (W, W)


@pytest.mark.parametrize("lost", ["battery", "grid"])
def test_without_one_of_both_everything_stays_as_it_is_until_it_is_forgiven(lost):
    run = ready()
    run.steps(W, W, W, W)
    before = run.memory
    setattr(run, lost, Bad(reason="lost", time_ns=run.now_ns))
    run.now_ns = before.stepped_ns + 60 * NS_PER_S - 1
    assert run.look() == ["meter_sign_wrong"]
    assert run.memory is before
    run.now_ns += 1
    assert run.look() == []


def test_a_value_that_is_told_again_is_no_sample_of_the_meter():
    """A slow meter is asked more often than it measures: what it repeats is from before."""
    run = ready()
    grid_w = run.grid.value
    for index in range(1, 30):
        run.look(battery=100.0 * index, grid=grid_w, seconds=1.0 + 0.1 * index)
    assert (run.memory.grid, run.memory.steps) == (None, ())
    assert run.memory.grid_w == grid_w
    run.look(battery=3000.0, grid=-3000.0, seconds=4.0)
    run.look(battery=3000.0, seconds=4.1)
    assert run.gains == (W,)


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
    while run.now_ns < stepped_ns + 59 * NS_PER_S:
        assert run.both(battery_w, grid_w, 1.0) == ["meter_sign_wrong"]
    assert run.both(battery_w, grid_w, 1.0) == []
    assert run.memory.steps == ()
    assert run.steps(W, W, W) == []
    assert run.steps(W) == ["meter_sign_wrong"]


@pytest.mark.parametrize(
    ("after_ns", "clears"), [(60 * NS_PER_S, True), (60 * NS_PER_S - 1, False)]
)
def test_it_is_exactly_a_minute_and_only_what_was_found_is_forgotten(after_ns, clears):
    found = MeterMemory(
        grid_w=7.0, steps=shown(*[W] * 4), unmoved_ns=T0, found_since_ns=T0 - 9, stepped_ns=T0
    )
    after = meter_sign._forgiven(found, T0 + after_ns)
    forgiven = replace(found, steps=(), unmoved_ns=None, found_since_ns=None)
    assert after == (forgiven if clears else found)
    suspect = MeterMemory(steps=shown(*[W] * 3), stepped_ns=T0)
    assert meter_sign._forgiven(suspect, T0 + after_ns) is suspect


# What holds always. -------------------------------------------------------------------------------


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
        assert len(run.memory.steps) <= 5
        assert bool(seen) is (run.memory.found_since_ns is not None)
        assert not seen or len(run.memory.steps) >= 4


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
