"""What is known of a contactor: its rules, when it may break a current, and its wear."""

import math
from dataclasses import replace

import pytest

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.reading import MISSING, Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.contactor.memory import (
    MAIN_RULE,
    OPEN_AT_THE_LATEST_NS,
    SETTLE_NS,
    Phase,
    RelayMemory,
    Wear,
    closed_once_more,
    is_told_closed,
    may_break,
    opened_once_more,
    shows_open,
    waits_to_open,
)
from holdfast.devices.contactor.precharge import _PRECHARGE_RULE
from holdfast.devices.written_point import PointMemory, PointRules
from tests.builders import T0, UNIT, put, snapshot_of

CURRENT, POWER, VOLTAGE = (
    Signal.BATTERY_CURRENT_A,
    Signal.BATTERY_POWER_W,
    Signal.PACK_VOLTAGE_V,
)
NOW_NS = T0 + NS_PER_S // 10
BREAK_A = 5.0


def breaks(values, since_ns=None, sampled_ns=NOW_NS):
    snapshot = snapshot_of(values, now_ns=NOW_NS, sampled_ns=sampled_ns, healthy=False)
    return may_break(UNIT, BREAK_A, snapshot, since_ns)


# The rules. -------------------------------------------------------------------------------------


def test_the_main_contactor_is_kept_as_the_fault_catalogue_demands():
    assert (
        PointRules(
            point=Point.CONTACTOR,
            readback=Signal.CONTACTOR_CLOSED,
            fault="contactor_stuck",
            resolution=1.0,  # open or closed, and nothing between
            refresh_ns=10 * NS_PER_S,
            settle_ns=1 * NS_PER_S,
            tries=5,  # "will not close" after 5 s (foxBMS): five tries, one a second
        )
        == MAIN_RULE
    )
    assert SETTLE_NS == 1 * NS_PER_S
    assert OPEN_AT_THE_LATEST_NS == 1 * NS_PER_S  # "an order to open at most 1 s later"


def test_the_precharge_relay_is_kept_like_the_main_contactor():
    rule = replace(MAIN_RULE, point=Point.PRECHARGE, readback=Signal.PRECHARGE_CLOSED)
    assert rule == _PRECHARGE_RULE


def test_phases_are_recorded_under_the_names_that_people_read():
    assert [*Phase] == ["open", "precharge", "closing", "closed", "opening", "locked_out"]


def test_at_the_start_nothing_is_known_nothing_has_failed_and_the_contactor_counts_as_open():
    memory = RelayMemory()
    assert memory.phase is Phase.OPEN
    assert memory.points == {}
    assert not memory.confirmed
    assert (memory.tries, memory.was_quick, memory.fault) == (0, False, None)
    assert memory.wear == Wear(closings=0, openings_under_load=0, complete=True)
    times = (
        memory.opening_since_ns,
        memory.since_ns,
        memory.not_before_ns,
        memory.low_ns,
        memory.flow_ns,
    )
    assert times == (None,) * 5


# When a current may be broken. ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "may"),
    [
        ({CURRENT: 4.99}, True),
        ({CURRENT: -4.99}, True),
        ({CURRENT: 0.0}, True),
        ({CURRENT: 5.0}, False),
        ({CURRENT: -5.0}, False),
        ({CURRENT: math.nan}, False),
        ({}, False),
        ({POWER: 249.0, VOLTAGE: 50.0}, True),
        ({POWER: -249.0, VOLTAGE: 50.0}, True),
        ({POWER: 250.0, VOLTAGE: 50.0}, False),
        ({POWER: -250.0, VOLTAGE: 50.0}, False),
        ({POWER: 0.0}, False),  # without a voltage the power says nothing
        ({POWER: 0.0, VOLTAGE: math.nan}, False),
        ({VOLTAGE: 50.0}, False),
        ({POWER: math.nan, VOLTAGE: 50.0}, False),
    ],
)
def test_only_a_current_that_is_known_to_be_below_the_break_current_is_broken(values, may):
    assert breaks(values) is may


@pytest.mark.parametrize(("power_w", "current_a", "may"), [(0.0, 90.0, True), (4000.0, 0.0, False)])
def test_the_inverters_power_goes_before_the_slower_current_of_the_bms(power_w, current_a, may):
    assert breaks({POWER: power_w, VOLTAGE: 50.0, CURRENT: current_a}) is may


@pytest.mark.parametrize("values", [{CURRENT: 0.0}, {POWER: 0.0, VOLTAGE: 50.0}])
@pytest.mark.parametrize(
    ("since_ns", "may"),
    [(None, True), (NOW_NS - 1, True), (NOW_NS, False), (NOW_NS + 1, False)],
)
def test_a_measurement_counts_if_it_was_taken_after_the_order(values, since_ns, may):
    assert breaks(values, since_ns) is may


def test_where_the_power_is_older_than_the_order_the_current_is_asked():
    store = DataStore((UNIT,))
    for signal, value in ((POWER, 4000.0), (VOLTAGE, 50.0)):
        put(store, UNIT, signal, value, T0)
    put(store, UNIT, CURRENT, 0.0, NOW_NS)
    snapshot = freeze(store.image(), NOW_NS)
    assert not may_break(UNIT, BREAK_A, snapshot, T0 - 1)
    assert may_break(UNIT, BREAK_A, snapshot, T0)


# What it was told, and what it waits for. --------------------------------------------------------


def told(value):
    """The main contactor's memory after a command; None: it was told nothing yet."""
    other = {Point.PRECHARGE: PointMemory(value=1.0, written_ns=T0, first_ns=T0)}
    if value is None:
        return other
    return other | {Point.CONTACTOR: PointMemory(value=value, written_ns=T0, first_ns=T0)}


@pytest.mark.parametrize(("value", "closed"), [(None, False), (0.0, False), (1.0, True)])
def test_it_is_told_closed_by_its_own_last_command_and_not_by_the_precharge_relays(value, closed):
    assert is_told_closed(RelayMemory(points=told(value))) is closed


@pytest.mark.parametrize(("value", "may_be_closed"), [(None, True), (0.0, False), (1.0, True)])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("since_ns", [None, T0])
def test_it_waits_to_open_from_the_order_until_the_command(value, may_be_closed, phase, since_ns):
    memory = RelayMemory(points=told(value), phase=phase, opening_since_ns=since_ns)
    ordered = since_ns is not None or phase is Phase.OPENING
    assert waits_to_open(memory) is (ordered and may_be_closed)


# Wear. ------------------------------------------------------------------------------------------


def test_each_closing_is_counted_and_each_opening_that_was_not_known_to_be_without_load():
    wear = closed_once_more(closed_once_more(Wear()))
    assert wear == Wear(closings=2, openings_under_load=0)
    wear = opened_once_more(opened_once_more(wear, under_load=False), under_load=True)
    assert wear == Wear(closings=2, openings_under_load=1)
    assert opened_once_more(wear, under_load=True) == Wear(closings=2, openings_under_load=2)


OPEN, CLOSED = 0.0, 1.0


@pytest.mark.parametrize(
    ("samples", "dropped"),
    [
        ([OPEN], False),
        ([OPEN, OPEN], True),
        ([OPEN, CLOSED, OPEN], False),
        ([CLOSED, CLOSED], False),
        ([OPEN, None], False),
        ([OPEN, None, OPEN], False),
    ],
)
def test_the_second_sample_in_a_row_that_shows_it_open_makes_that_true(samples, dropped):
    memory, found = RelayMemory(), False
    for number, value in enumerate(samples):
        time_ns = NOW_NS + number * NS_PER_S
        reading = MISSING if value is None else Good(value=value, time_ns=time_ns)
        memory, found = shows_open(reading, memory)
    assert found is dropped
    if samples[-1] != OPEN:
        assert memory.open_ns is None


def test_one_sample_that_is_read_twice_is_one():
    reading = Good(value=OPEN, time_ns=NOW_NS)
    memory, _ = shows_open(reading, RelayMemory())
    assert shows_open(reading, memory) == (memory, False)
