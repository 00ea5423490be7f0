"""``holdfast plan --batch``: many sites in one process, each planned for as if it were alone."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from holdfast.cli.main import main
from holdfast.core.quarter_hours import QUARTER, quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.simulation.demo_site import demo_content, demo_prices, sample_prices_text
from holdfast.simulation.plant.household import Household
from holdfast.simulation.sample_prices import FIRST_START_UTC

AT = FIRST_START_UTC + timedelta(hours=10)
MEASURED = ("time_utc", "import_price_per_kwh", "export_price_per_kwh", "load_w", "pv_w")


def lay(folder: Path, soc_pct: float | None = 40.0, **changes: Any) -> Path:
    """A site with its prices in a folder of its own."""
    folder.mkdir(parents=True)
    (folder / "prices.xml").write_text(sample_prices_text(), encoding="utf-8")
    content = demo_content(folder) | {"prices": demo_prices("prices.xml"), "name": folder.name}
    (folder / "site.yaml").write_text(yaml.safe_dump(content | changes), encoding="utf-8")
    if soc_pct is not None:
        (folder / "soc_pct.txt").write_text(f"{soc_pct:g}\n", encoding="utf-8")
    return folder


def measure(folder: Path, *, until: datetime = AT, load_w: float = 700.0) -> None:
    """Eight days of a house, as a file of measured data."""
    lines = [",".join(MEASURED)]
    for index in range(8 * 96):
        utc = until - timedelta(days=8) + index * QUARTER
        lines.append(f"{utc:%Y-%m-%dT%H:%M:%SZ},0.3,0.08,{load_w + index % 96},0")
    (folder / "measured.csv").write_text("\n".join(lines), encoding="utf-8")


def remembered(folder: Path) -> None:
    """Eight days of a house, as a planner brought them to disk."""
    history, house = PowerHistory(), Household(seed=3)
    for index in range(8 * 96):
        utc = AT - timedelta(days=8) + index * QUARTER
        pv_w, load_w = house.power_w(utc.timestamp())
        history.add(utc, load_w, pv_w)
    (folder / "state").mkdir()
    (folder / "state" / "history.packed").write_bytes(history.to_bytes())


def batch(path: Path, *more: str, at: datetime = AT) -> int:
    return main(["plan", "--batch", str(path), "--at", at.isoformat(), *more])


def plan_in(folder: Path) -> Any:
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"))


def test_each_site_gets_the_plan_that_it_would_get_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = [lay(tmp_path / "all" / name, soc) for name, soc in (("a", 30), ("b", 60))]
    remembered(homes[0])
    assert batch(tmp_path / "all") == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[:-1]] == ["a", "b"]
    assert told[-1].startswith("2 of 2 sites planned in ")
    for home, soc in zip(homes, ("30", "60"), strict=True):
        alone = ["plan", "--config", str(home / "site.yaml"), "--soc", soc, "--json"]
        assert main([*alone, "--at", AT.isoformat()]) == 0
        assert plan_in(home) == json.loads(capsys.readouterr().out)


def test_plans_do_not_depend_on_who_was_planned_for_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same site stands first, in the middle and last, among sites of other kinds."""
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"planner": {"ageing_cost_per_kwh_day": 0.01}},
        {"planner": {"wear_cost_per_kwh": 0.05, "scenario_days": 0}},
        {"grid": {"import_max_w": 3000, "export_max_w": 500}},
    )
    places = [0, 1, 2, 0, 3, 2, 1, 0, 3]
    for place, kind in enumerate(places):
        home = lay(tmp_path / f"{place}", 35.0, **kinds[kind] | {"name": f"kind {kind}"})
        measure(home, load_w=500.0 + 300.0 * kind)
    assert batch(tmp_path) == 0
    capsys.readouterr()
    plans: dict[int, set[str]] = {}
    for place, kind in enumerate(places):
        plans.setdefault(kind, set()).add((tmp_path / f"{place}" / "plan.json").read_text())
    assert {kind: len(found) for kind, found in plans.items()} == dict.fromkeys(range(4), 1)
    assert len(set.union(*plans.values())) == 4


def test_a_site_that_cannot_be_planned_for_costs_itself_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path / "a good one")
    lay(tmp_path / "broken")
    (tmp_path / "broken" / "site.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    lay(tmp_path / "in pounds", currency="GBP")
    lay(tmp_path / "no soc", None)
    lay(tmp_path / "odd soc").joinpath("soc_pct.txt").write_text("140", encoding="utf-8")
    kept = lay(tmp_path / "without prices")
    shutil.copy(kept / "site.yaml", kept / "plan.json")
    (kept / "prices.xml").unlink()
    lay(tmp_path / "z, a good one")
    (tmp_path / "a file").write_text("is no site")
    (tmp_path / ".hidden").mkdir()
    assert batch(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    for number, (name, says) in enumerate(
        {
            "broken": "broken/site.yaml: ",
            "empty": "there is no",
            "in pounds": "EUR",
            "no soc": "soc_pct.txt: is missing; write the state of charge",
            "odd soc": "'140' is no percentage",
            "without prices": "prices: ",
        }.items(),
        start=1,
    ):
        assert str(tmp_path / name) in lines[number], name
        assert says in lines[number], name
    assert lines[0].startswith("a good one: optimal, ")
    assert lines[7].startswith("z, a good one: optimal, ")
    assert lines[8].startswith("2 of 8 sites planned in ")
    assert plan_in(tmp_path / "z, a good one")["plan"]["status"] == "optimal"
    assert (kept / "plan.json").read_text() == (kept / "site.yaml").read_text(), "what was, stays"


def test_a_time_without_prices_is_named_by_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path / "late")
    assert batch(tmp_path, at=AT + timedelta(days=30)) == 1
    assert "no price is known for 2026-05-10" in capsys.readouterr().out


def test_measured_data_are_learned_from_but_not_what_comes_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that goes on after the plan begins gives the plan of one that ends there."""
    for name, after in (("short", timedelta(0)), ("long", timedelta(days=2))):
        home = lay(tmp_path / name, name="one")
        measure(home)
        if after:
            lines = (home / "measured.csv").read_text(encoding="utf-8").splitlines()
            lines += [
                f"{AT + index * QUARTER:%Y-%m-%dT%H:%M:%SZ},0.3,0.08,9000,0"
                for index in range(after // QUARTER)
            ]
            (home / "measured.csv").write_text("\n".join(lines), encoding="utf-8")
    bare = lay(tmp_path / "without", name="one")
    assert batch(tmp_path) == 0
    assert plan_in(tmp_path / "short") == plan_in(tmp_path / "long") != plan_in(bare)
    capsys.readouterr()


def test_a_history_on_disk_counts_before_a_file(tmp_path: Path) -> None:
    for name in ("both", "history"):
        remembered(lay(tmp_path / name, name="one"))
    measure(tmp_path / "both", load_w=5000.0)
    assert batch(tmp_path) == 0
    assert plan_in(tmp_path / "both") == plan_in(tmp_path / "history")
    held = PowerHistory.from_bytes((tmp_path / "both/state/history.packed").read_bytes())
    assert np.nanmax(held.window(Field.LOAD_W, quarter_of(AT) - 96, 96)) < 5000.0


def test_programs_are_told_of_each_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "a", None)
    (tmp_path / "b").mkdir()
    assert batch(tmp_path, "--soc", "55", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    good, bad = told["sites"]
    assert (told["planned"], told["failed"]) == (1, 1)
    assert good["status"] == "optimal"
    assert good["problem"] == ""
    assert told["expected_costs"] == {"EUR": good["expected_cost"]}
    assert bad["status"] is None
    assert "there is no" in bad["problem"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--soc", "101"], "is a percentage"),
        (["--config", "site.yaml"], "leave out --config"),
        (["--at", "2026-04-10T08:00"], "write 2026-04-10T08:00Z"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    lay(tmp_path / "a")
    assert batch(tmp_path, *more) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "a" / "plan.json").exists()


def test_a_folder_without_sites_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch(tmp_path) == batch(tmp_path / "nowhere") == 2
    assert "there is no folder in it" in capsys.readouterr().err


def test_nothing_is_left_in_a_site_but_its_plan(tmp_path: Path) -> None:
    home = lay(tmp_path / "a")
    before = {path.name for path in home.iterdir()}
    assert batch(tmp_path) == 0
    assert {path.name for path in home.iterdir()} == before | {"plan.json"}
    assert datetime.fromisoformat(plan_in(home)["plan"]["created"]) == AT.astimezone(UTC)
