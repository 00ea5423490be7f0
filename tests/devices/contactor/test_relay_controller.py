"""The relay controller: closes when permitted, opens below the break current or at the latest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.contactor.memory import (
    OPEN_AT_THE_LATEST_NS,
    Phase,
    RelayMemory,
    Wear,
    is_told_closed,
    waits_to_open,
)
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, build_site, permit_of, put

CONTROLLER = RelayController(build_site().storage[0])  # breaks below 5 A
MAY, MUST_NOT = permit_of(), permit_of(may_connect=False, may_run=False)
NOT_NOW = permit_of(may_close=False)


class Contactor:
    """A contactor with its readings; 50 V, so 250 W is the break current of 5 A."""

    def __init__(self, closed=None):
        self.store, self.memory, self.now_ns = DataStore((UNIT,)), RelayMemory(), T0
        self.closed = closed
        self.stuck = False
        self.findings = ()

    def read(self, signal, value, ago_ms=0):
        put(self.store, UNIT, signal, value, self.now_ns - ago_ms * NS_PER_MS)

    def decide(self, permit, ms=20):
        """One cycle; the values that were written."""
        self.now_ns += ms * NS_PER_MS
        if self.closed is not None:
            self.read(Signal.CONTACTOR_CLOSED, self.closed)
        return self.again(permit)

    def again(self, permit):
        snapshot = freeze(self.store.image(), self.now_ns)
        writes, self.memory, self.findings = CONTROLLER.decide(permit, snapshot, self.memory)
        for write in writes:
            assert (write.unit, write.role, write.point) == (
                UNIT,
                Role.RELAYS,
                Point.CONTACTOR,
            )
            if not self.stuck:
                self.closed = write.value
        return [write.value for write in writes]

    def load(self, power_w, ago_ms=0):
        self.read(Signal.BATTERY_POWER_W, power_w, ago_ms)
        self.read(Signal.PACK_VOLTAGE_V, 50.0, ago_ms)

    def close(self):
        self.load(0.0)
        assert self.decide(MAY) == [1.0]


def test_it_closes_when_permitted_and_says_so_once():
    contactor = Contactor(0.0)
    assert contactor.decide(MUST_NOT) == [0.0]
    assert contactor.decide(MAY, ms=100) == [1.0]
    assert [contactor.decide(MAY) for _ in range(100)] == [[]] * 100


def test_without_leave_to_close_one_that_is_open_stays_open_and_one_that_is_closed_closed():
    contactor = Contactor(0.0)
    assert contactor.decide(NOT_NOW) == [0.0]
    assert contactor.decide(NOT_NOW, ms=100) == []
    assert contactor.decide(MAY, ms=100) == [1.0]
    assert [contactor.decide(NOT_NOW) for _ in range(100)] == [[]] * 100
    assert is_told_closed(contactor.memory)
    contactor.load(0.0, ago_ms=-20)
    contactor.decide(MUST_NOT)
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]
    assert contactor.decide(NOT_NOW, ms=100) == []


def test_leave_to_close_is_no_leave_to_connect():
    contactor = Contactor(0.0)
    assert contactor.decide(permit_of(may_connect=False, may_close=True)) == [0.0]


def test_it_tells_while_it_waits_to_open_and_not_before_or_after():
    contactor = Contactor(0.0)
    assert not waits_to_open(contactor.memory)
    contactor.close()
    assert not waits_to_open(contactor.memory)
    contactor.load(-2000.0, ago_ms=-20)
    contactor.decide(MUST_NOT)
    assert waits_to_open(contactor.memory)
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]
    assert not waits_to_open(contactor.memory)
    contactor.decide(MUST_NOT)
    assert not waits_to_open(contactor.memory)


def test_after_a_start_under_load_it_waits_to_open_though_it_has_told_the_contactor_nothing():
    contactor = Contactor(1.0)
    contactor.load(-2000.0)
    assert contactor.decide(MUST_NOT) == []
    assert waits_to_open(contactor.memory)
    assert not is_told_closed(contactor.memory)


def test_it_opens_as_soon_as_a_measurement_after_the_order_is_below_the_break_current():
    contactor = Contactor(0.0)
    contactor.close()
    assert contactor.decide(MUST_NOT) == []  # what was measured before says nothing
    contactor.load(-250.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == []  # at the break current
    contactor.load(-249.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]
    assert contactor.memory.opening_since_ns == T0 + 40 * NS_PER_MS


def test_a_zero_that_was_measured_before_the_order_does_not_count():
    contactor = Contactor(0.0)
    contactor.close()
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == []  # measured at the very instant of the order
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]


@pytest.mark.parametrize("current_a", [4.99, -4.99])
def test_the_batterys_own_current_serves_when_the_inverter_is_silent(current_a):
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT)
    contactor.read(Signal.BATTERY_CURRENT_A, current_a, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]


@pytest.mark.parametrize("current_a", [5.0, -5.0, 90.0, float("nan")])
def test_a_current_from_the_break_current_up_is_not_broken_early(current_a):
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT)
    contactor.read(Signal.BATTERY_CURRENT_A, current_a, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == []


@pytest.mark.parametrize("known", [True, False])
def test_it_opens_after_a_second_at_the_latest_even_under_load_or_blind(known):
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT)
    ordered_ns = contactor.now_ns
    while contactor.now_ns - ordered_ns < OPEN_AT_THE_LATEST_NS - 20 * NS_PER_MS:
        if known:
            contactor.load(5000.0, ago_ms=-20)
        assert contactor.decide(MUST_NOT) == []
    assert contactor.decide(MUST_NOT) == [0.0]
    assert contactor.now_ns - ordered_ns == OPEN_AT_THE_LATEST_NS == NS_PER_S


def test_a_new_leave_ends_the_wait_and_a_later_order_waits_anew():
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT, ms=20)
    contactor.decide(MUST_NOT, ms=900)
    assert contactor.decide(MAY) == []
    assert contactor.memory.opening_since_ns is None
    assert contactor.decide(MUST_NOT) == []
    assert contactor.decide(MUST_NOT, ms=900) == []


def test_a_new_leave_ends_the_wait_of_a_contactor_that_shows_nothing_too():
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT)
    contactor.closed = None
    assert contactor.decide(NOT_NOW, ms=5000) == []
    assert not waits_to_open(contactor.memory)
    assert contactor.decide(MUST_NOT) == []
    assert contactor.decide(MUST_NOT, ms=980) == []
    assert contactor.decide(MUST_NOT) == [0.0]


def test_a_contactor_that_has_just_been_told_to_close_counts_as_closed_before_its_feedback():
    contactor = Contactor(0.0)
    contactor.stuck = True
    contactor.close()
    contactor.load(4000.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == []
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]


def test_after_a_restart_a_contactor_that_may_be_closed_is_not_opened_blindly():
    contactor = Contactor(None)
    assert contactor.decide(MUST_NOT) == []
    contactor.closed = 1.0
    contactor.load(4000.0, ago_ms=-20)
    written = contactor.decide(MUST_NOT)
    assert 0.0 not in written
    contactor.load(4000.0, ago_ms=-20)
    assert 0.0 not in contactor.decide(MUST_NOT)
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]


def test_after_a_restart_under_load_it_opens_after_a_second():
    contactor = Contactor(1.0)
    written = []
    for _ in range(53):
        contactor.load(4000.0, ago_ms=-20)
        written += contactor.decide(MUST_NOT)
    assert written[-1] == 0.0


@pytest.mark.parametrize("closed", [0.0, 1.0, None])
def test_who_observes_moves_nothing(closed):
    contactor = Contactor(closed)
    contactor.memory = RelayMemory(opening_since_ns=T0)
    assert contactor.decide(permit_of(may_write=False)) == []
    assert contactor.memory == RelayMemory()


def test_an_expired_permit_does_not_close_a_contactor():
    contactor = Contactor(0.0)
    contactor.decide(MUST_NOT)
    assert 1.0 not in contactor.decide(permit_of(expires_ns=T0), ms=500)


@pytest.mark.parametrize(("permit", "stuck_at"), [(MAY, 0.0), (MUST_NOT, 1.0)])
def test_a_contactor_that_does_not_follow_is_found_after_five_tries(permit, stuck_at):
    contactor = Contactor(stuck_at)
    contactor.stuck = True
    tries = 0
    for _ in range(1000):
        contactor.load(0.0, ago_ms=-20)
        tries += len(contactor.decide(permit))
        if contactor.findings:
            break
    (found,) = contactor.findings
    assert found.key == "battery/relays_contactor_stuck"
    assert 4.5 * NS_PER_S <= contactor.now_ns - T0 <= 6.5 * NS_PER_S
    assert tries >= 5
    contactor.stuck = False
    for _ in range(120):
        contactor.decide(permit)
    assert contactor.findings == ()


# A contactor that opens by itself. ----------------------------------------------------------------


def confirmed():
    """A contactor that was told to close, and has shown that it is."""
    contactor = Contactor(0.0)
    contactor.close()
    assert contactor.decide(NOT_NOW) == []
    assert contactor.memory.confirmed
    contactor.stuck = True
    return contactor


@pytest.mark.parametrize("permit", [MAY, NOT_NOW])
def test_an_opening_that_nobody_ordered_trips_at_its_second_sample_and_is_not_closed_again(permit):
    contactor = confirmed()
    contactor.closed = 0.0
    assert contactor.decide(permit) == []
    assert contactor.findings == ()
    assert is_told_closed(contactor.memory)
    assert contactor.decide(permit) == [0.0]
    (found,) = contactor.findings
    assert (found.key, found.reaction) == ("battery/relays_contactor_dropped", Reaction.TRIP)
    assert found.since_ns == contactor.now_ns
    assert "it shows open though told to be closed" in found.text
    assert not is_told_closed(contactor.memory)
    assert contactor.decide(MUST_NOT) == []
    assert contactor.findings == ()


def test_a_sample_that_is_read_again_is_no_second_one():
    contactor = confirmed()
    contactor.closed = 0.0
    assert contactor.decide(MAY) == []
    for _ in range(40):
        contactor.now_ns += 20 * NS_PER_MS
        assert (contactor.again(MAY), contactor.findings) == ([], ())
    assert contactor.decide(MAY) == [0.0]


def test_one_wild_sample_is_forgiven_and_the_next_is_the_first_again():
    contactor = confirmed()
    for shows, written in ((0.0, []), (1.0, []), (0.0, []), (0.0, [0.0])):
        assert contactor.findings == ()
        contactor.closed = shows
        assert contactor.decide(NOT_NOW) == written
    assert contactor.findings != ()


def test_a_feedback_that_was_lost_in_between_makes_an_opening_no_less_unordered():
    contactor = confirmed()
    contactor.closed = None
    contactor.decide(MAY, ms=1100)
    contactor.closed = 0.0
    assert contactor.decide(MAY) == []
    assert contactor.decide(MAY) == [0.0]
    assert [found.row for found in contactor.findings] == ["relays_contactor_dropped"]


def test_a_contactor_that_has_not_shown_closed_yet_has_not_dropped():
    contactor = Contactor(0.0)
    contactor.stuck = True
    contactor.close()
    for _ in range(20):
        contactor.decide(MAY)
        assert contactor.findings == ()
    assert not contactor.memory.confirmed


def test_each_closing_is_confirmed_anew():
    contactor = confirmed()
    contactor.stuck = False
    contactor.decide(MUST_NOT)
    contactor.load(0.0, ago_ms=-20)
    assert contactor.decide(MUST_NOT) == [0.0]
    assert not contactor.memory.confirmed
    contactor.stuck = True
    assert contactor.decide(MAY, ms=200) == [1.0]
    for _ in range(3):
        assert contactor.decide(MAY) == []  # on its way
        assert contactor.findings == ()


def test_what_shows_closed_before_it_is_told_to_be_is_not_confirmed_by_that():
    contactor = Contactor(1.0)
    contactor.load(0.0, ago_ms=-20)
    contactor.decide(MUST_NOT)
    assert not contactor.memory.confirmed


@pytest.mark.parametrize("shows", [0.0, None])
def test_what_may_have_fallen_open_is_told_to_close_again_with_leave_to_close_only(shows):
    contactor = Contactor(0.0)
    contactor.stuck = True
    contactor.close()
    contactor.closed = shows
    for _ in range(25):
        assert contactor.decide(NOT_NOW, ms=1100) == []
        assert contactor.findings == ()
    assert contactor.decide(MAY, ms=1100) == [1.0]


def test_one_that_shows_closed_is_told_again_every_ten_seconds_without_leave_to_close():
    contactor = confirmed()
    written = [contactor.decide(NOT_NOW, ms=1000) for _ in range(20)]
    assert written.count([1.0]) == 2


@pytest.mark.parametrize(("power_w", "loaded"), [(0.0, 0), (4000.0, 1)])
def test_the_opening_of_one_that_dropped_counts_by_what_was_last_measured(power_w, loaded):
    contactor = confirmed()
    contactor.closed = 0.0
    for _ in range(2):
        contactor.load(power_w)
        contactor.decide(MAY)
    assert contactor.memory.wear == Wear(closings=1, openings_under_load=loaded)


# With a precharge, and without. -------------------------------------------------------------------


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("points", "precharges"),
    [
        ((), False),
        ({Point.CONTACTOR, Point.SETPOINT_W}, False),
        ({Point.CONTACTOR, Point.PRECHARGE}, True),
    ],
)
def test_a_board_with_a_precharge_relay_is_ready_once_that_is_over_and_others_always(
    points, precharges, phase
):
    controller = RelayController(build_site().storage[0], points)
    ready = controller.is_ready(RelayMemory(phase=phase))
    assert ready is (not precharges or phase is Phase.CLOSED)


def test_a_board_with_a_precharge_relay_closes_by_way_of_its_precharge_only():
    controller = RelayController(build_site().storage[0], {Point.CONTACTOR, Point.PRECHARGE})
    store, memory, written = DataStore((UNIT,)), RelayMemory(), []
    open_and_empty = {
        Signal.CONTACTOR_CLOSED: 0.0,
        Signal.PRECHARGE_CLOSED: 0.0,
        Signal.DC_LINK_VOLTAGE_V: 0.0,
        Signal.PACK_VOLTAGE_V: 52.0,
    }
    for now_ns in (T0, T0 + 20 * NS_PER_MS, T0 + 40 * NS_PER_MS):
        for signal, value in open_and_empty.items():
            put(store, UNIT, signal, value, now_ns)
        writes, memory, _ = controller.decide(MAY, freeze(store.image(), now_ns), memory)
        written += [(write.point, write.value) for write in writes]
    assert memory.phase is Phase.PRECHARGE
    assert (Point.PRECHARGE, 1.0) in written
    assert (Point.CONTACTOR, 1.0) not in written


# Wear. -----------------------------------------------------------------------------------------


def test_closings_and_openings_under_load_are_counted_and_refreshes_are_not():
    contactor = Contactor(0.0)
    for _ in range(3):
        contactor.decide(MUST_NOT, ms=200)
        contactor.decide(MAY)
        contactor.decide(MAY, ms=200)
        for _ in range(25):
            contactor.decide(MAY, ms=1000)
        contactor.decide(MUST_NOT)
        contactor.load(100.0, ago_ms=-20)
        assert contactor.decide(MUST_NOT) == [0.0]
    assert contactor.memory.wear == Wear(closings=3)
    contactor.decide(MAY, ms=200)
    contactor.decide(MUST_NOT)
    for _ in range(60):
        contactor.load(4000.0, ago_ms=-20)
        contactor.decide(MUST_NOT)
    assert contactor.memory.wear == Wear(closings=4, openings_under_load=1)
    contactor.decide(permit_of(may_write=False))
    assert contactor.memory.wear == Wear(closings=4, openings_under_load=1)


@pytest.mark.parametrize(("power_w", "loaded"), [(0.0, 0), (4000.0, 1), (None, 1)])
def test_an_opening_at_once_counts_by_what_was_last_measured(power_w, loaded):
    contactor = Contactor(0.0)
    contactor.close()
    contactor.store = DataStore((UNIT,))
    if power_w is not None:
        contactor.load(power_w)
    contactor.now_ns += 20 * NS_PER_MS
    snapshot = freeze(contactor.store.image(), contactor.now_ns)
    writes, memory, _ = CONTROLLER.decide(MUST_NOT, snapshot, contactor.memory, at_once=True)
    assert [write.value for write in writes] == [0.0]
    assert memory.wear == Wear(closings=1, openings_under_load=loaded)


STEPS = st.tuples(
    st.booleans(),
    st.sampled_from([0.0, 100.0, 4000.0, None]),
    st.sampled_from([20, 500, 1100, 11_000]),
    st.sampled_from([None, 0.0, 1.0]),
)


@given(st.sampled_from([0.0, 1.0, None]), st.lists(STEPS, min_size=1, max_size=10))
def test_without_leave_a_contactor_is_never_told_to_close(closed_at_start, steps):
    """Not even one that is thought to be closed already: its loop may just have opened it."""
    contactor = Contactor(closed_at_start)
    for may, power_w, ms, moved_by_itself in steps:
        if power_w is not None:
            contactor.load(power_w, ago_ms=-ms)
        if moved_by_itself is not None and contactor.closed is not None:
            contactor.closed = moved_by_itself
        written = contactor.decide(MAY if may else MUST_NOT, ms=ms)
        if not may:
            assert 1.0 not in written
        if may and 0.0 in written:
            assert [found.row for found in contactor.findings] == ["relays_contactor_dropped"]


@given(st.lists(st.sampled_from([20, 40, 200, 990, 1010]), min_size=1, max_size=12))
def test_whatever_the_rhythm_of_cycles_it_is_ordered_open_within_a_second_and_a_cycle(gaps_ms):
    contactor = Contactor(0.0)
    contactor.close()
    contactor.decide(MUST_NOT)
    ordered_ns = contactor.now_ns
    for ms in gaps_ms:
        contactor.load(4000.0, ago_ms=-ms)
        contactor.decide(MUST_NOT, ms=ms)
        late = contactor.now_ns - ordered_ns >= OPEN_AT_THE_LATEST_NS
        assert contactor.closed == (0.0 if late else 1.0)


# Never under load. --------------------------------------------------------------------------------

STAGES = st.lists(
    st.fixed_dictionaries(
        {
            "may": st.sampled_from([True, True, True, False]),
            "fresh": st.sampled_from([True, True, True, False]),
            "enabled": st.sampled_from([0.0, 0.0, 1.0, 1.0, None]),
            "main": st.sampled_from(["follows", "follows", 0.0, 1.0, None]),
            "ms": st.sampled_from([20, 20, 200, 1100, 11_000]),
            "cycles": st.integers(1, 4),
            "link": st.sampled_from([0.0, 30.0, 51.5, 52.0]),
        }
    ),
    min_size=1,
    max_size=20,
)
CLOSED_UNDER_POWER = [
    # Closed with the power stage off, which then runs; the contactor falls open.
    {"may": True, "enabled": 0.0, "main": "follows", "link": 0.0, "cycles": 2},
    {"may": True, "enabled": 0.0, "main": "follows", "link": 0.0, "ms": 100},
    {"may": True, "enabled": 0.0, "main": "follows", "link": 30.0, "ms": 200},
    {"may": True, "enabled": 0.0, "main": "follows", "link": 52.0, "ms": 200, "cycles": 3},
    {"may": True, "enabled": 1.0, "main": "follows", "link": 52.0, "cycles": 3},
    {"may": True, "enabled": 1.0, "main": 0.0, "link": 52.0, "cycles": 9, "ms": 200},
]
STAGE = {"fresh": True, "ms": 20, "cycles": 1}
PRECHARGED = {Point.CONTACTOR, Point.PRECHARGE}


def closings_of(points, stages):
    """Runs a contactor through ``stages``; each command to close: what it showed, and the stage.

    The permit lets it close as the interlock table does: with a power stage that reads off.
    """
    controller = RelayController(build_site().storage[0], points)
    store, memory, now_ns = DataStore((UNIT,)), RelayMemory(), T0
    coils = {Point.CONTACTOR: 0.0, Point.PRECHARGE: 0.0}
    closings = []
    for stage in stages:
        for _ in range(stage["cycles"]):
            now_ns += stage["ms"] * NS_PER_MS
            main = coils[Point.CONTACTOR] if stage["main"] == "follows" else stage["main"]
            readings = {
                Signal.CONTACTOR_CLOSED: main,
                Signal.PRECHARGE_CLOSED: coils[Point.PRECHARGE],
                Signal.INVERTER_ENABLED: stage["enabled"],
                Signal.PACK_VOLTAGE_V: 52.0,
                Signal.DC_LINK_VOLTAGE_V: stage["link"],
                Signal.BATTERY_CURRENT_A: 0.0,
            }
            for signal, value in readings.items():
                if value is not None:
                    put(store, UNIT, signal, value, now_ns)
            snapshot = freeze(store.image(), now_ns)
            is_off = snapshot.good(UNIT, Signal.INVERTER_ENABLED) == 0.0
            permit = permit_of(
                may_connect=stage["may"],
                may_close=stage["may"] and is_off,
                expires_ns=2**62 if stage["fresh"] else now_ns,
            )
            writes, memory, _ = controller.decide(permit, snapshot, memory)
            shows = snapshot.good(UNIT, Signal.CONTACTOR_CLOSED)
            for write in writes:
                coils[write.point] = write.value
                if write.point is Point.CONTACTOR and write.value == 1.0:
                    closings.append((shows, is_off))
    return closings


@given(st.sampled_from([set(), PRECHARGED]), STAGES)
def test_nothing_that_is_not_seen_closed_is_told_to_close_unless_the_stage_reads_off(
    points, stages
):
    for shows, is_off in closings_of(points, [STAGE | stage for stage in stages]):
        assert shows == 1.0 or is_off


@given(st.sampled_from([set(), PRECHARGED]), STAGES)
def test_the_same_for_one_that_has_fallen_open_while_the_stage_ran(points, stages):
    before = [STAGE | stage for stage in CLOSED_UNDER_POWER]
    for shows, is_off in closings_of(points, before + [STAGE | stage for stage in stages]):
        assert shows == 1.0 or is_off


@pytest.mark.parametrize("points", [set(), PRECHARGED])
def test_that_property_sees_a_closing_and_none_of_what_fell_open(points):
    closings = closings_of(points, [STAGE | stage for stage in CLOSED_UNDER_POWER])
    assert closings == [(0.0, True)]


@pytest.mark.parametrize("may_connect", [False, True])
def test_power_may_flow_while_it_is_told_to_be_closed_whatever_is_permitted_now(may_connect):
    contactor = Contactor(0.0)
    permit = permit_of(may_connect=may_connect)
    assert CONTROLLER.is_connected(contactor.memory, permit) is False
    contactor.close()
    assert CONTROLLER.is_connected(contactor.memory, permit) is True
