"""``holdfast rules``: what is wrong, what is doubtful, and what would have come of them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.scheduling.rules.engine import RuleState
from holdfast.scheduling.rules.report import RuleReport, encode_report
from tests.builders import site_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape

GOOD = """
rules:
  - name: night
    when: cheaper_hours_today < 3
    then: {mode: charge_only, power_w: 3000}
"""


def rules(folder: Path, text: str) -> str:
    path = folder / "rules.yaml"
    path.write_text(text)
    return str(path)


def history(folder: Path, days: Iterable[int] = (2, 3)) -> str:
    rows = ["time_utc,load_w,pv_w,import_price_per_kwh,export_price_per_kwh"]
    rows += [
        f"2026-03-{day:02}T{hour:02}:00:00Z,{400 + 20 * hour},{100 * hour},0.{20 + hour},0.08"
        for day in days
        for hour in range(24)
    ]
    path = folder / "house.csv"
    path.write_text("\n".join(rows))
    return str(path)


def test_rules_without_a_doubt_end_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "check", rules(tmp_path, GOOD)]) == 0
    told = capsys.readouterr().out
    assert "1 rules, 1 of them enabled" in told
    assert "no two rules contradict" in told


def test_a_doubt_ends_with_1_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = rules(tmp_path, GOOD.replace("cheaper_hours_today < 3", "soc_pct > 100"))
    assert main(["rules", "check", file]) == 1
    assert "doubtful: night: when: soc_pct > 100: can never hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check"], "FILE is missing"),
        (["test", "FILE"], "--history FILE.csv is missing"),
        (["check", "no/such.yaml"], "cannot be read"),
        (["check", "BAD"], "line 4: night, when: column 1: sock is no name"),
        (["test", "FILE", "--history", "HISTORY", "--processes", "0"], "--processes 0: from 1"),
        (["test", "FILE", "--history", "HISTORY", "--soc", "120"], "--soc 120"),
    ],
)
def test_what_cannot_be_done_ends_with_2(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("cheaper_hours_today", "sock"))
    named = {"FILE": rules(tmp_path, GOOD), "BAD": str(bad), "HISTORY": history(tmp_path)}
    assert main(["rules", *(named.get(word, word) for word in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_a_test_tells_how_often_and_what_it_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["rules", "test", rules(tmp_path, GOOD), "--history", history(tmp_path)]
    assert main([*words, "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert "night: would have fired once, 3 h, and " in told
    assert "all that are enabled together: cost " in told
    assert main([*words, "--processes", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["alone"][0]["deeds"]["fired"] == 1
    assert found["saved"] == pytest.approx(found["alone"][0]["saved"])
    assert found["conflicts"] == []


def test_the_names_that_rules_may_use_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "facts"]) == 0
    told = capsys.readouterr().out
    assert "cheaper_hours_today" in told
    assert "local time of day" in told


def test_how_the_rules_of_a_site_stand_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site_content(state_dir=str(tmp_path))))
    words = ["rules", "status", "--config", str(tmp_path / "site.yaml")]
    assert main(words) == 2
    assert "does the site run with rules?" in capsys.readouterr().err
    utc = datetime(2026, 3, 2, 12, tzinfo=UTC)
    states = (
        RuleState(name="night", since=utc, follows=True, why="soc_pct = 40"),
        RuleState(name="day", why="not known: pv_w"),
    )
    report = RuleReport(utc=utc, problem="", states=states)
    (tmp_path / "rules.json").write_bytes(encode_report(report))
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "night: fires since 12:00:00 UTC: soc_pct = 40" in told
    assert "day: off: not known: pv_w" in told
    wrong = RuleReport(utc=utc, problem="no rule fires: rules.yaml: has no rules")
    (tmp_path / "rules.json").write_bytes(encode_report(wrong))
    assert main(words) == 1


def test_what_programs_read_is_what_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = history(tmp_path, days=range(2, 14))
    file = rules(tmp_path, GOOD)
    asked = {
        "rules check": ["check", file],
        "rules facts": ["facts"],
        "rules test": ["test", file, "--history", days, "--days", "2", "--processes", "1"],
        "rules learn": ["learn", "--history", days, "--processes", "1"],
    }
    for name, words in asked.items():
        assert main(["rules", *words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert list(complaints(shape(OUTPUTS[name]), found)) == []


def test_what_is_learned_is_printed_as_a_file_in_which_none_is_enabled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            [
                "rules",
                "learn",
                "--history",
                history(tmp_path, days=range(2, 14)),
                "--processes",
                "1",
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "None is enabled: that is your decision." in told
    path = tmp_path / "learned.yaml"
    path.write_text(told)
    assert main(["rules", "check", str(path)]) in (0, 1)
    assert " 0 of them enabled" in capsys.readouterr().out


def test_too_few_days_to_learn_from_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "learn", "--history", history(tmp_path)]) == 2
    assert "whole local days to learn from, and 7 are needed" in capsys.readouterr().err
