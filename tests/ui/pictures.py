"""Makes the pictures of the manual: ``python -m tests.ui.pictures`` writes them to docs/images.

They are of the demonstration, in a real browser, as anybody sees it who opens its pages.
"""

import asyncio
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from holdfast.client.control import ControlClient
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.ui.conftest import ARGUMENTS, CHROMIUM, PHONE

FOLDER = Path(__file__).parents[2] / "docs" / "images"
MANUAL = {"width": 1280, "height": 860}
COLOURS = 128
"""So many are enough for plain areas and text, and make a picture a third as large."""


class Picture(NamedTuple):
    """One picture of one page."""

    name: str
    path: str
    size: dict[str, int]
    settles_ms: int = 4000
    """So long a page has for its answers, and its charts to be drawn."""


PICTURES = (
    Picture("now.png", "now", MANUAL),
    Picture("now-phone.png", "now", PHONE),
    Picture("plan.png", "plan", MANUAL),
    Picture("safety.png", "safety", MANUAL),
    Picture("incidents.png", "incidents", MANUAL),
)


@contextmanager
def demonstration(home: Path) -> Iterator[str]:
    """Runs the demonstration, stops it once as an operator may, and tells where its pages are."""
    folder = home / "demo-site"
    arguments = ("run", "--demo", "--plain", "--folder", str(folder))
    process = Process(home / "run.log", "-m", "holdfast.cli.main", *arguments)
    files = SiteFiles(state_dir=folder / "state")
    status = StatusReader(files)

    def follows_a_plan() -> bool:
        found = status.latest()
        return found is not None and found[0].request_source == "plan"

    def takes(command: Command) -> bool:
        with ControlClient(files.control_socket) as client:
            return client.command(command).accepted

    try:
        until(follows_a_plan, "a plan", 60.0)
        for command in (Command.EMERGENCY_STOP, Command.RESET, Command.START):
            until(partial(takes, command), command, 60.0)
        until(follows_a_plan, "a plan again", 60.0)
        yield f"http://127.0.0.1:{load_site(folder / 'site.yaml').api.port}/"
    finally:
        process.end()


async def take(browser: Any, address: str, picture: Picture) -> bytes:
    """Returns a picture, as it lies in the manual."""
    context = await browser.new_context(
        viewport=picture.size, locale="en-GB", color_scheme="light", reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(f"{address}#/{picture.path}")
    await page.wait_for_selector("h1")
    await page.wait_for_timeout(picture.settles_ms)
    shot = Image.open(io.BytesIO(await page.screenshot()))
    await context.close()
    small = io.BytesIO()
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


async def main(address: str) -> None:
    from playwright.async_api import async_playwright

    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in PICTURES:
            (FOLDER / picture.name).write_bytes(await take(browser, address, picture))
        await browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, demonstration(Path(home)) as where:
        asyncio.run(main(where))
