"""``holdfast backtest`` and ``holdfast plan --data``: what they print, write and refuse."""

import csv
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.testing.sites import example_content
from tests.builders import load_content, room_content

DOC = Path(__file__).parents[2] / "docs" / "backtest.md"
HEADER = "time_utc,import_price_per_kwh,export_price_per_kwh,load_w,pv_w"


def block(name: str) -> str:
    """The example of that name in docs/backtest.md."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.fixture
def example(tmp_path: Path) -> tuple[str, ...]:
    for name in ("example.csv", "example.yaml"):
        (tmp_path / name).write_text(block(name))
    return ("--data", str(tmp_path / "example.csv"), "--config", str(tmp_path / "example.yaml"))


@pytest.fixture
def half_day(tmp_path: Path) -> Path:
    """Twelve hours of a house in quarter hours: first cheap, then dear."""
    rows = [HEADER]
    for quarter in range(48):
        hour, minute = divmod(quarter * 15, 60)
        price = 0.15 if hour < 6 else 0.45
        rows.append(f"2024-03-05T{hour:02}:{minute:02}:00Z,{price},0.05,{600 + 10 * quarter},0")
    path = tmp_path / "half_day.csv"
    path.write_text("\n".join(rows))
    return path


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_the_example_of_the_documentation_comes_out_as_by_hand(
    example: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = run_json(capsys, "plan", *example, "--soc", "0")
    assert plan["objective"] == pytest.approx(0.80, abs=1e-5)
    assert plan["objective"] - 1e-4 < plan["bound"] <= plan["objective"]
    assert plan["terms"] == pytest.approx({"import": 0.80, "export": 0.0, "wear": 0.0}, abs=1e-5)
    powers = [slot["battery_power_w"] for slot in plan["schedule"]]
    assert powers[2:] == pytest.approx([-2000.0, -2000.0], abs=0.1)
    assert sum(powers[:2]) == pytest.approx(4000.0, abs=0.1)
    assert plan["schedule"][0]["time_utc"] == "2024-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("before", "after", "objective"),
    [
        ("efficiency_pct: 100", "efficiency_pct: 80", 1.025),
        ("wear_cost_per_kwh: 0", "wear_cost_per_kwh: 0.05", 1.00),
    ],
)
def test_the_example_with_losses_or_wear_as_by_hand(
    example: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    objective: float,
) -> None:
    config = Path(example[-1])
    config.write_text(config.read_text().replace(before, after))
    plan = run_json(capsys, "plan", *example, "--soc", "0")
    assert plan["objective"] == pytest.approx(objective, abs=1e-5)


def test_the_example_in_which_the_battery_stays_where_it_is(
    example: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path(example[-1])
    text = config.read_text().replace("efficiency_pct: 100", "efficiency_pct: 80")
    config.write_text(text.replace("wear_cost_per_kwh: 0", "wear_cost_per_kwh: 0.25"))
    plan = run_json(capsys, "plan", *example, "--soc", "0")
    assert plan["objective"] == pytest.approx(1.60, abs=1e-5)
    assert [slot["battery_power_w"] for slot in plan["schedule"]] == pytest.approx([0] * 4, abs=0.1)


@pytest.mark.parametrize(
    ("final", "objective", "soc_end"), [("at-least-initial", 0.80, 40.0), ("free", 0.40, 0.0)]
)
def test_what_is_to_be_left_at_the_end(
    example: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    final: str,
    objective: float,
    soc_end: float,
) -> None:
    """With 4 kWh at the start: bought back at 0.10, or used for the dear hours."""
    plan = run_json(capsys, "plan", *example, "--soc", "40", "--final", final)
    assert plan["objective"] == pytest.approx(objective, abs=1e-5)
    assert plan["soc_end_pct"] == pytest.approx(soc_end, abs=1e-3)


class Pictures(HTMLParser):
    """Counts what a page shows and what it would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures = 0
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.loads.append("script")
        for name, value in attrs:
            if name in ("src", "href") and value is not None:
                if value.startswith("data:image/png;base64,"):
                    self.pictures += 1
                else:
                    self.loads.append(value)


@pytest.mark.timeout(240)
def test_a_backtest_tells_writes_and_draws(
    half_day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule, report = tmp_path / "done.csv", tmp_path / "report.html"
    told = run_json(
        capsys,
        "backtest",
        "--data",
        str(half_day),
        "--soc",
        "20",
        "--schedule",
        str(schedule),
        "--report",
        str(report),
    )
    loads = [600 + 10 * quarter for quarter in range(48)]
    without = sum(w * (0.15 if i < 24 else 0.45) for i, w in enumerate(loads)) / 4000
    assert told["cost_without_battery"] == pytest.approx(without)
    assert told["savings"]["no_battery"]["amount"] == pytest.approx(without - told["cost"])
    assert told["cost"] == pytest.approx(told["plan"]["cost_at_meter"] - told["plan"]["value_left"])
    assert set(told["others"]) == {
        "one_forecast",
        "perfect",
        "self_consumption",
        "cheap_hours",
        "fixed_hours",
    }
    assert told["plan"]["plans"] == {"optimal": 48}
    assert (told["damage"], told["cycles_not_running"]) == (0, 0)
    assert told["data"]["start"] == "2024-03-05T00:00:00Z"

    rows = list(csv.DictReader(schedule.read_text().splitlines()))
    assert list(rows[0]) == ["time_utc", "battery_power_w", "soc_pct", "grid_power_w"]
    assert [rows[0]["time_utc"], rows[-1]["time_utc"]] == [
        "2024-03-05T00:00:00Z",
        "2024-03-05T11:45:00Z",
    ]
    for row, load_w in zip(rows, loads, strict=True):
        balance = float(row["grid_power_w"]) - float(row["battery_power_w"])
        assert balance == pytest.approx(load_w, abs=0.11)

    page = Pictures()
    page.feed(report.read_text(encoding="utf-8"))
    assert (page.pictures, page.loads) == (5, [])
    assert f"{told['cost']:.2f} EUR" in report.read_text(encoding="utf-8")


@pytest.mark.timeout(240)
def test_only_what_was_named_is_compared_and_drawn(
    half_day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    named = ("--strategy", "percentile_95", "--strategy", "one_forecast")
    told = run_json(
        capsys, "backtest", "--data", str(half_day), *named, "--report", str(report)
    )  # fmt: skip
    assert (told["strategy"], set(told["others"])) == ("percentile_95", {"one_forecast"})
    page = Pictures()
    page.feed(report.read_text(encoding="utf-8"))
    assert page.pictures == 5
    assert "plans on one forecast" in report.read_text(encoding="utf-8")


@pytest.mark.timeout(240)
def test_with_perfect_foresight_the_run_is_its_own_yardstick(
    half_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run_json(
        capsys,
        "backtest",
        "--data",
        str(half_day),
        "--foresight",
        "perfect",
        "--from",
        "2024-03-05T04:00Z",
        "--days",
        "0.25",
    )
    assert told["share_of_perfect_pct"] == pytest.approx(100.0)
    assert "forecast" in told["others"]
    assert (told["data"]["rows"], told["data"]["rows_before"]) == (24, 16)


def nothing(_: str) -> str:
    return ""


REFUSALS: list[tuple[tuple[str, ...], Callable[[str], str], str]] = [
    ((), nothing, "is empty"),
    ((), lambda text: text.replace(",load_w", ",load"), "line 1: column load_w is missing"),
    ((), lambda text: text.replace("T01:00:00Z", "T01:00:00"), "line 6: time_utc"),
    (("--days", "0.03"), str, "at least an hour"),
    (("--days", "0"), str, "--days 0"),
    (("--days", "nan"), str, "--days nan"),
    (("--soc", "101"), str, "--soc 101"),
    (("--soc", "nan"), str, "--soc nan"),
    (("--from", "soon"), str, "--from 'soon'"),
    (("--from", "2025-01-01"), str, "nothing is left"),
    (("--price-max", "0.2"), str, "line 26: import_price_per_kwh 0.45"),
    (("--price-max", "nan"), str, "--price-max nan"),
    (("--processes", "0"), str, "--processes 0"),
    (("--config", "/does/not/exist.yaml"), str, "exist.yaml"),
]


@pytest.mark.parametrize(("arguments", "change", "said"), REFUSALS)
def test_what_cannot_be_run_is_refused_by_name(
    half_day: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    change: Callable[[str], str],
    said: str,
) -> None:
    half_day.write_text(change(half_day.read_text()))
    assert main(["backtest", "--data", str(half_day), *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "--soc"), (("--soc", "120"), "--soc 120"), (("--soc", "-1"), "--soc -1")],
)
def test_a_plan_over_data_needs_a_state_of_charge(
    half_day: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(["plan", "--data", str(half_day), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_one_plan_does_not_reach_over_a_hole(
    half_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half_day.write_text(
        half_day.read_text().replace("2024-03-05T03:00:00Z,0.15", "2024-03-05T03:00:00Z,")
    )
    options = ["plan", "--data", str(half_day), "--soc", "50"]
    assert main(options) == 2
    assert "line 14: import_price_per_kwh is empty" in capsys.readouterr().err
    assert main([*options, "--gaps", "skip"]) == 2
    assert "1 rows are missing" in capsys.readouterr().err


def test_a_plan_outside_the_limits_of_charge_leads_back(
    half_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demonstration's battery is used from 10 to 95 %."""
    plan = run_json(capsys, "plan", "--data", str(half_day), "--soc", "2")
    assert plan["status"] == "relaxed"
    assert min(slot["soc_pct"] for slot in plan["schedule"][4:]) > 9.99


@pytest.fixture
def house(half_day: Path) -> tuple[str, ...]:
    """Site with a boiler, a car and a room; its clock is UTC."""
    site = example_content(half_day.parent)
    site |= {"loads": [load_content(**{"from": "05:00", "to": "09:00"})], "rooms": [room_content()]}
    config = half_day.parent / "house.yaml"
    config.write_text(yaml.safe_dump(site | {"timezone": "UTC"}))
    return ("--data", str(half_day), "--config", str(config))


def test_one_plan_over_data_holds_the_loads_and_leaves_rooms_out(
    house: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = run_json(capsys, "plan", *house, "--soc", "10", "--final", "free")
    loads_w = [slot["loads_w"]["boiler"] for slot in plan["schedule"]]
    assert sum(loads_w) / 4 == pytest.approx(4000.0, rel=1e-3)
    assert sum(loads_w[20:36]) == pytest.approx(sum(loads_w))
    assert loads_w[20:24] == pytest.approx([2000.0] * 4), "the cheap hour of its window"
    first = plan["schedule"][20]
    assert first["grid_power_w"] == pytest.approx(
        600 + 10 * 20 + 2000 + first["battery_power_w"], abs=1.0
    )
    assert plan["left_out"] == "left out, since the data know nothing of it: parlour"
    assert main(["plan", *house, "--soc", "10"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "boiler 4.0 kWh" in printed
    assert "left out, since the data know nothing of it: parlour" in printed


def test_a_backtest_leaves_loads_and_rooms_out_and_says_so(
    house: tuple[str, ...], half_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ("--processes", "1", "--foresight", "perfect", "--days", "0.1")
    told = run_json(capsys, "backtest", *house, *run)
    assert told["left_out"] == "left out, since the data know nothing of it: boiler, parlour"
    assert main(["backtest", *house, *run]) == 0
    assert told["left_out"] in capsys.readouterr().out
    plain = run_json(capsys, "backtest", "--data", str(half_day), *run)
    assert plain["left_out"] == ""
    assert plain["cost"] == pytest.approx(told["cost"], abs=1e-6)
