"""Who is told by web push is on the disk, for its owner alone, and within bounds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.errors import AlreadyRunning, ConfigError
from holdfast.site import changed_alone
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import (
    ALL,
    EACH,
    BookFull,
    PushBook,
    PushShelf,
    browser_id,
    with_browser,
    with_key,
    without_account,
    without_browser,
)
from tests.runtime.notification.push_service import Telephone


def phone(path: str) -> Telephone:
    return Telephone(endpoint=f"https://web.push.apple.com/{path}")


@pytest.fixture
def shelf(tmp_path: Path) -> PushShelf:
    return PushShelf(SiteFiles(state_dir=tmp_path).web_push)


def test_what_one_process_writes_another_reads(shelf: PushShelf, tmp_path: Path) -> None:
    assert shelf.read() == PushBook()
    assert not (tmp_path / "web-push.json").exists(), "reading makes nothing"
    browser = phone("a").of("ann")
    shelf.change(lambda book: with_browser(with_key(book), browser))
    other = PushShelf(tmp_path / "web-push.json")
    assert other.read().browsers == (browser,)
    assert (tmp_path / "web-push.json").stat().st_mode & 0o777 == 0o600
    other.change(lambda book: without_browser(book, browser.id))
    assert shelf.read().browsers == ()
    assert shelf.read().key == other.read().key != "", "the key stays"


def test_what_is_secret_is_not_shown_where_a_book_is() -> None:
    one = phone("a").of("ann")
    shown = repr(with_browser(with_key(PushBook()), one))
    assert not [secret for secret in ("PRIVATE", "apple", one.address.auth) if secret in shown]


def test_a_site_has_one_key() -> None:
    book = with_key(PushBook())
    assert with_key(book) == book


def test_a_browser_is_in_it_once_and_is_whose_it_was_last(shelf: PushShelf) -> None:
    one = phone("a").of("ann")
    book = with_browser(PushBook(), one)
    book = with_browser(book, replace(one, account="bob"))
    assert [browser.account for browser in book.browsers] == ["bob"]
    assert one.id == browser_id(one.address.endpoint)
    assert "apple" not in one.id


def test_there_are_bounds_for_each_and_for_all() -> None:
    book = PushBook()
    for index in range(EACH):
        book = with_browser(book, phone(str(index)).of("ann"))
    with pytest.raises(BookFull, match="5 browsers of ann are told already: remove one first"):
        with_browser(book, phone("more").of("ann"))
    assert with_browser(book, phone("0").of("ann")).of("ann"), "the same one again is no more"
    for index in range(EACH, ALL):
        book = with_browser(book, phone(str(index)).of(f"user{index}"))
    with pytest.raises(BookFull, match="30 browsers are told already"):
        with_browser(book, phone("more").of("bob"))


def test_with_an_account_its_browsers_go() -> None:
    book = with_browser(PushBook(), phone("a").of("ann"))
    book = with_browser(book, phone("b").of("bob"))
    assert [one.account for one in without_account(book, "ann").browsers] == ["bob"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told | {"key": "nonsense"},
        lambda told: told | {"browsers": [{"account": "ann"}]},
        lambda told: json.loads(json.dumps(told).replace("https://", "http://")),
        lambda told: json.loads(json.dumps(told).replace("12:00:00Z", "12:00:00")),
    ],
)
def test_a_book_that_cannot_be_trusted_is_kept_aside_and_begun_anew(
    shelf: PushShelf, tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.change(lambda book: with_browser(with_key(book), phone("a").of("ann")))
    path = tmp_path / "web-push.json"
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))  # type: ignore[operator]
    assert shelf.read() == PushBook()
    assert "have to be switched on anew" in caplog.text
    assert not [secret for secret in ("PRIVATE", "apple", "p256dh") if secret in caplog.text]
    assert (tmp_path / "web-push.corrupt").exists()
    assert shelf.change(with_key).key


def test_one_at_a_time_changes_it(
    shelf: PushShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changed_alone, "WITHIN_S", 0.05)
    path = tmp_path / "web-push.json"
    with (
        changed_alone.changed_alone(path),
        pytest.raises(AlreadyRunning, match="another process holds"),
    ):
        shelf.change(with_key)
    assert shelf.change(with_key).key


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    shelf = PushShelf(tmp_path / "nowhere" / "web-push.json")
    with pytest.raises(ConfigError, match="cannot be written"):
        shelf.change(with_key)
