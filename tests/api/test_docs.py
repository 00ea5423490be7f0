"""The description of the API: it is whole, needs nothing from elsewhere, and no script."""

import re
from html.parser import HTMLParser

from tests.api.bench import ApiBench


async def test_the_page_shows_every_operation_and_rests_on_nothing_from_elsewhere(
    bench: ApiBench,
) -> None:
    api = (await bench.client.get("/api/v1/openapi.json")).json()
    page = (await bench.client.get("/docs")).text
    HTMLParser().feed(page)
    for path, methods in api["paths"].items():
        for method in methods:
            assert f"<h3>{method.upper()} {path}</h3>" in page
    assert "<script" not in page
    assert " style=" not in page
    assert "http" not in page
    targets = set(re.findall(r'href="#([^"]*)"', page))
    assert targets <= set(re.findall(r'id="([^"]*)"', page))
    style = await bench.client.get("/docs/style.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_every_operation_says_what_it_does_and_how_it_refuses(bench: ApiBench) -> None:
    api = bench.app.openapi()
    for path, methods in api["paths"].items():
        for operation in methods.values():
            assert operation["description"].strip().endswith((".", "!")), path
            assert {"400", "403", "422", "503"} <= operation["responses"].keys(), path
