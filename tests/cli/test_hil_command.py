"""``holdfast hil`` tells programs and people what the campaign came to."""

import json
import re
from pathlib import Path

import pytest

from holdfast.cli.main import main

ROW = "emergency loop opened"
FULL = "one cell is full, and the inverter charges on a little"


def test_a_row_that_is_as_it_has_to_be_is_told_as_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "campaign.html"
    words = [
        "--suite",
        "faults",
        "--only",
        ROW,
        "--processes",
        "1",
        "--json",
        "--report",
        str(page),
    ]
    assert main(["hil", "run", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    suite = told["suites"]["faults"]
    assert told["passed"]
    assert (suite["runs"], suite["passed"]) == (3, 3)
    assert {one["scene"] for one in suite["results"]} == {"idle", "charging", "discharging"}
    assert json.loads(page.with_suffix(".json").read_text()) == told
    text = page.read_text()
    assert ROW in text
    assert "<svg" in text
    assert not re.search(r"<script|src=\"http|href=\"http", text)


def test_without_a_layer_the_damage_is_told_and_the_command_ends_with_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--suite", "faults", "--only", FULL, "--without", "limit_monitor", "--processes", "1"]
    assert main(["hil", "run", *words]) == 1
    told = capsys.readouterr().out
    assert "0 of 1 as they have to be" in told
    assert "damage: cell_over_voltage" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--suite", "all"], "faults, pairs, quiet, layers"),
        (["run", "--only", "loop"], ROW),
        (["run", "--only", "cell too hottt"], "there are: cell too hot"),
        (["run", "--without", "limits"], "limit_monitor"),
        (["run", "--processes", "0"], "--processes 0: from 1"),
        (["soak", "--days", "0"], "1 to"),
        (["soak", "--days", "3", "--only", "3"], "0 to 2"),
        (["soak", "--without", "limits"], "limit_monitor"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hil", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
