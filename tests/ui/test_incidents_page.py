"""What somebody relies on who wants to know what happened: in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.ui import fake_incidents
from tests.ui.conftest import until
from tests.ui.fake_api import FakeSite

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
CELL_HIGH = f"incidents/{fake_incidents.CELL_HIGH.id}"
STATE = ".replay-time .pill"
TIME = ".replay-time strong"
WHY = ".replay-why"


async def shows(page: Any, selector: str, text: str) -> None:
    """Waits until what is at ``selector`` has ``text`` in it."""
    await page.locator(selector, has_text=text).first.wait_for()


async def test_each_incident_is_listed_and_leads_to_what_happened(opened: Open) -> None:
    page = await opened("incidents")
    await shows(page, "tbody", "Cell voltage, high · battery")
    rows = await page.locator(".card").first.locator("tbody tr").all_inner_texts()
    assert len(rows) == len(fake_incidents.ALL)
    assert ["Error" in rows[0], "Stopped" in rows[1]] == [True, True]
    assert "14 min" in rows[0]
    assert "Somebody asked for it" in rows[1]
    await page.locator("tbody a").first.click()
    await shows(page, "h1", "Incident of")
    await shows(page, ".facts", "Reset (service)")
    events = await page.locator(".events li").all_inner_texts()
    assert len(events) == len(fake_incidents.CELL_HIGH.events)
    assert any("From “Running” to “Error”" in event for event in events)


async def test_by_the_keyboard_one_goes_through_an_incident(opened: Open) -> None:
    page = await opened(CELL_HIGH)
    slider = page.get_by_role("slider", name="Moment")
    await slider.press("Home")
    await shows(page, STATE, "Running")
    await shows(page, ".layers", "2.60")
    await shows(page, WHY, "set to charge with 2,600 W")
    await shows(page, ".node.battery", "charges")
    begins = await page.locator(TIME).inner_text()
    for _ in range(62):
        await slider.press("ArrowRight")
    assert await page.locator(TIME).inner_text() != begins
    await shows(page, STATE, "Error")
    await shows(page, WHY, "a fault has tripped")
    assert "0\u202fW" in await page.locator(".layers").first.inner_text()
    assert "Battery power" in await slider.get_attribute("aria-valuetext")
    await slider.press("End")
    await shows(page, STATE, "Running")


async def test_what_happened_is_gone_to_from_event_to_event(opened: Open) -> None:
    page = await opened(CELL_HIGH)
    current = page.locator(".events .current")
    await page.locator(".events li", has_text="cell 3.61 V").get_by_role("button").press("Enter")
    await shows(page, ".events .current", "Alarm: Cell voltage, high")
    await page.get_by_role("button", name="Next event").click()
    await shows(page, ".layers li.other", "1.30")
    assert "Battery power · battery set to 1.30" in await current.inner_text()
    await page.get_by_role("button", name="Next event").click()
    await shows(page, ".events .current", "Trip: Cell voltage, high")
    await page.get_by_role("button", name="Event before").click()
    await shows(page, ".replay-event", "1.30")


async def test_it_plays_until_somebody_pauses_it(opened: Open) -> None:
    page = await opened(CELL_HIGH)
    time = page.locator(TIME)
    before = await time.inner_text()
    await page.get_by_role("button", name="Play", exact=True).click()
    await until(page, f"document.querySelector({TIME!r}).textContent !== {before!r}")
    await page.get_by_role("button", name="Pause").click()
    paused = await time.inner_text()
    assert paused != before
    await page.wait_for_timeout(400)
    assert await time.inner_text() == paused


async def test_without_the_history_what_happened_is_still_told(
    opened: Open, fake: FakeSite
) -> None:
    fake.history_problem = "/var/lib/holdfast/history.db: disk I/O error"
    page = await opened(CELL_HIGH)
    await shows(page, ".note", fake.history_problem)
    await page.get_by_role("slider", name="Moment").press("Home")
    await shows(page, STATE, "Running")
    await page.get_by_role("button", name="Next event").click()
    await shows(page, ".replay-event", "Warning: Cell voltage, high")
    assert await page.locator(".node.grid .value").text_content() == "–"


async def test_one_that_lasts_says_so(opened: Open, fake: FakeSite) -> None:
    fake.state = "stopped"
    page = await opened("incidents")
    await shows(page, "tbody tr", "still lasts")
    await page.locator("tbody a").first.click()
    await shows(page, ".facts", "still lasts")


async def test_one_that_is_not_on_record_is_told(opened: Open) -> None:
    page = await opened("incidents/77")
    await shows(page, ".note", "no incident 77 is on record")


async def test_a_site_without_incidents_says_so(opened: Open, fake: FakeSite) -> None:
    fake.history_is_empty = True
    page = await opened("incidents")
    await shows(page, ".card", "Nothing has taken the site out of operation")
