"""Beside findings, people are told of what the safety path does not need to know."""

from holdfast.core.units import NS_PER_S
from holdfast.monitoring.notification.conditions import CONDITIONS, Seen, lasting, site_conditions
from holdfast.monitoring.status.schema import AuditStatus, CommsStatus, Status
from tests.monitoring.statuses import found, status


def rows(there: Status) -> list[str]:
    return [f"{one.owner}/{one.row}: {one.text}" for one in site_conditions(there)]


def comms(why: str) -> CommsStatus:
    return CommsStatus(
        reads=0, writes=0, errors=1, last_error="", where="heat meter at 192.0.2.9", why_silent=why
    )


def test_a_site_that_is_well_has_none() -> None:
    assert rows(status(comms={"battery/bms": comms("")})) == []


def test_each_is_told_with_its_reason() -> None:
    audit = AuditStatus(lines=1, lost=2, problem="no space left")
    there = status(waits_for_start=True, latches_on_disk=False, audit=audit)
    assert [row.partition(":")[0] for row in rows(there)] == [
        "site/waits_for_start", "site/latches_not_on_disk", "site/audit_not_written",
    ]  # fmt: skip
    assert "no space left" in rows(there)[-1]


def test_a_silent_device_is_told_unless_a_finding_tells_of_it() -> None:
    silent = {"heater/meter": comms("connection refused")}
    told = "heater/meter/device_silent: heat meter at 192.0.2.9: connection refused"
    assert rows(status(comms=silent)) == [told]
    lost = found("meter_data_lost", "ramp_to_zero", owner="heater")
    assert rows(status(comms=silent, findings=(lost,))) == []


def test_one_counts_once_it_has_lasted_and_begins_anew_after_a_gap() -> None:
    silent = Seen(row="controller_silent", text="nothing came")
    first, since = lasting({}, iter([silent]), 0)
    later, since = lasting(since, iter([silent]), 60 * NS_PER_S)
    assert (first, [one.reaction for one in later]) == ([], ["trip"])
    _, since = lasting(since, iter(()), 61 * NS_PER_S)
    again, _ = lasting(since, iter([silent]), 62 * NS_PER_S)
    assert again == []


def test_every_row_of_the_controller_can_be_seen() -> None:
    seen_elsewhere = {
        "controller_silent", "history_not_written", "recipient_unreachable", "no_browser_told",
    }  # fmt: skip
    audit = AuditStatus(lines=1, lost=2, problem="no space left")
    there = status(
        waits_for_start=True, latches_on_disk=False, audit=audit, comms={"a/b": comms("gone")}
    )
    assert {one.row for one in site_conditions(there)} | seen_elsewhere == set(CONDITIONS)
