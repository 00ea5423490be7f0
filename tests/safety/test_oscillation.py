"""A setpoint that swings by itself is held; one that follows a hob is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Stale
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.finding import Reaction
from holdfast.safety.hold_time import hold
from holdfast.safety.oscillation import Oscillation, Swing
from tests.builders import T0, UNIT, Bench, build_site, unit_content

SITE_YAML = build_site()  # 5 kW: a turn is 500 W
CHECK = Oscillation(SITE_YAML)


class Run:
    """One unit's stored setpoint."""

    def __init__(self, check=CHECK):
        self.check, self.memory, self.now_ns, self.findings = check, {}, T0, ()

    def __call__(self, value, after_s=1.0):
        self.now_ns += round(after_s * NS_PER_S)
        return self.look(Good(value=value, time_ns=self.now_ns))

    def look(self, reading, **contactor):
        readings = {} if reading is None else {Signal.SETPOINT_READBACK_W: reading}
        for name, value in contactor.items():
            readings[Signal(name)] = Good(value=value, time_ns=self.now_ns)
        snapshot = Snapshot(time_ns=self.now_ns, readings={UNIT: readings, SITE: {}})
        self.findings, self.memory = self.check.assess(snapshot, self.memory)
        return [found.row for found in self.findings]

    def swing(self, turns, each_s, low_w=-1000.0, high_w=1000.0):
        """``turns`` of them, after a first move that is none."""
        seen = []
        for index in range(turns + 1):
            seen = self((low_w, high_w)[index % 2], each_s)
        return seen

    @property
    def kept(self):
        return self.memory[UNIT]


def started():
    """At 1000 W, so that the next sample begins to move."""
    run = Run()
    run(1000.0)
    return run


def test_ten_turns_in_half_a_minute_are_an_oscillation_and_nine_are_none():
    run = started()
    assert run.swing(9, 1.0) == []
    assert run(-1000.0) == ["setpoint_oscillation"]
    (found,) = run.findings
    assert (found.owner, found.reaction, found.since_ns) == (UNIT, Reaction.HOLD, run.now_ns)


def test_the_first_of_ten_counts_for_exactly_half_a_minute():
    run = started()
    assert run.swing(10, 30.0 / 9.0 - 1e-9) == ["setpoint_oscillation"]
    run = started()
    run(-1000.0)
    run(1000.0)
    first_ns = run.now_ns
    for index in range(8):
        run((-1000.0, 1000.0)[index % 2])
    run.now_ns = first_ns
    assert run(-1000.0, 30.0) == ["setpoint_oscillation"]
    run = started()
    run(-1000.0)
    run(1000.0)
    first_ns = run.now_ns
    for index in range(8):
        run((-1000.0, 1000.0)[index % 2])
    run.now_ns = first_ns + 1
    assert run(-1000.0, 30.0) == []


@pytest.mark.parametrize("each_s", [5.0, 6.0, 10.0])
def test_a_hob_or_a_heat_pump_is_no_oscillation(each_s):
    run = started()
    for index in range(1000):
        assert run((-3000.0, 0.0)[index % 2], each_s) == []


def test_a_turn_is_a_tenth_of_the_rated_power_in_both_directions():
    run = started()
    assert run.swing(10, 1.0, 500.0, 1000.0) == ["setpoint_oscillation"]
    run = started()
    assert run.swing(100, 1.0, 500.1, 1000.0) == []


@pytest.mark.parametrize(("charge_w", "discharge_w"), [(8000.0, 2000.0), (2000.0, 8000.0)])
def test_the_larger_of_both_ratings_is_the_measure(charge_w, discharge_w):
    site = build_site(
        unit_content(
            inverter_hardware={
                "charge_power_max_w": charge_w,
                "discharge_power_max_w": discharge_w,
            }
        )
    )
    run = Run(Oscillation(site))
    run(1000.0)
    assert run.swing(100, 1.0, 201.0, 1000.0) == []
    assert run.swing(10, 1.0, 200.0, 1000.0) == ["setpoint_oscillation"]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_turn_counts_from_the_furthest_point_and_not_from_where_it_began(sign):
    run = Run()
    for value in (0.0, 500.0, 900.0, 1400.0, 901.0):
        run(sign * value)
    assert run.kept == Swing(extreme_w=sign * 1400.0, way=round(sign), turns_ns=())
    run(sign * 900.0)
    assert run.kept == Swing(extreme_w=sign * 900.0, way=-round(sign), turns_ns=(run.now_ns,))


def test_the_first_move_is_no_turn():
    run = Run()
    assert run(100.0) == []
    assert run.kept == Swing(extreme_w=100.0, way=0, turns_ns=())
    run(599.0)
    assert run.kept == Swing(extreme_w=100.0)
    run(600.0)
    assert run.kept == Swing(extreme_w=600.0, way=1.0)
    run(600.5)
    assert run.kept == Swing(extreme_w=600.5, way=1.0)


def test_it_is_found_while_ten_turns_lie_within_the_last_half_minute():
    """Also if no sample comes any more: it is the cycle that looks back."""
    run = started()
    run.swing(10, 1.0)
    first_ns, kept = run.kept.turns_ns[0], run.kept
    run.now_ns = first_ns + 30 * NS_PER_S
    assert run.look(None) == ["setpoint_oscillation"]
    run.now_ns += 1
    assert run.look(None) == []
    run.now_ns -= 1
    assert run(kept.extreme_w, 0.0) == ["setpoint_oscillation"]
    assert run(kept.extreme_w, 1e-9) == []
    assert run.kept is kept
    # The next turn must have nine others within half a minute.
    assert run(-kept.extreme_w, 0.5) == ["setpoint_oscillation"]
    assert run(kept.extreme_w, 2.0) == []


def test_it_is_held_for_a_minute_from_when_it_was_found_first():
    """With the hold time of the table, as an assessment does it."""
    run, memory = started(), {}
    run.swing(10, 1.0)
    began_ns = run.now_ns
    (found,), memory = hold(run.findings, memory, run.now_ns)
    for index in range(20):
        run((1000.0, -1000.0)[index % 2], 2.0)
        (found,), memory = hold(run.findings, memory, run.now_ns)
        assert run.findings[0].since_ns == run.now_ns
        assert found.since_ns == began_ns
    last_ns = run.now_ns
    for after_s, there in ((59.0, True), (60.0, False)):
        shown, _ = hold((), memory, last_ns + round(after_s * NS_PER_S))
        assert [found.since_ns for found in shown] == [began_ns] * there


def test_it_is_as_bounded_as_its_memory():
    run = started()
    run.swing(200, 1.0)
    assert len(run.kept.turns_ns) == 10


def test_a_sample_that_is_read_again_or_lost_changes_nothing():
    run = started()
    run.swing(10, 1.0)
    before = run.memory
    same = Good(value=run.kept.extreme_w, time_ns=run.now_ns)
    lost = Stale(value=-same.value, time_ns=1)
    for reading in (same, lost, Bad(reason="x", time_ns=1), None):
        assert run.look(reading) == ["setpoint_oscillation"]
        assert run.memory is before
    run = Run()
    assert run.look(None) == []
    assert run.memory == {}


def test_behind_an_open_contactor_nothing_swings():
    """Who stops and starts a site again and again is no loop."""
    run = started()
    run.swing(10, 1.0)
    assert run.findings
    at_rest = Good(value=0.0, time_ns=run.now_ns)
    assert run.look(at_rest, contactor_closed=1.0) == ["setpoint_oscillation"]
    assert run.look(at_rest, contactor_closed=0.0) == []
    assert run.kept == Swing(extreme_w=0.0)
    assert run.swing(9, 1.0) == []
    assert run.swing(1, 1.0) == ["setpoint_oscillation"]


def test_a_unit_does_not_answer_for_its_neighbour():
    site = build_site(unit_content("left"), unit_content("right"))
    check, memory = Oscillation(site), {}
    for step in range(12):
        now_ns = T0 + step * NS_PER_S
        swinging = {Signal.SETPOINT_READBACK_W: Good(value=2000.0 * (step % 2), time_ns=now_ns)}
        still = {Signal.SETPOINT_READBACK_W: Good(value=0.0, time_ns=now_ns)}
        snapshot = Snapshot(time_ns=now_ns, readings={"left": still, "right": swinging})
        findings, memory = check.assess(snapshot, memory)
    assert [found.owner for found in findings] == ["right"]
    assert set(memory) == {"left", "right"}


def test_while_it_swings_the_setpoint_may_only_approach_zero():
    """What the finding does, from the stored setpoint to the permit, on a running site."""
    bench = Bench()
    bench.start()
    for index in range(12):
        bench.set(Signal.SETPOINT_READBACK_W, (0.0, 2000.0)[index % 2])
        for flows in (Signal.BATTERY_POWER_W, Signal.BATTERY_CURRENT_A):
            bench.set(flows, 0.0)  # or what flows unasked would trip
        record = bench.step()
    assert "setpoint_oscillation" in {found.row for found in record.assessment.findings}
    permit = record.permits[UNIT]
    assert not permit.may_increase
    assert permit.envelope.min_w < 0.0 < permit.envelope.max_w


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([-5000.0, 0.0, 5000.0])),
            st.sampled_from([0.0, 0.02, 0.1, 1.0, 5.0, 100.0]),
        ),
        max_size=80,
    )
)
def test_whatever_comes_it_neither_fails_nor_grows_and_is_found_only_with_ten_moves(steps):
    run, moves, last = Run(), 0, None
    for value, after_s in steps:
        run.now_ns += round(after_s * NS_PER_S)
        seen = run.look(None if value is None else Good(value=value, time_ns=run.now_ns))
        if value is not None:
            moves += last is not None and abs(value - last) > 0.0
            last = value
        if moves < 11:
            assert seen == []
        assert all(len(swing.turns_ns) <= 10 for swing in run.memory.values())


@given(
    st.lists(st.tuples(st.floats(-5000.0, 5000.0), st.floats(5.0, 60.0)), min_size=20, max_size=60)
)
def test_no_sequence_with_five_seconds_between_its_moves_is_an_oscillation(moves):
    run = Run()
    for value, after_s in moves:
        assert run(value, after_s) == []
