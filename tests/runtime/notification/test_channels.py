"""Each way to somebody is tried on a real server: what comes, and what is said when it fails."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme

from holdfast.core.config.notifications import Recipient
from holdfast.core.errors import SourceError
from holdfast.monitoring.notification.message import NoticeMessage, compose
from holdfast.runtime.notification.channels import send
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from holdfast.web.carrier import SIGNATURE_HEADER
from holdfast.web.request import RateLimited, TokenRefused
from tests.builders import build_site
from tests.monitoring.notification.people import notice, recipient
from tests.runtime.notification.servers import (
    NAME,
    PASSWORD,
    MailServer,
    WebServer,
    mail_server,
    trusted_file,
    web_server,
)

SITE = build_site(name="Haus Müller", api={"public_url": "https://house.example.org"})


def message(who: Recipient) -> NoticeMessage:
    return compose(SITE, who, [notice("cell_temperature_high", "trip")])


def tell(**channel: Any) -> None:
    who = recipient(channel=channel, language="de")
    send(who.channel, message(who), SiteFiles(state_dir=Path("nowhere")))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mails(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", trusted_file(tmp_path, authority))
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with mail_server(authority) as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def mail(server: MailServer, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "mail", "host": "localhost", "port": server.port, "username": NAME,
        "password_env": "MAIL_PASSWORD", "sender": "site@example.org",
        "to": ["ann@example.org", "bob@example.org"],
    } | changes  # fmt: skip


def test_a_mail_comes_encrypted_to_all_its_addresses_in_their_language(mails: MailServer) -> None:
    tell(**mail(mails))
    tell(**mail(mails))
    one, other = mails.mails
    assert mails.to[0] == ["ann@example.org", "bob@example.org"]
    assert one["Subject"] == "Haus Müller: ALARM: eine Zelle war zu heiß"
    assert one["X-Priority"] == "1"
    text = one.get_content()
    assert "2026-03-02 12:00" in text
    assert "cell_temperature_high: text" in text
    assert "Was zuerst zu tun ist:" in text
    assert "holdfast notices ack" in text
    assert "https://house.example.org" in text
    assert one["Message-ID"] == other["Message-ID"], "who gets it twice can tell"


def test_a_password_may_come_from_a_file(mails: MailServer, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    tell(**mail(mails, password_env=None, password_file=str(tmp_path / "password")))
    assert len(mails.mails) == 1


def test_what_a_mail_server_refuses_is_said(
    mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails.refuses = "550 no such house"
    with pytest.raises(SourceError, match="localhost: 550 no such house"):
        tell(**mail(mails))
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with pytest.raises(TokenRefused, match=r"localhost: name or password is refused \(535\)"):
        tell(**mail(mails))
    monkeypatch.delenv("MAIL_PASSWORD")
    with pytest.raises(TokenRefused, match="password_env: environment variable MAIL_PASSWORD"):
        tell(**mail(mails))


def test_nothing_goes_to_a_mail_server_that_shows_another_certificate(
    mails: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", trusted_file(tmp_path, trustme.CA()))
    with pytest.raises(SourceError, match="localhost: no encrypted connection"):
        tell(**mail(mails))
    assert mails.mails == []


def test_nothing_goes_readable_to_a_mail_server_that_cannot_encrypt() -> None:
    with mail_server(None) as server:
        with pytest.raises(SourceError, match="STARTTLS"):
            tell(**mail(server, username=None, password_env=None))
        assert server.mails == []
        tell(**mail(server, username=None, password_env=None, security="none"))
        assert len(server.mails) == 1


def test_a_webhook_gets_all_there_is_signed(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "a-secret-of-both")
    tell(kind="webhook", url=f"{web.url}/hook", token_env="HOOK")
    tell(kind="webhook", url=f"{web.url}/hook")
    signed, plain = web.posts
    wanted = hmac.new(b"a-secret-of-both", signed.body, hashlib.sha256).hexdigest()
    assert signed.headers[SIGNATURE_HEADER] == f"sha256={wanted}"
    assert SIGNATURE_HEADER not in plain.headers
    assert b"a-secret" not in signed.body
    told = json.loads(signed.body)
    assert (told["site"], told["urgency"]) == ("Haus Müller", "alarm")
    (one,) = told["notices"]
    assert (one["row"], one["kind"], one["reaction"]) == ("cell_temperature_high", "new", "trip")
    assert one["utc"] == "2026-03-02T12:00:00Z"


def test_ntfy_gets_topic_title_priority_and_token(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NTFY", "tk_12345678")
    tell(kind="ntfy", url=web.url, topic="my-house", token_env="NTFY")
    (post,) = web.posts
    assert post.headers["Authorization"] == "Bearer tk_12345678"
    told = json.loads(post.body)
    assert (told["topic"], told["priority"]) == ("my-house", 5)
    assert told["title"].startswith("Haus Müller: ALARM")
    assert told["click"] == "https://house.example.org"


def test_pushover_gets_a_form(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHOVER", "a" * 30)
    tell(kind="pushover", url=f"{web.url}/1/messages.json", user="u" * 30, token_env="PUSHOVER")
    (post,) = web.posts
    form = {name: values[0] for name, values in parse_qs(post.body.decode()).items()}
    assert form["token"] == "a" * 30
    assert (form["user"], form["priority"]) == ("u" * 30, "1")
    assert form["title"].startswith("Haus Müller: ALARM")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, TokenRefused), (429, RateLimited), (500, SourceError)]
)
def test_what_a_web_server_refuses_is_said(
    web: WebServer, status: int, kind: type[SourceError]
) -> None:
    web.status = status
    with pytest.raises(kind, match=str(status)):
        tell(kind="webhook", url=web.url)


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    channel = {"kind": "mail", "host": "127.0.0.1", "port": port, "sender": "a@b", "to": ["c@d"]}
    with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{port}: Connection refused"):
        tell(**channel)
    with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{port}: ConnectError"):
        tell(kind="webhook", url=f"http://127.0.0.1:{port}")
