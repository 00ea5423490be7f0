"""What somebody relies on who looks at what was: in a real browser."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ui import fake_history
from tests.ui.conftest import PHONE, until
from tests.ui.fake_api import FakeSite
from tests.ui.fake_day import iso

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
PLOT = ".plot[data-points] canvas"
TABLE = "details.numbers"
MINUTE = timedelta(minutes=1)


async def shows(page: Any, selector: str, text: str) -> None:
    """Waits until what is at ``selector`` has ``text`` in it."""
    await page.locator(selector, has_text=text).first.wait_for()


async def drawn(opened: Open, query: str = "", **options: Any) -> Any:
    """Returns the page, once there is a chart."""
    page = await opened(f"history{query}", **options)
    await page.locator(PLOT).first.wait_for()
    return page


def asked_of_history(page: Any) -> list[dict[str, list[str]]]:
    """Returns what is asked for from now on, as it comes."""
    asked: list[dict[str, list[str]]] = []

    def note(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.path.endswith("/history"):
            asked.append(parse_qs(parts.query))

    page.on("request", note)
    return asked


async def choose(page: Any, search: str, name: str) -> None:
    """Ticks a signal, found by a part of its name."""
    await page.locator(".picker summary").click()
    await page.get_by_label("Search").fill(search)
    await page.get_by_label(name).check()


async def drag(page: Any, start: float, end: float) -> None:
    """Drags across the first chart, from one share of its width to another."""
    box = await page.locator(".plot .u-over").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + start * box["width"], middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + end * box["width"], middle, steps=5)
    await page.mouse.up()


async def test_the_powers_and_the_charge_of_a_day_are_there_at_first(opened: Open) -> None:
    page = await drawn(opened)
    plots = page.locator(".plot")
    labels = [await plots.nth(n).get_attribute("aria-label") for n in range(await plots.count())]
    assert len(labels) == 2
    assert "Grid power" in labels[0]
    assert "State of charge" not in labels[0]
    assert "State of charge" in labels[1]
    assert int(await plots.first.get_attribute("data-points")) <= 801


async def test_what_is_chosen_stands_in_the_address_and_is_there_again(opened: Open) -> None:
    page = await drawn(opened, "?series=site/grid_power_w&range=hour")
    await choose(page, "cell volt", "Highest cell voltage")
    await shows(page, ".legend", "Highest cell voltage")
    assert await page.locator(PLOT).count() == 2  # volts and watts share no axis
    address = await page.evaluate("location.hash")
    assert "battery/cell_voltage_max_v" in address
    again = await drawn(opened, address.removeprefix("#/history"))
    chips = await again.locator(".chips li").all_inner_texts()
    assert [re.sub(r"\s*×$", "", text) for text in chips] == [
        "Grid power", "Highest cell voltage · battery",
    ]  # fmt: skip
    assert await again.get_by_role("button", name="Hour").get_attribute("aria-pressed") == "true"


async def test_a_part_that_is_dragged_over_is_asked_for_at_its_finer_resolution(
    opened: Open,
) -> None:
    page = await drawn(opened, "?series=site/grid_power_w&range=day")
    await shows(page, "main", "One value each 2 min")
    asked = asked_of_history(page)
    await drag(page, 0.5, 0.52)
    await shows(page, "main", "One value each 3 sec")
    assert asked[0]["points"] == ["800"]
    await page.go_back()
    await shows(page, "main", "One value each 2 min")


async def test_buttons_and_keys_do_what_the_mouse_does(opened: Open) -> None:
    page = await drawn(opened, "?series=site/grid_power_w&range=day")
    await page.get_by_role("button", name="Zoom in").press("Enter")
    await shows(page, "main", "One value each 54 sec")
    await page.get_by_role("button", name="Earlier").press("Enter")
    slider = page.get_by_role("slider", name="Moment")
    before = await slider.get_attribute("aria-valuetext")
    await slider.press("ArrowLeft")
    after = await slider.get_attribute("aria-valuetext")
    assert before != after
    assert re.search(r"\d\d:\d\d: Grid power", after)


async def test_a_gap_stays_a_gap(opened: Open) -> None:
    begins, ends = fake_history.gap(datetime.now(UTC))
    query = f"?series=site/pv_power_w&from={iso(begins + MINUTE)}&to={iso(ends - MINUTE)}"
    page = await opened(f"history{query}")
    await shows(page, "main", "Nothing was recorded of these signals in this time")


async def test_the_numbers_are_a_table_too_in_the_time_of_the_site(opened: Open) -> None:
    query = "?series=site/request_w&from=2026-11-03T11:00:00Z&to=2026-11-03T12:00:00Z"
    page = await drawn(opened, query, timezone_id="America/New_York")
    await page.locator(f"{TABLE} summary").click()
    first = page.locator(f"{TABLE} tbody tr").first
    assert await first.locator("th").inner_text() == "Tue 03/11 12:00:00"
    assert (await first.locator("td").first.inner_text()).endswith("W")


async def test_colours_of_a_chart_change_with_those_of_the_page(opened: Open) -> None:
    page = await drawn(opened, "?series=site/pv_power_w", color_scheme="light")
    picture = "document.querySelector('.plot canvas').toDataURL()"
    light = await page.evaluate(picture)
    await page.get_by_label("Colours").select_option("dark")
    await until(page, f"({picture}) !== {light!r}")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_a_chart_fits_its_place(opened: Open) -> None:
    page = await drawn(opened, viewport=PHONE)
    for width in (PHONE["width"], 844):
        await page.set_viewport_size({"width": width, "height": 844})
        await until(
            page,
            "[...document.querySelectorAll('.plot')].every(plot =>"
            "Math.abs(plot.clientWidth - plot.firstChild?.clientWidth) < 2)",
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_what_was_found_leads_to_its_time(opened: Open) -> None:
    page = await drawn(opened)
    row = page.get_by_role("row", name="Cell voltage, high")
    await row.get_by_role("button").click()
    await shows(page, "main", "One value each 1 sec")
    label = await page.locator(".plot").first.get_attribute("aria-label")
    assert re.search(r"from \w+ \d\d/\d\d \d\d:\d\d:\d\d to", label)


@pytest.mark.parametrize("name", ["csv", "parquet"])
async def test_what_is_shown_is_taken_along_as_a_file(
    opened: Open, name: str, tmp_path: Path
) -> None:
    page = await drawn(opened, "?series=site/grid_power_w,battery/soc_pct&range=hour")
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name=f"Export {name}").click()
    download = await waiting.value
    assert download.suggested_filename.endswith(f".{name}")
    await download.save_as(tmp_path / "file")
    if name == "csv":
        head = (tmp_path / "file").read_text().splitlines()[0]
        assert head == "time_utc,site/grid_power_w,battery/soc_pct"


async def test_energies_are_told_by_day_and_of_a_year_by_month(opened: Open) -> None:
    page = await drawn(opened, "?range=week")
    await shows(page, "h2", "Energy by day")
    assert await page.get_by_role("region", name="Energy by day").locator("tbody tr").count() >= 7
    await page.get_by_role("button", name="Year").click()
    await shows(page, "h2", "Energy by month")
    await shows(page, "main", "Choose 32 days or less")


async def test_without_a_history_it_says_why_and_that_control_goes_on(
    opened: Open, fake: FakeSite
) -> None:
    fake.history_problem = "/var/lib/holdfast/history.db: disk I/O error"
    page = await opened("history")
    await shows(page, ".card", "There is no history to show")
    await shows(page, ".note", fake.history_problem)
    await shows(page, ".card", "Control and protection go on")


async def test_a_site_that_has_just_begun_has_nothing_to_show_yet(
    opened: Open, fake: FakeSite
) -> None:
    fake.history_is_empty = True
    page = await opened("history")
    await shows(page, ".note", "Nothing has been recorded yet")


async def test_a_record_that_has_stopped_is_told(opened: Open, fake: FakeSite) -> None:
    fake.history_is_stuck = True
    page = await drawn(opened)
    await shows(page, ".note.attention", "Nothing has been recorded since")
