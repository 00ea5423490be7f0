"""What somebody relies on who looks at the pages, in a real browser."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.ui.built import FOLDER
from tests.ui.conftest import PHONE, WIDE, lacks, until
from tests.ui.fake_api import EMERGENCY_PORT, PASSWORD, WEATHER, FakeSite

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / "pages" / "node_modules" / "axe-core" / "axe.min.js"
CATALOGUE = json.loads((ROOT / "pages" / "src" / "catalogue.json").read_text(encoding="utf-8"))
PAGES = (
    "now", "plan", "money", "safety", "history", "incidents", "incidents/1204", "devices",
    "schedule", "reports", "settings", "settings/tokens", "settings/users", "settings/site",
    "log-in", "nowhere",
)  # fmt: skip
STOP = ".stop-button"
MAX_WEIGHT_BYTES = 150_000
NO_DATA_MS = 8000
"""A page has to notice after 3 s of silence; a busy computer may take its time to show it."""


async def shows(page: Any, selector: str, text: str, timeout_ms: int = 10_000) -> None:
    """Waits until what is at ``selector`` has ``text`` in it."""
    await page.locator(selector, has_text=text).first.wait_for(timeout=timeout_ms)


async def visit(page: Any, path: str) -> None:
    """Goes to a page, and waits until it has its answers."""
    await page.goto(re.sub("#.*", f"#/{path}", page.url))
    await page.wait_for_timeout(400)


async def test_what_happens_on_the_site_is_shown_at_once(opened: Open, fake: FakeSite) -> None:
    page = await opened()
    await shows(page, ".site-sign", "Running")
    await shows(page, "#glance", "All is well")
    fake.state = "error"
    await shows(page, ".site-sign", "Error")
    await shows(page, "#glance", "A fault has tripped")
    assert "fault" in (await page.locator(".glance").get_attribute("class")).split()


async def test_who_leads_is_told_with_what_keeps_him_and_what_would_be_otherwise(
    opened: Open, fake: FakeSite
) -> None:
    fake.mode = {
        "by": "rule", "mode": "peak_shaving", "kept_by": ["main_fuse", "reserve"], "urgent": True,
        "instead_by": "default", "instead_mode": "load_balancer", "instead_w": -640.0,
        "verdict": "oscillating",
    }  # fmt: skip
    page = await opened()
    for told in (
        "a rule, for 13 min",
        "Peak shaving",
        "the main fuse, the reserve for an outage; at once",
        "the site's own mode, Load levelling: −640",
        "swinging, 12",
    ):
        await shows(page, ".facts dd", told)
    fake.state = "idle"
    await shows(page, ".facts dd", "nobody: 0 W")
    assert await page.locator(".facts dd", has_text="Peak shaving").count() == 0


async def test_a_stream_that_falls_silent_is_told_within_seconds(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened()
    await shows(page, ".site-sign", "Running")
    fake.silent = True
    await shows(page, "[aria-live] .note", "No data", NO_DATA_MS)
    assert await page.locator(".site-sign").inner_text() == "No data"
    assert await page.locator(".node.grid .value").text_content() == "–"
    assert "unknown" in (await page.locator(".glance").get_attribute("class")).split()
    fake.silent = False
    await shows(page, ".site-sign", "Running", 20_000)
    assert await page.locator(".link-status .note").count() == 0


async def test_a_site_without_a_controller_has_no_data(opened: Open, fake: FakeSite) -> None:
    fake.gone = True
    page = await opened()
    await shows(page, ".link-status", "No controller is running")
    assert await page.locator(".command button").count() == 0


async def test_without_a_network_the_shell_opens_and_says_that_it_has_no_data(
    opened: Open,
) -> None:
    page = await opened()
    await page.evaluate("navigator.serviceWorker.ready")
    await until(page, "navigator.serviceWorker.controller !== null")
    await page.context.set_offline(True)
    await page.reload()
    await shows(page, "h1", "No data")
    await page.locator(STOP).click()
    await shows(page, ".other-ways", "holdfast estop")
    plain = await page.locator(".other-ways a").get_attribute("href")
    assert plain == f"http://127.0.0.1:{EMERGENCY_PORT}/"


async def test_no_answer_of_the_api_is_kept_for_later(opened: Open) -> None:
    page = await opened("plan")
    await page.evaluate("navigator.serviceWorker.ready")
    kept = await page.evaluate(
        "caches.keys().then(async names => (await Promise.all(names.map(async name =>"
        "(await (await caches.open(name)).keys()).map(request => request.url)))).flat())"
    )
    assert kept
    assert [url for url in kept if "/api/" in url] == []


@pytest.mark.parametrize("role", [None, "viewer", "admin"])
async def test_anybody_can_stop_in_one_step(opened: Open, fake: FakeSite, role: str | None) -> None:
    fake.role = role
    fake.open_to_view = False
    page = await opened()
    await page.locator(STOP).click()
    await shows(page, STOP, "Sent" if role is None else "Stopped")
    assert fake.asked == [("POST", "commands/estop", None)]
    assert fake.state == "stopped"


async def test_a_stop_is_stopped_when_the_site_says_so_and_not_before(
    opened: Open, fake: FakeSite
) -> None:
    fake.stop_is_slow = True
    page = await opened()
    await shows(page, ".site-sign", "Running")
    await page.locator(STOP).click()
    await shows(page, STOP, "Sent")
    await shows(page, ".other-ways", "has not said that it stopped")
    assert "Stopped" not in await page.locator(STOP).inner_text()
    fake.state = "stopped"
    await shows(page, STOP, "Stopped")
    assert await page.locator(".other-ways").count() == 0


async def test_a_stop_that_fails_says_so_and_names_the_other_ways(
    opened: Open, fake: FakeSite
) -> None:
    fake.stop_works = False
    page = await opened("settings")
    await page.locator(STOP).click()
    await shows(page, STOP, "Not delivered")
    await shows(page, "[role=alert] .other-ways", "no controller answers on its socket")
    assert await page.locator(".other-ways a").get_attribute("href") is not None
    fake.stop_works = True
    await page.locator(STOP).click()
    await shows(page, STOP, "Stopped")


async def test_the_stop_is_on_every_page_also_on_a_phone(opened: Open) -> None:
    page = await opened(viewport=PHONE)
    for path in PAGES:
        await visit(page, path)
        box = await page.locator(STOP).bounding_box()
        assert box["height"] >= 60
        assert box["width"] >= 300
        assert box["y"] + box["height"] <= PHONE["height"]
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, PHONE["width"])
        assert await page.locator("h1").count() == 1


async def test_a_start_takes_two_steps_and_is_told_as_sent_before_it_is_done(
    opened: Open, fake: FakeSite
) -> None:
    fake.state = "idle"
    page = await opened()
    start = page.locator("[data-command=start]")
    await start.get_by_role("button", name="Start").click()
    assert fake.asked == []
    await start.get_by_role("button", name="Start now").click()
    await shows(page, ".site-sign", "Running")
    ((_, path, body),) = fake.asked
    assert path == "commands/start"
    assert re.fullmatch(r"[0-9a-f]{32}", body["nonce"])
    assert (datetime.now(UTC) - datetime.fromisoformat(body["seen"])).total_seconds() < 30


@pytest.mark.parametrize("state", ["boot", "idle", "running", "error", "stopped"])
async def test_what_does_nothing_now_is_disabled_and_says_why(
    opened: Open, fake: FakeSite, state: str
) -> None:
    fake.state = state
    page = await opened()
    await shows(page, ".commands", "Start")
    for command in await page.locator(".command").all():
        told = (await command.locator(".command-told").inner_text()).strip()
        disabled = await command.locator("button").is_disabled()
        assert disabled == bool(told), told


@pytest.mark.parametrize("state", ["idle", "running", "error", "stopped"])
async def test_no_control_that_is_enabled_is_refused(
    opened: Open, fake: FakeSite, state: str
) -> None:
    """Each in a window of its own, as the first one may change what the others can do."""
    fake.state = state
    names = [offer["command"] for offer in fake.commands() if offer["enabled"]]
    for name in names:
        fake.state = state
        page = await opened()
        refused: list[int] = []
        page.on("response", lambda answer, seen=refused: seen.append(answer.status))
        command = page.locator(f"[data-command={name}]")
        await command.locator("button:enabled").click()
        if await command.locator(".confirm").count():
            await command.locator(".primary").click()
        await until(page, f"document.querySelector('.site-sign').dataset.state !== {state!r}")
        assert [status for status in refused if status >= 400] == []


async def test_who_may_not_start_is_told_who_may(opened: Open, fake: FakeSite) -> None:
    fake.role, fake.state = None, "idle"
    page = await opened()
    await shows(page, "[data-command=start]", "an operator")
    assert await page.locator("[data-command=start] button").is_disabled()


async def test_a_warning_of_the_weather_does_not_look_like_a_fault(
    opened: Open, fake: FakeSite
) -> None:
    fake.glance = WEATHER
    page = await opened()
    await shows(page, "#glance", "The weather forecast is 9 h old")
    looks = (await page.locator(".glance").get_attribute("class")).split()
    assert "info" in looks
    assert not {"fault", "attention"} & set(looks)


async def test_what_is_latched_is_told_with_who_may_reset_it_and_how(
    opened: Open, fake: FakeSite
) -> None:
    fake.state = "error"
    page = await opened("safety")
    await shows(page, ".note.fault", "May be reset by: service")
    await shows(page, ".note.fault li", "Look at the cells.")


async def test_logging_in_and_out(opened: Open, fake: FakeSite) -> None:
    fake.role, fake.open_to_view = None, False
    page = await opened("plan")
    await shows(page, "h1", "Log in")
    assert await page.locator("nav a").count() == 0
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Log in", exact=True).click()
    await shows(page, "[role=alert]", "name or password is wrong")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await shows(page, "h1", "Now")
    await page.get_by_role("button", name="Log out").click()
    await shows(page, "h1", "Log in")


async def test_the_first_account_takes_the_code_of_the_console(
    opened: Open, fake: FakeSite
) -> None:
    fake.role, fake.setup_needed, fake.open_to_view = None, True, False
    page = await opened()
    await shows(page, "h1", "The first account")
    await page.get_by_label("Set-up code").fill("1234-5678")
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await shows(page, "h1", "Now")


async def test_a_drag_over_a_chart_looks_closer(opened: Open, fake: FakeSite) -> None:
    page = await opened("history")
    await page.wait_for_selector(".u-over")
    box = await page.locator(".u-over").first.bounding_box()
    async with page.expect_request(lambda request: "history?" in request.url) as asked:
        await page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=4)
        await page.mouse.up()
    query = re.findall(r"(?:start|end)=([^&]+)", (await asked.value).url.replace("%3A", ":"))
    start, end = (datetime.fromisoformat(text) for text in query)
    assert 5.5 < (end - start).total_seconds() / 3600 < 6.5


async def test_a_chart_has_its_numbers_as_a_table(opened: Open) -> None:
    page = await opened("plan")
    await page.wait_for_selector(".u-over")
    await page.locator(".chart summary").first.click()
    await page.wait_for_selector(".chart table tbody tr")
    assert await page.locator(".chart table tbody tr").count() > 100


async def test_what_comes_from_elsewhere_is_text_and_nothing_else(
    opened: Open, fake: FakeSite
) -> None:
    text = "<img src=x onerror=\"document.title='taken'\">"
    fake.findings = [
        {"owner": "battery", "row": "soc_low", "level": "warning", "reaction": "log",
         "for_s": 3.0, "text": text},
    ]  # fmt: skip
    page = await opened("safety")
    await shows(page, "td", text)
    assert await page.title() != "taken"


async def test_everything_is_reached_by_the_keyboard(opened: Open, fake: FakeSite) -> None:
    page = await opened()
    await shows(page, ".commands", "Start")
    reached = []
    for _ in range(40):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            "(() => { const e = document.activeElement;"
            "return [e.textContent.trim().slice(0, 30), getComputedStyle(e).outlineStyle,"
            "e.className]; })()"
        )
        reached.append(seen)
        if seen[2] == "stop-button":
            break
    assert reached[0][0] == "Skip to content"
    assert [text for text, outline, _ in reached if outline == "none"] == []
    assert {"Now", "Plan", "Safety", "Settings", "Log out"} <= {text for text, _, _ in reached}
    await page.keyboard.press("Enter")
    await shows(page, STOP, "Stopped")


async def test_a_page_that_opens_takes_the_focus_to_its_heading(opened: Open) -> None:
    page = await opened()
    await page.get_by_role("link", name="Plan", exact=True).click()
    await shows(page, "h1", "Plan")
    assert await page.evaluate("document.activeElement.tagName") == "H1"
    assert (await page.title()).startswith("Plan")


async def test_german_is_spoken_throughout(opened: Open) -> None:
    page = await opened("now", locale="de-DE")
    assert await page.get_attribute("html", "lang") == "de"
    for path in ("now", "plan", "money", "safety", "history", "incidents", "devices", "settings"):
        await page.goto(re.sub("#.*", f"#/{path}", page.url))
        await shows(page, "h1", CATALOGUE[f"nav.{path}"]["de"])
        await page.wait_for_timeout(300)
        said = await page.locator("body").inner_text()
        english = [
            key
            for key, text in CATALOGUE.items()
            if text["en"] != text["de"]
            and len(text["en"].split()) > 2
            and "{" not in text["en"]
            and text["en"] in said
        ]
        assert english == [], path


async def test_the_language_and_the_colours_are_kept(opened: Open) -> None:
    page = await opened()
    await page.get_by_label("Language").select_option("de")
    await shows(page, "h1", "Jetzt")
    await page.get_by_label("Farben").select_option("dark")
    await page.reload()
    await shows(page, "h1", "Jetzt")
    assert await page.get_attribute("html", "data-theme") == "dark"


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_axe_finds_nothing_wrong(opened: Open, fake: FakeSite, colours: str) -> None:
    if not AXE.is_file():
        lacks("axe-core is not installed: npm ci in pages/")
    page = await opened("now", color_scheme=colours)
    devtools = await page.context.new_cdp_session(page)
    axe = AXE.read_text(encoding="utf-8")
    found = []
    for path in PAGES:
        await visit(page, path)
        found += [(path, *one) for one in await violations(devtools, axe)]
    assert found == []


@pytest.mark.parametrize("state", ["error", "stopped"])
async def test_axe_finds_nothing_wrong_with_a_fault(
    opened: Open, fake: FakeSite, state: str
) -> None:
    if not AXE.is_file():
        lacks("axe-core is not installed: npm ci in pages/")
    fake.state, fake.stop_works = state, False
    page = await opened("now", viewport=PHONE, color_scheme="dark")
    await shows(page, ".note.fault", "May be reset by")
    devtools = await page.context.new_cdp_session(page)
    assert await violations(devtools, AXE.read_text(encoding="utf-8")) == []


async def violations(devtools: Any, axe: str) -> list[tuple[str, str]]:
    """Asks axe, by the developer's tools: the policy of the page lets no script in."""
    await devtools.send("Runtime.evaluate", {"expression": axe})
    answer = await devtools.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run(document).then(found => found.violations.flatMap(rule =>"
            "rule.nodes.map(node => [rule.id, node.target.join(' ') + ' ' + node.html])))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    return [tuple(one) for one in answer["result"]["value"]]


async def test_the_console_has_nothing_to_say(opened: Open, address: str) -> None:
    page = await opened()
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    for path in PAGES:
        await visit(page, path)
    assert page.said == []
    assert [url for url in elsewhere if not url.startswith((address, "data:"))] == []


async def test_all_of_it_weighs_little() -> None:
    if not (FOLDER / "index.html").is_file():
        lacks("the pages are not built")
    weights = {
        path.name: len(gzip.compress(path.read_bytes()))
        for path in FOLDER.rglob("*")
        if path.is_file() and path.suffix not in {".txt"}
    }
    assert sum(weights.values()) <= MAX_WEIGHT_BYTES, weights


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_pictures_to_be_looked_at(opened: Open, size: dict[str, int], colours: str) -> None:
    """They are in build/screenshots."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page = await opened("now", viewport=size, color_scheme=colours)
    name = "phone" if size is PHONE else "wide"
    for path in PAGES:
        await visit(page, path)
        target = folder / f"{path.replace('/', '-')}-{name}-{colours}.png"
        await page.screenshot(path=target, full_page=True)
        assert target.stat().st_size > 5000
