"""What people ask of the batteries by hand: checked, told truly, and ended."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest

from holdfast.core.slot_mode import SlotMode
from tests.ui.fake_api import FakeSite
from tests.ui.fake_day import NO_TERMS
from tests.ui.fake_schedule import slot
from tests.ui.test_pages import CATALOGUE, shows

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
HOUR = timedelta(hours=1)
ENDS_IN = timedelta(seconds=3)


def asked(fake: FakeSite) -> list[tuple[str, str, Any]]:
    return [one for one in fake.asked if one[1].startswith("manual")]


async def test_a_power_that_the_site_has_not_is_refused_before_it_is_sent(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("schedule")
    await page.get_by_label("What the batteries do").select_option("discharge")
    await shows(page, ".hint", "at most 4.60 kW")
    for power in ("4601", "0", "", "2.5"):
        await page.get_by_label("Power in W").fill(power)
        await page.get_by_role("button", name="Add").click()
        await shows(page, ".error", "more than 0 and at most 4.60 kW")
    assert asked(fake) == []
    await page.get_by_label("Power in W").fill("4600")
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".entry", "Discharge with 4.60 kW")
    ((_, _, body),) = asked(fake)
    assert body["mode"] == "discharge"
    assert body["power_w"] == 4600
    assert body["start"] is None
    ends_in = datetime.fromisoformat(body["end"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < ends_in < timedelta(minutes=62)


async def test_a_mode_without_a_power_sends_none(opened: Open, fake: FakeSite) -> None:
    page = await opened("schedule")
    await page.get_by_label("Power in W").fill("2000")
    await page.get_by_label("What the batteries do").select_option("hold")
    assert await page.get_by_label("Power in W").count() == 0
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".entry", "Store surplus only")
    assert asked(fake)[0][2]["power_w"] is None


async def test_times_are_of_the_sites_clock_and_sent_in_utc(opened: Open, fake: FakeSite) -> None:
    page = await opened("schedule", timezone_id="America/New_York")
    await page.get_by_label("What the batteries do").select_option("rest")
    await page.get_by_label("Begins").select_option("at")
    await page.get_by_label("Lasts").select_option("at")
    day = f"{datetime.now(UTC) + 2 * 24 * HOUR:%Y-%m-%d}"
    await page.get_by_label("Start (site's clock)").fill(f"{day}T14:00")
    await page.get_by_label("End (site's clock)").fill(f"{day}T13:00")
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".error", "The end has to be after the start")
    await page.get_by_label("End (site's clock)").fill(f"{day}T16:30")
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".entry", "14:00 to 16:30")
    body = asked(fake)[0][2]
    shift = 2 if fake_is_in_summer(day) else 1  # Europe/Berlin
    assert body["start"] == f"{day}T{14 - shift}:00:00Z"
    assert body["end"] == f"{day}T{16 - shift}:30:00Z"


def fake_is_in_summer(day: str) -> bool:
    from zoneinfo import ZoneInfo

    return bool(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin")).dst())


async def test_a_time_that_the_clock_leaves_out_is_none(opened: Open, fake: FakeSite) -> None:
    page = await opened("schedule")
    await page.get_by_label("Begins").select_option("at")
    await page.get_by_label("Start (site's clock)").fill("2027-03-28T02:30")
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".error", "that the site's clock shows")
    assert asked(fake) == []


async def test_what_was_taken_is_not_shown_as_done_before_it_is(
    opened: Open, fake: FakeSite
) -> None:
    now = datetime.now(UTC)
    fake.manual = [slot("charge", now - HOUR, now + HOUR, 2000.0, "ben")]
    fake.manual_is_taken_over = False
    page = await opened("schedule")
    await shows(page, ".holds", "asked for by ben")
    await shows(page, "[role=status]", "Taken, but not in effect yet")
    fake.manual_is_taken_over = True
    await shows(page, "[role=status]", "The controller follows it.", 15_000)
    fake.state = "idle"
    await shows(page, "[role=status]", "The site does not run")


async def test_what_holds_can_be_ended(opened: Open, fake: FakeSite) -> None:
    now = datetime.now(UTC)
    held = slot("charge", now - HOUR, now + HOUR, 2000.0)
    fake.manual = [held]
    page = await opened("schedule")
    await page.get_by_role("button", name="End it now").click()
    await shows(page, ".holds", "no person has asked for anything else")
    assert asked(fake) == [("DELETE", f"manual/{held['id']}", None)]


async def test_what_is_over_vanishes_by_itself(opened: Open, fake: FakeSite) -> None:
    now = datetime.now(UTC)
    fake.manual = [slot("charge", now - HOUR, now + ENDS_IN, 2000.0)]
    page = await opened("schedule")
    await shows(page, ".entry", "Charge with 2.00 kW")
    await shows(page, ".card", "Nothing is asked for by hand", 20_000)


async def test_a_change_that_is_refused_loses_nothing(opened: Open, fake: FakeSite) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) + 3 * HOUR
    fake.manual = [slot("charge", start, start + 2 * HOUR, 2000.0)]
    fake.refuses_manual = "there may be 50 slots; remove one first"
    page = await opened("schedule")
    await page.get_by_role("button", name="Change: Charge with 2.00 kW").click()
    await page.get_by_label("Power in W").fill("1000")
    await page.get_by_role("button", name="Change", exact=True).click()
    await shows(page, "[role=alert]", "there may be 50 slots")
    assert [one["power_w"] for one in fake.manual] == [2000.0]


async def test_a_change_leaves_nothing_of_what_was_before(opened: Open, fake: FakeSite) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) + 3 * HOUR
    fake.manual = [slot("charge", start, start + 2 * HOUR, 2000.0)]
    page = await opened("schedule")
    await page.get_by_role("button", name="Change: Charge with 2.00 kW").click()
    end = page.get_by_label("End (site's clock)")
    shown = datetime.fromisoformat(await end.input_value())
    await end.fill(f"{shown - HOUR:%Y-%m-%dT%H:%M}")
    await page.get_by_label("What the batteries do").select_option("rest")
    await page.get_by_role("button", name="Change", exact=True).click()
    await shows(page, ".entry", "Rest")
    await page.wait_for_function("() => document.querySelectorAll('.entry').length === 1")
    (left,) = fake.manual
    assert left["mode"] == "rest"
    assert datetime.fromisoformat(left["end"]) == start + HOUR


async def test_who_may_only_look_is_told_who_may_ask(opened: Open, fake: FakeSite) -> None:
    now = datetime.now(UTC)
    fake.role, fake.manual = None, [slot("charge", now - HOUR, now + HOUR, 2000.0)]
    page = await opened("schedule")
    await shows(page, ".note", "an operator or somebody above")
    for name in ("Add", "End it now"):
        assert await page.get_by_role("button", name=name).is_disabled()
    assert await page.get_by_role("button", name="Remove").count() == 0


BY_MODE: list[dict[str, Any]] = [
    {"mode": mode, "by": by, "battery_power_w": 1500.0, "terms": NO_TERMS | {"import_max_w": 6e3}}
    for mode, by in zip(SlotMode, cycle(("grid_operator", "rule", "schedule", "default")))
]
TOLD = {"power": "charge", "passive": "rest"}
"""By these names people know what the power of a slot does."""


@pytest.mark.parametrize(("language", "locale"), [("en", "en-GB"), ("de", "de-DE")])
async def test_every_mode_and_whoever_asks_for_it_is_named(
    opened: Open, fake: FakeSite, language: str, locale: str
) -> None:
    fake.laid = [dict(one) for one in BY_MODE]
    page = await opened("schedule", locale=locale)
    await page.locator("details summary").click()
    rows = page.locator("tbody tr")
    for one in BY_MODE:
        mode = CATALOGUE[f"mode.{TOLD.get(one['mode'], one['mode'])}"][language]
        who = CATALOGUE[f"source.{one['by']}"][language]
        row = rows.filter(has_text=who).filter(has_text=mode)
        await row.filter(has_text={"en": "6.00", "de": "6,00"}[language]).first.wait_for()
        lane = CATALOGUE[f"lane.{one['by']}"][language]
        assert await page.locator(".lane", has_text=lane).locator(".span").count() > 0
        await page.locator(".modes", has_text=mode).wait_for()
    named = await page.locator(".lane .span").first.get_attribute("title")
    assert CATALOGUE["source.grid_operator"][language] in named


async def test_on_a_site_that_is_only_observed_nothing_can_be_asked_for(
    opened: Open, fake: FakeSite
) -> None:
    now = datetime.now(UTC)
    fake.authority, fake.manual = "observe", [slot("charge", now + HOUR, now + 2 * HOUR, 2000.0)]
    page = await opened("schedule")
    await shows(page, ".form ~ .note, .card .note", "set authority to limited or full")
    assert await page.get_by_role("button", name="Add", exact=True).is_disabled()
    assert await page.get_by_label("What the batteries do").is_disabled()
    assert await page.get_by_role("button", name="Change").count() == 0
    await page.get_by_role("button", name="Remove").click()
    await shows(page, ".card", "Nothing is asked for by hand")


async def test_while_somebody_else_still_decides_it_is_he_who_is_named(
    opened: Open, fake: FakeSite
) -> None:
    now = datetime.now(UTC)
    fake.manual = [slot("charge", now - HOUR, now + HOUR, 2000.0)]
    fake.manual_is_taken_over = False
    fake.mode = {"by": "grid_operator", "mode": "power"}
    page = await opened("schedule")
    await shows(page, ".take-over", "Now the grid operator still decides")
    await shows(page, ".facts", "Fixed power")


async def test_what_has_ended_meanwhile_can_be_ended_all_the_same(
    opened: Open, fake: FakeSite
) -> None:
    now = datetime.now(UTC)
    fake.manual = [slot("charge", now - HOUR, now + HOUR, 2000.0)]
    page = await opened("schedule")
    button = page.get_by_role("button", name="End it now")
    await button.wait_for()
    fake.manual = []
    await button.click()
    await shows(page, ".holds", "no person has asked for anything else")
    assert await page.locator("[role=alert] .note").count() == 0
