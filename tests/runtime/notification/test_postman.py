"""A postman loses nothing, tells nothing twice, and waits for nobody but his own recipient."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.config.notifications import Recipient
from holdfast.core.errors import SourceError
from holdfast.monitoring.notices import NoticeKind
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.notification.message import NoticeMessage
from holdfast.runtime.notification.desk import NotificationDesk
from holdfast.runtime.notification.postman import Postman, read_ledger
from holdfast.site.files import SiteFiles
from holdfast.testing.waiting import until
from tests.builders import build_site
from tests.monitoring.notification.people import NOON, notice, recipient
from tests.runtime.notification.servers import web_server

SITE = build_site()


class Post:
    """Takes messages while it is open."""

    def __init__(self) -> None:
        self.now = NOON
        self.open = True
        self.taken: list[NoticeMessage] = []
        self.tries = 0

    def send(self, message: NoticeMessage) -> None:
        self.tries += 1
        if not self.open:
            raise SourceError("nobody there")
        self.taken.append(message)

    def postman(
        self,
        files: SiteFiles,
        who: Recipient | None = None,
        witness: Callable[[datetime], datetime | None] = lambda _: None,
    ) -> Postman:
        who = who or recipient()
        file = files.notice_ledger(who.name)
        return Postman(SITE, who, file, witness, self.send, now=lambda: self.now)


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


def test_what_waits_survives_a_restart_and_what_was_told_is_not_told_again(
    files: SiteFiles,
) -> None:
    post = Post()
    post.postman(files).take([notice("a")])  # and killed before it was sent
    post.postman(files).round()
    post.postman(files).round()
    again = post.postman(files)
    again.take([notice("a", utc=NOON + timedelta(hours=1))])
    again.round()
    assert [one.notice.row for message in post.taken for one in message.notices] == ["a"]
    again.take([notice("a", kind=NoticeKind.OVER)])
    again.round()
    assert post.taken[-1].notices[0].notice.kind is NoticeKind.OVER


def test_while_the_server_is_down_it_is_asked_ever_less_and_then_told_all(
    files: SiteFiles,
) -> None:
    post = Post()
    post.open = False
    for minute in range(3 * 24 * 60):
        postman = post.postman(files)  # restarted each minute: the wait survives that, too
        if minute % 300 == 0:
            postman.take([notice(f"row_{minute}", utc=post.now)])
        postman.round()
        post.now += timedelta(minutes=1)
    assert 3 * 24 <= post.tries <= 3 * 24 * 60 / 40 + 8
    ledger = read_ledger(files.notice_ledger(recipient().name))
    assert ledger.unreachable(post.now)
    assert (ledger.last_error, len(ledger.waiting)) == ("nobody there", 15)
    post.open = True
    post.now += timedelta(hours=1)
    post.postman(files).round()
    (message,) = post.taken
    assert "15 notices, the first of 2026-03-02 12:00, the last of" in message.text
    assert read_ledger(files.notice_ledger(recipient().name)).waiting == ()


@pytest.mark.parametrize(("whole", "damaged"), [('Z"', '"'), ('"trip"', '"tripp"')])
def test_a_ledger_that_nobody_can_judge_counts_for_none(
    files: SiteFiles, whole: str, damaged: str
) -> None:
    """Else nothing would be told any more: a time without a zone, a reaction of no name."""
    Post().postman(files).take([notice("row", reaction="trip")])
    path = files.notice_ledger(recipient().name)
    assert read_ledger(files.notice_ledger(recipient().name)) != Ledger()
    text = path.read_text()
    assert whole in text
    path.write_text(text.replace(whole, damaged))
    assert read_ledger(files.notice_ledger(recipient().name)) == Ledger()


def test_an_alarm_that_nobody_acknowledges_goes_on(files: SiteFiles) -> None:
    post = Post()
    seen: list[datetime] = []
    second = post.postman(files, recipient(after_minutes=10), lambda since: max(seen, default=None))
    second.take([notice(reaction="trip")])
    post.now += timedelta(minutes=9)
    second.round()
    assert post.taken == []
    post.now += timedelta(minutes=1)
    second.round()
    assert len(post.taken) == 1
    second.take([notice("other", reaction="trip", utc=post.now)])
    seen.append(post.now)
    post.now += timedelta(minutes=11)
    second.round()
    assert len(post.taken) == 1


def test_what_a_server_answers_against_all_rules_ends_nothing(
    files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    def send(_: NoticeMessage) -> None:
        raise UnicodeError("what is that")

    postman = Postman(SITE, recipient(), files.notice_ledger("ann"), lambda _: None, send)
    postman.take([notice()])
    postman.round()
    assert postman.ledger.last_error == "UnicodeError: what is that"
    assert "what is that" in caplog.text


def test_a_disk_that_is_full_keeps_nobody_from_being_told(
    files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post()
    (files.state_dir / "notifications").write_text("in the way")
    postman = post.postman(files)
    postman.take([notice()])
    postman.round()
    assert len(post.taken) == 1
    assert "is not on disk" in caplog.text


def test_a_server_that_hangs_holds_up_nobody_else(files: SiteFiles) -> None:
    with web_server() as well, web_server() as hanging:
        released = threading.Event()
        hanging.hold = released
        people = [
            {"name": name, "channel": {"kind": "webhook", "url": server.url}}
            for name, server in (("bob", hanging), ("ann", well))
        ]
        desk = NotificationDesk(build_site(notifications={"recipients": people}), files)
        end = threading.Event()
        desk.start(end)
        try:
            for index in range(2):
                desk.take([notice(f"row_{index}")])
                until(lambda: len(well.posts) > index, "the other one is told")  # noqa: B023
            assert desk.ledgers()["bob"].delivered == 0
        finally:
            released.set()
            until(lambda: desk.ledgers()["bob"].delivered, "the hanging one is told in the end")
            end.set()
