"""A person has his own browsers told, tries it, and takes them out again; nobody else's."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.api.access import UserRole
from holdfast.site.push_book import EACH, PushShelf, browser_id
from holdfast.web.web_push import from_base64url
from tests.api.bench import API, ApiBench, api_bench
from tests.runtime.notification.push_service import PushService, Telephone, trusted_push_service

PUSH = f"{API}/notices/push"
BROWSERS = f"{PUSH}/browsers"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with trusted_push_service(tmp_path, monkeypatch) as server:
        yield server


def recipient(**channel: Any) -> dict[str, Any]:
    told = {"kind": "web_push", "contact": "ann@example.org"} | channel
    return {"name": "phones", "language": "de", "channel": told}


@pytest.fixture
async def telling(tmp_path: Path, service: PushService) -> AsyncIterator[ApiBench]:
    people = {"recipients": [recipient(services=[service.host])]}
    async with api_bench(tmp_path, notifications=people) as bench:
        yield bench


def wanted(telephone: Telephone, name: str = "Firefox on Linux") -> dict[str, Any]:
    told = telephone.subscription()
    return {"endpoint": told["endpoint"], "keys": told["keys"], "name": name}


def shelf(bench: ApiBench) -> PushShelf:
    return PushShelf(bench.files.web_push)


async def test_a_browser_is_switched_on_tried_and_switched_off(
    telling: ApiBench, service: PushService
) -> None:
    phone = service.telephone("mine")
    async with telling.client_of(UserRole.VIEWER) as viewer:
        told = (await viewer.get(PUSH)).json()
        assert (told["recipients"], told["browsers"]) == (["phones"], [])
        assert len(from_base64url(told["public_key"])) == 65
        answer = await viewer.post(BROWSERS, json=wanted(phone))
        assert answer.status_code == 201, answer.text
        mine = answer.json()["id"]
        assert mine == browser_id(phone.endpoint)
        (listed,) = (await viewer.get(PUSH)).json()["browsers"]
        assert (listed["id"], listed["name"]) == (mine, "Firefox on Linux")
        assert (await viewer.post(f"{BROWSERS}/{mine}/test")).status_code == 204
        (pushed,) = service.taken["mine"]
        assert phone.reads(pushed.body)["body"] == "Test"
        assert told["public_key"] in pushed.headers["Authorization"]
        assert (await viewer.delete(f"{BROWSERS}/{mine}")).status_code == 204
        assert (await viewer.delete(f"{BROWSERS}/{mine}")).status_code == 404
        assert (await viewer.get(PUSH)).json()["browsers"] == []
    await telling.on_record()
    acts = await telling.get("/audit")
    details = [
        event["detail"] for event in map(_event, acts) if event.get("what") == "notifications"
    ]
    assert [detail.partition(":")[0] for detail in reversed(details)] == [
        "on", f"test of Firefox on Linux ({mine})", "off",
    ]  # fmt: skip


def _event(line: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = line["event"]
    return event


async def test_a_browser_that_was_switched_on_again_is_told_once(
    telling: ApiBench, service: PushService
) -> None:
    phone = service.telephone("mine")
    async with telling.client_of(UserRole.VIEWER) as viewer:
        for name in ("before", "after"):
            assert (await viewer.post(BROWSERS, json=wanted(phone, name))).status_code == 201
        (listed,) = (await viewer.get(PUSH)).json()["browsers"]
        assert listed["name"] == "after"
    async with telling.client_of(UserRole.OPERATOR) as operator:
        assert (await operator.post(BROWSERS, json=wanted(phone, "shared"))).status_code == 201
    (one,) = shelf(telling).read().browsers
    assert one.account == "the operator", "whoever uses the browser now"


async def test_nobody_sees_tries_or_switches_off_what_is_another_s(
    telling: ApiBench, service: PushService
) -> None:
    phone = service.telephone("mine")
    async with (
        telling.client_of(UserRole.VIEWER) as viewer,
        telling.client_of(UserRole.ADMIN) as admin,
    ):
        mine = (await viewer.post(BROWSERS, json=wanted(phone))).json()["id"]
        assert (await admin.get(PUSH)).json()["browsers"] == []
        assert (await admin.post(f"{BROWSERS}/{mine}/test")).status_code == 404
        assert (await admin.delete(f"{BROWSERS}/{mine}")).status_code == 404
    assert service.tries == 0


async def test_a_program_has_no_browser(telling: ApiBench, service: PushService) -> None:
    bearer = {"Authorization": f"Bearer {telling.token_of(UserRole.ADMIN)}"}
    async with telling.client_of(None) as program:
        assert (await program.get(PUSH, headers=bearer)).status_code == 403
        answer = await program.post(BROWSERS, json=wanted(service.telephone("x")), headers=bearer)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/push",
        "https://localhost/push",
        "https://192.168.1.1/push",
        "https://169.254.169.254/latest/meta-data/",
        "https://printer.local/push",
        "https://example.org/push",
        "https://fcm.googleapis.com.example.org/push",
    ],
)
async def test_nothing_but_a_push_service_is_ever_asked(telling: ApiBench, endpoint: str) -> None:
    answer = await telling.client.post(BROWSERS, json=wanted(Telephone(endpoint=endpoint)))
    assert answer.status_code == 409
    assert "is no push service of Apple, Google, Microsoft or Mozilla" in answer.json()["detail"]
    assert shelf(telling).read().browsers == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": "http://fcm.googleapis.com/x"}, "endpoint: must be an https address"),
        ({"endpoint": "https://fcm.googleapis.com@127.0.0.1/x"}, "endpoint: must be an https"),
        ({"endpoint": "https://fcm.googleapis.com/" + "x" * 1000}, "endpoint"),
        ({"endpoint": 1}, "endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, "keys.auth: must be 16 bytes"),
        ({"keys": {"p256dh": "AAAA"}}, "keys.auth"),
        ({"keys": None}, "keys"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"more": 1}, "more"),
    ],
)
async def test_what_no_browser_gives_is_refused_in_words(
    telling: ApiBench, changes: dict[str, Any], told: str
) -> None:
    body = wanted(Telephone(endpoint="https://fcm.googleapis.com/x")) | changes
    answer = await telling.client.post(BROWSERS, json=body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


async def test_an_account_has_so_many_browsers_and_no_more(
    telling: ApiBench, service: PushService
) -> None:
    for index in range(EACH):
        body = wanted(service.telephone(str(index)))
        assert (await telling.client.post(BROWSERS, json=body)).status_code == 201
    answer = await telling.client.post(BROWSERS, json=wanted(service.telephone("more")))
    assert answer.status_code == 409
    assert "remove one first" in answer.json()["detail"]


async def test_a_site_that_tells_no_browsers_says_so(bench: ApiBench) -> None:
    told = await bench.get("/notices/push")
    assert told == {"public_key": None, "recipients": [], "browsers": []}
    assert not bench.files.web_push.exists(), "no key is made before it is needed"
    answer = await bench.client.post(
        BROWSERS, json=wanted(Telephone(endpoint="https://web.push.apple.com/x"))
    )
    assert answer.status_code == 409
    assert "no recipient of kind web_push" in answer.json()["detail"]


async def test_who_is_not_named_is_not_told(tmp_path: Path) -> None:
    people = {"recipients": [recipient(accounts=["ann"])]}
    async with api_bench(tmp_path, notifications=people) as bench:
        assert (await bench.get("/notices/push"))["public_key"] is None


@pytest.mark.parametrize(("status", "is_left"), [(410, False), (500, True), (429, True)])
async def test_a_test_says_what_the_push_service_said(
    telling: ApiBench, service: PushService, status: int, is_left: bool
) -> None:
    phone = service.telephone("mine")
    mine = (await telling.client.post(BROWSERS, json=wanted(phone))).json()["id"]
    service.status = status
    answer = await telling.client.post(f"{BROWSERS}/{mine}/test")
    assert answer.status_code == 409
    assert f"HTTP {status}" in answer.json()["detail"]
    assert phone.endpoint not in answer.text
    assert bool(shelf(telling).read().browsers) is is_left


async def test_with_an_account_its_browsers_go(telling: ApiBench, service: PushService) -> None:
    async with telling.client_of(UserRole.VIEWER) as viewer:
        await viewer.post(BROWSERS, json=wanted(service.telephone("his")))
    await telling.client.post(BROWSERS, json=wanted(service.telephone("mine")))
    answer: httpx.Response = await telling.client.delete(f"{API}/auth/users/the viewer")
    assert answer.status_code == 204, answer.text
    assert [one.account for one in shelf(telling).read().browsers] == ["the admin"]
