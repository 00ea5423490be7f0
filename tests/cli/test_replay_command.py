"""``holdfast replay``: a file in, and whether it decides the same."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import __version__
from holdfast.cli.main import main
from holdfast.control.cycle import Cycle
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.monitoring.replay.recordings import KeepingBench, content_of, head_of


@pytest.fixture(scope="module")
def bench() -> KeepingBench:
    """A site that trips on a cell."""
    bench = KeepingBench()
    bench.start()
    for _ in range(20):
        bench.step()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.75)
    while bench.state.machine is not State.ERROR:
        bench.step()
    return bench


@pytest.fixture(scope="module")
def file(bench: KeepingBench, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("replay") / "incident.json.gz"
    head = head_of(bench.site, version=__version__)
    path.write_bytes(content_of(bench.site, bench.kept, head=head))
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["replay", *arguments]) == code
    return capsys.readouterr().out


def test_what_is_reproduced_is_told_with_what_it_was(
    file: str, bench: KeepingBench, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(capsys, file)
    assert "2026-06-01 12:00:00 UTC  too high" in text
    assert f"made by Holdfast {__version__}; this is {__version__}" in text
    assert f"all {len(bench.kept)} cycles decide what was recorded, bit for bit" in text
    assert "another version" not in text
    assert "As it was" not in text


def test_it_tells_what_happened(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, file, "--show")
    for line in (
        "IDLE",
        "command start",
        "to RUNNING",
        "trip battery/cell_voltage_high",
        "to ERROR",
    ):
        assert line in text
    assert "setpoints of battery from" in text


def test_another_limit_is_told_beside_what_was(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(capsys, file, "--what-if", "cell_voltage_max_v=4.0")
    was, would = text.split("With cell_voltage_max_v=4.0:")
    assert "to ERROR" in was
    assert "to ERROR" not in would
    assert "differs at the stage assessment" in would


def test_a_difference_is_told_and_ends_with_1(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ramp = Cycle._ramp

    def ramps_on(self, *arguments):
        return {
            unit: replace(setpoint, power_w=setpoint.power_w + 1.0)
            for unit, setpoint in ramp(self, *arguments).items()
        }

    monkeypatch.setattr(Cycle, "_ramp", ramps_on)
    text = told(capsys, file, code=1)
    assert "cycle 1" in text
    assert "differs at the stage setpoints, in battery.power_w:\n  recorded 0.0\n" in text
    report = json.loads(told(capsys, file, "--json", code=1))
    assert report["difference"]["stage"] == "setpoints"
    assert (report["run"], report["raised"]) == (1, None)


def test_one_of_another_version_says_so_and_is_tried(
    bench: KeepingBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "old.json.gz"
    path.write_bytes(content_of(bench.site, bench.kept, head=head_of(bench.site, version="0.0.1")))
    text = told(capsys, str(path))
    assert f"made by Holdfast 0.0.1; this is {__version__}\nanother version decides" in text
    assert "bit for bit" in text


def test_its_json_is_as_the_page_says(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for more in ((), ("--what-if", "grid.import_max_w=9000")):
        found = json.loads(told(capsys, file, "--json", *more))
        assert list(complaints(shape(OUTPUTS["replay"]), found)) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read"),
        (b"", "is no recording"),
        (b"no gzip at all", "is no whole gzip file"),
    ],
)
def test_what_is_no_recording_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, text: str
) -> None:
    path = tmp_path / "x.json.gz"
    if content is not None:
        path.write_bytes(content)
    assert main(["replay", str(path)]) == 2
    assert text in capsys.readouterr().err


def test_a_key_that_is_none_is_refused(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", file, "--what-if", "grid.imprt_max_w=1"]) == 2
    assert "near are grid.import_max_w" in capsys.readouterr().err


def test_one_that_breaks_off_is_told_and_run_as_far_as_it_is(
    bench: KeepingBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.decompress(content_of(bench.site, bench.kept)).splitlines(keepends=True)
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b"".join(whole[:20])))
    text = told(capsys, str(path))
    assert "the recording breaks off" in text
    assert "bit for bit" in text
