"""Of a site's past only that counts which the devices that are there now have been through."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.deployment.checklist.site_record import SiteRecord, site_record
from holdfast.monitoring.audit.events import (
    AuditEvent,
    ProcessEnded,
    ProcessStarted,
    StateChanged,
)

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW, BEFORE = "ab" * 32, "cd" * 32


def started(authority: str = "limited", hardware: str = NOW, **changes: bool) -> ProcessStarted:
    return ProcessStarted(
        version="0.1.0", config_sha256="", authority=authority, period_ms=20,
        real_time=changes.get("real_time", False), emergency_stop=False, faults=(),
        hardware_sha256=hardware,
    )  # fmt: skip


def moved(target: str, event: str = "", source: str = "IDLE", reason: str = "") -> StateChanged:
    return StateChanged(source=source, target=target, event=event, reasons=(reason,))


ENDED = ProcessEnded(reason="told to end")


def record(*events: tuple[float, AuditEvent | None], hardware: str = NOW) -> SiteRecord:
    return site_record(((at(hours), event) for hours, event in events), hardware)


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def test_nothing_is_known_of_a_site_that_never_ran() -> None:
    assert record() == SiteRecord()


def test_it_begins_with_the_first_start_of_these_devices() -> None:
    found = record((0, started(hardware=BEFORE)), (5, started()), (6, started()))
    assert found.begun == at(5)


def test_only_time_in_running_with_authority_counts() -> None:
    found = record(
        (0, started("observe")), (1, moved("RUNNING")), (3, ENDED),
        (4, started("limited")), (5, moved("RUNNING")), (7, moved("IDLE")),
        (8, moved("RUNNING")), (8.5, ENDED), (20, None),
    )  # fmt: skip
    assert found.acted == timedelta(hours=2.5)


def test_of_a_killed_controller_the_time_counts_up_to_its_last_line() -> None:
    found = record((0, started()), (1, moved("RUNNING")), (4, None), (9, started()), (10, None))
    assert found.acted == timedelta(hours=3)
    assert found.came_back == at(9)


def test_of_one_that_runs_the_time_counts_up_to_the_last_line() -> None:
    assert record((0, started()), (1, moved("RUNNING")), (6, None)).acted == timedelta(hours=5)


def test_a_start_after_an_orderly_end_is_no_return() -> None:
    assert record((0, started()), (1, ENDED), (2, started())).came_back is None


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    found = record(
        (0, started()), (1, moved("RUNNING")), (3, moved("IDLE")), (4, moved("RUNNING")),
        (2, moved("IDLE")),
    )  # fmt: skip
    assert found.acted == timedelta(hours=2)


def test_trips_and_stops_are_told_with_their_cause() -> None:
    found = record(
        (0, started()),
        (1, moved("ERROR", "trip", reason="battery/cell_voltage_high: 3.7 V")),
        (2, moved("STOPPED", "emergency_stop", reason="the emergency-stop loop is open")),
        (3, moved("STOPPED", "emergency_stop", reason="emergency stop by command")),
    )
    assert found.trips == (at(1),)
    assert [(stop.utc, stop.cause) for stop in found.stops] == [
        (at(2), "the emergency-stop loop is open"),
        (at(3), "emergency stop by command"),
    ]


def test_with_other_devices_nothing_of_before_counts() -> None:
    before = (
        (0.0, started(hardware=BEFORE)), (1.0, moved("RUNNING")), (2.0, moved("ERROR", "trip")),
    )  # fmt: skip
    assert record(*before) == SiteRecord()
    found = record(*before, (3, started(real_time=True)), (4, moved("RUNNING")), (5, None))
    assert found == SiteRecord(
        begun=at(3), real_time=True, acted=timedelta(hours=1), trips=(), stops=(), came_back=None
    )


@pytest.mark.parametrize("authority", ["limited", "full"])
def test_both_authorities_act(authority: str) -> None:
    found = record((0, started(authority)), (1, moved("RUNNING")), (2, None))
    assert found.acted == timedelta(hours=1)
