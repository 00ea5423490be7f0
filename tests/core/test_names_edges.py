"""Names that others rely on: in logs, metrics, files, on the wire and in the API."""

from enum import StrEnum

import pytest

from holdfast.control.load_requests import LoadSource
from holdfast.control.mode_manager import Source
from holdfast.core import units
from holdfast.core.commands import Command, Point
from holdfast.core.plan import DeviceMode, PlanStatus, SlotMode
from holdfast.core.ports import CommsCounters
from holdfast.core.signals import SITE, Producer, Signal
from holdfast.core.state_machine import Event, State
from holdfast.safety.interlocks import Action

OTHERWISE = {Command.EMERGENCY_STOP: "estop"}


@pytest.mark.parametrize(
    "names",
    [
        Action,
        Command,
        DeviceMode,
        LoadSource,
        PlanStatus,
        Point,
        Producer,
        Signal,
        SlotMode,
        Source,
        State,
    ],
)
def test_a_name_is_that_of_its_member_in_lower_case(names: type[StrEnum]) -> None:
    for member in names:
        assert member.value == OTHERWISE.get(member, member.name.lower())


def test_the_site_is_called_site():
    assert SITE == "site"


def test_events_are_numbered_in_the_order_of_their_urgency():
    assert [event.name for event in sorted(Event)] == [
        "EMERGENCY_STOP", "STOP_LATCHED", "TRIP", "SELF_TEST_FAILED", "STOP",
        "SELF_TEST_PASSED", "RESET", "START",
    ]  # fmt: skip
    assert [int(event) for event in sorted(Event)] == list(range(8))


def test_a_driver_that_has_done_nothing_has_counted_nothing():
    counters = CommsCounters()
    assert (counters.reads, counters.writes, counters.errors) == (0, 0, 0)
    assert counters.last_error == ""


@pytest.mark.parametrize(
    ("seconds", "ns"),
    [(0.0, 0), (1e-9, 1), (0.02, 20_000_000), (1.5, 1_500_000_000), (-1.0, -(10**9))],
)
def test_seconds_and_nanoseconds_are_the_same_time(seconds, ns):
    assert units.ns_from_s(seconds) == ns
    assert isinstance(units.ns_from_s(seconds), int)
    assert units.s_from_ns(ns) == seconds
    assert units.NS_PER_MS * 1000 == units.NS_PER_S == 10**9
