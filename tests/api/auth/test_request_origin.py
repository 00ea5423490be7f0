"""Where a request comes from: our own pages or another site's, this computer or elsewhere."""

import pytest
from starlette.requests import HTTPConnection

from holdfast.api.auth.request_origin import (
    client_address,
    is_cross_site,
    is_local,
    own_origin,
)

PUBLIC = "https://energy.example.org"


def request(
    client: str | None = "127.0.0.1", scheme: str = "http", kind: str = "http", **headers: str
) -> HTTPConnection:
    named = {"host": "localhost:9480"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return HTTPConnection(
        {
            "type": kind,
            "scheme": scheme,
            "server": ("127.0.0.1", 9480),
            "path": "/",
            "query_string": b"",
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in named.items()],
            "client": None if client is None else (client, 40000),
        }
    )


@pytest.mark.parametrize("origin", ["http://localhost:9480", "http://LOCALHOST:9480"])
def test_our_own_page_may_ask(origin: str) -> None:
    assert not is_cross_site(request(origin=origin, sec_fetch_site="same-origin"), None)
    assert not is_cross_site(request(origin=origin, kind="websocket", scheme="ws"), None)


def test_a_program_and_an_address_that_was_typed_are_no_other_site() -> None:
    assert not is_cross_site(request(), None)
    assert not is_cross_site(request(sec_fetch_site="none"), None)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://localhost", "http://localhost:9481", "null", "", "x",
        "http://[::1", "http://localhost:9480.evil.example", "http://evil@localhost:9480",
        "file://", "http://localhost:9480\\@evil.example",
    ],
)  # fmt: skip
def test_another_sites_page_is_found_out_by_its_origin(origin: str) -> None:
    assert is_cross_site(request(origin=origin), None)
    assert is_cross_site(request(origin=origin), PUBLIC)


@pytest.mark.parametrize("told", ["cross-site", "same-site", "garbage"])
def test_or_by_what_the_browser_tells_of_it(told: str) -> None:
    assert is_cross_site(request(sec_fetch_site=told), None)
    assert is_cross_site(request(sec_fetch_site=told, origin="http://localhost:9480"), None)


def test_a_page_that_came_without_tls_does_not_ask_what_has_it() -> None:
    assert is_cross_site(request(scheme="https", origin="http://localhost:9480"), None)
    assert not is_cross_site(request(scheme="https", origin="https://localhost:9480"), None)
    # A proxy of which site.yaml does not tell has taken the TLS off.
    assert not is_cross_site(request(origin="https://localhost:9480"), None)


def test_behind_a_proxy_our_pages_have_the_public_address_and_on_site_their_own() -> None:
    behind = request(host="127.0.0.1:9480", origin=PUBLIC)
    assert not is_cross_site(behind, PUBLIC)
    assert is_cross_site(behind, None)
    assert is_cross_site(request(origin="http://energy.example.org"), PUBLIC)
    assert own_origin(behind, PUBLIC) == PUBLIC
    assert own_origin(request(), PUBLIC) == PUBLIC
    on_site = request(origin="http://localhost:9480")
    assert not is_cross_site(on_site, PUBLIC)
    assert own_origin(on_site, PUBLIC) == "http://localhost:9480"
    assert own_origin(request(scheme="wss"), None) == "https://localhost:9480"


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_who_asks_over_loopback_is_on_site(client: str) -> None:
    assert is_local(request(client), None)


@pytest.mark.parametrize(
    ("connection", "public_url"),
    [
        (request("192.168.1.7"), None), (request("::ffff:192.168.1.7"), None),
        (request(None), None), (request("unix"), None), (request(), PUBLIC),
        (request(x_forwarded_for="127.0.0.1"), None), (request(forwarded="for=127.0.0.1"), None),
        (request(x_real_ip="127.0.0.1"), None), (request(via="1.1 proxy"), None),
        (request(x_forwarded_host=""), None),
    ],
)  # fmt: skip
def test_others_are_not_nor_whom_a_proxy_hands_on(
    connection: HTTPConnection, public_url: str | None
) -> None:
    assert not is_local(connection, public_url)


def test_the_address_is_what_the_last_proxy_on_this_computer_saw() -> None:
    assert client_address(request("192.168.1.7")) == "192.168.1.7"
    assert client_address(request(None)) == "unknown"
    assert client_address(request(x_forwarded_for="6.6.6.6, 203.0.113.9")) == "203.0.113.9"
    # Who is elsewhere may tell what he likes.
    assert client_address(request("192.168.1.7", x_forwarded_for="127.0.0.1")) == "192.168.1.7"
    assert len(client_address(request(x_forwarded_for="x" * 500))) <= 64
