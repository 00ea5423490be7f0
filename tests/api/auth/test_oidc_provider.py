"""A provider is asked in bounds: no redirects, no long answers, and secrets where they belong."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from holdfast.api.auth.oidc_provider import KNOWN_S, MAX_BYTES, ProviderDesk
from holdfast.core.config.api import Oidc
from holdfast.core.errors import SourceError
from tests.markets.http_server import PriceServer, Reply, Seen


class Web:
    """A provider on this computer; ``answers`` go by path."""

    def __init__(self) -> None:
        self.server = PriceServer(self._answer)
        url = self.server.url.removesuffix("/")
        self.issuer = url
        self.about: dict[str, Any] = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks",
            "more": {"that": ["we", "do not know"]},
        }
        self.replies: dict[str, Reply] = {}
        self.now_s = 0.0

    def _answer(self, seen: Seen) -> Reply:
        if seen.path in self.replies:
            return self.replies[seen.path]
        body = {"/jwks": {"keys": []}, "/token": {"id_token": "a.b.c"}}.get(seen.path, self.about)
        return Reply(body=json.dumps(body).encode())

    def desk(self, secret: str = "") -> ProviderDesk:
        config = Oidc(issuer=self.issuer, client_id="hold fast", roles={"x": "viewer"})
        return ProviderDesk(config, secret, lambda: self.now_s)


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.server.close()


def test_what_it_tells_of_itself_is_asked_for_now_and_then(web: Web) -> None:
    desk = web.desk()
    for _ in range(3):
        assert desk.provider().token_endpoint == f"{web.issuer}/token"
    assert [seen.path for seen in web.server.seen] == ["/.well-known/openid-configuration"]
    web.now_s += KNOWN_S + 1
    desk.provider()
    assert len(web.server.seen) == 2
    assert desk.keys() == []


def test_a_public_client_sends_its_name_and_another_its_secret_out_of_the_address(
    web: Web,
) -> None:
    assert web.desk().exchange("the code", "the verifier", "https://x/callback") == "a.b.c"
    form = parse_qs(web.server.seen[-1].body.decode())
    assert form == {
        "grant_type": ["authorization_code"], "code": ["the code"], "client_id": ["hold fast"],
        "redirect_uri": ["https://x/callback"], "code_verifier": ["the verifier"],
    }  # fmt: skip
    web.desk("s:e%c").exchange("the code", "the verifier", "https://x/callback")
    headers = {name.lower(): value for name, value in web.server.seen[-1].headers.items()}
    told = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert told == "hold+fast:s%3Ae%25c"  # RFC 6749, 2.3.1
    web.about["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    web.desk("s:e%c").exchange("the code", "the verifier", "https://x/callback")
    assert parse_qs(web.server.seen[-1].body.decode())["client_secret"] == ["s:e%c"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b"{"), "no JSON object"),
        (Reply(body=b"[]"), "no JSON object"),
        (Reply(body=b"\xff"), "no JSON object"),
        (Reply(body=b"[" * 100_000), "no JSON object"),
        (Reply(body=b"{}"), "cannot be used"),
        (Reply(body=b" " * (MAX_BYTES + 1)), "too long"),
        (Reply(status=404), "HTTP 404"),
        (Reply(status=302, headers={"Location": "/jwks"}), "HTTP 302"),
        (Reply(hang_up=True), "RemoteProtocolError"),
        (Reply(body=b"{", cut=10), "RemoteProtocolError"),
    ],
)
def test_an_answer_that_is_none_is_told(web: Web, reply: Reply, words: str) -> None:
    web.replies["/.well-known/openid-configuration"] = reply
    with pytest.raises(SourceError, match=words):
        web.desk().provider()
    del web.replies["/.well-known/openid-configuration"]
    web.desk().provider()


def test_one_that_calls_itself_otherwise_is_not_ours(web: Web) -> None:
    web.about["issuer"] = "https://evil.example"
    with pytest.raises(SourceError, match=r"api\.oidc\.issuer must say the same"):
        web.desk().provider()


def test_an_answer_without_id_token_lets_nobody_in(web: Web) -> None:
    for body in (b"{}", b'{"id_token": 7}', b'{"id_token": null}'):
        web.replies["/token"] = Reply(body=body)
        with pytest.raises(SourceError, match="no ID token"):
            web.desk().exchange("c", "v", "r")


@pytest.mark.parametrize("body", [b"{}", b'{"keys": null}', b'{"keys": [7]}'])
def test_keys_of_another_shape_are_told(web: Web, body: bytes) -> None:
    web.replies["/jwks"] = Reply(body=body)
    with pytest.raises(SourceError, match="its keys cannot be used"):
        web.desk().keys()


def test_no_secret_stands_in_an_error(web: Web) -> None:
    web.replies["/token"] = Reply(status=401, body=b'{"error": "secret-1 code-1"}')
    with pytest.raises(SourceError) as refused:
        web.desk("secret-1").exchange("code-1", "verifier-1", "r")
    assert "-1" not in str(refused.value)
