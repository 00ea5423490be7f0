"""``holdfast prices`` tells what is paid, where that is known from, and what went wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from tests.builders import site_content
from tests.markets.http_server import PriceServer, Reply, serving
from tests.runtime.test_price_watch import awattar_now

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.08}}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("COLUMNS", "200")


def write_site(folder: Path, purchase: dict[str, Any] | None) -> list[str]:
    """Arguments with a site of this tariff."""
    content = site_content(timezone="Europe/Berlin", state_dir="state")
    if purchase is not None:
        content["prices"] = {"purchase": purchase, "feed_in": FIXED}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return ["prices", "--config", str(path)]


def awattar(server: PriceServer) -> dict[str, Any]:
    source = {"kind": "awattar", "url": server.url}
    return {"source": source, "levies_per_kwh": 0.1, "vat_pct": 20}


def test_prices_are_fetched_shown_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: Reply(body=awattar_now())) as server:
        arguments = write_site(tmp_path, awattar(server))
        assert main([*arguments, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        (source,) = shown["sources"]
        assert (source["kind"], source["stale"], source["error"]) == ("awattar", False, "")
        assert source["known_until"] is not None
        assert len(shown["prices"]) == 36 * 4
        assert shown["prices"][0]["purchase_per_kwh"] == pytest.approx(0.24)
        assert shown["prices"][0]["feed_in_per_kwh"] == 0.08
        assert main([*arguments, "--json", "--hours", "3"]) == 0
        few = json.loads(capsys.readouterr().out)
        assert few["prices"] == shown["prices"][: 3 * 4]
        assert few["known_until"] == shown["known_until"]
        # Not asked again so soon, and shown for people too.
        assert main(arguments) == 0
        assert len(server.seen) == 1
    text = capsys.readouterr().out
    assert "awattar: answered 0 min ago, knows until" in text
    assert "0.2400" in text
    assert "0.0800" in text
    assert "EUR per kWh after tariff; known until" in text


def test_a_source_that_fails_is_told_and_the_old_prices_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: Reply(status=503)) as server:
        arguments = write_site(tmp_path, awattar(server))
        assert main(arguments) == 1
        text = capsys.readouterr().out
        assert "awattar: never answered, knows no price for now; last time: " in text
        assert "HTTP 503" in text
        assert main([*arguments, "--json", "--cached"]) == 1
        assert len(server.seen) == 1
        shown = json.loads(capsys.readouterr().out)
        assert shown["problem"].startswith("awattar: 127.0.0.1:")
        assert shown["problem"].endswith(": HTTP 503")
        assert shown["prices"] == []
        assert shown["known_until"] is None


def test_prices_by_the_clock_need_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write_site(tmp_path, {"source": {"kind": "fixed", "price_per_kwh": 0.3}})
    assert main([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sources"] == []
    assert {row["purchase_per_kwh"] for row in shown["prices"]} == {0.3}
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("0.3000") == 1
    assert not (tmp_path / "state").exists()


def test_a_file_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write_site(tmp_path, {"source": {"kind": "file", "path": "gone.csv"}})
    assert main(arguments) == 1
    assert "gone.csv: cannot be read" in capsys.readouterr().out.replace("\n", "")
    assert main(["check", *arguments[1:]]) == 0
    assert "prices.purchase.source.path" in capsys.readouterr().out


def test_a_site_without_prices_and_one_with_a_wrong_zone_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(write_site(tmp_path, None)) == 2
    assert "prices: is missing" in capsys.readouterr().err
    source = {"kind": "entsoe", "zone": "DE", "token_env": "NO_TOKEN"}
    arguments = write_site(tmp_path, {"source": source})
    for command in ("prices", "check"):
        assert main([command, *arguments[1:]]) == 2
        assert "zone 'DE' is not known" in capsys.readouterr().err


def test_a_token_that_is_nowhere_is_told_by_the_name_of_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"kind": "entsoe", "zone": "NL", "token_env": "NO_TOKEN"}
    assert main(write_site(tmp_path, {"source": source})) == 1
    assert "environment variable NO_TOKEN is not set" in capsys.readouterr().out


def test_what_is_left_out_is_shown_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(awattar_now())
    content["data"][-1]["marketprice"] = "dear"
    with serving(lambda _: Reply(body=json.dumps(content).encode())) as server:
        arguments = write_site(tmp_path, awattar(server))
        assert main([*arguments, "--json"]) == 0
        (source,) = json.loads(capsys.readouterr().out)["sources"]
        assert source["error"] == ""
        (note,) = source["notes"]
        assert note.startswith("left out: row 96 is not as expected: marketprice")
        assert main(arguments) == 0
        assert f"  note: {note}" in capsys.readouterr().out


def test_what_is_left_out_of_a_file_is_shown_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    lines = [f"{hour + timedelta(hours=n):%FT%R},0.2" for n in range(5)]
    table = "\n".join(["time_utc,price_per_kwh", *lines, "tomorrow,0.3"])
    (tmp_path / "prices.csv").write_text(table, encoding="utf-8")
    arguments = write_site(tmp_path, {"source": {"kind": "file", "path": "prices.csv"}})
    assert main([*arguments, "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file["path"].endswith("prices.csv")
    assert file["notes"] == ["left out: line 7: 'tomorrow' is no time (ISO 8601)"]
    assert main(arguments) == 0
    assert "note: left out: line 7" in capsys.readouterr().out


def test_check_names_what_it_can_know_of_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    purchase = {"source": {"kind": "octopus", "product": "AGILE-24-10-01", "region": "C"}}
    arguments = write_site(tmp_path, purchase)
    assert main(["check", *arguments[1:]]) == 0
    text = capsys.readouterr().out
    assert "can be run; " in text
    assert "doubt: prices.purchase.exchange_rate: is missing; octopus is in GBP" in text


def test_a_source_that_wants_to_be_left_alone_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: Reply(status=429)) as server:
        arguments = write_site(tmp_path, awattar(server))
        for _ in range(3):
            assert main(arguments) == 1
            assert "asked too often (HTTP 429)" in capsys.readouterr().out
        assert len(server.seen) == 1
