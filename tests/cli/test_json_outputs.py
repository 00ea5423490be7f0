"""What programs read is what docs/json.md says, to the key."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.client.status_reader import StatusReader
from holdfast.site.files import SiteFiles
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.cli.json_outputs import OUTPUTS, complaints, page, shape

PAGE = Path(__file__).parents[2] / "docs" / "json.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json")


@pytest.fixture(scope="module")
def config(folder: Path) -> Iterator[str]:
    """A simulated site that runs and follows a plan."""
    arguments = ("-m", "holdfast.cli.main", "run", "--demo", "--plain", "--folder")
    process = Process(folder / "run.log", *arguments, str(folder / "site"))
    status = StatusReader(SiteFiles(state_dir=folder / "site" / "state"))

    def follows_a_plan() -> bool:
        found = status.latest()
        return found is not None and found[0].request_source == "plan"

    try:
        until(follows_a_plan, "a plan", 60.0)
        yield str(folder / "site" / "site.yaml")
    finally:
        process.end()


@pytest.fixture(scope="module")
def house(folder: Path) -> str:
    """Two days of a house, hour by hour."""
    rows = ["time_utc,load_w,pv_w,import_price_per_kwh,export_price_per_kwh"]
    rows += [
        f"2026-03-{2 + day:02}T{hour:02}:00:00Z,{400 + 20 * hour},{100 * hour},0.{20 + hour},0.08"
        for day in range(2)
        for hour in range(24)
    ]
    path = folder / "house.csv"
    path.write_text("\n".join(rows))
    return str(path)


def check(capsys: pytest.CaptureFixture[str], name: str, *arguments: str, code: int = 0) -> object:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS[name]), found)) == []
    return found


def test_the_page_is_made_from_the_types() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.cli.json_outputs > docs/json.md"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status", "status"),
        ("explain", "explain"),
        ("plan", "plan"),
        ("plan", "plan --soc 50"),
        ("prices", "prices"),
        ("prices", "prices --cached"),
        ("forecast", "forecast"),
        ("check", "check"),
        ("limits", "limits"),
        ("audit show", "audit show --last 1000"),
        ("audit verify", "audit verify"),
        ("incident-report", "incident-report --since 2026-01-01"),
    ],
)
def test_of_a_site(config: str, capsys: pytest.CaptureFixture[str], name: str, words: str) -> None:
    assert check(capsys, name, *words.split(), "--config", config)


@pytest.mark.parametrize("command", ["stop", "start", "estop", "reset"])
def test_of_what_an_operator_asks(
    config: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    capsys.readouterr()
    code = main([command, "--config", config, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["start, stop, reset, estop"]), found)) == []
    assert code == (0 if found["accepted"] else 1)  # a start may come before all is at rest


def test_of_measured_data(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", house, "--days", "0.25")
    check(capsys, "plan --data", "plan", "--soc", "50", *data)
    check(capsys, "backtest", "backtest", *data, "--plan-every", "30")
    check(capsys, "size", "size", *data, "--price-per-kwh-battery", "400")


def test_of_a_batch(config: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "batch" / "empty").mkdir(parents=True)
    (folder / "batch" / "demo").symlink_to(Path(config).parent)
    check(capsys, "plan --batch", "plan", "--batch", str(folder / "batch"), "--soc", "50", code=1)


def test_of_a_simulation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--days", "0.02", "--step", "2", "--picture", str(folder / "week.png"))
    check(capsys, "simulate", "simulate", *options)


def test_where_nothing_runs_and_nothing_is_on_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    check(capsys, "start, stop, reset, estop", "estop", code=1)
    check(capsys, "audit verify", "audit", "verify", code=1)
    assert check(capsys, "audit show", "audit", "show", code=1) == []
    text = Path("site.yaml").read_text("utf-8").replace("192.0.2.", "127.250.2.")
    Path("site.yaml").write_text(text)
    check(capsys, "check --connect", "check", "--connect", "--within", "0.5", code=1)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ({"a": "number"}, {"a": 1.0, "b": 2}),
        ({"a": "number"}, {}),
        ("integer", True),
        ("integer", 1.5),
        ("text", None),
        ("time", "2026-03-02T00:00:00"),
        ("true or false", 1),
        ('"state" or "ended"', "other"),
        (["text"], ["a", 1]),
        ({"one of": [{"a": "text"}, "null"]}, {"a": 1}),
        ({"*": "integer"}, {"x": "y"}),
    ],
)
def test_a_value_of_another_shape_is_noticed(wanted: object, value: object) -> None:
    assert list(complaints(wanted, value))
