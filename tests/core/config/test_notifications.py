"""Whoever is to be told can be, and no password goes out readable or stands in site.yaml."""

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.config.notifications import Notifications, WebPushChannel
from tests.builders import build_site

MAIL = {
    "kind": "mail",
    "host": "smtp.example.org",
    "sender": "site@example.org",
    "to": ["ann@example.org"],
}
LOGIN = {"username": "site", "password_env": "MAIL_PASSWORD"}
NTFY = {"kind": "ntfy", "topic": "my-house"}

PUSH = {"kind": "web_push", "contact": "ann@example.org"}


def recipient(channel: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"name": "ann", "channel": NTFY if channel is None else channel} | changes


def several(*recipients: dict[str, Any]) -> Notifications:
    return Notifications.model_validate({"recipients": list(recipients)})


def test_nobody_is_told_unless_somebody_is_named() -> None:
    assert build_site().notifications.recipients == ()


@pytest.mark.parametrize(
    "channel",
    [
        NTFY,
        NTFY | {"url": "https://ntfy.example.org", "token_env": "NTFY_TOKEN"},
        MAIL | LOGIN,
        MAIL | {"security": "tls", "port": 465},
        MAIL | {"security": "none", "host": "localhost", "port": 25},
        MAIL | {"username": "site", "password_file": "mail.password"},
        {"kind": "webhook", "url": "http://homeassistant.local:8123/api/webhook/holdfast"},
        {"kind": "webhook", "url": "https://example.org/hook", "token_file": "hook.secret"},
        {"kind": "pushover", "user": "u" * 30, "token_env": "PUSHOVER_TOKEN"},
        PUSH,
        PUSH
        | {"accounts": ["ann", "sso:ann@example.org"], "services": ["push.lan:8443", "push.lan"]},
    ],
)
def test_each_way_to_somebody_is_taken(channel: dict[str, Any]) -> None:
    (one,) = several(recipient(channel)).recipients
    assert one.channel.kind == channel["kind"]
    assert (one.language, one.least, one.after_minutes) == ("en", "hold", 0)


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        (MAIL | {"security": "none"}, "security: none would send all readable to smtp.example.org"),
        (MAIL | {"username": "site"}, "an account needs both: username, and password_env or"),
        (MAIL | {"password_env": "MAIL_PASSWORD"}, "an account needs both"),
        (MAIL | LOGIN | {"password_file": "x"}, "only one of them can be"),
        (MAIL | {"password": "secret"}, "password"),
        (MAIL | {"host": "smtp example"}, "is no name or address of a host"),
        (MAIL | {"to": []}, "at least 1 item"),
        (MAIL | {"to": ["ann@example.org\nBcc: all@example.org"]}, "is no address"),
        (NTFY | {"topic": "my house"}, "is no topic of letters"),
        ({"kind": "pushover", "user": "u" * 30}, "token_env or token_file must say"),
        ({"kind": "pushover", "user": "me", "token_env": "T"}, "this is no key of a user"),
        ({"kind": "pager"}, "pager"),
        ({"kind": "web_push"}, "contact"),
        (PUSH | {"contact": "ann"}, "is no address"),
        (PUSH | {"accounts": ["Ann Miller"]}, "is no name of an account"),
        (PUSH | {"accounts": ["ann"] * 201}, "at most 200 items"),
        (PUSH | {"services": ["https://push.lan/"]}, "is no host of a push service"),
        (PUSH | {"services": ["push.lan"] * 11}, "at most 10 items"),
    ],
)
def test_what_cannot_reach_anybody_is_refused_in_words(channel: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        several(recipient(channel))


def test_browsers_of_all_are_told_unless_accounts_are_named() -> None:
    everybody, ann = (
        WebPushChannel.model_validate(PUSH | more) for more in ({}, {"accounts": ["ann"]})
    )
    assert [everybody.tells(name) for name in ("ann", "bob")] == [True, True]
    assert [ann.tells(name) for name in ("ann", "bob")] == [True, False]


def test_all_of_it_is_told_unless_some_is_left_out() -> None:
    (one,) = several(recipient()).recipients
    assert one.kinds == ("new", "worse", "still", "over")
    (some,) = several(recipient(kinds=["over", "new"])).recipients
    assert some.kinds == ("over", "new")
    with pytest.raises(ValidationError, match="at least 1 item"):
        several(recipient(kinds=[]))


def test_names_differ_and_somebody_is_told_at_once() -> None:
    with pytest.raises(ValidationError, match="names of recipients must differ"):
        several(recipient(), recipient())
    with pytest.raises(ValidationError, match="one recipient at least must be told at once"):
        several(recipient(after_minutes=10))
    assert len(several(recipient(), recipient(name="bob", after_minutes=10)).recipients) == 2


def test_quiet_hours_are_not_always() -> None:
    (one,) = several(recipient(quiet_hours=[{"from": "22:00", "to": "06:00"}])).recipients
    assert one.quiet_hours[0].from_minute == 22 * 60
    with pytest.raises(ValidationError, match="always would be never told"):
        several(recipient(quiet_hours=[{}]))


OTHER = {"name": "other", "channel": NTFY}
EDGES: list[tuple[dict[str, Any], bool]] = [
    *((recipient(MAIL | {"port": port}), 1 <= port <= 65535) for port in (0, 1, 65535, 65536)),
    *((recipient(MAIL | {"to": ["a@b"] * many}), many <= 10) for many in (1, 10, 11)),
    *((recipient(MAIL | LOGIN | {"username": name}), bool(name)) for name in ("", "u")),
    *((recipient(MAIL | {"security": way}), way != "ssl") for way in ("starttls", "tls", "ssl")),
    *((recipient(language=one), one != "fr") for one in ("en", "de", "fr")),
    *((recipient(least=one), True) for one in (
        "log", "hold", "derate", "block_charge", "block_discharge", "ramp_to_zero", "trip",
    )),
    (recipient(least="emergency"), False),
    *((recipient(kinds=[one]), one != "old") for one in ("new", "worse", "still", "over", "old")),
    *((recipient(after_minutes=m), 0 <= m <= 1440) for m in (-1, 0, 1, 1440, 1441)),
    *((recipient(PUSH | {"accounts": ["a"] * many}), many <= 200) for many in (200, 201)),
    *((recipient(PUSH | {"services": ["a.lan"] * many}), many <= 10) for many in (10, 11)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "is_right"), EDGES)
def test_what_is_permitted_ends_where_the_page_says(one: dict[str, Any], is_right: bool) -> None:
    if is_right:
        assert len(several(one, OTHER).recipients) == 2
    else:
        with pytest.raises(ValidationError):
            several(one, OTHER)


def test_so_many_recipients_and_no_more() -> None:
    most = [recipient(name=f"r{number}") for number in range(21)]
    assert len(several(*most[:20]).recipients) == 20
    with pytest.raises(ValidationError, match="at most 20 items"):
        several(*most)


def test_what_is_left_out_is_what_most_have() -> None:
    channels = (MAIL, {"kind": "pushover", "user": "u" * 30, "token_env": "T"}, NTFY, PUSH)
    mail, pushover, ntfy, push = (
        several(recipient(channel)).recipients[0].channel.model_dump() for channel in channels
    )
    assert (mail["port"], mail["security"], mail["username"]) == (587, "starttls", None)
    assert pushover["url"] == "https://api.pushover.net/1/messages.json"
    assert ntfy["url"] == "https://ntfy.sh"
    assert (push["accounts"], push["services"]) == ((), ())
