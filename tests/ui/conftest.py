"""A browser for all tests of the pages, and for each test a site that is whatever it makes it."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

import pytest
import pytest_asyncio
import uvicorn

from holdfast.ui.built import why_not_built
from tests.ui.fake_api import FakeSite, fake_app

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}


def lacks(what: str) -> NoReturn:
    """Ends the test: CI lets nothing be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


async def until(page: Any, expression: str) -> None:
    """Waits until ``expression`` is true. Playwright's own way needs what the policy forbids."""
    for _ in range(200):
        if await page.evaluate(expression):
            return
        await page.wait_for_timeout(50)
    pytest.fail(f"was never true: {expression}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """Debian's Chromium; it takes seconds to start."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        lacks("playwright is not installed")
    if shutil.which(CHROMIUM) is None:
        lacks("chromium is not installed: apt-get install chromium")
    if why_not_built():
        lacks(f"the pages are not built: {why_not_built()}")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@pytest.fixture
def fake() -> FakeSite:
    """A site that runs, and somebody who is logged in as admin."""
    return FakeSite(role="admin")


@pytest_asyncio.fixture(loop_scope="session")
async def address(fake: FakeSite) -> AsyncIterator[str]:
    """Where ``fake`` is served, with the pages."""
    server = uvicorn.Server(
        uvicorn.Config(fake_app(fake), log_level="error", timeout_graceful_shutdown=1)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:  # whoever comes early waits in it
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Any, address: str) -> AsyncIterator[Callable[..., Any]]:
    """Opens a page of the site, in a window of its own, and keeps what its console says."""
    contexts = []

    async def open_page(path: str = "now", **options: Any) -> Any:
        context = await browser.new_context(
            **{"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce"} | options
        )
        contexts.append(context)
        page = await context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        await page.goto(f"{address}#/{path}")
        await page.wait_for_selector("h1")
        return page

    yield open_page
    for context in contexts:
        await context.close()
