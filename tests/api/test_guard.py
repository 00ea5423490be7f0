"""The door: what is not meant for this site, or comes from another's page, does not get in."""

import socket

import pytest
from starlette.responses import PlainTextResponse

from holdfast.api.app import serve_elsewhere
from holdfast.api.guard import HEADERS
from holdfast.core.state_machine import State
from tests.api.bench import API, ApiBench

OWN = "http://127.0.0.1"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:9480",
        "localhost",
        "[::1]:9480",
        "192.168.1.20",
        socket.gethostname(),
    ],
)
async def test_the_site_answers_to_its_addresses_and_names(bench: ApiBench, host: str) -> None:
    answer = await bench.client.get(f"{API}/status", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1"])
async def test_a_name_of_somebody_else_gets_no_answer(bench: ApiBench, host: str) -> None:
    answer = await bench.client.get(f"{API}/status", headers={"Host": host})
    assert answer.status_code == 400
    assert "api.public_url" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "null"},
        {"Origin": "not an origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
async def test_a_page_of_somebody_else_cannot_even_stop(
    bench: ApiBench, headers: dict[str, str]
) -> None:
    answer = await bench.client.post(f"{API}/commands/estop", headers=headers)
    assert answer.status_code == 403
    assert bench.state is State.IDLE


async def test_a_page_of_its_own_and_a_program_can(bench: ApiBench) -> None:
    headers = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
    answer = await bench.client.post(f"{API}/commands/estop", headers=headers)
    assert answer.status_code == 200
    assert (await bench.client.post(f"{API}/commands/estop")).status_code == 200


async def test_a_link_to_the_site_may_be_followed_and_its_data_not_be_embedded(
    bench: ApiBench,
) -> None:
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert (await bench.client.get(f"{API}/status", headers=embedded)).status_code == 403
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await bench.client.get(f"{API}/status", headers=followed)).status_code == 200


@pytest.mark.parametrize("path", [f"{API}/status", f"{API}/nothing", "/docs", "/health"])
async def test_every_answer_has_the_headers(bench: ApiBench, path: str) -> None:
    answer = await bench.client.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    if path.startswith(API):
        assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    refused = await bench.client.get(path, headers={"Host": "evil.example"})
    assert refused.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "/api/v1/status/",
        "/api/v1//status",
        "/api/v1/%2e%2e/status",
        "/api/v1/..%2f..%2fetc/passwd",
        "/api/v1/status%00",
        "/API/V1/status",
        "/api/v2/status",
        "/api/v1/config/history/../../status",
    ],
)
async def test_a_path_that_leads_nowhere_is_told_in_the_shape_of_errors(
    bench: ApiBench, path: str
) -> None:
    # httpx would tidy a path.
    scope_path = path.replace("%2e", ".").replace("%2f", "/").replace("%00", "\0")
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": scope_path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "http_version": "1.1",
        "root_path": "",
    }  # fmt: skip
    await bench.app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 404
    assert sent[1]["body"] == b'{"detail":"Not Found"}'


async def test_a_method_that_there_is_not_is_named(bench: ApiBench) -> None:
    answer = await bench.client.delete(f"{API}/status")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json() == {"detail": "Method Not Allowed"}
    assert (await bench.client.delete(f"{API}/manual")).headers["allow"] == "GET, POST"
    assert (await bench.client.options(f"{API}/config")).headers["allow"] == "GET, PUT"


async def test_the_head_of_an_answer_can_be_had_without_its_body(bench: ApiBench) -> None:
    whole = await bench.client.get(f"{API}/plan")
    head = await bench.client.head(f"{API}/plan")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert (await bench.client.head(f"{API}/live")).status_code == 405


async def test_pages_serve_what_is_no_path_of_the_api_and_no_wrong_method(
    bench: ApiBench,
) -> None:
    serve_elsewhere(bench.app, PlainTextResponse("a page"))
    assert (await bench.client.get("/")).text == "a page"
    assert (await bench.client.get(f"{API}/nothing")).text == "a page"
    assert (await bench.client.delete(f"{API}/status")).status_code == 405
    assert (await bench.client.get("/")).headers["x-frame-options"] == "DENY"
