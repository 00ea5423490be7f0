"""faults: at night, beside the site, without a network: what is it, and what now?"""

import json

import pytest

from holdfast.cli.main import main
from tests.cli.json_outputs import OUTPUTS, complaints, shape


def test_one_fault_is_told_with_its_steps_and_who_ends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["faults", "battery/insulation_low"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("insulation_low: the battery's insulation from earth is too low\n")
    assert "  1. Do not touch" in shown
    assert "why service: the pack may be live" in shown


def test_all_are_listed_with_who_ends_what_latches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows["cell_heating"].endswith("service")
    assert rows["second_writer"].endswith("operator")
    assert rows["soc_low"].endswith("may be")


def test_a_name_that_is_mistyped_is_refused_with_what_may_be_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["faults", "insulatio_low"]) == 2
    assert "did you mean insulation_low" in capsys.readouterr().err
    assert main(["faults", "zzzz"]) == 2
    assert "`holdfast faults` lists them" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["faults"], ["faults", "bms_data_lost"]])
def test_for_programs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["faults"]), found)) == []
    assert all(sheet["steps"] for sheet in found)
