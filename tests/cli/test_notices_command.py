"""``holdfast notices`` shows what was told, tries it, and acknowledges."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_core import to_json

from holdfast.cli.main import main
from holdfast.core.config.notifications import WebhookChannel
from holdfast.monitoring.notices import NoticeKind
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf, with_browser
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.monitoring.notification.people import NOON, notice
from tests.runtime.notification.push_service import Telephone
from tests.runtime.notification.servers import web_server


def webhook(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "channel": {"kind": "webhook", "url": url}} | more


def site_with(folder: Path, *recipients: dict[str, Any]) -> str:
    content = example_content(folder) | {"notifications": {"recipients": list(recipients)}}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    SiteFiles.of(load_site(path)).create()
    return str(path)


def test_each_recipient_is_told_a_test_and_what_came_of_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with web_server() as server:
        path = site_with(
            tmp_path, webhook("ann", server.url, language="de"), webhook("bob", nobody)
        )
        assert main(["notices", "test", "--config", path]) == 1
        told = capsys.readouterr().out.splitlines()
        assert told[0] == "ann: told"
        assert told[1].startswith("bob: could not be told: 127.0.0.1")
        assert main(["notices", "test", "--to", "ann", "--config", path, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found == {"ann": {"told": True, "why": None}}
        assert list(complaints(shape(OUTPUTS["notices test"]), found)) == []
        assert "es ist alles in Ordnung" in json.loads(server.posts[0].body)["text"]
    assert main(["notices", "test", "--to", "eve", "--config", path]) == 2
    assert "ann, bob; not eve" in capsys.readouterr().err


def test_what_was_told_is_shown_with_how_each_recipient_fares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site_with(tmp_path, webhook("ann", "http://127.0.0.1:9"))
    files = SiteFiles.of(load_site(Path(path)))
    assert main(["notices", "--config", path]) == 0
    assert "nobody had to be told of anything yet" in capsys.readouterr().out
    over = notice("cell_temperature_high", "trip", NoticeKind.OVER)
    files.notices.write_bytes(to_json((notice("cell_temperature_high", "trip"), over)))
    failing = Ledger(waiting=(over,), failed=3, failing_since=NOON, last_error="nobody there")
    files.notice_ledger("ann").parent.mkdir()
    files.notice_ledger("ann").write_bytes(to_json(failing))
    assert main(["notices", "--config", path]) == 1
    text = capsys.readouterr().out
    assert "ALARM: new: a cell was too hot" in text
    assert "Over: a cell was too hot" in text
    assert "nobody there" in text
    assert main(["notices", "--config", path, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["notices"]), found)) == []
    assert found["recipients"]["ann"]["waiting"] == 1


def test_each_browser_of_a_recipient_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = {"kind": "web_push", "contact": "ann@example.org"}
    path = site_with(tmp_path, {"name": "phones", "channel": channel})
    nobody = "phones: nobody has switched notifications on in a browser"
    assert main(["notices", "--config", path]) == 0
    assert nobody in capsys.readouterr().out
    assert main(["notices", "test", "--config", path]) == 1
    assert "nobody has switched notifications on in a browser" in capsys.readouterr().out
    phone = Telephone(endpoint="https://web.push.apple.com/x").of("ann")
    files = SiteFiles.of(load_site(Path(path)))
    PushShelf(files.web_push).change(lambda book: with_browser(book, phone))
    assert main(["notices", "--config", path]) == 0
    text = capsys.readouterr().out
    assert nobody not in text
    assert re.search(rf"phones\.{phone.id} +web_push +0 ", text)


def test_an_alarm_is_acknowledged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site_with(tmp_path)
    assert main(["notices", "ack", "--config", path]) == 0
    assert "nobody else is told" in capsys.readouterr().out
    assert main(["notices", "ack", "--config", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["notices ack"]), found)) == []
    assert main(["notices", "--config", path]) == 0
    text = capsys.readouterr().out
    assert "acknowledged last by" in text
    assert "site.yaml names nobody who is told" in text


def test_the_site_of_the_page_is_right(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "notifications.md"
    (shown,) = re.findall(r"```yaml\n(notifications:.*?)```", page.read_text("utf-8"), re.S)
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(example_content(tmp_path) | yaml.safe_load(shown)), "utf-8")
    recipients = load_site(path).notifications.recipients
    assert [one.name for one in recipients] == ["ann", "ann_mail", "installer", "phones"]
    hook = recipients[-2].channel
    assert isinstance(hook, WebhookChannel)
    assert hook.token_file == str(tmp_path / "hook.secret"), "it counts from the folder of the file"
