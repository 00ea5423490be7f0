"""``holdfast init`` asks at a terminal or on a page, and leaves a site.yaml that can be run."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holdfast.cli import init
from holdfast.cli.main import main
from holdfast.simulation.net import free_port
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.deployment.wizard.test_wizard import ONE_BOX, TYPED

WORDS = TYPED | {"inverter_table": "foxess_h3", "inverter_place": "192.168.1.20"}


def typed_lines(*, first: str = "") -> str:
    """What is typed at a terminal, in the order in which it is asked."""
    order = [key for key in ONE_BOX if key != "local_zone"]
    return "\n".join([first, *(WORDS.get(key, "") for key in order)]) + "\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ask(monkeypatch: pytest.MonkeyPatch, text: str) -> int:
    lines = iter(text.splitlines(keepends=True))
    monkeypatch.setattr(init.sys.stdin, "readline", lambda: next(lines, ""), raising=False)
    return main(["init", "--ask"])


def test_a_terminal_leads_to_a_site(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(monkeypatch, typed_lines()) == 0
    shown = capsys.readouterr().out
    assert "wrote site.yaml" in shown
    assert "next: holdfast check --connect --config site.yaml" in shown
    assert main(["check"]) == 0


def test_what_was_wrong_is_asked_again_and_one_can_go_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = typed_lines().replace("\n35\n", "\nmany\n20\n<\n35\n", 1)
    assert ask(monkeypatch, text) == 0
    assert "  many: a number of A, such as 1000\n" in capsys.readouterr().out
    assert "fuse_a: 35\n" in Path("site.yaml").read_text()


def test_who_leaves_it_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, "\nmy house\n") == 130
    assert not Path("site.yaml").exists()


def test_what_answers_at_the_address_is_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"inverter_found": "foxess_h3", "inverter_seen_at": "10.0.0.9:502"}
    monkeypatch.setattr(init, "found_behind", lambda place, tell: found)
    text = typed_lines(first="10.0.0.9").replace("foxess_h3\n192.168.1.20\n", "\n\n")
    assert ask(monkeypatch, text) == 0
    assert "[foxess_h3] > " in capsys.readouterr().out
    assert "host: 10.0.0.9, port: 502" in Path("site.yaml").read_text()


def test_an_address_is_looked_at_for_real(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens there: that is told, and the list stays."""
    told: list[str] = []
    assert init.found_behind(f"127.0.0.1:{free_port()}", told.append) == {}


def test_a_file_that_is_there_stays(capsys: pytest.CaptureFixture[str]) -> None:
    Path("site.yaml").write_text("mine")
    for how in ("--ask", "--page", "--example"):
        assert main(["init", how]) == 1
        assert "exists and was left as it is" in capsys.readouterr().out
    assert Path("site.yaml").read_text() == "mine"


def test_one_that_is_replaced_is_kept_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("site.yaml").write_text("mine")
    assert main(["init", "--example", "--replace"]) == 0
    assert Path("site.yaml.before").read_text() == "mine"
    assert main(["check"]) == 0


def test_without_a_terminal_an_example_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert "describe your site in it" in capsys.readouterr().out


# ---------------------------------------------------------------------- the page


@pytest.fixture
def page(tmp_path: Path) -> Iterator[httpx.Client]:
    port = free_port()
    log = tmp_path / "page.log"
    process = Process(
        log, "-u", "-m", "holdfast.cli.main", "init", str(tmp_path / "site.yaml"), "--page",
        "--port", str(port),
    )  # fmt: skip
    try:
        until(lambda: f":{port}/" in log.read_text(), "its address", 30.0)
        address = re.search(r"http://\S+", log.read_text())
        assert address is not None
        with httpx.Client(base_url=address[0], follow_redirects=True) as client:
            until(lambda: _listens(client), "the page", 30.0)
            yield client
    finally:
        process.end()


def _listens(client: httpx.Client) -> bool:
    try:
        return client.get("").status_code == 200
    except httpx.ConnectError:
        time.sleep(0.05)
        return False


def asked(text: str) -> str:
    """Which question a page asks."""
    found = re.search(r'name="question" value="(\w+)"><button>Next', text)
    return found[1] if found else ""


def test_a_page_leads_to_a_site(page: httpx.Client, tmp_path: Path) -> None:
    assert "At which address is the inverter?" in page.get("").text
    text = page.post("look", data={"text": ""}).text
    while key := asked(text):
        text = page.post("answer", data={"question": key, "text": WORDS.get(key, "")}).text
    assert "name: my-house" in text
    assert not (tmp_path / "site.yaml").exists()
    assert "is written" in page.post("write").text
    until((tmp_path / "site.yaml").exists, "the file", 5.0)
    assert main(["check", "--config", str(tmp_path / "site.yaml")]) == 0


def test_a_page_says_what_is_wrong_and_lets_one_change_it(page: httpx.Client) -> None:
    page.post("look", data={"text": ""})
    for key in ("name", "timezone", "currency", "phases"):
        page.post("answer", data={"question": key, "text": ""})
    answer = page.post("answer", data={"question": "fuse_a", "text": "<b>many"})
    assert answer.status_code == 422
    assert "&lt;b&gt;many: a number of A" in answer.text
    assert asked(answer.text) == "fuse_a"
    assert asked(page.post("change", data={"question": "timezone"}).text) == "timezone"


def test_nobody_without_the_secret_answers(page: httpx.Client) -> None:
    for path in ("/", "/answer", "/x/"):
        assert httpx.get(str(page.base_url.copy_with(path=path))).status_code == 404


def test_a_page_is_held_by_no_other_and_runs_no_script(page: httpx.Client) -> None:
    headers = page.get("").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert page.post("answer", content=b"x" * 20_000).status_code == 200
    assert page.post("write").text == page.get("").text
