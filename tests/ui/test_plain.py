"""The plain pages in a real browser with scripts switched off: on a phone, and by keyboard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.core.state_machine import State
from tests.monitoring.statuses import found, power
from tests.ui.bench import GatewayBench, at_rest, controller_at, reply, stopping

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}
MAX_PAGE_BYTES = 20_000


def missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI skips nothing")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    if not CHROMIUM.exists():
        missing(str(CHROMIUM))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


class Anybody:
    """Lets in who knows the password."""

    def why_not(self, name: str, password: str, code: str, address: str) -> str | None:
        return None if password == "right" else "name or password is wrong"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GatewayBench]:
    with GatewayBench(tmp_path, Anybody()) as bench, bench.kept_fresh():
        yield bench


@pytest.fixture(params=[PHONE, WIDE], ids=["phone", "wide"])
def plain(
    request: pytest.FixtureRequest, browser: "Browser", bench: GatewayBench
) -> Iterator["Page"]:
    """A page without scripts, which fails the test that sees anything in its console."""
    context = browser.new_context(
        java_script_enabled=False,
        viewport=request.param,
        base_url=f"http://127.0.0.1:{bench.port}",
        locale="en",
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    # That a stop failed is told by the page; Chromium says it in the console as well.
    assert [text for text in said if "503" not in text and "409" not in text] == []


def shot(page: "Page", name: str) -> None:
    """Keeps a picture for whoever wants to look: HOLDFAST_SCREENSHOTS=folder."""
    folder = os.environ.get("HOLDFAST_SCREENSHOTS")
    if folder:
        width = (page.viewport_size or PHONE)["width"]
        page.screenshot(path=str(Path(folder) / f"plain-{name}-{width}.png"), full_page=True)


def fits(page: "Page") -> bool:
    """Says whether nothing sticks out at the side."""
    main = page.locator("main").bounding_box()
    button = page.locator(".stop button").bounding_box()
    assert main is not None
    assert button is not None
    assert button["height"] >= 100
    width = (page.viewport_size or PHONE)["width"]
    boxes = [one.bounding_box() for one in page.locator("main *").all()]
    return all(box is None or box["x"] + box["width"] <= width for box in boxes)


def test_the_button_is_seen_at_once_and_stops_with_one_press(
    plain: "Page", bench: GatewayBench
) -> None:
    bench.publish()
    plain.goto("/")
    assert fits(plain)
    button = plain.get_by_role("button", name="EMERGENCY STOP")
    button.wait_for()  # the page may just renew itself
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400
    assert plain.get_by_role("heading", name="SAFE").is_visible()
    shot(plain, "safe")
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        button.click()
        plain.get_by_role("heading", name="The stop was taken").wait_for()
    assert len(heard) == 1
    assert fits(plain)
    shot(plain, "stopped")
    plain.get_by_role("link", name="How the site is now").click()
    plain.get_by_role("heading", name="STOPPED", exact=True).wait_for()


def test_it_renews_itself_without_a_script(plain: "Page", bench: GatewayBench) -> None:
    bench.publish()
    plain.goto("/")
    bench.publish(
        state=State.ERROR,
        quantities=(power(0.0),),
        latched_faults=("battery/insulation_low", "battery/bms_data_gone"),
        findings=(found("soc_high", "block_charge"), found("bms_data_lost", "ramp_to_zero")),
    )
    plain.get_by_role("heading", name="FAULT").wait_for()
    assert fits(plain)
    plain.locator("summary").first.click()
    shot(plain, "fault")


def test_a_stop_that_reached_nobody_says_what_to_do(plain: "Page", bench: GatewayBench) -> None:
    plain.goto("/")
    shot(plain, "unknown")
    plain.get_by_role("button", name="EMERGENCY STOP").press("Enter")
    plain.get_by_role("heading", name="NOT STOPPED").wait_for()
    assert plain.get_by_text("Switch the inverter off at the device").is_visible()
    assert plain.get_by_role("link", name="+49 (0)30 123").is_visible()
    assert fits(plain)
    shot(plain, "not-stopped")


def test_two_steps_and_a_password_start_it(plain: "Page", bench: GatewayBench) -> None:
    at_rest(bench)
    plain.goto("/")
    plain.get_by_role("link", name="Start the site").click()
    plain.get_by_label("Name").fill("ann")
    plain.get_by_label("Password").fill("wrong")
    assert fits(plain)
    shot(plain, "start")
    starts = reply(accepted=True, reason="start done", state="running")
    with controller_at(bench.files.control_socket, lambda _: starts) as heard:
        plain.get_by_role("button", name="Start the site").click()
        plain.get_by_role("heading", name="NOT STARTED").wait_for()
        assert heard == []
        plain.goto("/start")
        plain.get_by_label("Name").fill("ann")
        plain.get_by_label("Password").fill("right")
        plain.get_by_role("button", name="Start the site").press("Enter")
        plain.get_by_role("heading", name="The controller took the start").wait_for()
        assert len(heard) == 1


def test_the_tab_key_comes_to_the_button_first(plain: "Page", bench: GatewayBench) -> None:
    bench.publish()
    plain.goto("/?still")
    with controller_at(bench.files.stop_socket, stopping(bench)):
        plain.keyboard.press("Tab")
        plain.keyboard.press("Enter")
        plain.get_by_role("heading", name="The stop was taken").wait_for()


def test_another_page_cannot_press_it(
    browser: "Browser", bench: GatewayBench, tmp_path: Path
) -> None:
    """A page of elsewhere that sends the form: the browser tells where from, and it is refused."""
    bench.publish()
    wicked = tmp_path / "wicked.html"
    wicked.write_text(
        f'<form method="post" action="http://127.0.0.1:{bench.port}/estop">'
        "<button>win</button></form>"
    )
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(wicked.as_uri())
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        page.get_by_role("button").click()
        page.get_by_role("heading", name="Refused").wait_for()
    assert heard == []
    context.close()


def test_dark_and_in_german(browser: "Browser", bench: GatewayBench) -> None:
    bench.publish(findings=(found("cell_imbalance_high", "derate"),))
    context = browser.new_context(
        java_script_enabled=False, viewport=PHONE, locale="de-DE", color_scheme="dark"
    )
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{bench.port}/")
    assert page.get_by_role("button", name="NOT-HALT").is_visible()
    assert page.get_by_role("heading", name="ACHTUNG").is_visible()
    assert fits(page)
    shot(page, "dark-german")
    context.close()


def test_a_page_is_light(bench: GatewayBench) -> None:
    bench.publish()
    assert sum(len(bench.get(path).text) for path in ("/", "/style.css")) < MAX_PAGE_BYTES
