"""Names that others rely on: in logs, metrics, files, on the wire and in the API."""

from enum import StrEnum

import pytest

from holdfast.control.loads.requests import LoadSource
from holdfast.core import units
from holdfast.core.asked_slot import AskedBy
from holdfast.core.bill_line import BillPart
from holdfast.core.commands import Command, Point
from holdfast.core.device_mode import DeviceMode
from holdfast.core.plan import PlanStatus
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Internal, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import Event, State
from holdfast.core.strategy_name import StrategyName
from holdfast.safety.interlocks import Action

OTHERWISE = {Command.EMERGENCY_STOP: "estop"}


@pytest.mark.parametrize(
    "names",
    [
        Action,
        AskedBy,
        BillPart,
        Command,
        DeviceMode,
        Internal,
        LoadSource,
        PlanStatus,
        Point,
        Role,
        Signal,
        SlotMode,
        State,
        StrategyName,
    ],
)
def test_a_name_is_that_of_its_member_in_lower_case(names: type[StrEnum]) -> None:
    for member in names:
        assert member.value == OTHERWISE.get(member, member.name.lower())


def test_the_site_is_called_site():
    assert SITE == "site"


def test_events_are_numbered_in_the_order_of_their_urgency():
    assert [event.name for event in sorted(Event)] == [
        "EMERGENCY_STOP",
        "STOP_LATCHED",
        "TRIP",
        "SELF_TEST_FAILED",
        "STOP",
        "SELF_TEST_PASSED",
        "RESET",
        "START",
    ]
    assert [int(event) for event in sorted(Event)] == list(range(8))


def test_a_driver_that_has_done_nothing_has_counted_nothing():
    counters = CommsCounters()
    assert (counters.reads, counters.writes, counters.errors) == (0, 0, 0)
    assert (counters.last_error, counters.where) == ("", "")
    assert (counters.why_silent, counters.tries, counters.heard_ns) == ("", 0, None)


def test_a_device_is_silent_from_the_first_failed_reading_to_the_next_complete_one():
    counters = CommsCounters()
    counters.heard(5)
    assert (counters.reads, counters.heard_ns) == (1, 5)
    counters.silent("refused")
    counters.silent("no answer")
    assert (counters.why_silent, counters.tries, counters.errors) == ("no answer", 2, 2)
    assert (counters.last_error, counters.heard_ns) == ("no answer", 5)
    counters.heard(9)
    assert (counters.reads, counters.why_silent, counters.tries) == (2, "", 0)
    assert (counters.errors, counters.last_error, counters.heard_ns) == (2, "no answer", 9)


def test_a_write_that_fails_makes_no_device_silent():
    counters = CommsCounters()
    counters.failed("exception 3")
    assert (counters.errors, counters.last_error) == (1, "exception 3")
    assert (counters.why_silent, counters.tries) == ("", 0)


@pytest.mark.parametrize(
    ("seconds", "ns"),
    [(0.0, 0), (1e-9, 1), (0.02, 20_000_000), (1.5, 1_500_000_000), (-1.0, -(10**9))],
)
def test_seconds_and_nanoseconds_are_the_same_time(seconds, ns):
    assert units.ns_from_s(seconds) == ns
    assert isinstance(units.ns_from_s(seconds), int)
    assert units.s_from_ns(ns) == seconds
    assert units.NS_PER_MS * 1000 == units.NS_PER_S == 10**9
