"""Browsers are told by a real push service, each by itself, and no one twice."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from holdfast.core.errors import SourceError
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.notices import NoticeKind, NoticeMemory, TimedNotice, notices
from holdfast.monitoring.notification.message import trial
from holdfast.monitoring.status.schema import FindingStatus
from holdfast.runtime.notification.browsers import BrowserPostmen, tell_browsers
from holdfast.runtime.notification.desk import NotificationDesk, kept_ledgers
from holdfast.runtime.notification.postman import Postman
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf, with_browser, without_account, without_browser
from holdfast.testing.waiting import until
from tests.builders import build_site
from tests.monitoring.notification.people import NOON, notice, recipient
from tests.runtime.notification.push_service import PushService, Telephone, trusted_push_service
from tests.runtime.notification.servers import trusted_file


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with trusted_push_service(tmp_path, monkeypatch) as server:
        yield server


class House:
    """A site whose browsers are told, at a time of our own."""

    def __init__(self, folder: Path, service: PushService, **changes: Any) -> None:
        self.now = NOON
        self.files = SiteFiles(state_dir=folder)
        self.service = service
        channel = {
            "kind": "web_push", "contact": "ann@example.org", "services": [service.host],
        } | changes.pop("channel", {})  # fmt: skip
        self.changes = {"name": "phones", "channel": channel} | changes
        self.recipient = recipient(**self.changes)
        self.site = build_site(name="Haus", notifications={"recipients": [self.changes]})
        self.shelf = PushShelf(self.files.web_push)
        self.postmen = self.started_anew()

    def started_anew(self) -> BrowserPostmen:
        return BrowserPostmen(
            self.site, self.recipient, self.recipient.channel, self.files, lambda _: None,  # type: ignore[arg-type]
            clock=lambda: self.now,
        )  # fmt: skip

    def has(self, path: str, account: str = "ann") -> Telephone:
        """Somebody switches it on."""
        telephone = self.service.telephone(path)
        self.shelf.change(lambda book: with_browser(book, telephone.of(account, path)))
        return telephone

    def take(self, *told: TimedNotice) -> None:
        for postman in self.postmen.now().values():
            postman.take(told)

    def round(self) -> None:
        for postman in self.postmen.now().values():
            postman.round()

    def only(self) -> Postman:
        (postman,) = self.postmen.now().values()
        return postman


@pytest.fixture
def house(tmp_path: Path, service: PushService) -> House:
    return House(tmp_path, service)


def test_each_browser_reads_where_how_bad_and_what_and_nothing_more(house: House) -> None:
    one, other = house.has("one"), house.has("other", "bob")
    house.take(notice("cell_temperature_high", "trip", text="192.168.1.7: 61 °C"))
    house.round()
    for telephone in (one, other):
        (pushed,) = house.service.taken[telephone.endpoint.rpartition("/")[2]]
        told = telephone.reads(pushed.body)
        assert set(told) == {"id", "title", "body", "urgency"}
        assert (told["title"], told["urgency"]) == ("Haus", "alarm")
        assert told["body"] == "ALARM: a cell was too hot"
        assert pushed.headers["Urgency"] == "high"
        assert pushed.headers["TTL"] == "86400"
        assert pushed.headers["Content-Encoding"] == "aes128gcm"
        assert b"Haus" not in pushed.body


@pytest.mark.parametrize(
    ("reaction", "urgency"), [("trip", "high"), ("derate", "normal"), ("hold", "low")]
)
def test_a_telephone_is_woken_for_what_counts(house: House, reaction: str, urgency: str) -> None:
    house.has("one")
    house.take(notice(reaction=reaction))
    house.round()
    (pushed,) = house.service.taken["one"]
    assert pushed.headers["Urgency"] == urgency


def test_accounts_say_whose_browsers_are_told(tmp_path: Path, service: PushService) -> None:
    house = House(tmp_path, service, channel={"accounts": ["ann"]})
    house.has("anns")
    house.has("bobs", "bob")
    house.take(notice())
    house.round()
    assert set(service.taken) == {"anns"}


def test_what_one_was_told_is_not_told_again_because_another_could_not_be(house: House) -> None:
    well, ill = house.has("well"), house.has("ill")
    house.service.statuses["ill"] = 503
    house.take(notice("a", "trip"))
    for _ in range(120):
        house.round()
        house.now += timedelta(minutes=1)
    assert len(house.service.texts(well)) == 1
    assert house.service.texts(ill) == []
    assert house.service.tries <= 1 + 8, "it is asked ever less"
    house.service.statuses.clear()
    house.now += timedelta(hours=1)
    house.postmen = house.started_anew()
    house.round()
    assert len(house.service.texts(well)) == len(house.service.texts(ill)) == 1


def test_a_latched_fault_is_told_once_however_often_the_gateway_starts(house: House) -> None:
    phone = house.has("one")
    for _ in range(5):
        house.postmen = house.started_anew()
        house.take(notice("cell_temperature_high", "trip"))
        house.round()
        house.now += timedelta(hours=2)
    assert len(house.service.texts(phone)) == 1


def test_a_finding_that_flaps_all_day_makes_six_an_hour_at_most_and_is_over_once(
    house: House,
) -> None:
    phone = house.has("one")
    memory, sent_at = NoticeMemory(), []
    day_s = 24 * 3600
    for at_s in range(0, day_s + 1200, 20):
        found = FindingStatus(
            owner="battery", row="cell_voltage_high", level="alarm", reaction="derate",
            for_s=5.0, text="3.66 V",
        )  # fmt: skip
        there = [found] if at_s < day_s and at_s // 20 % 2 else []
        told, memory = notices(memory, there, at_s * NS_PER_S)
        house.now = NOON + timedelta(seconds=at_s)
        if told:
            house.take(*(TimedNotice(utc=house.now, notice=one) for one in told))
        before = len(house.service.taken.get("one", []))
        house.round()
        sent_at += [at_s] * (len(house.service.taken.get("one", [])) - before)
    assert 1 < len(sent_at) <= 8
    assert all(sum(at - 3600 < other <= at for other in sent_at) <= 6 for at in sent_at)
    bodies = house.service.texts(phone)
    assert [body for body in bodies if body.startswith("Over")] == bodies[-1:]


def test_many_faults_at_once_make_six_messages_an_hour(house: House) -> None:
    phone = house.has("one")
    for minute in range(60):
        house.take(notice(f"row_{minute}", "trip", utc=house.now))
        house.round()
        house.now += timedelta(minutes=1)
    assert len(house.service.texts(phone)) == 6


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_its_service_knows_no_more_is_struck_out(house: House, status: int) -> None:
    house.has("gone")
    kept = house.has("kept")
    house.take(notice())
    house.service.statuses["gone"] = status
    house.round()
    assert [one.name for one in house.shelf.read().browsers] == ["kept"]
    assert len(house.postmen.now()) == 1
    assert [path.stem for path in house.files.notice_ledgers.glob("*")] == list(house.postmen.now())
    house.take(notice("other"))
    house.round()
    assert len(house.service.texts(kept)) == 2
    assert house.service.tries == 3, "it is never asked for again"


def test_a_service_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(
    house: House,
) -> None:
    phone = house.has("one")
    house.service.status, house.service.retry_after = 429, "7200"
    house.take(notice("a", "trip"))
    house.round()
    house.service.status = 201
    house.now += timedelta(seconds=7190)
    house.round()
    assert house.service.tries == 1
    assert "asked too often" in house.only().ledger.last_error
    house.now += timedelta(hours=1, seconds=20)  # and half as long again at most
    house.round()
    assert len(house.service.texts(phone)) == 1


def test_a_refused_signature_is_not_tried_again_at_once(house: House) -> None:
    house.has("one")
    house.service.status = 403
    house.take(notice())
    house.round()
    house.now += timedelta(minutes=39)
    house.round()
    assert house.service.tries == 1
    assert "access is refused (HTTP 403)" in house.only().ledger.last_error


def test_nothing_goes_to_a_service_that_shows_another_certificate(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.has("one")
    monkeypatch.setenv("SSL_CERT_FILE", trusted_file(tmp_path, trustme.CA()))
    house.take(notice())
    house.round()
    assert house.service.tries == 0
    assert "localhost" in house.only().ledger.last_error


def test_a_service_that_site_yaml_names_no_more_is_not_asked(
    tmp_path: Path, service: PushService
) -> None:
    house = House(tmp_path, service, channel={"services": []})
    house.has("one")
    house.take(notice())
    house.round()
    assert service.tries == 0
    assert "is no push service of a browser's maker" in house.only().ledger.last_error


def test_who_comes_later_is_not_told_that_something_is_over_of_which_he_never_heard(
    house: House,
) -> None:
    first = house.has("first")
    house.take(notice("a", "trip"))
    house.round()
    late = house.has("late")
    house.now += timedelta(hours=1)
    house.take(notice("a", "trip", kind=NoticeKind.OVER, utc=house.now))
    house.round()
    assert len(house.service.texts(first)) == 2
    assert house.service.texts(late) == []


def test_with_an_account_goes_all_that_is_remembered_of_its_browsers(house: House) -> None:
    house.has("one")
    house.take(notice())
    assert list(house.files.notice_ledgers.glob("phones.*.json"))
    house.shelf.change(partial(without_account, account="ann"))
    house.round()
    assert list(house.files.notice_ledgers.glob("*")) == []
    assert house.service.tries == 0


def test_quiet_hours_and_escalation_hold_for_browsers_too(
    tmp_path: Path, service: PushService
) -> None:
    quiet = House(tmp_path, service, quiet_hours=[{"from": "10:00", "to": "16:00"}])
    phone = quiet.has("one")
    quiet.take(notice("a", "derate"))
    quiet.round()
    assert service.texts(phone) == []
    quiet.take(notice("b", "trip"))
    quiet.round()
    (told,) = service.texts(phone)
    assert told.startswith("ALARM")


def test_a_service_that_hangs_holds_up_no_other_browser_and_each_is_told_while_it_runs(
    house: House,
) -> None:
    released = house.service.hold = threading.Event()
    well, slow = house.has("well"), house.has("slow")
    desk, end = NotificationDesk(house.site, house.files), threading.Event()
    desk.start(end)
    try:
        for index in range(2):
            desk.take([notice(f"row_{index}")])
            until(lambda: len(house.service.texts(well)) > index, "the other is told")  # noqa: B023
        late = house.has("late")
        desk.take([notice("row_3")])
        until(lambda: house.service.texts(late), "who came meanwhile is told")
        assert house.service.texts(slow) == []
        assert len(desk.ledgers()) == len(kept_ledgers(house.site, house.files)) == 3
    finally:
        released.set()
        until(lambda: house.service.texts(slow), "the hanging one is told in the end")
        end.set()


def test_that_nobody_is_told_is_told(house: House) -> None:
    desk = NotificationDesk(house.site, house.files)
    (seen,) = desk.conditions(NOON)
    assert (seen.row, seen.owner) == ("no_browser_told", "phones")
    phone = house.has("one")
    assert list(desk.conditions(NOON)) == []
    (ledger_name,) = desk.ledgers()
    assert ledger_name == f"phones.{phone.of('ann').id}"
    house.shelf.change(lambda book: without_browser(book, phone.of("ann").id))
    assert [one.row for one in desk.conditions(NOON)] == ["no_browser_told"]


def test_a_test_goes_to_all_browsers_and_says_which_could_not_be_told(house: House) -> None:
    channel, now = house.recipient.channel, datetime.fromisoformat("2026-03-02T12:00:00Z")
    message = trial(house.site, house.recipient, now)
    with pytest.raises(SourceError, match="nobody has switched notifications on in a browser"):
        tell_browsers(channel, message, house.files)  # type: ignore[arg-type]
    phone = house.has("well")
    house.has("ill", "bob")
    house.service.statuses["ill"] = 500
    with pytest.raises(SourceError, match=r"^ill of bob: localhost:\d+: HTTP 500$"):
        tell_browsers(channel, message, house.files)  # type: ignore[arg-type]
    assert house.service.texts(phone) == ["test"]
