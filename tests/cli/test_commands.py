"""The commands: what they print, how they end, and what they leave alone."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_core import to_json

from holdfast.cli.main import main
from holdfast.client.plan_report import PlanReport
from holdfast.markets.site_prices import SiteTariffs
from holdfast.runtime.price_watch import read_prices
from holdfast.scheduling.tou_optimizer import tou_plan
from holdfast.simulation.demo_site import make_demo_site
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content

HOLDFAST = (sys.executable, "-m", "holdfast.cli.main")


def run_cli(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(
        [*HOLDFAST, *arguments],
        capture_output=True,
        text=True,
        timeout=300.0,
        check=False,
        cwd=folder,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(example_content(tmp_path)))
    return config


@pytest.fixture
def demo_config(tmp_path: Path) -> Path:
    return make_demo_site(tmp_path / "demo", datetime.now(UTC)).config


@pytest.mark.parametrize("command", ["status", "start", "stop", "reset"])
def test_without_a_controller_it_says_so_and_exits_2(
    config: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--config", str(config)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"holdfast {command}: no controller")
    assert shown.out == ""


@pytest.mark.parametrize("command", ["run", "status", "start", "plan", "simulate"])
def test_a_wrong_configuration_exits_2_and_starts_nothing(
    config: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    content = yaml.safe_load(config.read_text()) | {"authority": "total"}
    config.write_text(yaml.safe_dump(content))
    assert main([command, "--config", str(config)]) == 2
    assert "authority" in capsys.readouterr().err
    assert [path.name for path in config.parent.iterdir()] == ["site.yaml"]


def test_run_checks_devices_before_it_starts_anything(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content: dict[str, Any] = yaml.safe_load(config.read_text())
    content["storage"][0]["inverter"]["profile"] = "generic_meter"
    config.write_text(yaml.safe_dump(content))
    assert main(["run", "--config", str(config)]) == 2
    assert "storage[0].inverter" in capsys.readouterr().err
    assert not (config.parent / "state").exists()


@pytest.mark.parametrize("name", ["controller", "watchdog", "planner", "gateway", "api"])
def test_each_process_refuses_a_wrong_configuration_with_its_text(
    tmp_path: Path, name: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"holdfast.runtime.{name}", "--config", "nowhere.yaml"],
        capture_output=True, text=True, timeout=300.0, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_quarter_of_a_day_is_simulated_whole_and_drawn(tmp_path: Path) -> None:
    done = run_cli("simulate", "--days", "0.25", "--step", "2", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["damage"] == 0
    assert shown["days"] == 0.25
    assert shown["cycles_not_running"] == 0
    assert shown.keys() >= {
        "cost",
        "cost_self_consumption",
        "cost_without_battery",
        "saved_against_no_battery",
        "saved_against_self_consumption",
        "plan",
        "self_consumption",
        "picture",
    }
    assert shown["saved_against_no_battery"] == pytest.approx(
        shown["cost_without_battery"] - shown["cost"]
    )
    assert shown["plan"]["plans"] > 0
    assert shown["plan"]["plans_refused"] == 0
    assert shown["self_consumption"]["plans"] == 0
    picture = tmp_path / shown["picture"]
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.stat().st_size > 10_000
    # Nothing else is left behind.
    assert [path.name for path in tmp_path.iterdir()] == ["simulation.png"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--days", "0"], "--days"),
        (["--days", "nan"], "--days"),
        (["--days", "1e9"], "--days"),
        (["--step", "10"], "--step"),
        (["--step", "nan"], "--step"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert main(["simulate", *arguments]) == 2
    assert named in capsys.readouterr().err


def test_a_site_without_prices_has_nothing_to_plan(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--config", str(config)]) == 2
    assert "prices: is missing" in capsys.readouterr().err
    assert main(["plan", "--soc", "50", "--config", str(config)]) == 2
    assert "prices: is missing" in capsys.readouterr().err


def test_a_plan_is_made_from_a_state_of_charge(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--soc", "35", "--config", str(demo_config), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["accepted"] is True
    slots = shown["plan"]["slots"]
    assert len(slots) > 20
    for before, after in pairwise(slots):
        assert before["end"] == after["start"]
    assert all(slot["reason"] for slot in slots)
    assert all(-5000 <= slot["battery_power_w"] <= 5000 for slot in slots)
    assert all(9.9 <= slot["soc_end_pct"] <= 95.1 for slot in slots)
    assert not (demo_config.parent / "state").exists()
    assert main(["plan", "--soc", "35", "--config", str(demo_config)]) == 0
    shown_lines = capsys.readouterr().out
    for slot in slots:
        assert f"    {slot['reason'].split(':')[0]}" in shown_lines


def test_a_plan_without_a_forecast_shows_no_expectation(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, utc = load_site(demo_config), datetime.now(UTC)
    files = SiteFiles.of(site)
    prices = SiteTariffs(site, read_prices(site, files).read).prices(utc, utc + timedelta(days=1))
    plan = tou_plan(site, now_utc=utc, prices=prices, note="the optimizer gave no plan")
    assert {(slot.grid_power_w, slot.soc_end_pct) for slot in plan.slots} == {(None, None)}
    files.state_dir.mkdir(parents=True)
    files.plan.write_bytes(to_json(PlanReport(utc=utc, plan=plan, accepted=True, problem="")))
    assert main(["plan", "--config", str(demo_config)]) == 0
    shown = capsys.readouterr().out
    numbers = [line for line in shown.splitlines() if line[:1].isupper()]
    assert len(numbers) > 1
    for line in numbers:
        assert line.split()[3:6] == ["–", "–", "–"]


def test_a_plan_can_be_made_for_another_time_and_not_beyond_the_prices(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime.now(UTC).isoformat()
    assert main(["plan", "--soc", "50", "--at", at, "--config", str(demo_config)]) == 0
    capsys.readouterr()
    old = ["plan", "--soc", "50", "--at", "2001-01-01T00:00", "--config", str(demo_config)]
    assert main(old) == 2
    assert "price" in capsys.readouterr().err


@pytest.mark.parametrize("soc", ["-1", "101", "nan"])
def test_no_plan_from_a_state_of_charge_that_cannot_be(
    demo_config: Path, capsys: pytest.CaptureFixture[str], soc: str
) -> None:
    assert main(["plan", "--soc", soc, "--config", str(demo_config)]) == 2
    assert "--soc" in capsys.readouterr().err


def test_without_a_planner_there_is_no_recent_plan(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--config", str(demo_config)]) == 2
    assert "no recent plan" in capsys.readouterr().err


def test_prices_that_are_gone_are_named(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo_config.parent / "prices.xml").unlink()
    assert main(["plan", "--soc", "50", "--config", str(demo_config)]) == 2
    assert "prices.xml" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_traceback(config: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        done = subprocess.run(
            [*HOLDFAST, "limits", "--config", str(config)],
            stdout=out, stderr=subprocess.PIPE, text=True, timeout=300.0, check=False,
        )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("holdfast 0.")


def test_loads_rooms_and_modes_stand_in_the_plan(
    demo_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example of docs/planner.md, with a room whose temperature is known."""
    content = yaml.safe_load(demo_config.read_text())
    text = (Path(__file__).parents[2] / "docs" / "planner.md").read_text()
    content |= yaml.safe_load(text.split("<!-- loads -->\n```yaml\n")[1].split("```")[0])
    content["planner"] = {"device_modes": ["load_first", "battery_first"]}
    demo_config.write_text(yaml.safe_dump(content))
    site = load_site(demo_config)
    assert [load.name for load in site.loads] == ["boiler", "car"]
    assert [room.name for room in site.rooms] == ["parlour"]
    arguments = ["plan", "--soc", "35", "--config", str(demo_config)]
    assert main([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["plan"]
    assert "parlour is not planned" in shown["note"]
    for slot in shown["slots"]:
        assert [load["name"] for load in slot["loads"]] == ["boiler", "car"]
        assert slot["device_mode"] in {"load_first", "battery_first"}
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for word in ("boiler", "car", "device"):
        assert word in printed
    assert "car has no switch: it is taken to run as planned" in printed
    assert "boiler has no switch" not in printed
