"""devices prove: asked first, held while it lasts, kept in a report, and ended at 0 W."""

import asyncio
import io
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.core.commands import Point
from holdfast.core.latches import Latches
from holdfast.runtime.latch_file import save_latches
from holdfast.site.files import SiteFiles
from holdfast.site.proof import proof_path, read_proof
from holdfast.site.site_lock import hold_lock
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.runtime.test_proving import PLAIN, UNIT, ProofBench, content_of


class CommandBench(ProofBench):
    """The same, with its site.yaml on the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.config = folder / "site.yaml"
        self.config.write_text(yaml.safe_dump(self.content))
        self.written: list[tuple[Point, float]] = []
        self.on_write = lambda point, value: self.written.append((point, value))

    async def command(self, *arguments: str) -> int:
        words = ["devices", "prove", *arguments, "--config", str(self.config)]
        return await asyncio.to_thread(main, words)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[CommandBench]:
    bench = CommandBench(tmp_path)
    async with bench.server:
        yield bench


async def test_a_report_is_kept_and_shown(
    bench: CommandBench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await bench.command("--show") == 1
    assert "no report that can be read" in capsys.readouterr().out
    assert await bench.command("--yes", "--json", "--power", "200") == 0
    shown = capsys.readouterr()
    proof = json.loads(shown.out)
    assert list(complaints(shape(OUTPUTS["devices prove"]), proof)) == []
    assert (proof["proven"], proof["current"], proof["power_w"]) == (True, True, 200.0)
    assert "4 of 6: -200 W is written" in shown.err
    assert {abs(value) for point, value in bench.written if point is Point.SETPOINT_W} == {0, 200}

    assert await bench.command("--show") == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{UNIT}: proven on 20")
    assert "its timer ends a command by itself, measured after 2." in told
    assert await bench.command("--show", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["devices prove --show"]), found)) == []
    assert found == [proof]
    bench.check_unharmed()


async def test_ctrl_c_ends_it_at_0_w_and_keeps_no_report(bench: CommandBench) -> None:
    discharges = asyncio.Event()

    def on_write(point: Point, value: float) -> None:
        if point is Point.SETPOINT_W and value < 0.0:
            discharges.set()

    bench.on_write = on_write
    words = ("-m", "holdfast.cli.main", "devices", "prove", "--yes", "--config", str(bench.config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    await discharges.wait()
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    assert process.returncode == 130
    assert b"NOT PROVEN" in out
    assert bench.unit.inverter.setpoint_w == 0.0
    assert read_proof(proof_path(bench.site, UNIT)) is None
    bench.check_unharmed()


async def test_an_outage_is_answered_by_whoever_switched_the_grid_off(bench: CommandBench) -> None:
    words = ("devices", "prove", "--yes", "--outage", "--json", "--config", str(bench.config))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "holdfast.cli.main", *words, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    async for line in process.stderr:
        if b"Switch the grid off" in line:
            bench.plant.islanded = True
        elif b"type `served`" in line:
            process.stdin.write(b"served\n")
        elif b"Switch the grid on" in line:
            bench.plant.islanded = False
            process.stdin.write(b"on\n")
    proof = json.loads(await process.stdout.read())
    assert await process.wait() == 0
    assert (proof["proven"], proof["outage"]) == (True, "served")
    assert [step["name"] for step in proof["steps"]][5] == "outage"
    bench.check_unharmed()


async def test_without_consent_nothing_is_written(
    bench: CommandBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert await bench.command() == 2
    assert "Type the site's name, example, to begin: " in capsys.readouterr().err
    assert bench.written == []


async def test_a_site_that_runs_or_is_latched_is_left_alone(
    bench: CommandBench, capsys: pytest.CaptureFixture[str]
) -> None:
    files = SiteFiles.of(bench.site)
    files.create()
    with hold_lock(files, "controller"):
        assert await bench.command("--yes") == 2
    assert "it holds the devices" in capsys.readouterr().err
    save_latches(files.latches, Latches(emergency_stop=True, faults=("battery/cell_hot",)))
    assert await bench.command("--yes") == 2
    assert "latched is an emergency stop, battery/cell_hot" in capsys.readouterr().err
    assert bench.written == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no"], "there is no unit 'no'; known: battery"),
        (["--power", "501"], "from more than 0 to 500 W (limited_power_w"),
        (["--power", "nan"], "--power nan"),
        (["--power", "0.5"], "takes steps of 1 W"),
    ],
)
def test_what_cannot_be_proven_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content_of(tmp_path, PLAIN)))
    assert main(["devices", "prove", *arguments, "--yes", "--config", str(config)]) == 2
    assert told in capsys.readouterr().err
