"""``holdfast size``: which battery, PV and tariff would pay, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.simulation.demo_site import demo_content

HEADER = "time_utc,import_price_per_kwh,export_price_per_kwh,load_w,pv_w"
NIGHT: dict[str, Any] = {
    "prices": {
        "purchase": {
            "source": {
                "kind": "time_of_use",
                "prices": [
                    {"from": "22:00", "to": "06:00", "price_per_kwh": 0.15},
                    {"price_per_kwh": 0.40},
                ],
            }
        },
        "feed_in": {"source": {"kind": "fixed", "price_per_kwh": 0.08}},
    }
}


def row(index: int) -> str:
    day, hour = divmod(index, 24)
    sun_w = max(0, 3000 - 200 * (hour - 12) ** 2)
    return (
        f"2026-06-{day + 1:02}T{hour:02}:00:00Z,{0.2 + 0.01 * hour},0.08,{400 + 20 * hour},{sun_w}"
    )


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """Four days, hour by hour: who has a year waits longer."""
    path = tmp_path / "year.csv"
    path.write_text("\n".join([HEADER, *map(row, range(96))]), encoding="utf-8")
    return path


def night(folder: Path, **changes: Any) -> Path:
    path = folder / "night.yaml"
    path.write_text(yaml.safe_dump({"prices": NIGHT["prices"] | changes}), encoding="utf-8")
    return path


def size(year: Path, *more: str) -> int:
    return main(["size", "--data", str(year), *more])


def told(capsys: pytest.CaptureFixture[str], year: Path, *more: str) -> dict[str, Any]:
    assert size(year, *more, "--json") == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_every_combination_is_told_and_says_that_it_is_an_estimate(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tariffs = ("--tariff", "data", str(night(tmp_path)))
    found = told(capsys, year, "--battery", "5,10", "--pv-scale", "0.5,1", *tariffs)
    combinations = found["combinations"]
    assert [(each["tariff"] == "data", each["pv_scale"]) for each in combinations[::2]] == [
        (True, 0.5), (True, 1.0), (False, 0.5), (False, 1.0),
    ]  # fmt: skip
    assert {each["battery_kwh"] for each in combinations} == {5.0, 10.0}
    assert "estimate" in found["method"]
    assert "in advance" in found["method"]
    assert any("4 days" in note for note in found["notes"])
    for each in combinations:
        for way in ("self_consumption", "plans"):
            cost = each["cost_without_battery"] - each[way]["saved"]
            assert each[way]["cost"] == pytest.approx(cost)
            assert each[way]["payback_years"] is None


def test_the_payback_is_the_price_over_what_is_saved(
    year: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, year, "--battery", "5", "--price-per-kwh-battery", "400")
    (each,) = found["combinations"]
    assert each["plans"]["payback_years"] == pytest.approx(2000.0 / each["plans"]["saved"])
    assert any(note.startswith("Payback: ") for note in found["notes"])


def test_the_table_names_what_plans_know(year: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert size(year, "--battery", "5,10", "--price-per-kwh-battery", "300") == 0
    printed = capsys.readouterr().out
    for word in ("estimate", "battery", "consum.", "forecasts", "payback"):
        assert word in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_a_report_has_the_table_and_a_picture(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.html"
    assert size(year, "--battery", "5,10", "--report", str(path)) == 0
    capsys.readouterr()
    page = path.read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 1
    assert page.count("<tr>") == 3
    assert "An estimate by the quarter hour" in page
    assert size(year, "--report", str(tmp_path / "no" / "out.html")) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_site_is_what_is_not_asked_for(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = demo_content(tmp_path) | {"currency": "GBP"}
    content["storage"][0]["battery"]["capacity_wh"] = 7000
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    found = told(capsys, year, "--config", str(config))
    assert found["currency"] == "GBP"
    (each,) = found["combinations"]
    assert (each["battery_kwh"], each["power_kw"], each["pv_scale"]) == (7.0, 5.0, 1.0)


def test_a_year_with_gaps_is_refused_or_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "torn.csv"
    rows = [row(index) for index in range(96) if not 40 <= index < 47]
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    assert size(path) == 2
    assert "7 rows are missing" in capsys.readouterr().err
    found = told(capsys, path, "--gaps", "skip")
    assert found["data"]["rows_missing"] == 7
    assert any("7 rows are missing" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--battery", "5,ten"], "'ten' is no number"),
        (["--battery", "0"], "from 0.1 to 10000"),
        (["--power", "nan"], "from 0.1"),
        (["--pv-scale", "-1"], "from 0 to 100"),
        (["--battery", ",".join(map(str, range(1, 102)))], "101 combinations"),
        (["--price-per-kwh-battery", "0"], "must be above 0"),
        (["--tariff", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_wrong_arguments_are_refused(
    year: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert size(year, *more) == 2
    assert says in capsys.readouterr().err


def test_tariffs_that_cannot_be_used_are_named(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = {"source": {"kind": "energy_charts", "zone": "DE-LU"}}
    (tmp_path / "short.csv").write_text(
        "start_utc,price_per_kwh\n2026-06-01T00:00:00Z,0.2\n2026-06-01T01:00:00Z,0.3\n"
    )
    for purchase, says in (
        ({"source": {"kind": "fixed"}}, "price_per_kwh"),
        (market, "is not asked for the past"),
        ({"source": {"kind": "file", "path": "short.csv"}}, "night.yaml: "),
    ):
        assert size(year, "--tariff", str(night(tmp_path, purchase=purchase))) == 2
        error = capsys.readouterr().err
        assert says in error
        assert "night.yaml" in error
