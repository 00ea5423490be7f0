"""`make fuzz`: what it finds it keeps, tells, and can try again."""

import pytest

from fuzz.__main__ import main
from fuzz.campaign import run
from fuzz.table import TARGETS
from tests.fuzz.planted import PLANTED


def campaign(folder, target, engine):
    (result,) = run([target], seconds=0.1, folder=folder, jobs=1, engine=engine, say=lambda _: None)
    return result


def test_an_input_that_breaks_a_decoder_is_kept_told_and_can_be_tried_again(tmp_path, monkeypatch):
    result = campaign(tmp_path, "planted", "tests.fuzz.planted")
    assert not result.is_good
    (found,) = result.found
    assert found.read_bytes() == "é".encode()
    assert "UnicodeDecodeError: 'ascii' codec" in result.told
    monkeypatch.setitem(TARGETS, PLANTED.name, PLANTED)
    with pytest.raises(UnicodeDecodeError):
        main(["--rerun", str(found)])


def test_what_was_found_before_and_holds_now_is_gone(tmp_path):
    (tmp_path / "heartbeat").mkdir()
    (tmp_path / "heartbeat" / "crash-old").write_bytes(b"x")
    result = campaign(tmp_path, "heartbeat", "fuzz.unguided")
    assert result.is_good, result.told
    assert result.tried >= 1
    assert result.found == ()


def test_an_engine_that_does_not_run_is_no_success(tmp_path):
    result = campaign(tmp_path, "heartbeat", "fuzz.no_such_engine")
    assert not result.is_good
    assert "no_such_engine" in result.told


def test_the_command_tells_of_each_target_and_how_it_ended(tmp_path, capsys):
    arguments = ["--seconds", "0.1", "--unguided", "--folder", str(tmp_path)]
    assert main([*arguments, "--target", "heartbeat"]) == 0
    assert "1 targets: everything held" in capsys.readouterr().out
    assert main([*arguments, "--target", "no such"]) == 2
    assert "no target has 'no such' in its name" in capsys.readouterr().err


def test_an_input_that_holds_is_told_to(tmp_path, capsys):
    path = tmp_path / "heartbeat" / "crash-x"
    path.parent.mkdir()
    path.write_bytes(b"nothing of use")
    assert main(["--rerun", str(path)]) == 0
    assert "everything holds; it is refused" in capsys.readouterr().out
    assert main(["--rerun", str(tmp_path / "crash-x")]) == 2


def test_with_a_number_of_runs_it_tries_so_many_and_the_same_ones_each_time(tmp_path):
    seen = []
    for name in ("first", "second"):
        (result,) = run(
            ["heartbeat"], seconds=60.0, runs=200, folder=tmp_path / name, jobs=1,
            engine="tests.fuzz.noted", say=lambda _: None,
        )  # fmt: skip
        assert result.tried == 200, result.told
        seen.append((tmp_path / name / "heartbeat" / "log.txt").read_text())
    assert seen[0] == seen[1]
    assert seen[0].count("tried ") == 200
