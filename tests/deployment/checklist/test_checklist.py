"""A site may do more once all was seen: by the program what it can measure, the rest by people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.deployment.checklist.checklist import Checklist, judge
from holdfast.deployment.checklist.evidence import Evidence, gather
from holdfast.deployment.checklist.items import ITEMS, Item, Standing, item_named
from holdfast.deployment.checklist.signatures import Signature
from holdfast.deployment.checklist.site_record import SiteRecord, Stop
from holdfast.monitoring.history.energy_rows import EnergyRow
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.status.schema import CommsStatus
from holdfast.safety.goals import Authority
from holdfast.site.examination import examine
from tests.builders import build_site
from tests.monitoring.history.samples import finding, status_at

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)
HARDWARE = "ab" * 32
PEOPLE = [item.key for item in ITEMS if item.see is None]


def hour(number: int, complete: float = 1.0) -> EnergyRow:
    """The hour that began ``number`` h ago."""
    start = NOW - timedelta(hours=number)
    return EnergyRow(
        start=start, end=start + timedelta(hours=1), import_wh=1.0, export_wh=0.0, pv_wh=0.0,
        load_wh=1.0, charge_wh=10.0, discharge_wh=8.0, cost=None, cost_no_battery=None,
        purchase_per_kwh=None, feed_in_per_kwh=None, complete=complete, priced=0.0,
    )  # fmt: skip


def signed(*keys: str) -> dict[str, Signature]:
    return {key: Signature(by="Jo", utc=NOW, hardware=HARDWARE, note="seen") for key in keys}


def complete(site: Site | None = None) -> Evidence:
    """All that full authority needs."""
    site = build_site() if site is None else site
    comms = CommsStatus(reads=5, writes=0, errors=0, last_error="")
    return Evidence(
        site=site, now=NOW, hardware=HARDWARE,
        examination=replace(examine(site), doubts=()), wrong="", unproven=(),
        record=SiteRecord(
            begun=NOW - timedelta(days=7), real_time=True, acted=timedelta(hours=24),
            stops=(
                Stop(utc=NOW, cause="the emergency-stop loop is open"),
                Stop(utc=NOW, cause="emergency stop by command"),
            ),
            came_back=NOW,
        ),
        hours=tuple(hour(number) for number in range(24, 0, -1)),
        status=status_at(NOW, comms={"meter": comms}), has_admin=True, is_clock_right=True,
        free_bytes=10**10, ledgers={"jo": Ledger(delivered=2)}, signed=signed(*PEOPLE),
    )  # fmt: skip


def standings(found: Checklist) -> dict[str, Standing]:
    return {one.item.key: one.standing for one in found.judged}


def open_items(evidence: Evidence) -> dict[str, str]:
    return {one.item.key: one.told for one in judge(evidence).judged if one.is_open}


def test_the_names_of_items_are_their_own() -> None:
    keys = [item.key for item in ITEMS]
    assert len(set(keys)) == len(keys)
    assert [item_named(key) for key in keys] == list(ITEMS)
    assert item_named("something else") is None


def test_where_all_was_seen_nothing_is_missing() -> None:
    found = judge(complete())
    assert set(standings(found).values()) == {Standing.DONE}
    assert found.reaches is Authority.FULL


def test_where_nothing_was_seen_a_site_observes() -> None:
    nothing = replace(
        complete(), examination=None, wrong="meter: Field required", unproven=("battery",),
        record=SiteRecord(), hours=(), status=None, has_admin=False, is_clock_right=None,
        free_bytes=0, ledgers={}, signed={},
    )  # fmt: skip
    found = judge(nothing)
    assert found.reaches is Authority.OBSERVE
    left = {key for key, standing in standings(found).items() if standing is not Standing.OPEN}
    assert left == {"network", "no_trips"}


CHANGES: dict[str, tuple[dict[str, object], str]] = {
    "configuration": ({"examination": None, "wrong": "meter: is missing"}, "meter: is missing"),
    "proven": ({"unproven": ("left", "right")}, "has not proven: left, right"),
    "answering": (
        {"status": status_at(NOW, comms={"box": CommsStatus(
            reads=0, writes=0, errors=9, last_error="", why_silent="refused")})},
        "silent now: box",
    ),
    "watched": (
        {"hours": tuple(hour(number, 0.98) for number in range(24, 0, -1))},
        "24 whole hours on record, 98.0 % of 24 h known",
    ),
    "quiet": (
        {"status": status_at(NOW, findings=(replace(finding(), reaction="trip"),))},
        "cell_voltage_high of battery",
    ),
    "clock": ({"is_clock_right": False}, "not synchronised"),
    "real_time": ({"record": replace(complete().record, real_time=False)}, "not granted"),
    "admin": ({"has_admin": False}, "nobody has used the set-up code"),
    "disk": ({"free_bytes": 999_999_999}, "1.0 GB free, 1 GB is wanted"),
    "acted": (
        {"record": replace(complete().record, acted=timedelta(hours=23, minutes=50))},
        "RUNNING for 23.8 h",
    ),
    "moved": (
        {"hours": tuple(replace(hour(n), discharge_wh=4.0) for n in range(24, 0, -1))},
        "240 Wh went in, 96 Wh came out",
    ),
    "no_trips": (
        {"record": replace(complete().record, trips=(NOW - timedelta(hours=23),))},
        "1 trips in the last 24 h",
    ),
    "stop_by_input": (
        {"record": replace(complete().record, stops=complete().record.stops[1:])},
        "no such stop is on record (pressed)",
    ),
    "stop_by_command": (
        {"record": replace(complete().record, stops=complete().record.stops[:1])},
        "no such stop is on record (`holdfast estop`)",
    ),
    "told_at_night": (
        {"ledgers": {
            "jo": Ledger(delivered=2), "al": Ledger(), "cy": Ledger(delivered=1, failures=1),
        }},
        "nothing was delivered yet, or the last try failed: al, cy",
    ),
    "came_back": ({"record": replace(complete().record, came_back=None)}, "no start after an end"),
}  # fmt: skip


@pytest.mark.parametrize("key", CHANGES)
def test_what_was_not_seen_is_open_and_says_why(key: str) -> None:
    changes, told = CHANGES[key]
    found = open_items(replace(complete(), **changes))
    assert told in found[key]


@pytest.mark.parametrize("key", PEOPLE)
def test_what_a_person_looks_at_waits_for_a_signature(key: str) -> None:
    evidence = replace(complete(), signed=signed(*(one for one in PEOPLE if one != key)))
    assert open_items(evidence) == {key: "somebody has to look, and sign"}


@pytest.mark.parametrize(
    ("key", "closes"), [("clock", True), ("configuration", True), ("proven", True),
                        ("answering", False), ("watched", False), ("acted", False)]
)  # fmt: skip
def test_a_signature_does_not_replace_what_was_measured(key: str, *, closes: bool) -> None:
    changes, _ = CHANGES[key]
    evidence = replace(complete(), signed=signed(*PEOPLE, key), **changes)
    assert (key not in open_items(evidence)) is closes


def test_a_day_without_an_hour_is_no_day() -> None:
    hours = complete().hours[1:]
    assert "23 whole hours" in open_items(replace(complete(), hours=hours))["watched"]


def test_trips_of_another_day_are_past() -> None:
    trips = (NOW - timedelta(hours=25),)
    record = replace(complete().record, trips=trips)
    assert judge(replace(complete(), record=record)).reaches is Authority.FULL


def test_pages_open_to_the_network_need_a_certificate() -> None:
    def site(tls: str) -> Site:
        return build_site(api={"host": "0.0.0.0", "tls": tls})

    assert "network" in open_items(complete(site("off")))
    assert "network" not in open_items(complete(site("self_made")))


def test_what_a_site_does_without_is_not_needed() -> None:
    site = build_site(emergency_input={"none": "the inverter has a button"})
    found = standings(judge(replace(complete(site), record=replace(complete().record, stops=()))))
    assert found["emergency_wiring"] is Standing.NOT_NEEDED
    assert found["stop_by_input"] is Standing.NOT_NEEDED
    assert found["stop_by_command"] is Standing.OPEN
    assert found["contactor_wiring"] is Standing.DONE


def test_limited_authority_needs_less() -> None:
    evidence = replace(complete(), record=replace(complete().record, acted=timedelta()))
    found = judge(evidence)
    assert found.reaches is Authority.LIMITED
    assert found.missing(Authority.LIMITED) == ()
    assert [one.item.key for one in found.missing(Authority.FULL)] == ["acted"]


@pytest.mark.parametrize("item", [item for item in ITEMS if item.see is not None])
def test_no_item_fails_for_want_of_evidence(item: Item, tmp_path: Path) -> None:
    assert item.see is not None
    assert item.see(gather(build_site(state_dir=str(tmp_path / "never made")), NOW)).told
