"""Money and reports: what is not known is not 0, and days are reached by the keyboard."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.ui.fake_api import FakeSite
from tests.ui.test_pages import shows

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
BERLIN = ZoneInfo("Europe/Berlin")


async def answers(page: Any, path: str, rows: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Has each row of the API's answer changed on its way."""

    async def change(route: Any) -> None:
        answer = await (await route.fetch()).json()
        changed = answer | {"rows": [row | rows(row) for row in answer["rows"]]}
        await route.fulfill(body=json.dumps(changed), content_type="application/json")

    await page.route(re.compile(f"/api/v1/{path}\\?"), change)


async def fresh(opened: Open, path: str, changed: dict[str, Any], page_path: str) -> Any:
    page = await opened(service_workers="block")
    await answers(page, path, lambda _: changed)
    await page.goto(page.url.replace("#/now", f"#/{page_path}"))
    return page


async def test_what_is_not_known_yet_says_so_and_is_not_0(opened: Open) -> None:
    nothing = {"self_consumption": None, "perfect_foresight": None}
    page = await fresh(opened, "money", nothing, "money")
    await shows(page, ".comparisons", "Saved against plain self-consumption")
    told = await page.locator(".comparisons dd").all_inner_texts()
    assert re.fullmatch(r"€\d+\.\d\d", told[0])
    assert told[1:] == ["not known yet", "not known yet"]
    bars = await page.locator(".cost-bars li").all_inner_texts()
    assert [bar.splitlines()[1] for bar in bars if "Perfect" in bar] == ["not known yet"]
    assert "€0.00" not in await page.locator("main").inner_text()


async def test_a_site_without_a_record_shows_no_amount(opened: Open) -> None:
    nothing = dict.fromkeys(("cost", "no_battery", "self_consumption", "perfect_foresight"))
    page = await fresh(opened, "money", nothing, "money")
    await shows(page, ".tile", "savings not known yet")
    assert "€" not in await page.locator("main").inner_text()
    assert await page.locator(".calendar .won").count() == 0


async def test_what_is_compared_is_compared_over_the_same_days(opened: Open) -> None:
    """The first half of the month is known on both sides, the other half on one."""
    today = datetime.now(BERLIN).day
    known = max(1, today // 2)

    def of(row: dict[str, Any]) -> dict[str, Any]:
        day = datetime.fromisoformat(row["start"]).astimezone(BERLIN).day
        other = 3.0 if day <= known else None
        return {"cost": 1.0, "no_battery": 2.0, "self_consumption": other}

    page = await opened(service_workers="block")
    await answers(page, "money", of)
    await page.goto(page.url.replace("#/now", "#/money"))
    await shows(page, ".tile[aria-pressed=true]", f"saved €{today}.00")
    told = await page.locator(".comparisons dd").all_inner_texts()
    assert told[1].splitlines()[0] == f"€{2 * known}.00"
    if known < today:
        assert f"over the {known} of {today} days" in told[1]


async def test_a_day_is_reached_and_looked_into_by_the_keyboard(opened: Open) -> None:
    page = await opened("money")
    await page.get_by_role("button", name="Month before").click()
    await page.wait_for_function(
        "() => document.querySelector('.calendar [tabindex=\"0\"]')?.textContent.includes('paid')"
    )
    await page.locator(".calendar [tabindex='0']").focus()
    for key in ("ArrowLeft", "ArrowUp"):
        last = await page.evaluate("document.activeElement.textContent")
        await page.keyboard.press(key)
        await page.wait_for_function(
            "last => document.activeElement.textContent !== last", arg=last
        )
    await page.keyboard.press("Home")
    await page.wait_for_function("() => / 1 /.test(document.activeElement.textContent)")
    reached = await page.evaluate("document.activeElement.textContent")
    assert re.match(r"\w+, 1 \w+ \d{4}: paid €[\d.]+, saved €[\d.]+", reached)
    await page.keyboard.press("Enter")
    await shows(page, ".card h2", "01/")
    assert await page.locator(".tile[aria-pressed=true]").count() == 0
    assert await page.locator(".calendar [tabindex='0']").count() == 1


async def test_a_report_says_what_is_in_it_and_where_it_is(opened: Open) -> None:
    page = await opened("reports")
    await page.get_by_label("A day of it").fill("2026-02-14")
    await page.get_by_role("button", name="Month").click()
    await shows(page, ".stepper", "February 2026")
    await shows(page, ".entry", "a bar for each day")
    links = page.get_by_role("link", name="Download")
    await links.nth(1).wait_for()
    assert [await link.get_attribute("href") for link in await links.all()] == [
        re.sub("#.*", f"api/v1/reports/month/2026-02-01?format={name}", page.url)
        for name in ("pdf", "csv")
    ]
    await page.get_by_role("button", name="The one before").click()
    await shows(page, ".stepper", "January 2026")


async def test_where_nothing_is_on_record_there_is_no_report_and_it_says_why(
    opened: Open,
) -> None:
    nothing = dict.fromkeys(("import_wh", "export_wh", "pv_wh", "load_wh", "cost"))
    page = await fresh(opened, "energy", nothing | {"complete": 0.0}, "reports")
    await shows(page, ".hint", "Nothing is on record of this time.")
    assert await page.get_by_role("link", name="Download").count() == 0
    assert await page.get_by_role("button", name="Download").first.is_disabled()


async def test_nobody_is_offered_a_report_of_the_future(opened: Open, fake: FakeSite) -> None:
    page = await opened("reports")
    await page.get_by_role("button", name="The one after").click()
    await shows(page, ".card", "It is not over yet")
    assert await page.get_by_role("button", name="The one after").is_disabled()
