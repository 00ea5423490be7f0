"""The real processes on a simulated site, seen and steered in a real browser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from holdfast.client.audit_reader import lines_backwards
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import OperatorActed
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.testing.rig import Rig
from tests.ui.conftest import WIDE

pytestmark = pytest.mark.asyncio(loop_scope="session")
PASSWORD = "a kite above the roofs"
TAKES_MS = 30_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("pages")) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller", "planner", "gateway", "api")
        rig.until(lambda: rig.state is State.IDLE, "IDLE")
        rig.until(lambda: answers(rig), "the API")
        yield rig
        assert rig.damage() == {}


def answers(rig: Rig) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{rig.api_port}/health").status_code == 200
    except httpx.HTTPError:
        return False


async def reaches(rig: Rig, state: State) -> None:
    """Waits without keeping the browser from telling what happens."""
    await asyncio.to_thread(rig.until_state, state)


async def until_shown(page: Any, text: str) -> None:
    await page.locator(".site-sign", has_text=text).first.wait_for(timeout=TAKES_MS)


async def press(page: Any, command: str, *names: str) -> None:
    """Presses what is one after the other in the place of a command."""
    for name in names:
        button = page.locator(f"[data-command={command}]").get_by_role(
            "button", name=name, exact=True
        )
        await button.click(timeout=TAKES_MS)


async def test_from_the_set_up_code_to_a_running_site_a_stop_and_back(
    rig: Rig, browser: Any, tmp_path: Path
) -> None:
    code = rig.cli("users", "setup-code").stdout.split()[-1]
    context = await browser.new_context(viewport=WIDE, locale="en-GB")
    page = await context.new_page()
    refused: list[str] = []
    page.on("response", lambda r: refused.append(f"{r.status} {r.url}") if r.status >= 400 else 0)
    await page.goto(f"http://127.0.0.1:{rig.api_port}/")
    # Nobody may look before there is an account, for nobody said that anybody may.
    await page.get_by_label("Set-up code").fill(code, timeout=TAKES_MS)
    refused.clear()
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await until_shown(page, "Idle")

    await press(page, "start", "Start", "Start now")
    await until_shown(page, "Running")
    await reaches(rig, State.RUNNING)

    await page.locator(".stop-button").click()
    await page.locator(".stop-button", has_text="Stopped").wait_for(timeout=TAKES_MS)
    await reaches(rig, State.STOPPED)
    await asyncio.to_thread(rig.until, lambda: rig.is_safe, "0 W and the contactor open")

    await press(page, "reset", "Reset", "Reset now")  # this browser is on the site's own computer
    await until_shown(page, "Idle")
    await page.screenshot(path=tmp_path / "now.png", full_page=True)
    assert refused == []
    acts = [event_of(line) for line in lines_backwards(rig.files.audit)]
    assert "anna" in {act.who for act in acts if isinstance(act, OperatorActed)}
    await context.close()


async def test_each_page_shows_the_real_site_without_a_refusal(rig: Rig, browser: Any) -> None:
    context = await browser.new_context(viewport=WIDE, locale="en-GB")
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"http://127.0.0.1:{rig.api_port}/")
    await page.get_by_label("Name").fill("anna", timeout=TAKES_MS)
    await page.get_by_label("Password").fill(PASSWORD)
    said.clear()
    await page.get_by_role("button", name="Log in").click()
    await until_shown(page, "Idle")
    links = await page.locator("nav a").evaluate_all("each => each.map(one => one.hash)")
    assert len(links) >= 10
    for link in links:
        await page.goto(f"http://127.0.0.1:{rig.api_port}/{link}")
        heading = page.locator("main h1")
        assert await heading.inner_text(timeout=TAKES_MS), link
    await page.wait_for_timeout(500)
    assert said == []
    await context.close()


async def test_what_people_set_is_taken_by_the_real_site(rig: Rig, browser: Any) -> None:
    """Each form once, against what the API really takes and answers."""
    context = await browser.new_context(viewport=WIDE, locale="en-GB", accept_downloads=True)
    page = await context.new_page()
    refused: list[str] = []
    page.on("response", lambda r: refused.append(f"{r.status} {r.url}") if r.status >= 400 else 0)
    await page.goto(f"http://127.0.0.1:{rig.api_port}/#/log-in")
    await page.get_by_label("Name").fill("anna", timeout=TAKES_MS)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await until_shown(page, "Idle")
    for act in (_asks_by_hand, _registers_an_app, _makes_a_token, _adds_a_user, _edits_site_yaml):
        await act(page)
    assert refused == []
    await context.close()


async def _goes(page: Any, path: str) -> None:
    await page.evaluate("path => { location.hash = path; }", f"#/{path}")


async def _asks_by_hand(page: Any) -> None:
    await _goes(page, "schedule")
    await page.get_by_label("What the batteries do").select_option("charge", timeout=TAKES_MS)
    await page.get_by_label("Power in W").fill("1000")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.locator(".entry", has_text="Charge with 1.00 kW").wait_for(timeout=TAKES_MS)
    await page.locator(".holds", has_text="asked for by anna").wait_for(timeout=TAKES_MS)
    await page.get_by_role("button", name="Change: Charge").click()
    await page.get_by_label("What the batteries do").select_option("rest")
    await page.get_by_role("button", name="Change", exact=True).click()
    await page.locator(".holds", has_text="Rest").wait_for(timeout=TAKES_MS)
    assert await page.locator(".entry").count() == 1
    await page.get_by_role("button", name="End it now").click()
    await page.locator(".card", has_text="Nothing is asked for by hand").wait_for()


async def _registers_an_app(page: Any) -> None:
    await _goes(page, "settings/account")
    await page.get_by_role("button", name="Register an app").click(timeout=TAKES_MS)
    secret = await page.locator(".secret").text_content()
    await page.get_by_label("The code that the app shows").fill(
        pyotp.TOTP(secret.replace(" ", "")).now()
    )
    await page.get_by_role("button", name="Confirm").click()
    assert len((await page.get_by_label("Recovery codes").input_value()).split()) == 10
    await page.get_by_role("button", name="I have kept them").click()
    await page.get_by_text("Remove the app").first.click()
    await page.get_by_label("Your password").last.fill(PASSWORD)
    await page.get_by_role("button", name="Remove the app").click()
    await page.get_by_role("button", name="Register an app").wait_for(timeout=TAKES_MS)


async def _makes_a_token(page: Any) -> None:
    await _goes(page, "settings/tokens")
    await page.get_by_label("What it is for").fill("grafana", timeout=TAKES_MS)
    await page.get_by_role("button", name="Make it").click()
    assert (await page.get_by_label("The token").input_value()).startswith("hf_")
    await page.get_by_role("button", name="Revoke: grafana").click()
    await page.locator(".confirm .primary").click()
    await page.locator(".card", has_text="You have no tokens.").wait_for(timeout=TAKES_MS)


async def _adds_a_user(page: Any) -> None:
    await _goes(page, "settings/users")
    await page.get_by_label("Name").fill("ben", timeout=TAKES_MS)
    await page.get_by_label("Password").fill("seven small steps")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Change: ben").click(timeout=TAKES_MS)
    await page.locator(".entry").get_by_label("Role").select_option("service")
    await page.get_by_role("button", name="Save").click()
    await page.locator(".entry", has_text="service").wait_for(timeout=TAKES_MS)
    await page.get_by_role("button", name="Remove account: ben").click()
    await page.locator(".confirm .primary").click()
    await page.get_by_role("button", name="Change: ben").wait_for(state="detached")


async def _edits_site_yaml(page: Any) -> None:
    await _goes(page, "settings/site")
    text = page.get_by_label("Text of site.yaml")
    await text.wait_for(timeout=TAKES_MS)
    before = await text.input_value()
    await text.fill(before + "no_such_key: 1\n")
    await page.get_by_role("button", name="Check").click()
    await page.locator(".note.fault", has_text="no_such_key").wait_for(timeout=TAKES_MS)
    assert await page.locator(".line-numbers .fault").inner_text() == str(before.count("\n") + 1)
    await text.fill(before + "# a remark\n")
    await page.get_by_role("button", name="Check").click()
    await page.get_by_role("button", name="Write the change").click(timeout=TAKES_MS)
    await page.locator("[role=status]", has_text="at the next start").wait_for(timeout=TAKES_MS)
    await page.get_by_role("button", name="Compare").first.click()
    await page.locator(".entry .diff del", has_text="# a remark").wait_for(timeout=TAKES_MS)
    await page.get_by_role("button", name="Go back to this version").click()
    await page.locator(".entry", has_text="version 3").wait_for(timeout=TAKES_MS)
    assert await text.input_value() == before
