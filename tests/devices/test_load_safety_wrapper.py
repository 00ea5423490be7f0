"""The load switch's wrapper: off without a permit, refreshed, read back, logged and no more."""

import math
from itertools import pairwise

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.load_safety_wrapper import LoadSafetyWrapper
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.profile import load_profile
from holdfast.safety.finding import Level, Reaction
from tests.builders import LOAD, T0, load_permit_of, put, worn

RELAY, THERMOSTAT = (
    tuple(load_profile(name).points) for name in ("generic_load_switch", "generic_thermostat")
)
READBACK = {
    Point.LOAD_ON: Signal.LOAD_ON,
    Point.LOAD_REVERT_S: Signal.LOAD_REVERT_READBACK_S,
    Point.ROOM_SETPOINT_C: Signal.ROOM_SETPOINT_READBACK_C,
}
TICK_NS = 100 * NS_PER_MS
SILENT = f"{LOAD}/load_switch_load_silent"


class Run:
    """Cycles of a tenth of a second; a device that stores everything but what ``deaf`` says."""

    def __init__(self, points=RELAY, deaf=(), budgets=None, rounds=None):
        self.wrapper = (
            LoadSafetyWrapper(LOAD, points)
            if budgets is None
            else LoadSafetyWrapper(LOAD, points, worn(budgets))
        )
        self.deaf, self.rounds = set(deaf), rounds
        self.memory, self.now_ns, self.findings = {}, T0, ()
        self.stored = {Point.LOAD_ON: 0.0}
        self.written = []

    def __call__(self, permit=None, *, on=True, setpoint_c=None, after_ns=TICK_NS):
        self.now_ns += after_ns
        store = DataStore(("battery",), (LOAD,))
        for point, value in self.stored.items():
            if value is not None:
                put(store, LOAD, READBACK[point], value, self.now_ns)
        writes, self.memory, self.findings = self.wrapper.decide(
            permit or load_permit_of(),
            freeze(store.image(), self.now_ns),
            self.memory,
            on=on,
            setpoint_c=setpoint_c,
        )
        for write in writes:
            assert (write.unit, write.role) == (LOAD, Role.LOAD_SWITCH)
            self.written.append((self.now_ns, write.point, write.value))
            if write.point not in self.deaf:
                value = write.value
                self.stored[write.point] = value if self.rounds is None else self.rounds(value)
        return [(write.point, write.value) for write in writes]

    def times(self, point):
        return [time_ns for time_ns, what, _ in self.written if what is point]

    def last(self, seconds, **kwargs):
        """The writes of ``seconds`` with the same wish."""
        return [write for _ in range(round(seconds * 10)) for write in self(**kwargs)]


def test_the_first_cycle_arms_the_revert_timer_and_then_switches():
    assert Run()(on=True) == [(Point.LOAD_REVERT_S, 60.0), (Point.LOAD_ON, 1.0)]
    assert Run()(on=False) == [(Point.LOAD_REVERT_S, 60.0), (Point.LOAD_ON, 0.0)]


@pytest.mark.parametrize(
    "permit",
    [
        load_permit_of(may_run=False),
        load_permit_of(expires_ns=T0 + TICK_NS),
        load_permit_of(expires_ns=T0),
    ],
    ids=["not permitted", "expires now", "expired"],
)
def test_what_no_fresh_permit_covers_is_off_and_a_thermostat_protects_from_frost(permit):
    assert Run()(permit, on=True)[-1] == (Point.LOAD_ON, 0.0)
    assert Run(THERMOSTAT)(permit, setpoint_c=21.0) == [(Point.ROOM_SETPOINT_C, 7.0)]


def test_a_permit_covers_up_to_its_last_nanosecond():
    permit = load_permit_of(expires_ns=T0 + TICK_NS + 1)
    assert Run()(permit)[-1] == (Point.LOAD_ON, 1.0)
    assert Run(THERMOSTAT)(permit, setpoint_c=21.0) == [(Point.ROOM_SETPOINT_C, 21.0)]


@pytest.mark.parametrize(
    ("on", "setpoint_c", "told_c"),
    [
        (True, 21.5, 21.5), (True, 5.0, 5.0), (True, 35.0, 35.0), (True, 4.999, 7.0),
        (True, 35.001, 7.0), (True, math.nan, 7.0), (True, math.inf, 7.0), (True, None, 7.0),
        (True, 0.0, 7.0), (False, 21.5, 7.0),
    ],
)  # fmt: skip
def test_a_thermostat_is_told_what_can_be_a_comfort_and_else_frost_protection(
    on, setpoint_c, told_c
):
    assert Run(THERMOSTAT)(on=on, setpoint_c=setpoint_c) == [(Point.ROOM_SETPOINT_C, told_c)]


def test_a_device_that_takes_everything_is_told_everything_the_timer_first():
    run = Run(tuple(READBACK))
    assert run(setpoint_c=20.0) == [
        (Point.LOAD_REVERT_S, 60.0),
        (Point.LOAD_ON, 1.0),
        (Point.ROOM_SETPOINT_C, 20.0),
    ]
    assert Run(())() == []


@pytest.mark.parametrize("on", [True, False])
def test_who_observes_writes_nothing_and_remembers_nothing(on):
    run = Run()
    run(on=True)
    assert run(load_permit_of(may_write=False), on=on) == []
    assert run.memory == {}
    assert run.findings == ()


@pytest.mark.parametrize(
    ("points", "point", "refresh_s", "on"),
    [
        (RELAY, Point.LOAD_ON, 20, True),
        (RELAY, Point.LOAD_ON, 20, False),
        (RELAY, Point.LOAD_REVERT_S, 60, True),
        (THERMOSTAT, Point.ROOM_SETPOINT_C, 600, True),
    ],
)
def test_each_point_is_refreshed_so_often(points, point, refresh_s, on):
    """Two commands of a relay may get lost before its timer of 60 s switches it off."""
    run = Run(points)
    run.last(2 * refresh_s + 1, on=on, setpoint_c=20.0)
    gaps = [b - a for a, b in pairwise(run.times(point))]
    assert gaps == [refresh_s * NS_PER_S] * 2
    assert run.findings == ()


def test_a_switch_is_told_at_once_when_it_is_to_be_off_and_soon_when_it_is_to_be_on():
    run = Run()
    run(on=True)
    assert run(on=False, after_ns=1) == [(Point.LOAD_ON, 0.0)]
    assert run(on=True, after_ns=TICK_NS - 1) == []
    assert run(on=True, after_ns=1) == [(Point.LOAD_ON, 1.0)]


@pytest.mark.parametrize(
    ("setpoint_c", "writes"),
    [
        (20.0, []), (20.499, []), (19.501, []), (20.5, [20.5]), (19.5, [19.5]), (7.0, [7.0]),
    ],
)  # fmt: skip
def test_a_thermostat_is_told_changes_of_half_a_kelvin(setpoint_c, writes):
    run = Run(THERMOSTAT)
    run(setpoint_c=20.0)
    told = run(setpoint_c=setpoint_c)
    assert told == [(Point.ROOM_SETPOINT_C, value) for value in writes]


def test_a_thermostat_that_knows_half_kelvins_only_does_as_it_is_told():
    run = Run(THERMOSTAT, rounds=lambda value: round(2 * value) / 2)
    for setpoint_c in (20.2, 21.3, 22.75, 7.0):
        run.last(20, setpoint_c=setpoint_c)
        assert run.findings == ()
    assert len(run.written) == 4


@pytest.mark.parametrize(
    ("points", "point", "shown", "of"),
    [
        (RELAY, Point.LOAD_ON, 0.0, "load_on is to be 1, reads 0"),
        (RELAY, Point.LOAD_REVERT_S, 59.46, "load_revert_s is to be 60, reads 59.46"),
        (THERMOSTAT, Point.ROOM_SETPOINT_C, 20.26, "room_setpoint_c is to be 20, reads 20.26"),
    ],
)
def test_a_switch_that_does_not_store_what_it_is_told_is_told_again_and_then_logged(
    points, point, shown, of
):
    run = Run(points, deaf=[point])
    run.stored[point] = shown
    run.last(5, on=True, setpoint_c=20.0)
    assert len(run.times(point)) == 1  # a slow switch has five seconds
    run.last(9.9, on=True, setpoint_c=20.0)
    assert len(run.times(point)) == 3
    assert run.findings == ()
    run.last(0.5, on=True, setpoint_c=20.0)
    (found,) = run.findings
    assert (found.key, found.reaction, found.level) == (SILENT, Reaction.LOG, Level.ALARM)
    assert not found.holds_on_island
    assert of in found.text
    run.deaf.clear()  # and once it obeys, all is well again
    run.last(5.2, on=True, setpoint_c=20.0)
    assert run.findings == ()


@pytest.mark.parametrize(
    ("points", "point", "shown"),
    [
        (RELAY, Point.LOAD_ON, 0.5),
        (RELAY, Point.LOAD_REVERT_S, 59.5),
        (RELAY, Point.LOAD_REVERT_S, 60.5),
        (THERMOSTAT, Point.ROOM_SETPOINT_C, 20.25),
    ],
)
def test_what_a_device_shows_within_half_its_resolution_is_what_it_was_told(points, point, shown):
    run = Run(points, deaf=[point])
    run.stored[point] = shown
    run.last(19.9, on=True, setpoint_c=20.0)
    assert len(run.times(point)) == 1
    assert run.findings == ()


@pytest.mark.parametrize(
    ("points", "point", "by_hand"),
    [
        (RELAY, Point.LOAD_ON, 0.0),
        (RELAY, Point.LOAD_REVERT_S, 600.0),
        (THERMOSTAT, Point.ROOM_SETPOINT_C, 28.0),
    ],
)
def test_whoever_switches_by_hand_is_overruled_each_time_and_is_no_second_master(
    points, point, by_hand
):
    run = Run(points)
    run.last(6, on=True, setpoint_c=20.0)
    for _ in range(5):
        run.stored[point] = by_hand
        assert [what for what, _ in run(on=True, setpoint_c=20.0)] == [point]
        run.last(6, on=True, setpoint_c=20.0)
        assert run.findings == ()


def test_a_slow_switch_that_shows_the_last_value_for_a_while_is_no_fault():
    run = Run(deaf=[Point.LOAD_ON])
    run.last(6, on=False)
    run.last(5, on=True)
    assert run.findings == ()
    run.stored[Point.LOAD_ON] = 1.0
    run.last(30, on=True)
    assert run.findings == ()


@pytest.mark.parametrize("may_write", [True, False])
def test_a_switch_whose_state_is_not_known_is_logged_and_switched_all_the_same(may_write):
    permit = load_permit_of(may_write=may_write)
    run = Run(deaf=[Point.LOAD_ON])
    for value, since_ns, of in (
        (None, TICK_NS, "it was never heard of"),
        (math.nan, 2 * TICK_NS, "the device says that it is not available"),
    ):
        run.stored[Point.LOAD_ON] = value
        writes = run(permit)
        (found,) = run.findings
        assert (found.key, found.reaction, found.since_ns) == (
            SILENT,
            Reaction.LOG,
            T0 + since_ns,
        )
        assert of in found.text
        assert bool(writes) is (may_write and value is None)


def read_at(sampled_ns, now_ns, value=1.0):
    store = DataStore(("battery",), (LOAD,))
    put(store, LOAD, Signal.LOAD_ON, value, sampled_ns)
    return LoadSafetyWrapper(LOAD, RELAY).decide(
        load_permit_of(), freeze(store.image(), now_ns), {}, on=True, setpoint_c=None
    )


def test_a_reading_of_a_minute_is_young_enough_and_an_older_one_is_silence():
    _, _, findings = read_at(T0, T0 + 60 * NS_PER_S)
    assert findings == ()
    writes, _, (found,) = read_at(T0, T0 + 90 * NS_PER_S)
    assert found.key == SILENT
    assert found.since_ns == T0
    assert "it is silent" in found.text
    assert Write(unit=LOAD, role=Role.LOAD_SWITCH, point=Point.LOAD_ON, value=1.0) in writes


def test_a_reading_that_cannot_be_true_is_silence_since_it_came():
    _, _, (found,) = read_at(T0, T0 + NS_PER_S, value=2.0)
    assert (found.key, found.since_ns) == (SILENT, T0)


def test_a_reading_from_the_future_is_silence_from_now_on():
    _, _, (found,) = read_at(T0 + NS_PER_S, T0)
    assert (found.key, found.since_ns) == (SILENT, T0)
    assert "comes from the future" in found.text


def test_a_switch_that_did_not_obey_and_then_is_silent_says_both():
    run = Run(deaf=[Point.LOAD_ON])
    run.last(20)
    run.stored[Point.LOAD_ON] = None
    run()
    assert [found.key for found in run.findings] == [SILENT] * 2
    assert "never heard of" in run.findings[0].text


def test_a_setpoint_that_wears_out_has_its_budget_and_frost_protection_is_never_refused():
    run = Run(THERMOSTAT, budgets={Point.ROOM_SETPOINT_C: 5, Point.LOAD_ON: 1})
    for setpoint_c in (20.0, 21.0, 20.0):
        run(setpoint_c=setpoint_c)
    assert run.findings == ()
    run(setpoint_c=21.0)
    (found,) = run.findings
    assert (found.key, found.reaction) == (f"{LOAD}/load_switch_write_budget", Reaction.LOG)
    assert run(setpoint_c=20.0) == [(Point.ROOM_SETPOINT_C, 20.0)]
    assert run(setpoint_c=23.0) == []
    assert run(on=False) == [(Point.ROOM_SETPOINT_C, 7.0)]
    run.last(1300, setpoint_c=20.0)
    assert len(run.written) == 6  # nothing is refreshed


def test_without_a_budget_nothing_wears_out():
    run = Run(budgets={})
    for _ in range(200):
        run(on=True)
        run(on=False)
    assert run.findings == ()
    assert run(on=True)


def test_a_thermostat_keeps_steps_of_its_table_and_neither_switch_nor_timer_does():
    wrapper = LoadSafetyWrapper(
        LOAD, (*RELAY, *THERMOSTAT), dict.fromkeys(Point, PointTraits(step=8.0))
    )
    store = DataStore((), (LOAD,))
    snapshot = freeze(store.image(), T0)
    writes, _, _ = wrapper.decide(load_permit_of(), snapshot, {}, on=True, setpoint_c=21.0)
    assert {write.point: write.value for write in writes} == {
        Point.LOAD_REVERT_S: 60.0,
        Point.LOAD_ON: 1.0,
        Point.ROOM_SETPOINT_C: 16.0,
    }
