"""Whatever a server does, it ends in prices or in a clear error, and the token stays secret."""

import base64
import gzip
import json
import logging
import threading
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from holdfast.core.errors import SourceError
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.price_answer import PriceAnswer
from holdfast.web import carrier
from holdfast.web.carrier import Carrier
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.builders import NOW, asked, dumped, source
from tests.markets.http_server import Reply, always, serving

SECOND_MS = 1000
ROW = {
    "start_timestamp": int(NOW.timestamp()) * SECOND_MS,
    "end_timestamp": int(NOW.timestamp() + 3600) * SECOND_MS,
    "marketprice": 125.0,
    "unit": "Eur/MWh",
}
GOOD = dumped({"object": "list", "data": [ROW], "url": "/at/v1/marketdata"})


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def fetch(reply: Reply) -> PriceAnswer:
    with serving(lambda _: reply) as server:
        return Fetcher().fetch(source("awattar", url=server.url), asked())


def failure(reply: Reply) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(reply)
    return caught.value


def test_a_good_answer_gives_prices() -> None:
    assert fetch(Reply(body=GOOD)).prices.price_at(NOW) == 0.125


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(status=503, body=b"<html>maintenance</html>"), "HTTP 503"),
        (Reply(status=500), "HTTP 500"),
        (Reply(status=404, body=b"{}"), "HTTP 404"),
        (Reply(body=b"<!DOCTYPE html><html>maintenance</html>"), "not JSON; it begins with b'<!"),
        (Reply(body=b""), "the answer is empty"),
        (Reply(body=GOOD[:-9]), "not JSON"),
        (Reply(body=b"{}"), "data: Field required"),
        (Reply(body=b"[" * 100_000), "not JSON"),
        (Reply(body=GOOD, cut=1), "broke off"),
        (Reply(hang_up=True), "broke off"),
        (
            Reply(body=gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}),
            "packed, which was not asked for",
        ),
    ],
)
def test_what_is_no_good_answer_says_so(reply: Reply, told: str) -> None:
    error = failure(reply)
    assert told in str(error)
    assert not isinstance(error, RateLimited | TokenRefused)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_told_apart(status: int) -> None:
    error = failure(Reply(status=status))
    assert isinstance(error, TokenRefused)
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("", 0.0), ("Fri, 08 May 2026 10:00:00 GMT", 0.0), ("9" * 20, 0.0)],
)
def test_too_many_requests_tell_how_long_to_stay_away(header: str, seconds: float) -> None:
    error = failure(Reply(status=429, headers={"Retry-After": header}))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == seconds


def test_redirects_are_not_followed() -> None:
    with serving(always(GOOD)) as other:
        error = failure(Reply(status=302, headers={"Location": f"{other.url}/elsewhere"}))
        assert other.seen == []
        assert isinstance(error, RateLimited)
        assert other.url.removeprefix("http://") in str(error)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "MAX_BYTES", len(GOOD) - 1)
    assert "larger than" in str(failure(Reply(body=GOOD)))
    monkeypatch.setattr(carrier, "MAX_BYTES", len(GOOD))
    assert fetch(Reply(body=GOOD)).prices.price_at(NOW) == 0.125


def test_an_answer_that_trickles_is_cut_off() -> None:
    times = iter([0.0, carrier.MAX_SECONDS + 0.1, 1e9])
    with serving(always(GOOD)) as server, pytest.raises(SourceError, match="longer than 60 s"):
        Fetcher(Carrier(clock_s=lambda: next(times))).fetch(
            source("awattar", url=server.url), asked()
        )


def test_nobody_there_is_named() -> None:
    with serving(always(GOOD)) as server:
        gone = server.url
    with pytest.raises(SourceError, match=gone.removeprefix("http://")):
        Fetcher().fetch(source("awattar", url=gone), asked())


def test_no_answer_in_time_is_told() -> None:
    def late(_: object) -> Reply:
        waiting.wait(10.0)
        return Reply()

    waiting = threading.Event()
    with serving(late) as server:
        with pytest.raises(SourceError, match="did not answer in time"):
            Fetcher(Carrier(timeout_s=0.05)).fetch(source("awattar", url=server.url), asked())
        waiting.set()


def test_an_answer_that_never_leads_anywhere_ends() -> None:
    def page(_: object) -> Reply:
        return Reply(body=dumped({"results": [], "next": f"{server.url}/more"}))

    with serving(page) as server:
        endless = source("octopus", product="AGILE-24-10-01", region="C", url=server.url)
        answer = Fetcher().fetch(endless, asked())
        assert "more than 20 pages" in answer.notes[0]
        assert len(server.seen) == 20


# The token


SOURCES: list[tuple[str, dict[str, Any]]] = [
    ("entsoe", {"zone": "DE_LU"}),
    ("tibber", {}),
    ("octopus", {"account": "A-1234ABCD"}),
    ("home_assistant", {"entity_id": "sensor.price"}),
]


@pytest.mark.parametrize(("kind", "keys"), SOURCES)
@pytest.mark.parametrize(
    "how", ["echo", "401", "429", "redirect", "broken", "gone", "graphql", "cut"]
)
def test_the_token_stands_in_no_error_and_no_log(
    kind: str, keys: dict[str, Any], how: str, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"you sent {token} or {quote(token, safe='')} or {quote(token, safe='').lower()}"
    echo += " or " + token.replace("/", "\\/")
    replies = {
        "echo": Reply(body=echo.encode(), status=400),
        "401": Reply(status=401, body=echo.encode()),
        "429": Reply(status=429, body=echo.encode()),
        "redirect": Reply(status=302, headers={"Location": f"https://x.invalid?{token}"}),
        "broken": Reply(body=echo.encode(), cut=10),
        "gone": Reply(hang_up=True),
        "graphql": Reply(body=dumped({"errors": [{"message": echo}]})),
        "cut": Reply(body=b"page of " + echo.encode()),
    }
    with serving(lambda _: replies[how]) as server:
        with pytest.raises(SourceError) as caught:
            Fetcher().fetch(source(kind, url=server.url, token_env="PRICE_TOKEN", **keys), asked())
        assert server.seen, "it was asked"
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    for secret in ("s3cr3t", "t0ken", "mine"):
        assert secret not in told


def test_the_log_would_show_the_token_if_the_http_library_were_let(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The test above can fail."""
    caplog.set_level(logging.DEBUG)
    with serving(always(b"")) as server:
        one = source("entsoe", zone="DE_LU", url=server.url, token_env="PRICE_TOKEN")
        asking = Fetcher()
        logging.getLogger("httpx").setLevel(logging.DEBUG)
        with pytest.raises(SourceError):
            asking.fetch(one, asked())
    assert "s3cr3t" in caplog.text


def test_each_source_gets_the_token_where_it_wants_it(token: str) -> None:
    with serving(always(b"")) as server:
        for kind, keys in SOURCES:
            with pytest.raises(SourceError):
                Fetcher().fetch(
                    source(kind, url=server.url, token_env="PRICE_TOKEN", **keys), asked()
                )
    entsoe, tibber, octopus, home_assistant = server.seen
    assert entsoe.query["securityToken"] == token
    assert tibber.headers["Authorization"] == f"Bearer {token}"
    assert home_assistant.headers["Authorization"] == f"Bearer {token}"
    user = base64.b64decode(octopus.headers["Authorization"].removeprefix("Basic "))
    assert user.decode() == f"{token}:"


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc-DEF-123\n", encoding="ascii")
    with serving(always(b"")) as server, pytest.raises(SourceError):
        Fetcher().fetch(source("entsoe", zone="NL", url=server.url, token_file=str(path)), asked())
    assert server.seen[0].query["securityToken"] == "abc-DEF-123"


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"two long words", b"line\nline", b"\xff", b"x" * 4097, b"x" * 7]
)
def test_a_file_that_holds_no_token_is_named_without_what_it_holds(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with serving(always(b"")) as server:
        with pytest.raises(TokenRefused, match="holds no token") as caught:
            Fetcher().fetch(
                source("entsoe", zone="NL", url=server.url, token_file=str(path)), asked()
            )
        assert server.seen == []
    assert "word" not in str(caught.value).replace("one word", "")
    assert str(path) in str(caught.value)


def test_a_token_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokenRefused, match="NO_SUCH_TOKEN is not set"):
        Fetcher().fetch(source("tibber", token_env="NO_SUCH_TOKEN"), asked())
    with pytest.raises(TokenRefused, match="nothing_here"):
        Fetcher().fetch(source("tibber", token_file=str(tmp_path / "nothing_here")), asked())


def test_no_token_is_sent_where_none_belongs(token: str) -> None:
    """Rates of Octopus are public; only the account is asked for with the key."""

    def answer(seen: Any) -> Reply:
        if "accounts" in seen.path:
            agreement = {
                "tariff_code": "E-1R-AGILE-24-10-01-C", "valid_from": None, "valid_to": None,
            }  # fmt: skip
            point = {"mpan": "1" * 13, "is_export": False, "agreements": [agreement]}
            return Reply(
                body=json.dumps({"properties": [{"electricity_meter_points": [point]}]}).encode()
            )
        return Reply(body=dumped({"results": [], "next": None}))

    with serving(answer) as server:
        one = source("octopus", account="A-1234ABCD", url=server.url, token_env="PRICE_TOKEN")
        Fetcher().fetch(one, asked())
    account, rates = server.seen
    assert "Authorization" in account.headers
    assert "Authorization" not in rates.headers
