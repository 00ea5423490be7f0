"""What is served where the pages are, or where they are not."""

from pathlib import Path

import httpx
import pytest

from holdfast.ui.built import HEADERS, pages

PORT = 9464


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Holdfast</title>")
    (tmp_path / "assets" / "index-1a2b.js").write_text("export {};" * 100)
    return tmp_path


def client(folder: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=pages(PORT, folder))
    return httpx.AsyncClient(transport=transport, base_url="http://site.example:9480")


async def test_the_root_is_the_page_under_a_strict_policy(folder: Path) -> None:
    async with client(folder) as browser:
        answer = await browser.get("/")
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert HEADERS.items() <= {name: answer.headers[name] for name in HEADERS}.items()


async def test_what_has_a_digest_in_its_name_is_kept_and_all_else_is_asked_for_again(
    folder: Path,
) -> None:
    async with client(folder) as browser:
        script = await browser.get("/assets/index-1a2b.js")
        page = await browser.get("/")
        again = await browser.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "/assets", "//"],
)
async def test_nothing_but_the_built_files_is_served(folder: Path, path: str) -> None:
    (folder.parent / "secret.txt").write_text("for nobody")
    async with client(folder) as browser:
        answer = await browser.get(path)
    assert "for nobody" not in answer.text
    assert answer.status_code in {200, 404}


async def test_only_reading_is_served(folder: Path) -> None:
    async with client(folder) as browser:
        answer = await browser.post("/", json={})
    assert answer.status_code == 405


async def test_the_pages_are_told_where_the_plain_ones_are(folder: Path) -> None:
    async with client(folder) as browser:
        assert (await browser.get("/emergency.json")).json() == {"port": PORT}


async def test_where_they_were_not_built_it_says_why_and_what_serves_instead(
    tmp_path: Path,
) -> None:
    (tmp_path / "why-not.txt").write_text("this computer has no Node.js\n")
    async with client(tmp_path) as browser:
        answer = await browser.get("/")
    assert answer.status_code == 503
    assert "this computer has no Node.js" in answer.text
    assert f"http://site.example:{PORT}/" in answer.text
    assert "holdfast estop" in answer.text
