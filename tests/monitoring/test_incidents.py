"""Incidents: what the audit log tells of times in which the site was out of operation."""

from datetime import UTC, datetime, timedelta

from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    FindingRaised,
    LatchesChanged,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import START, encode_line
from holdfast.monitoring.incidents import Incident, incidents_of, mark_of

T0 = datetime(2026, 11, 30, 12, tzinfo=UTC)


def found(*events: AuditEvent) -> tuple[Incident, ...]:
    """What a log tells whose lines come a second after each other, the first as number 1."""
    place, marks = START, []
    for number, event in enumerate(events):
        raw, place = encode_line(place, T0 + timedelta(seconds=number), number, event)
        mark = mark_of(raw.rstrip(b"\n"))
        if mark is not None:
            marks.append(mark)
    return incidents_of(marks)


def moved(source: str, target: str, event: str = "", *reasons: str) -> StateChanged:
    return StateChanged(source=source, target=target, event=event, reasons=reasons)


def trip(row: str = "cell_voltage_high", reaction: str = "trip") -> FindingRaised:
    return FindingRaised(owner="battery", row=row, level="trip", reaction=reaction, text="3.9 V")


def latched(*faults: str, stop: bool = False) -> LatchesChanged:
    return LatchesChanged(emergency_stop=stop, faults=faults)


def started(*faults: str, stop: bool = False) -> ProcessStarted:
    return ProcessStarted(
        version="1", config_sha256="", authority="full", period_ms=20, real_time=False,
        emergency_stop=stop, faults=faults,
    )  # fmt: skip


NOISE = PlanNotAccepted(plan_id="p", reason='"kind":"state" and "reaction":"trip"')


def test_a_trip_lasts_until_it_was_reset() -> None:
    tripped = moved("running", "error", "trip", "battery/cell_voltage_high: 3.9 V")
    one, = found(
        started(), moved("boot", "idle"), NOISE, tripped, latched("battery/cell_voltage_high"),
        trip(), NOISE, moved("error", "boot", "reset", "by command"), latched(),
        moved("boot", "idle"),
    )  # fmt: skip
    assert (one.id, one.start, one.end) == (4, T0 + 3 * SECOND, T0 + 8 * SECOND)
    assert (one.state, one.first_finding) == (State.ERROR, "battery/cell_voltage_high")
    assert one.text.startswith("RUNNING -> ERROR by trip: because battery/cell_voltage_high")


SECOND = timedelta(seconds=1)


def test_a_stop_in_an_error_makes_it_more_serious_and_no_second_one() -> None:
    one, = found(
        moved("running", "error", "trip"), latched("battery/power_unseen"),
        moved("error", "stopped", "emergency_stop"), latched("battery/power_unseen", stop=True),
    )  # fmt: skip
    assert (one.state, one.end) == (State.STOPPED, None)
    assert one.first_finding == "battery/power_unseen"


def test_a_controller_that_starts_anew_goes_on_with_what_is_latched() -> None:
    one, = found(
        latched(stop=True), moved("idle", "stopped", "emergency_stop"), ProcessEnded(reason="told"),
        started(stop=True), moved("boot", "stopped"), moved("stopped", "boot", "reset"), latched(),
    )  # fmt: skip
    assert (one.id, one.end) == (1, T0 + 6 * SECOND)


def test_each_incident_is_told_for_itself_and_what_lasts_has_no_end() -> None:
    first, second = found(
        moved("idle", "stopped", "emergency_stop"), moved("stopped", "boot", "reset"),
        moved("boot", "idle"), moved("idle", "error", "trip"),
    )  # fmt: skip
    assert first.end is not None
    assert second.end is None
    assert second.id == 4


def test_an_alarm_that_only_narrows_is_no_incident() -> None:
    assert found(started(), trip(reaction="derate"), moved("boot", "idle"), NOISE) == ()
