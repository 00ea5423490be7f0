"""A plan that is led by what stored energy is worth is told in words that an owner can check."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.ui.fake_api import FakeSite
from tests.ui.fake_day import NO_TERMS
from tests.ui.test_pages import shows

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]

MARKS = {"buy_below_pct": 30.0, "store_below_pct": 60.0, "serve_above_pct": 40.0}


def by_worth(battery_w: float, grid_w: float, **marks: float) -> dict[str, object]:
    return {
        "mode": "stored_value",
        "battery_power_w": battery_w,
        "grid_power_w": grid_w,
        "terms": NO_TERMS | marks,
    }


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("en-GB", "buys below 30 %; stores below 60 %; serves above 40 %; sells above 80 %"),
        ("de-DE", "kauft unter 30 %; speichert unter 60 %; versorgt über 40 %; verkauft über 80 %"),
    ],
    ids=("en", "de"),
)
async def test_a_slot_tells_up_to_and_down_to_where_each_pays(
    opened: Open, fake: FakeSite, locale: str, told: str
) -> None:
    fake.laid = [by_worth(-400.0, 0.0, **MARKS, sell_above_pct=80.0)]
    page = await opened("plan", locale=locale)
    details = page.locator("details", has=page.locator("table")).last
    await details.locator("summary").click()
    row = details.locator("tbody tr").first
    await row.wait_for()
    assert told in (await row.inner_text()).replace("\u202f", " ")


async def test_what_is_never_done_is_not_told_and_marks_of_another_mode_are_not_either(
    opened: Open, fake: FakeSite
) -> None:
    fake.laid = [by_worth(0.0, 300.0, serve_above_pct=40.0)]
    fake.laid += [{"mode": "hold", "by": "rule", "terms": NO_TERMS | MARKS}]
    page = await opened("plan")
    details = page.locator("details", has=page.locator("table")).last
    await details.locator("summary").click()
    first, second = (await details.locator("tbody tr").all_inner_texts())[:2]
    assert "serves above 40" in first
    assert "below" not in first
    assert "sells" not in first
    assert "40\u202f%" not in second


async def test_what_is_expected_of_such_slots_is_told_one_after_the_other(
    opened: Open, fake: FakeSite
) -> None:
    does = [(2000.0, 2400.0), (900.0, 0.0), (-400.0, 0.0), (-3000.0, -2500.0), (0.0, 400.0)]
    fake.laid = [by_worth(battery_w, grid_w, **MARKS) for battery_w, grid_w in does]
    page = await opened("plan")
    words = ("buys", "stores surplus", "serves load", "sells", "rests")
    await shows(page, "tbody tr", "By its worth: buys")
    rows = page.locator("table").filter(has_text="By its worth").first.locator("tbody tr")
    told = [await rows.nth(index).inner_text() for index in range(len(words))]
    assert [word for word, row in zip(words, told, strict=True) if f": {word}" in row] == [*words]


async def test_while_marks_move_the_timeline_has_one_span_with_all_of_them(
    opened: Open, fake: FakeSite
) -> None:
    fake.laid = [by_worth(0.0, 0.0, serve_above_pct=20.0 + index) for index in range(8)]
    page = await opened("schedule")
    await page.locator("details summary").click()
    await shows(page, "tbody tr", "serves above 20")
    rows = page.locator("tbody tr").filter(has_text="By its worth")
    assert await rows.count() == 1
    assert "20 % to 27 %" in (await rows.first.inner_text()).replace("\u202f", " ")
