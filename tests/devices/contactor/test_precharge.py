"""The precharge: the main contactor closes onto a charged link or not at all."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.contactor.memory import Phase, RelayMemory, Wear, waits_to_open
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.safety.finding import Level, Reaction
from tests.builders import T0, UNIT, build_site, permit_of, put

POINTS = {Point.CONTACTOR, Point.PRECHARGE}
CONTROLLER = RelayController(build_site().storage[0], POINTS)  # breaks below 5 A
MAY, MUST_NOT = permit_of(), permit_of(may_connect=False, may_run=False)
MAIN, PRE = Point.CONTACTOR, Point.PRECHARGE


class Board:
    """Readings as a test sets them; all are sampled anew right before each cycle."""

    def __init__(self, **readings):
        self.store, self.memory, self.now_ns = DataStore((UNIT,)), RelayMemory(), T0
        self.readings = {
            Signal.PACK_VOLTAGE_V: 52.0,
            Signal.DC_LINK_VOLTAGE_V: 0.0,
            Signal.BATTERY_CURRENT_A: 0.0,
            Signal.BATTERY_POWER_W: 0.0,
            Signal.CONTACTOR_CLOSED: 0.0,
            Signal.PRECHARGE_CLOSED: 0.0,
        }
        self.coils = {MAIN: None, PRE: None}
        """What was last written."""
        self.follows = True
        """Feedbacks follow the coils."""
        self.findings = ()
        self.set(**readings)

    def set(self, **readings):
        for name, value in readings.items():
            self.readings[Signal[name]] = value

    def step(self, permit=MAY, ms=20, at_once=False, **readings):
        """One cycle; what it wrote, by point."""
        self.now_ns += ms * NS_PER_MS
        self.set(**readings)
        for signal, value in self.readings.items():
            if value is not None:
                put(self.store, UNIT, signal, value, self.now_ns)
        return self.decide(permit, at_once=at_once)

    def decide(self, permit=MAY, at_once=False):
        snapshot = freeze(self.store.image(), self.now_ns)
        writes, self.memory, self.findings = CONTROLLER.decide(
            permit, snapshot, self.memory, at_once=at_once
        )
        written = {write.point: write.value for write in writes}
        assert all((w.unit, w.role) == (UNIT, Role.RELAYS) for w in writes)
        self.coils |= written
        if self.follows:
            self.set(CONTACTOR_CLOSED=self.coils[MAIN], PRECHARGE_CLOSED=self.coils[PRE])
        return written

    def run(self, seconds, permit=MAY, ms=20, **readings):
        for _ in range(round(seconds * 1000 / ms)):
            self.step(permit, ms, **readings)

    @property
    def phase(self):
        return self.memory.phase

    @property
    def faults(self):
        return [found.row for found in self.findings]

    def to_precharge(self):
        self.step(MUST_NOT)
        self.step()
        assert self.phase is Phase.PRECHARGE

    def to_closing(self):
        self.to_precharge()
        for link_v in (10.0, 20.0, 30.0, 40.0, 48.0, 50.0):
            self.step(ms=50, DC_LINK_VOLTAGE_V=link_v)
        self.step(ms=50, DC_LINK_VOLTAGE_V=51.5)
        assert self.phase is Phase.CLOSING

    def to_closed(self):
        self.to_closing()
        self.step(DC_LINK_VOLTAGE_V=52.0)
        assert self.phase is Phase.CLOSED


# The way it should go. --------------------------------------------------------------------------


def test_a_healthy_start_precharges_closes_and_switches_the_precharge_off():
    board = Board()
    assert board.step(MUST_NOT) == {MAIN: 0.0, PRE: 0.0}
    assert board.step() == {PRE: 1.0}
    assert board.step(ms=100, DC_LINK_VOLTAGE_V=20.0, BATTERY_CURRENT_A=-1.6) == {}
    assert board.step(ms=500, DC_LINK_VOLTAGE_V=51.2, BATTERY_CURRENT_A=-0.1) == {MAIN: 1.0}
    assert not CONTROLLER.is_ready(board.memory)
    assert board.step(DC_LINK_VOLTAGE_V=52.0) == {PRE: 0.0}
    assert CONTROLLER.is_ready(board.memory)
    assert board.phase is Phase.CLOSED
    board.run(30, ms=500)
    assert board.findings == ()
    assert board.memory.wear == Wear(closings=1)


def test_without_leave_nothing_begins():
    board = Board()
    board.run(60, MUST_NOT, ms=100)
    board.step(permit_of(expires_ns=T0))
    assert (board.phase, board.coils) == (Phase.OPEN, {MAIN: 0.0, PRE: 0.0})


def test_who_observes_moves_nothing_and_keeps_the_count():
    board = Board()
    board.to_closed()
    assert board.step(permit_of(may_write=False)) == {}
    assert board.memory == RelayMemory(wear=Wear(closings=1))


@pytest.mark.parametrize(
    "readings",
    [
        {"CONTACTOR_CLOSED": 1.0},
        {"CONTACTOR_CLOSED": None},
        {"PRECHARGE_CLOSED": 1.0},
        {"PRECHARGE_CLOSED": math.nan},
        {"DC_LINK_VOLTAGE_V": None},
        {"DC_LINK_VOLTAGE_V": 51.5},
        {"DC_LINK_VOLTAGE_V": math.nan},
        {"PACK_VOLTAGE_V": None},
    ],
)
def test_a_precharge_does_not_begin_unless_everything_is_known_and_open(readings):
    board = Board(**readings)
    board.follows = False
    for _ in range(30):
        written = board.step(ms=100)
        assert 1.0 not in written.values()


def test_a_board_without_a_precharge_feedback_is_served_too():
    board = Board(PRECHARGE_CLOSED=None)
    board.follows = False
    for _ in range(2):
        board.step()
    assert board.phase is Phase.PRECHARGE


# When it is complete. ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "complete"),
    [
        ({"DC_LINK_VOLTAGE_V": 51.1}, True),
        ({"DC_LINK_VOLTAGE_V": 52.9}, True),
        ({"DC_LINK_VOLTAGE_V": 51.0}, False),
        ({"DC_LINK_VOLTAGE_V": 53.0}, False),
        ({"DC_LINK_VOLTAGE_V": 50.9}, False),
        ({"DC_LINK_VOLTAGE_V": 53.1}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": 0.1}, True),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": -0.1}, True),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": 0.149}, True),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": 0.15}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": -0.15}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": 0.2}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": -0.2}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "BATTERY_CURRENT_A": math.nan}, False),
        ({"DC_LINK_VOLTAGE_V": math.nan}, False),
        ({"DC_LINK_VOLTAGE_V": 52.0, "PACK_VOLTAGE_V": math.nan}, False),
    ],
)
def test_it_takes_voltage_and_current_to_complete(readings, complete):
    board = Board()
    board.to_precharge()
    board.step(ms=500, **readings)
    assert (board.phase is Phase.CLOSING) is complete
    assert board.coils[MAIN] == float(complete)


@pytest.mark.parametrize(
    "old", [Signal.PACK_VOLTAGE_V, Signal.DC_LINK_VOLTAGE_V, Signal.BATTERY_CURRENT_A]
)
def test_a_measurement_from_before_the_command_proves_nothing(old):
    board = Board()
    board.to_precharge()
    if old is Signal.DC_LINK_VOLTAGE_V:
        # As if it had been read in the very moment of the command.
        put(board.store, UNIT, old, 52.0, board.memory.since_ns)
    kept = board.readings.pop(old)
    for _ in range(3):
        board.step(ms=200, **({} if old is Signal.DC_LINK_VOLTAGE_V else {"DC_LINK_VOLTAGE_V": 52}))
        assert board.phase is Phase.PRECHARGE
    board.step(ms=200, **{old.name: kept, "DC_LINK_VOLTAGE_V": 52.0})
    assert board.phase is Phase.CLOSING


def test_too_slow_is_given_up_after_two_seconds_and_tried_again_after_three():
    board = Board()
    board.to_precharge()
    began_ns = board.memory.since_ns
    while board.phase is Phase.PRECHARGE:
        board.step(DC_LINK_VOLTAGE_V=40.0)
    assert board.now_ns - began_ns == 2020 * NS_PER_MS
    assert board.coils == {MAIN: 0.0, PRE: 0.0}
    assert board.findings == ()
    gone_ns = board.now_ns
    while board.phase is Phase.OPEN:
        board.step()
    assert board.now_ns - gone_ns == 3 * NS_PER_S


def test_after_three_tries_it_is_locked_out_for_ten_seconds_and_until_leave_is_withdrawn():
    board = Board()
    began = []
    while board.phase is not Phase.LOCKED_OUT:
        before = board.coils[PRE]
        board.step()
        if board.coils[PRE] == 1.0 and before != 1.0:
            began.append(board.now_ns)
    assert len(began) == 3
    assert min(b - a for a, b in itertools.pairwise(began)) >= 5 * NS_PER_S
    assert board.faults == ["relays_precharge_failed"]
    assert "3 tries, too slow, link 0.0 V, pack 52.0 V" in board.findings[0].text
    assert board.coils == {MAIN: 0.0, PRE: 0.0}
    locked_ns = board.now_ns
    board.run(9.9, MUST_NOT)
    assert board.faults == ["relays_precharge_failed"]
    board.run(60, MAY, ms=500)
    assert board.phase is Phase.LOCKED_OUT
    board.step(MUST_NOT)
    assert (board.phase, board.findings) == (Phase.OPEN, ())
    assert board.now_ns - locked_ns > 10 * NS_PER_S
    board.step()
    assert board.phase is Phase.PRECHARGE


@pytest.mark.parametrize("late_ms", [10, 60, 400])
def test_a_link_that_is_full_at_once_is_no_precharge_however_late_the_write_arrives(late_ms):
    board = Board()
    board.to_precharge()
    for _ in range(late_ms // 50):
        board.step(ms=50, DC_LINK_VOLTAGE_V=0.0)
    board.step(ms=50, DC_LINK_VOLTAGE_V=51.9)
    assert board.phase is Phase.OPEN
    assert board.memory.tries == 1
    assert board.coils == {MAIN: 0.0, PRE: 0.0}


def test_after_a_precharge_that_was_too_quick_the_next_waits_for_a_discharged_link():
    board = Board()
    board.to_precharge()
    board.step(ms=50, DC_LINK_VOLTAGE_V=51.9)
    board.run(60, ms=500, DC_LINK_VOLTAGE_V=26.1)
    assert board.phase is Phase.OPEN
    board.step(DC_LINK_VOLTAGE_V=25.9)
    assert board.phase is Phase.PRECHARGE


def quick(link_v=30.0, **readings):
    """A board whose precharge was too quick, and whose link has been at ``link_v`` since."""
    board = Board()
    board.to_precharge()
    board.step(ms=50, DC_LINK_VOLTAGE_V=51.9)
    assert board.phase is Phase.OPEN
    board.began_ns = board.now_ns
    board.set(**{"DC_LINK_VOLTAGE_V": link_v, **readings})
    return board


def test_while_it_waits_for_the_link_to_discharge_that_is_said():
    board = quick()
    assert board.findings == ()  # no sample yet
    for _ in range(50):
        board.step(ms=1000)
        (found,) = board.findings
        assert (found.key, found.reaction) == ("battery/relays_precharge_waits", Reaction.LOG)
        assert (found.since_ns, found.level) == (board.began_ns, Level.ALARM)
        assert "link 30.0 V, pack 52.0 V" in found.text
    board.step(DC_LINK_VOLTAGE_V=25.9)
    assert (board.phase, board.findings) == (Phase.PRECHARGE, ())
    board.step(ms=120, DC_LINK_VOLTAGE_V=40.0)
    assert (board.phase, board.findings) == (Phase.PRECHARGE, ())


def test_what_else_is_wrong_is_told_while_it_waits():
    board = quick()
    board.follows = False
    board.run(8.0, PRECHARGE_CLOSED=1.0)
    assert board.faults == ["relays_contactor_stuck", "relays_precharge_waits"]


def test_a_link_that_never_discharges_locks_out_after_five_minutes():
    board = quick()
    board.run(300, ms=1000)
    assert (board.phase, board.faults) == (Phase.OPEN, ["relays_precharge_waits"])
    board.step(ms=1)
    assert (board.phase, board.faults) == (Phase.LOCKED_OUT, ["relays_precharge_failed"])
    (fault,) = board.findings
    assert fault.reaction is Reaction.TRIP
    assert "too quick, and the link stays charged, link 30.0 V" in fault.text
    board.step()
    assert board.findings == (fault,)
    # An operator resets: another try.
    board.run(10.1, MUST_NOT, ms=100)
    board.step()
    assert (board.phase, board.findings) == (Phase.PRECHARGE, ())


def test_the_link_has_its_five_minutes_without_leave_too():
    board = quick()
    board.run(400, MUST_NOT, ms=1000)
    assert (board.phase, board.findings) == (Phase.OPEN, ())
    board.step()
    assert board.faults == ["relays_precharge_failed"]


@pytest.mark.parametrize("lost", ["DC_LINK_VOLTAGE_V", "PACK_VOLTAGE_V"])
def test_a_link_of_which_nothing_is_known_is_not_said_to_stay_charged(lost):
    """That the data are lost is a finding of its own."""
    board = quick(**{lost: None})
    board.run(400, ms=1000)
    assert (board.phase, board.findings) == (Phase.OPEN, ())


def test_a_link_at_the_packs_voltage_is_a_weld_long_before():
    board = quick(link_v=51.9)
    board.run(10, ms=1000)
    assert board.faults == ["relays_contactor_welded"]


def test_a_link_that_is_still_half_charged_may_be_full_at_once():
    board = Board(DC_LINK_VOLTAGE_V=45.0)
    board.to_precharge()
    board.step(ms=50, DC_LINK_VOLTAGE_V=51.5)
    assert board.phase is Phase.CLOSING


@pytest.mark.parametrize(("ms", "quick"), [(50, True), (100, True), (101, False), (200, False)])
def test_from_discharged_to_full_a_capacitor_takes_more_than_a_hundred_milliseconds(ms, quick):
    board = Board()
    board.to_precharge()
    board.step(ms=300, DC_LINK_VOLTAGE_V=25.9)  # the last sample that counts as discharged
    board.step(ms=ms, DC_LINK_VOLTAGE_V=51.9)
    assert board.coils == {MAIN: float(not quick), PRE: float(not quick)}
    assert board.memory.was_quick is quick


@pytest.mark.parametrize("link_v", [51.0, 53.0, 60.0])
def test_a_link_that_is_not_at_the_packs_voltage_is_not_full(link_v):
    board = Board()
    board.to_precharge()
    board.step(ms=50, DC_LINK_VOLTAGE_V=link_v)
    assert board.phase is Phase.PRECHARGE
    assert board.memory.tries == 0


def test_leave_that_is_withdrawn_during_the_precharge_ends_it_at_once():
    board = Board()
    board.to_precharge()
    assert board.step(MUST_NOT) == {PRE: 0.0}
    board.run(2.9)
    assert board.phase is Phase.OPEN
    board.run(0.2)
    assert board.phase is Phase.PRECHARGE
    assert board.memory.tries == 0


def test_after_a_success_there_are_three_tries_again():
    board = Board()
    board.run(9.0)
    assert board.memory.tries == 2
    board.run(3.0, MUST_NOT)
    board.to_closed()
    assert board.memory.tries == 0
    board.step(MUST_NOT)
    board.step(MUST_NOT)
    board.run(13.0, DC_LINK_VOLTAGE_V=0.0)  # two tries of 2 s, 3 s before each
    assert (board.findings, board.memory.tries) == ((), 2)


def test_after_a_lockout_there_are_three_tries_again_and_no_link_needs_to_be_discharged():
    board = Board()
    board.to_precharge()
    board.step(ms=50, DC_LINK_VOLTAGE_V=51.9)
    assert board.memory.was_quick
    board.run(13.0, DC_LINK_VOLTAGE_V=20.0)
    assert board.faults == ["relays_precharge_failed"]
    board.run(10.1, MUST_NOT)
    assert (board.phase, board.memory.tries, board.memory.fault) == (Phase.OPEN, 0, None)
    board.step(DC_LINK_VOLTAGE_V=40.0)
    assert board.phase is Phase.PRECHARGE
    board.run(9.0)
    assert (board.findings, board.memory.tries) == ((), 2)


@pytest.mark.parametrize("link_v", [None, 52.0, 40.0])
def test_a_lockout_that_is_not_for_a_weld_ends_after_exactly_ten_seconds_whatever_the_link(link_v):
    board = Board()
    while board.phase is not Phase.LOCKED_OUT and board.now_ns < T0 + 60 * NS_PER_S:
        board.step()
    assert board.faults == ["relays_precharge_failed"]
    locked_ns = board.now_ns
    while board.phase is Phase.LOCKED_OUT and board.now_ns < locked_ns + 20 * NS_PER_S:
        board.step(MUST_NOT, DC_LINK_VOLTAGE_V=link_v)
    assert board.now_ns - locked_ns == 10 * NS_PER_S


def test_two_failed_tries_are_remembered_over_a_leave_that_was_withdrawn():
    board = Board()
    board.run(9.0)
    assert board.memory.tries == 2
    board.run(1.0, MUST_NOT)
    board.run(5.0)
    assert board.faults == ["relays_precharge_failed"]


def test_a_contactor_that_shows_closed_during_the_precharge_trips():
    board = Board()
    board.to_precharge()
    board.step(CONTACTOR_CLOSED=1.0)
    assert board.phase is Phase.LOCKED_OUT
    assert board.faults == ["relays_contactor_stuck"]
    assert board.coils == {MAIN: 0.0, PRE: 0.0}


# Closing and closed. ----------------------------------------------------------------------------


def test_a_feedback_that_does_not_come_within_five_seconds_trips():
    board = Board()
    board.to_closing()
    began_ns = board.memory.since_ns
    while board.phase is Phase.CLOSING:
        board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=51.9)
    assert board.now_ns - began_ns == 5020 * NS_PER_MS
    assert "relays_contactor_stuck" in board.faults
    board.run(0.1, CONTACTOR_CLOSED=0.0)
    assert (board.phase, board.coils) == (Phase.LOCKED_OUT, {MAIN: 0.0, PRE: 0.0})


def test_a_link_that_falls_while_the_contactor_is_awaited_takes_the_command_back():
    board = Board()
    board.to_closing()
    board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=50.1)  # another 0.9 V are a sensor's noise
    assert board.phase is Phase.CLOSING
    board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=49.9)
    board.step(CONTACTOR_CLOSED=0.0)
    assert (board.phase, board.memory.tries) == (Phase.OPEN, 1)
    assert board.coils == {MAIN: 0.0, PRE: 0.0}


def test_while_the_contactor_is_awaited_the_link_may_be_two_volts_away_and_no_more():
    board = Board()
    board.to_closing()
    board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=50.001)
    assert board.phase is Phase.CLOSING
    board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=50.0)
    assert (board.phase, board.memory.tries) == (Phase.OPENING, 1)


def test_a_link_that_cannot_be_read_while_the_contactor_is_awaited_changes_nothing():
    board = Board()
    board.to_closing()
    board.step(CONTACTOR_CLOSED=0.0, DC_LINK_VOLTAGE_V=None)
    assert (board.phase, board.findings) == (Phase.CLOSING, ())
    board.step(CONTACTOR_CLOSED=1.0)
    assert board.phase is Phase.CLOSED


def test_one_sample_that_shows_open_is_none_and_two_in_a_row_have_to_be_two_samples():
    board = Board()
    board.to_closed()
    board.run(1.0)
    for _ in range(3):
        assert MAIN not in board.step(CONTACTOR_CLOSED=0.0, BATTERY_POWER_W=3000.0)
        for _ in range(5):  # read again
            assert MAIN not in board.decide()
        assert (board.phase, board.faults) == (Phase.CLOSED, [])
        assert MAIN not in board.step(CONTACTOR_CLOSED=1.0)
        assert board.memory.open_ns is None


def test_a_feedback_that_is_lost_between_two_samples_that_show_open_begins_anew():
    board = Board()
    board.to_closed()
    board.step(CONTACTOR_CLOSED=0.0)
    board.step(CONTACTOR_CLOSED=math.nan)
    assert board.memory.open_ns is None
    board.step(CONTACTOR_CLOSED=0.0)
    assert (board.phase, board.faults) == (Phase.CLOSED, [])


def test_a_contactor_that_shows_open_while_closed_trips_and_is_not_closed_again():
    board = Board()
    board.to_closed()
    board.run(1.0)
    board.step(CONTACTOR_CLOSED=0.0, BATTERY_POWER_W=3000.0)
    assert board.faults == []
    written = board.step(CONTACTOR_CLOSED=0.0, BATTERY_POWER_W=3000.0)
    assert MAIN not in written  # it may be the feedback that lies
    assert board.memory.open_ns is None
    assert board.faults == ["relays_contactor_dropped"]
    assert "it shows open though told to be closed" in board.findings[0].text
    board.follows = False
    for _ in range(200):
        assert board.step().get(MAIN) != 1.0
    assert board.coils[MAIN] == 0.0
    assert board.phase is Phase.LOCKED_OUT


# Opening. ---------------------------------------------------------------------------------------


def test_it_opens_when_a_measurement_after_the_order_is_below_the_break_current():
    board = Board()
    board.to_closed()
    assert board.step(MUST_NOT, BATTERY_POWER_W=3000.0) == {}
    assert board.step(MUST_NOT, BATTERY_POWER_W=260.0) == {}  # 5 A
    assert board.step(MUST_NOT, BATTERY_POWER_W=250.0) == {MAIN: 0.0}
    assert board.memory.wear == Wear(closings=1)
    board.run(2.9, DC_LINK_VOLTAGE_V=40.0)
    assert board.coils[PRE] == 0.0
    board.run(0.2)
    assert board.phase is Phase.PRECHARGE


def test_it_tells_while_it_waits_to_open():
    board = Board()
    board.to_closed()
    assert not waits_to_open(board.memory)
    board.step(MUST_NOT, BATTERY_POWER_W=-2000.0)
    assert board.phase is Phase.OPENING
    assert waits_to_open(board.memory)
    board.step(MUST_NOT, BATTERY_POWER_W=0.0)
    assert board.phase is Phase.OPEN
    assert not waits_to_open(board.memory)


def test_without_leave_to_close_no_precharge_begins_and_one_that_runs_ends():
    not_now = permit_of(may_close=False)
    board = Board()
    board.run(1.0, not_now)
    assert board.phase is Phase.OPEN
    board = Board()
    board.to_precharge()
    board.step(not_now)
    assert board.phase is Phase.OPEN
    board = Board()
    board.to_closed()
    board.step(not_now)
    assert board.phase is Phase.CLOSED


def test_one_that_is_about_to_close_and_may_not_any_more_is_told_to_open():
    board = Board()
    board.to_closing()
    board.step(permit_of(may_close=False))
    assert board.phase is Phase.OPENING
    board.run(0.1, permit_of(may_close=False))
    assert (board.phase, board.coils) == (Phase.OPEN, {MAIN: 0.0, PRE: 0.0})


@pytest.mark.parametrize(("shows", "told"), [(1.0, {MAIN: 1.0, PRE: 0.0}), (None, {PRE: 0.0})])
def test_a_closed_contactor_is_told_again_only_while_it_shows_closed(shows, told):
    """What may have fallen open unseen would close under load."""
    board = Board()
    board.to_closed()
    board.follows = False
    written = {}
    for _ in range(12):
        written |= board.step(permit_of(may_close=False), ms=1000, CONTACTOR_CLOSED=shows)
    assert written == told
    assert (board.phase, board.findings) == (Phase.CLOSED, ())


def test_it_opens_after_a_second_at_the_latest_and_a_new_leave_does_not_stop_that():
    board = Board()
    board.to_closed()
    ordered_ns = board.now_ns + 20 * NS_PER_MS
    board.step(MUST_NOT, BATTERY_POWER_W=3000.0)
    while board.coils[MAIN] == 1.0:
        board.step(MAY)
    assert board.now_ns - ordered_ns == NS_PER_S
    assert board.memory.wear == Wear(closings=1, openings_under_load=1)


def test_at_once_opens_under_load():
    board = Board()
    board.to_closed()
    assert board.step(MUST_NOT, at_once=True, BATTERY_POWER_W=3000.0) == {MAIN: 0.0}
    assert board.memory.wear == Wear(closings=1, openings_under_load=1)


@pytest.mark.parametrize(("power_w", "loaded"), [(250.0, 0), (260.0, 1)])
def test_an_opening_at_once_counts_by_what_was_last_measured(power_w, loaded):
    board = Board()
    board.to_closed()
    assert board.step(MUST_NOT, at_once=True, BATTERY_POWER_W=power_w) == {MAIN: 0.0}
    assert board.memory.wear == Wear(closings=1, openings_under_load=loaded)


def test_an_opening_of_what_was_not_told_to_close_is_not_counted():
    board = Board(CONTACTOR_CLOSED=1.0, BATTERY_POWER_W=3000.0)  # as after a restart
    board.run(1.5, MUST_NOT)
    assert (board.phase, board.coils[MAIN], board.memory.wear) == (Phase.OPEN, 0.0, Wear())
    board.memory = replace(board.memory, phase=Phase.OPENING)
    board.run(1.5, MUST_NOT)
    assert (board.phase, board.memory.wear) == (Phase.OPEN, Wear())


def test_leave_that_is_withdrawn_while_closing_opens_both():
    board = Board()
    board.to_closing()
    assert board.step(MUST_NOT) == {PRE: 0.0}
    assert board.step(MUST_NOT) == {MAIN: 0.0}


@pytest.mark.parametrize("closed", [1.0, None])
def test_after_a_restart_a_contactor_that_may_be_closed_is_opened_and_not_kept(closed):
    board = Board(CONTACTOR_CLOSED=closed, BATTERY_POWER_W=3000.0, DC_LINK_VOLTAGE_V=52.0)
    board.follows = False
    written = [board.step(MAY) for _ in range(60)]
    assert all(w.get(MAIN) != 1.0 for w in written)
    assert next(i for i, w in enumerate(written) if MAIN in w) == 50  # after a second


# Welded. ----------------------------------------------------------------------------------------


def test_a_feedback_that_stays_closed_after_the_opening_is_found():
    board = Board()
    board.to_closed()
    board.follows = False
    board.run(8.0, MUST_NOT)
    assert board.faults == ["relays_contactor_stuck"]


def test_a_feedback_that_shows_closed_without_leave_is_first_told_again_to_open():
    board = Board()
    board.run(2.0, MUST_NOT)
    board.follows = False
    written = [board.step(MUST_NOT, CONTACTOR_CLOSED=1.0) for _ in range(100)]
    assert {MAIN: 0.0} in written
    assert (board.phase, board.findings) == (Phase.OPEN, ())
    board.run(5.0, MUST_NOT)
    assert (board.phase, board.faults) == (Phase.OPEN, ["relays_contactor_stuck"])


def test_a_contact_has_a_second_to_open_before_it_counts_as_moved_by_itself():
    board = Board()
    board.to_closed()
    board.step(MUST_NOT)
    board.step(MUST_NOT)
    assert board.phase is Phase.OPEN
    opened_ns, board.follows = board.memory.since_ns, False
    while board.phase is Phase.OPEN and board.now_ns < opened_ns + 9 * NS_PER_S:
        board.step(MAY, CONTACTOR_CLOSED=1.0)
    assert (board.phase, board.faults) == (Phase.LOCKED_OUT, ["relays_contactor_stuck"])
    assert board.now_ns - opened_ns == 1020 * NS_PER_MS


def test_what_else_is_wrong_is_told_beside_the_reason_of_a_lockout():
    board = Board(DC_LINK_VOLTAGE_V=51.8, PRECHARGE_CLOSED=1.0)
    board.follows = False
    board.run(11.0, MUST_NOT, ms=100)
    assert board.faults == ["relays_contactor_welded", "relays_contactor_stuck"]


def test_a_reason_of_a_lockout_that_is_found_twice_is_told_once():
    board = Board()
    board.follows = False
    board.run(2.0, DC_LINK_VOLTAGE_V=None)
    board.step(CONTACTOR_CLOSED=1.0)
    board.run(9.0)
    assert board.memory.points[MAIN].ignored_since_ns is not None
    assert board.findings == (board.memory.fault,)
    assert board.faults == ["relays_contactor_stuck"]


@pytest.mark.parametrize("permit", [MAY, MUST_NOT])
def test_a_link_that_stays_at_the_packs_voltage_shows_a_weld(permit):
    board = Board(DC_LINK_VOLTAGE_V=51.8)
    board.run(9.9, permit, ms=100)
    assert board.findings == ()
    assert board.coils == {MAIN: 0.0, PRE: 0.0}
    board.run(0.3, permit, ms=100)
    assert board.faults == ["relays_contactor_welded"]
    board.run(60, MUST_NOT, ms=100)
    assert board.faults == ["relays_contactor_welded"]  # as long as it is there
    board.run(9.9, MUST_NOT, ms=100, DC_LINK_VOLTAGE_V=None)  # and as long as nobody knows
    assert board.faults == ["relays_contactor_welded"]
    board.run(10.2, MUST_NOT, ms=100, DC_LINK_VOLTAGE_V=20.0)
    assert (board.findings, board.phase) == ((), Phase.OPEN)


@pytest.mark.parametrize(("link_v", "welded"), [(51.01, True), (51.0, False), (53.0, False)])
def test_a_link_within_a_volt_of_the_packs_voltage_for_ten_seconds_shows_a_weld(link_v, welded):
    board = Board(DC_LINK_VOLTAGE_V=link_v)
    board.step(MUST_NOT, ms=100)
    began_ns = board.memory.since_ns
    while board.phase is Phase.OPEN and board.now_ns < began_ns + 30 * NS_PER_S:
        board.step(MUST_NOT, ms=100)
    assert board.now_ns - began_ns == (10 if welded else 30) * NS_PER_S
    assert board.faults == (["relays_contactor_welded"] if welded else [])


@pytest.mark.parametrize("readings", [{}, {"DC_LINK_VOLTAGE_V": 0.0, "BATTERY_CURRENT_A": -2.0}])
def test_a_weld_stays_told_in_every_cycle_in_which_it_shows(readings):
    board = Board(DC_LINK_VOLTAGE_V=51.8)
    board.run(10.3, MUST_NOT, ms=100)
    for _ in range(300):
        board.step(MUST_NOT, ms=100, **readings)
        assert (board.phase, board.faults) == (Phase.LOCKED_OUT, ["relays_contactor_welded"])


@pytest.mark.parametrize("link_v", [51.0, 53.0])
def test_a_link_that_has_come_apart_by_a_volt_shows_no_weld_any_more(link_v):
    board = Board(DC_LINK_VOLTAGE_V=51.8)
    board.run(10.3, MUST_NOT, ms=100)
    assert board.phase is Phase.LOCKED_OUT
    board.run(10.2, MUST_NOT, ms=100, DC_LINK_VOLTAGE_V=link_v)
    assert (board.phase, board.findings) == (Phase.OPEN, ())


def test_a_link_that_discharges_slowly_only_delays_the_next_start():
    board = Board()
    board.to_closed()
    board.step(MUST_NOT)
    board.step(MUST_NOT)
    for tenths in range(70):
        board.step(MAY, ms=100, DC_LINK_VOLTAGE_V=52.0 - 0.02 * tenths)
        assert (board.phase is Phase.PRECHARGE) is (tenths >= 50)
        if tenths >= 50:
            break
    board.step(MAY, ms=50, DC_LINK_VOLTAGE_V=51.9)
    assert (board.phase, board.findings) == (Phase.CLOSING, ())


def test_current_through_an_open_contactor_shows_a_weld_in_two_samples():
    board = Board()
    board.run(2.0, MUST_NOT)
    board.step(MUST_NOT, BATTERY_CURRENT_A=-1.1)
    board.now_ns += 20 * NS_PER_MS
    board.decide(MUST_NOT)  # the same sample once more
    assert board.findings == ()
    board.step(MUST_NOT)
    assert board.faults == ["relays_contactor_welded"]
    assert "-1.1 A" in board.findings[0].text


@pytest.mark.parametrize(
    "readings",
    [{"BATTERY_CURRENT_A": 1.0}, {"BATTERY_CURRENT_A": -5.0, "CONTACTOR_CLOSED": None}],
)
def test_what_may_be_a_sensors_error_is_no_weld(readings):
    board = Board()
    board.follows = False
    board.run(5.0, MUST_NOT, **readings)
    assert "relays_contactor_welded" not in board.faults


def test_the_first_sample_that_speaks_of_a_weld_is_taken_more_than_a_second_after_the_opening():
    board = Board()
    board.step(MUST_NOT)
    opened_ns = board.memory.since_ns
    while board.phase is Phase.OPEN and board.now_ns < opened_ns + 9 * NS_PER_S:
        board.step(MUST_NOT, BATTERY_CURRENT_A=-60.0)
    assert board.faults == ["relays_contactor_welded"]
    assert board.now_ns - opened_ns == 1040 * NS_PER_MS  # it takes two


def test_current_right_after_the_opening_is_an_old_average():
    board = Board()
    board.to_closed()
    board.step(MUST_NOT, BATTERY_CURRENT_A=-60.0, at_once=True)
    board.run(0.9, MUST_NOT)
    assert board.findings == ()
    board.run(1.0, MUST_NOT, BATTERY_CURRENT_A=0.0)
    assert board.findings == ()


def test_a_contactor_that_closes_by_itself_while_there_is_leave_trips():
    board = Board()
    board.follows = False
    board.run(2.0, DC_LINK_VOLTAGE_V=None)
    board.step(CONTACTOR_CLOSED=1.0)
    assert board.faults == ["relays_contactor_stuck"]
    assert board.phase is Phase.LOCKED_OUT


# Whatever comes. --------------------------------------------------------------------------------

VOLTS = st.sampled_from([0.0, 20.0, 50.5, 51.2, 52.0, 52.9, 60.0, math.nan, None])
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "may": st.sampled_from([True, True, True, False]),
            "ms": st.sampled_from([10, 20, 50, 200, 990, 1010, 2100, 3000, 11_000]),
            "cycles": st.integers(1, 8),
            "link": VOLTS,
            "pack": st.sampled_from([52.0, 52.0, 51.9, math.nan, None]),
            "current": st.sampled_from([0.0, 0.0, 0.1, -0.1, 0.2, -2.6, 80.0, math.nan, None]),
            "main": st.sampled_from(["follows", "follows", "follows", 0.0, 1.0, None]),
            "pre": st.sampled_from(["follows", "follows", 0.0, 1.0, None]),
            "power": st.sampled_from([0.0, 100.0, 4000.0, None]),
        }
    ),
    min_size=1,
    max_size=25,
)


class Witness:
    """Looks on from outside: knows only what was written and what was read."""

    def __init__(self):
        self.pre_since_ns = self.opened_ns = self.lost_ns = self.locked_ns = None
        self.main = None
        self.closings = 0

    def saw(self, board, may, snapshot, written):
        now_ns, closes = board.now_ns, written.get(MAIN) == 1.0 and self.main != 1.0
        assert may or written.get(MAIN) != 1.0
        assert may or written.get(PRE) != 1.0
        if closes:
            self.closings += 1
            self.check_closing(now_ns, snapshot)
        if MAIN in written:
            if written[MAIN] == 0.0 and self.main == 1.0:
                self.opened_ns = now_ns
            self.main = written[MAIN]
        if PRE in written:
            if written[PRE] == 0.0:
                self.pre_since_ns = None
            elif self.pre_since_ns is None:
                self.pre_since_ns = now_ns
        self.lost_ns = None if may and self.lost_ns is None else self.lost_ns or now_ns
        if self.main == 0.0:
            self.lost_ns = None
        late = self.lost_ns is not None and now_ns - self.lost_ns >= NS_PER_S
        assert not late
        if any("precharge_failed" in row for row in board.faults):
            self.locked_ns = self.locked_ns or now_ns
        elif self.locked_ns is not None and closes:
            assert now_ns - self.locked_ns >= 10 * NS_PER_S

    def check_closing(self, now_ns, snapshot):
        """At this moment everything stands in fresh measurements."""
        assert self.pre_since_ns is not None
        assert now_ns - self.pre_since_ns <= 2 * NS_PER_S
        good = {}
        for signal in (Signal.PACK_VOLTAGE_V, Signal.DC_LINK_VOLTAGE_V, Signal.BATTERY_CURRENT_A):
            reading = snapshot.read(UNIT, signal)
            assert reading.time_ns > self.pre_since_ns
            good[signal] = snapshot.good(UNIT, signal)
        gap_v = good[Signal.PACK_VOLTAGE_V] - good[Signal.DC_LINK_VOLTAGE_V]
        assert abs(gap_v) < 1.0
        assert abs(good[Signal.BATTERY_CURRENT_A]) < 0.2
        assert self.opened_ns is None or now_ns - self.opened_ns >= 3 * NS_PER_S


def live(steps):
    board, witness = Board(), Witness()
    board.follows = False
    for given_ in steps:
        for _ in range(given_["cycles"]):
            follows = {"CONTACTOR_CLOSED": (given_["main"], MAIN)}
            follows["PRECHARGE_CLOSED"] = (given_["pre"], PRE)
            feedbacks = {
                name: (board.coils[point] or 0.0) if how == "follows" else how
                for name, (how, point) in follows.items()
            }
            written = board.step(
                MAY if given_["may"] else MUST_NOT,
                given_["ms"],
                DC_LINK_VOLTAGE_V=given_["link"],
                PACK_VOLTAGE_V=given_["pack"],
                BATTERY_CURRENT_A=given_["current"],
                BATTERY_POWER_W=given_["power"],
                **feedbacks,
            )
            snapshot = freeze(board.store.image(), board.now_ns)
            witness.saw(board, given_["may"], snapshot, written)
    return board, witness


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_the_main_contactor_closes_behind_a_proven_precharge_or_not_at_all(steps):
    """The witness asserts at each closing; here, that it has seen every one that was counted."""
    board, witness = live(steps)
    assert board.memory.wear.closings == witness.closings


STEP = {
    "may": True, "ms": 20, "cycles": 1, "link": 0.0, "pack": 52.0, "current": 0.0,
    "main": "follows", "pre": "follows", "power": 0.0,
}  # fmt: skip
RISE = st.tuples(
    st.lists(st.sampled_from([0.0, 10.0, 30.0, 45.0, 50.5, 51.5, 52.0]), min_size=4, max_size=14),
    st.sampled_from([20, 50, 150, 400]),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RISE, min_size=1, max_size=6))
def test_the_same_for_sequences_that_often_get_as_far_as_closing(rises):
    steps = []
    for volts, ms, may_at_the_end in rises:
        steps += [STEP | {"ms": ms, "link": link_v} for link_v in sorted(volts)]
        steps.append(steps[-1] | {"may": may_at_the_end, "cycles": 8, "ms": 400})
    board, witness = live(steps)
    assert board.memory.wear.closings == witness.closings


def test_the_witness_sees_a_closing():
    """Otherwise the properties above would say nothing."""
    rising = [STEP | {"ms": 50, "link": link_v} for link_v in (0.0, 0.0, 20.0, 40.0, 50.0, 51.5)]
    _, witness = live([STEP | {"may": False}, *rising, STEP | {"link": 52.0, "cycles": 5}])
    assert witness.closings == 1


def test_the_property_can_fail(monkeypatch):
    """Without the criterion the witness objects."""
    monkeypatch.setattr(
        "holdfast.devices.contactor.precharge.PrechargeSequence._is_complete", lambda *_: True
    )
    with pytest.raises(AssertionError):
        live([STEP | {"cycles": 8}])
