"""init and check: an example to start from, and errors that name the key."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.safety.limits import ALL_LIMITS
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content, example_loads

COMMANDS = (
    "init", "check", "run", "status", "start", "stop", "estop", "reset", "simulate", "plan",
)  # fmt: skip


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    return example_content(tmp_path, bms_on_can=False) | example_loads()


def check(folder: Path, content: object, *options: str) -> int:
    config = folder / "site.yaml"
    config.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return main(["check", "--config", str(config), *options])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"holdfast {command}" in shown
    assert len(shown.split("\n\n")[1]) > 30  # a description


def test_the_whole_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    listed = {line.split()[0] for line in shown.splitlines() if line.startswith("    ")}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("arguments", [[], ["fly"], ["check", "--wings"], ["run", "--for", "x"]])
def test_wrong_arguments_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_init_writes_what_check_passes_and_never_overwrites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my-site.yaml"
    assert main(["init", str(file)]) == 0
    assert main(["check", "--config", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "can be run; 1 doubtful; authority: observe" in shown
    assert "storage[0].relays: still at an address of the example; no device is there" in shown
    assert "authority is observe" in shown  # it starts by writing to nothing
    file.write_text("mine")
    assert main(["init", str(file)]) == 1
    assert file.read_text() == "mine"
    assert "left as it is" in capsys.readouterr().out


def uncommented(text: str, section: str) -> str:
    """The template with the comment signs of one optional section taken away."""
    lines = text.splitlines()
    start = lines.index(f"# {section}:")
    end = next(place for place in range(start, len(lines)) if not lines[place].startswith("#"))
    lines[start:end] = [line.removeprefix("# ") for line in lines[start:end]]
    return "\n".join(lines)


def test_the_examples_of_loads_and_rooms_are_right_once_they_are_no_comment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.yaml"
    assert main(["init", str(file)]) == 0
    text = uncommented(uncommented(file.read_text(), "loads"), "rooms")
    assert check(tmp_path, text) == 0
    site = load_site(file)
    assert (site.switches.keys(), site.loads[0].window_minutes) == ({"boiler", "parlour"}, 480)
    assert len(site.rooms[0].comfort) == 2
    (doubt,) = [line for line in capsys.readouterr().out.splitlines() if "doubt: " in line]
    assert "loads[0].switch, rooms[0].switch: still at an address of the example" in doubt


def test_what_is_doubtful_is_told_and_is_no_error(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, content) == 0
    assert "is right" in capsys.readouterr().out
    change(content, "grid/import_max_w", 17)
    assert check(tmp_path, content) == 0
    shown = capsys.readouterr().out
    assert "is right" not in shown
    assert "doubt: grid.import_max_w: 17 W is not plausible; if it is meant in kW, write 17000" in (
        shown
    )
    assert check(tmp_path, content, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["doubts"]) == 1


def test_init_without_a_name_writes_site_yaml_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert main(["check"]) == 0


def test_init_where_nothing_can_be_written_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "no" / "such" / "folder.yaml")]) == 1
    assert "cannot be written" in capsys.readouterr().out


def change(content: dict[str, Any], path: str, value: object) -> None:
    """Set a key, or remove it where ``value`` is None."""
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    at: Any = content
    for key in parents:
        at = at[key]
    if value is None:
        del at[last]
    else:
        at[last] = value


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("colour", "red", "colour: is not a known key"),
        ("storage/0/batery", {}, "storage[0].batery: is not a known key"),
        ("grid", None, "grid: is missing"),
        ("storage/0/inverter", None, "storage[0].inverter: is missing"),
        ("storage", [], "storage"),
        ("authority", "total", "authority"),
        ("timezone", "Mars/Olympus", "timezone"),
        ("currency", "euro", "currency"),
        ("cycle", {"period_ms": 1}, "cycle.period_ms"),
        ("grid/import_max_w", -1, "grid.import_max_w"),
        ("grid/import_max_w", "a lot", "grid.import_max_w"),
        ("grid/import_max_w", float("nan"), "grid.import_max_w"),
        ("storage/0/battery/capacity_wh", float("inf"), "storage[0].battery.capacity_wh"),
        ("storage/0/battery/cells_in_series", 0, "storage[0].battery.cells_in_series"),
        ("storage/0/operation", {"soc_min_pct": 90, "soc_max_pct": 20}, "soc_min_pct"),
        ("storage/0/operation", {"charge_power_max_w": 9000}, "charge_power_max_w: 9000 W is"),
        ("storage/0/limits", {"no_row": {}}, "storage[0].limits.no_row"),
        ("storage/0/limits", {"cell_voltage_high": {"trip": 3.9}},
         "storage[0].limits.cell_voltage_high.trip: 3.9 is looser"),
        ("storage/0/limits", {"cell_voltage_low": {"trip": 2.0}}, "cell_voltage_low.trip"),
        ("storage/0/name", "site", "storage"),
        ("storage/0/bms/profile", "no_such", "storage[0].bms: "),
        ("storage/0/bms/profile", "../../etc/passwd", "storage[0].bms"),
        ("storage/0/inverter/profile", "generic_meter", "storage[0].inverter: "),
        ("storage/0/inverter/connection/port", 99999, "storage[0].inverter.connection.port"),
        ("storage/0/inverter/connection/kind", "telepathy", "storage[0].inverter.connection"),
        ("meter/connection/timeout_s", 0, "meter.connection.timeout_s"),
        ("loads/0/switch/profile", "generic_meter", "loads[0].switch: "),
        ("loads/0/power_w", 0, "loads[0].power_w"),
        ("rooms/1/switch/profile", "generic_load_switch", "rooms[1].switch: "),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named(
    tmp_path: Path,
    content: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    path: str,
    value: object,
    named: str,
) -> None:
    change(content, path, value)
    assert check(tmp_path, content) == 2
    shown = capsys.readouterr()
    assert named in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is empty"),
        ("- a\n- b\n", "is empty"),
        ("name: [", "is not YAML"),
        ("name: a\nname: b\n", "line 2: name stands in line 1 already"),
        ("!!python/object/apply:os.system [true]", "is not YAML"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    assert check(tmp_path, text) == 2
    assert named in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(tmp_path / "nowhere.yaml")]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
    assert main(["check", "--config", str(tmp_path)]) == 2


def test_several_wrong_keys_are_all_named(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    change(content, "grid/import_max_w", -1)
    change(content, "storage/0/battery/capacity_wh", 0)
    change(content, "authority", "total")
    assert check(tmp_path, content) == 2
    shown = capsys.readouterr().err
    for named in ("grid.import_max_w", "storage[0].battery.capacity_wh", "authority"):
        assert named in shown


def test_the_limit_table_is_printed_with_the_values_of_this_site(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    change(content, "storage/0/limits", {"cell_voltage_high": {"alarm": 3.51, "warning": 3.42}})
    assert check(tmp_path, content) == 0
    capsys.readouterr()
    assert main(["limits", "--config", str(tmp_path / "site.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "cell_voltage_high " in line)
    assert row.split() == [
        "-cell_voltage_high",
        "3.42",
        "3.51",
        "3.65",
        "V",
        "block_charge",
        "2/3",
        "10",
        "s",
    ]
    (low,) = [line for line in lines if "cell_voltage_low " in line]
    assert "2.5*" in low, "a trip that only service clears"
    # This BMS tells no cell voltages: what nobody feeds is marked, and what is fed is not.
    assert "-: not watched, for no device of this site tells its signal." in lines
    assert any(line.startswith("pack_voltage_high ") for line in lines)


def test_the_limit_table_fits_a_terminal_of_80_columns(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, content) == 0
    capsys.readouterr()
    assert main(["limits", "--config", str(tmp_path / "site.yaml")]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for row in ALL_LIMITS:
        assert f"{row.id} " in shown


def test_for_programs_it_prints_json(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, content, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["ok"] is True
    assert main(["limits", "--json", "--config", str(tmp_path / "site.yaml")]) == 0
    rows = {row["row"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["cell_voltage_high"]["levels"]["trip"] == 3.65
    assert not rows["cell_voltage_high"]["watched"]
    assert rows["pack_voltage_high"]["watched"]
    # This BMS tells no cell voltages: whoever checks the site is told what nobody watches.
    assert any("cell_voltage_high is not watched" in text for text in shown["warnings"])


def test_it_tells_who_guards_each_goal_and_what_that_permits(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, content) == 0
    shown = capsys.readouterr().out
    assert "who guards what; it permits authority: full\n" in shown
    lines = {tuple(line.split(maxsplit=3)[1:3]) for line in shown.splitlines()[1:] if "  " in line}
    assert ("overcurrent", "watched") in lines
    assert ("cell_overvoltage", "accepted") in lines
    assert ("insulation", "NOBODY") in lines
    assert check(tmp_path, content, "--json") == 0
    guards = {each["goal"]: each for each in json.loads(capsys.readouterr().out)["guards"]}
    assert guards["overcurrent"] == {
        "owner": "battery",
        "goal": "overcurrent",
        "guard": "watched",
        "rests_on": "charge_current_high, discharge_current_high",
        "authority": "full",
    }
    # Who does without says why, and may have less authority than wanted.
    del content["storage"][0]["accepts"]
    assert check(tmp_path, content) == 2
    assert "accepts of battery: {cell_overvoltage: why that is right}" in capsys.readouterr().err


def test_what_a_site_does_without_is_told_with_what_it_means(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    content["emergency_input"] = {"none": "a switch at the inverter"}
    content["pv_meter"] = {"none": "a cellar without windows"}
    content["storage"][0]["relays"] = {"none": "the inverter has one"}
    assert check(tmp_path, content, "--json") == 0
    told = [text for text in json.loads(capsys.readouterr().out)["warnings"] if "left out" in text]
    assert told == [
        "pv_meter is left out: there is no PV, and never will be (a cellar without windows)",
        (
            "emergency_input is left out: `holdfast estop` is the only stop that Holdfast hears "
            "(a switch at the inverter)"
        ),
        (
            "storage[0].relays is left out: a trip takes the power stage away and opens nothing "
            "(the inverter has one)"
        ),
    ]


def test_what_is_derived_is_watched_where_all_that_it_rests_on_is_told(
    tmp_path: Path, content: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, content, "--json") == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    told = " ".join(warnings)
    # This BMS tells voltage, current and temperatures, and no cell voltages.
    assert "power_mismatch" not in told
    assert "temperature_spread" not in told
    cells = next(text for text in warnings if "cell_imbalance_high is not watched" in text)
    assert cells.endswith("provides cell_voltage_min_v and cell_voltage_max_v")
    # Of what a derived signal rests on, only what is missing is named.
    pack = next(text for text in warnings if "pack_mismatch_high is not watched" in text)
    assert "pack_voltage_v" not in pack
