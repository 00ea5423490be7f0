"""devices release: asked first, held while it lasts, and seen on the device."""

import asyncio
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.core.latches import Latches
from holdfast.runtime.commissioning import release
from holdfast.runtime.latch_file import save_latches
from holdfast.simulation.makers.box import Box
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock
from tests.runtime.test_proving import LOAD_W, PLAIN, UNIT, VERBS, ProofBench, content_of


class ReleaseBench(ProofBench):
    """The same, with its site.yaml on the disk."""

    def __init__(self, folder: Path, table: str = VERBS) -> None:
        super().__init__(folder, table)
        self.config = folder / "site.yaml"
        self.config.write_text(yaml.safe_dump(self.content))

    async def command(self, *arguments: str) -> int:
        words = ["devices", "release", *arguments, "--config", str(self.config)]
        return await asyncio.to_thread(main, words)

    @property
    def box(self) -> Box:
        assert self.unit.box is not None
        return self.unit.box


@pytest.mark.parametrize("table", [VERBS, "sungrow_sh"])
async def test_the_inverter_keeps_its_own_rule_afterwards(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = ReleaseBench(tmp_path, table)
    async with bench.server:
        assert (await bench.prove()).proof.at_zero
        assert await bench.command("--yes") == 0
        shown = capsys.readouterr()
        assert shown.out == f"{UNIT}: {table} keeps its own rule\n"
        assert "Power may flow at once" in shown.err
        for _ in range(40):
            bench.plant.step(0.1, bench.plant.utc_s + 0.1)
    assert bench.unit.inverter.power_w == pytest.approx(-LOAD_W, abs=60.0)


async def test_without_consent_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = ReleaseBench(tmp_path)
    before = dict(bench.box.registers)
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    async with bench.server:
        assert await bench.command() == 2
    assert "Type the site's name, example, to begin: " in capsys.readouterr().err
    assert bench.box.registers == before


async def test_a_site_that_runs_or_is_latched_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = ReleaseBench(tmp_path)
    files = SiteFiles.of(bench.site)
    files.create()
    async with bench.server:
        with hold_lock(files, "controller"):
            assert await bench.command("--yes") == 2
        assert "it holds the devices" in capsys.readouterr().err
        save_latches(files.latches, Latches(emergency_stop=True))
        assert await bench.command("--yes") == 2
    assert "devices release: latched is an emergency stop" in capsys.readouterr().err


async def test_a_device_that_does_not_take_it_is_told_with_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.runtime.commissioning.release.SHOWN_WITHIN_S", 0.2)
    bench = ReleaseBench(tmp_path)
    assert await bench.command("--yes") != 0  # nobody is there
    assert "cannot be connected to" in capsys.readouterr().err


def test_a_table_without_a_rule_of_its_own_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content_of(tmp_path, PLAIN)))
    assert main(["devices", "release", "--yes", "--config", str(config)]) == 2
    assert f"profile {PLAIN} has no verb release" in capsys.readouterr().err


def test_which_unit_is_meant_has_to_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content_of(tmp_path, VERBS)))
    assert main(["devices", "release", "other", "--yes", "--config", str(config)]) == 2
    assert "devices release: there is no unit 'other'; known: battery" in capsys.readouterr().err


async def test_what_its_owner_had_set_is_there_again(tmp_path: Path) -> None:
    bench = ReleaseBench(tmp_path, "solaredge_storedge")
    bench.box.registers |= {0xE004: 1, 0xE00A: 1}
    before = dict(bench.box.registers)
    kept = SiteFiles.of(bench.site).taken_over / f"{UNIT}.json"
    async with bench.server:
        assert (await bench.prove()).proof.at_zero
        assert bench.box.registers != before
        assert kept.exists()
        assert await bench.command("--yes") == 0
    assert bench.box.registers == before
    assert not kept.exists()


async def test_a_register_that_does_not_come_back_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "SHOWN_WITHIN_S", 0.5)
    bench = ReleaseBench(tmp_path, "solaredge_storedge")
    bench.box.registers |= {0xE00A: 1}
    kept = SiteFiles.of(bench.site).taken_over / f"{UNIT}.json"
    async with bench.server:
        assert (await bench.prove()).proof.at_zero
        write = bench.box.write

        def forgets(address: int, words: Sequence[int], *, multiple: bool) -> None:
            if address != 0xE00A:
                write(address, words, multiple=multiple)

        monkeypatch.setattr(bench.box, "write", forgets)
        assert await bench.command("--yes") != 0
    assert f"does not show what it held before at {0xE00A}" in capsys.readouterr().err
    assert kept.exists()
