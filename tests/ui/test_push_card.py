"""Notifications on this device: switched on, tried, shown while no page looks, and switched off.

Headless Chromium has no push service to subscribe at, so that a subscription is put in the place of
its own (``subscribing_at``); asking for permission, the service worker and what it shows are real.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from holdfast.api.access import UserRole
from holdfast.api.app import serve_elsewhere
from holdfast.api.auth.auth import COOKIE
from holdfast.site.push_book import PushShelf, browser_id
from holdfast.ui.built import pages
from holdfast.web.web_push import new_push_key, public_push_key
from tests.api.served import ServedBench, served_bench
from tests.runtime.notification.push_service import PushService, Telephone, trusted_push_service
from tests.ui.conftest import PHONE, lacks, until
from tests.ui.fake_api import FakeSite
from tests.ui.test_pages import AXE, shows, violations

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
CARD = ".card:has(h2:text-is('Notifications on this device'))"
KEY = public_push_key(new_push_key())
SUBSCRIBES = """
(() => {
  const made = %s;
  const subscription = {
    endpoint: made.endpoint, toJSON: () => made,
    unsubscribe: async () => { localStorage.removeItem("subscribed"); return true; },
  };
  PushManager.prototype.getSubscription = async () =>
    localStorage.getItem("subscribed") ? subscription : null;
  PushManager.prototype.subscribe = async (options) => {
    localStorage.setItem("subscribed", JSON.stringify(options));
    return subscription;
  };
})()
"""


def telephone() -> Telephone:
    return Telephone(endpoint="https://fcm.googleapis.com/fcm/send/mine")


async def subscribing_at(page: Any, phone: Telephone) -> None:
    """The page subscribes at a push service that is not the browser's own."""
    await page.context.add_init_script(SUBSCRIBES % json.dumps(phone.subscription()))
    await page.reload()
    await page.wait_for_selector("h1")


@pytest.fixture
def fake() -> FakeSite:
    fake = FakeSite(role="admin")
    fake.settings.push_key = KEY
    return fake


async def card(opened: Open, phone: Telephone, **options: Any) -> Any:
    page = await opened("settings/account", permissions=["notifications"], **options)
    await subscribing_at(page, phone)
    return page


async def test_it_is_switched_on_tried_and_off(opened: Open, fake: FakeSite) -> None:
    phone = telephone()
    page = await card(opened, phone)
    await shows(page, f"{CARD} .pill", "off")
    await page.locator(CARD).get_by_role("button", name="Switch on").click()
    await shows(page, f"{CARD} .pill", "on")
    (_, path, body) = fake.asked[-1]
    assert path == "notices/push/browsers"
    assert {name: body[name] for name in ("endpoint", "keys")} == {
        name: phone.subscription()[name] for name in ("endpoint", "keys")
    }
    assert body["name"] == "Chrome, Linux"
    options = json.loads(await page.evaluate("localStorage.getItem('subscribed')"))
    assert options == {"userVisibleOnly": True, "applicationServerKey": KEY}
    await page.locator(CARD).get_by_role("button", name="Send a test").click()
    await shows(page, f"{CARD} [role=status]", "It should appear within seconds")
    await page.reload()
    await shows(page, f"{CARD} .pill", "on")
    await page.locator(CARD).get_by_role("button", name="Switch off").click()
    await shows(page, f"{CARD} .pill", "off")
    assert fake.settings.push_browsers == []
    assert await page.evaluate("localStorage.getItem('subscribed')") is None


async def test_why_a_test_did_not_go_out_is_told(opened: Open, fake: FakeSite) -> None:
    phone = telephone()
    fake.settings.push_browsers = [
        {"id": browser_id(phone.endpoint), "name": "Chrome", "made": "2026-03-02T12:00:00Z"}
    ]
    fake.settings.push_refuses = "fcm.googleapis.com: HTTP 503"
    page = await card(opened, phone)
    await page.evaluate("localStorage.setItem('subscribed', '1')")
    await page.reload()
    await page.locator(CARD).get_by_role("button", name="Send a test").click()
    await shows(page, f"{CARD} [role=alert]", "HTTP 503")
    assert await page.locator(f"{CARD} [role=status]").count() == 0


async def test_other_browsers_are_listed_and_taken_out(opened: Open, fake: FakeSite) -> None:
    fake.settings.push_browsers = [
        {"id": "00ff", "name": "Safari, iPhone", "made": "2026-03-02T12:00:00Z"}
    ]
    page = await card(opened, telephone())
    await shows(page, f"{CARD} .entry", "Safari, iPhone")
    await shows(page, f"{CARD} .pill", "off")
    await page.get_by_role("button", name="Remove: Safari, iPhone").click()
    await page.locator(".confirm .primary").click()
    await page.locator(f"{CARD} .entry").wait_for(state="detached")
    assert fake.settings.push_browsers == []


HINDRANCES = {
    "no recipient": ("", "site.yaml has no recipient of the kind web_push"),
    "no https": (
        "Object.defineProperty(window, 'isSecureContext', {value: false})",
        "on pages with https and a certificate that they trust",
    ),
    "an old browser": ("delete window.PushManager", "add this page to the home screen"),
    "refused": (
        "Object.defineProperty(Notification, 'permission', {value: 'denied'})",
        "permit them in the settings of the page",
    ),
    "no worker": (
        "Object.defineProperty(navigator.serviceWorker, 'ready', {value: new Promise(() => {})})",
        "does it trust the certificate of this site?",
    ),
}


@pytest.mark.parametrize("hindrance", HINDRANCES)
async def test_why_it_cannot_be_is_told(opened: Open, fake: FakeSite, hindrance: str) -> None:
    script, told = HINDRANCES[hindrance]
    if not script:
        fake.settings.push_key = None
    page = await opened("settings/account")
    await page.context.add_init_script(script)
    await page.reload()
    await shows(page, f"{CARD} .note", told)
    assert await page.locator(CARD).get_by_role("button").count() == 0


async def test_who_refuses_when_asked_is_told_so_and_the_site_hears_nothing(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/account")
    await page.context.add_init_script(
        "Notification.requestPermission = async () => 'default';"
        "Object.defineProperty(Notification, 'permission', {value: 'default'})"
    )
    await page.reload()
    await page.locator(CARD).get_by_role("button", name="Switch on").click()
    await shows(page, f"{CARD} [role=alert]", "was not permitted to show notifications")
    assert fake.asked == []


async def test_a_browser_without_a_push_service_says_so(opened: Open, fake: FakeSite) -> None:
    """This one is: nothing is put in the place of its own here."""
    page = await opened("settings/account", permissions=["notifications"])
    await page.locator(CARD).get_by_role("button", name="Switch on").click()
    await shows(page, f"{CARD} [role=alert]", "The push service of this browser does not answer")
    assert fake.asked == []


async def test_a_viewer_has_it_too(opened: Open, fake: FakeSite) -> None:
    fake.role = "viewer"
    page = await card(opened, telephone(), viewport=PHONE)
    await shows(page, f"{CARD} button", "Switch on")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


@pytest.mark.parametrize("is_on", [False, True])
async def test_axe_finds_nothing_wrong_with_it(opened: Open, fake: FakeSite, is_on: bool) -> None:
    if not AXE.is_file():
        lacks("axe-core is not installed: npm ci in pages/")
    fake.settings.push_browsers = [
        {"id": "00ff", "name": "Safari, iPhone", "made": "2026-03-02T12:00:00Z"}
    ]
    page = await card(opened, telephone(), color_scheme="dark")
    if is_on:
        await page.locator(CARD).get_by_role("button", name="Switch on").click()
        await shows(page, f"{CARD} .pill", "on")
    devtools = await page.context.new_cdp_session(page)
    assert await violations(devtools, AXE.read_text(encoding="utf-8")) == []


# --- with the real API, a push service, and the service worker ----------------------------------


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with trusted_push_service(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, service: PushService) -> Iterator[ServedBench]:
    channel = {"kind": "web_push", "contact": "ann@example.org", "services": [service.host]}
    people = {"recipients": [{"name": "phones", "channel": channel}]}
    with served_bench(tmp_path, notifications=people) as served:
        assert served.bench is not None
        serve_elsewhere(served.bench.app, pages(9464))
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Any, served: ServedBench) -> AsyncIterator[Any]:
    context = await browser.new_context(locale="en-GB", permissions=["notifications"])
    secret = served.secret_of(UserRole.OPERATOR)
    await context.add_cookies([{"name": COOKIE, "value": secret, "url": served.url}])
    page = await context.new_page()
    await page.goto(f"{served.url}/#/settings/account")
    await page.wait_for_selector("h1")
    yield page
    await context.close()


class Delivery:
    """Has the browser get push messages, as from its push service."""

    def __init__(self, page: Any, url: str) -> None:
        self._page, self._url = page, url
        self._registered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._devtools: Any = None

    async def open(self) -> None:
        await self._page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self._devtools = await self._page.context.new_cdp_session(self._page)
        self._devtools.on("ServiceWorker.workerRegistrationUpdated", self._take)
        await self._devtools.send("ServiceWorker.enable")
        await asyncio.wait_for(self._registered, 30)

    def _take(self, event: dict[str, Any]) -> None:
        for one in event["registrations"]:
            if not self._registered.done():
                self._registered.set_result(one["registrationId"])

    async def of(self, data: str) -> None:
        message = {"origin": self._url, "registrationId": self._registered.result(), "data": data}
        await self._devtools.send("ServiceWorker.deliverPushMessage", message)


@pytest_asyncio.fixture(loop_scope="session")
async def delivery(page: Any, served: ServedBench) -> Delivery:
    delivery = Delivery(page, served.url)
    await delivery.open()
    return delivery


SHOWN = (
    "navigator.serviceWorker.ready.then(async r => (await r.getNotifications()).map("
    "n => [n.title, n.body, n.tag, n.requireInteraction]))"
)


async def test_what_the_site_sends_is_shown_by_the_service_worker(
    page: Any, served: ServedBench, service: PushService, delivery: Delivery
) -> None:
    phone = service.telephone("mine")
    await subscribing_at(page, phone)
    await page.locator(CARD).get_by_role("button", name="Switch on").click()
    await shows(page, f"{CARD} .pill", "on")
    assert served.bench is not None
    (browser,) = PushShelf(served.bench.files.web_push).read().browsers
    assert (browser.account, browser.name) == ("the operator", "Chrome, Linux")
    await page.locator(CARD).get_by_role("button", name="Send a test").click()
    await shows(page, f"{CARD} [role=status]", "Sent")
    (message,) = service.taken["mine"]
    told = phone.reads(message.body)
    for _ in range(2):
        await delivery.of(json.dumps(told))
        await until(page, f"{SHOWN}.then(shown => shown.length === 1)")
    await delivery.of(json.dumps(told | {"id": "other", "urgency": "alarm"}))
    await until(page, f"{SHOWN}.then(shown => shown.some(one => one[3]))")
    found = {tag: (title, body) for title, body, tag, _ in await page.evaluate(SHOWN)}
    assert found[told["id"]] == (told["title"], "test")
    assert len(await page.evaluate(SHOWN)) == 2, "what came twice is shown once"


@pytest.mark.parametrize("data", ["", "no json", "null", "[]"])
async def test_whatever_comes_something_is_shown(page: Any, delivery: Delivery, data: str) -> None:
    await delivery.of(data)
    await until(page, f"{SHOWN}.then(shown => shown.length === 1)")
    assert (await page.evaluate(SHOWN))[0][0] == "Holdfast"


async def test_the_worker_has_the_whole_site_and_a_strict_policy(
    page: Any, served: ServedBench
) -> None:
    scope = await page.evaluate("navigator.serviceWorker.ready.then(r => r.scope)")
    assert scope == f"{served.url}/"
    answer = await page.request.get(f"{served.url}/sw.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_telephone_can_put_it_on_its_home_screen(page: Any, served: ServedBench) -> None:
    answer = await page.request.get(f"{served.url}/manifest.webmanifest")
    manifest = json.loads(await answer.text())
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "./")
    assert "any" in {icon["sizes"] for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        assert (await page.request.get(f"{served.url}/{icon['src']}")).ok
