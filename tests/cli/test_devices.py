"""devices: what tables there are, and what one device holds, now or in a recording."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.core.role import Role
from holdfast.devices.profile import profile_names
from holdfast.simulation.net import free_port
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.cli.test_check_devices import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.server:
        yield bench


async def read(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["devices", "read", *arguments])


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_every_table_is_listed_with_its_roles_and_its_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["devices", "list"]) == 0
    heading, *rows, note = lines(capsys)
    assert heading == "table speaks roles commanded"
    assert note.startswith("*: nobody has confirmed")
    assert [row.split()[0] for row in rows] == list(profile_names())
    (integrated,) = [row for row in rows if row.startswith("generic_integrated ")]
    assert integrated == "generic_integrated modbus inverter, bms, meter, pv_meter yes"
    (timeless,) = [row for row in rows if row.startswith("growatt_sph ")]
    assert timeless == "growatt_sph modbus inverter, bms yes*, without a timer of its own"
    (meter,) = [row for row in rows if row.startswith("eastron_sdm630 ")]
    assert meter == "eastron_sdm630 modbus meter no, it is read"


def test_the_list_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["devices list"]), found)) == []
    (hybrid,) = [row for row in found if row["table"] == "generic_hybrid"]
    assert "export_limit_w" in hybrid["points"]
    assert "battery_power_w" in hybrid["signals"]


async def test_a_device_of_the_site_is_read_by_its_place_and_nothing_is_written(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("storage[0].bms", "battery/bms"):
        assert await read(name, "--config", str(bench.config)) == 0
        told = lines(capsys)
        assert told[0].startswith("generic_bms, read at 20")
        assert "soc_pct 003C 60 %" in told
    assert bench.written == []


async def test_a_device_without_a_site_is_read_by_its_address(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(bench.content["meter"]["connection"]["port"])
    at = ("--host", "127.0.0.1", "--port", port)
    assert await read("--table", "generic_meter", *at, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["devices read"]), found)) == []
    (voltage,) = [row for row in found["values"] if row["signal"] == "grid_voltage_v"]
    assert 229.0 < voltage["value"] < 231.0
    assert voltage["words"] == [round(voltage["value"] * 10)]


async def test_a_wrong_table_is_told_value_by_value(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = bench.content["storage"][0]["bms"]["connection"]
    at = ("--host", "127.0.0.1", "--port", str(connection["port"]))
    assert await read("--table", "generic_meter", *at) == 1
    told = lines(capsys)
    assert any("exception 2 (illegal data address)" in line for line in told)
    assert "grid_power_w - NOT TOLD" in told


async def test_a_recording_is_decoded_anywhere_by_any_table(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "bms.json"
    place = ("storage[0].bms", "--config", str(bench.config))
    assert await read(*place, "--record", str(kept)) == 0
    told = lines(capsys)
    await bench.server.close()
    assert await read("--replay", str(kept)) == 0
    assert lines(capsys) == told
    own = tmp_path / "own.yaml"
    own.write_text(
        "{name: own, protocol: modbus, roles: [bms], source: test, poll_period_s: 1, reads: ["
        "{signal: soc_pct, address: 100, type: uint16, scale: 10},"
        "{signal: soh_pct, address: 7, type: uint16}]}"
    )
    assert await read("--replay", str(kept), "--table", str(own)) == 1
    told = lines(capsys)
    assert "soc_pct 003C NOT PLAUSIBLE: 600 % is not within 0 to 100" in told
    assert "soh_pct - NOT TOLD" in told


async def test_what_a_device_refuses_is_in_the_recording(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await bench.server.set_fault("battery", Role.BMS, ProtocolFault.EXCEPTION)
    kept = tmp_path / "bms.json"
    place = ("battery/bms", "--config", str(bench.config))
    assert await read(*place, "--record", str(kept), "--json") == 1
    assert "exception 4" in json.loads(capsys.readouterr().out)["problems"][0]
    assert "exception 4" in json.loads(kept.read_text())["blocks"][0]["problem"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["meterr"], "which one? Known are meter, site/meter, emergency_input"),
        ([], "which one?"),
        (["--host", "127.0.0.1"], "--host needs --table"),
        (["--host", "127.0.0.1", "--table", "no"], "there is no profile 'no'"),
        (["--host", "127.0.0.1", "--table", "pylontech_lv_can"], "speaks can, not modbus"),
        (["--host", "http://10.0.0.5/", "--table", "generic_meter"], "write only the name"),
        (["--host", "10.0.0.5", "--table", "generic_meter", "--id", "256"], "must be at most 255"),
        (["--replay", "cut.json"], "blocks[0].words[0]: 70000: must be at most 65535"),
        (["--replay", "no.json"], "no.json: cannot be read"),
        (["--replay", "broken.json"], "broken.json: 1 wrong"),
        (["--host", "127.0.0.1", "--table", "generic_meter"], "connection refused"),
    ],
)
async def test_what_cannot_be_read_is_told(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"table": "generic_bms", "utc": "2026-01-01T00:00:00Z"}')
    block = {"table": "holding", "address": 100, "words": [70_000]}
    cut = {"table": "generic_bms", "utc": "2026-01-01T00:00:00Z", "blocks": [block]}
    (tmp_path / "cut.json").write_text(json.dumps(cut))
    if "--host" in arguments:
        arguments = [*arguments, "--port", str(free_port())]
    assert await read(*arguments) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""
    assert bench.written == []


async def test_a_site_that_runs_holds_its_devices(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_lock(SiteFiles.of(bench.site), "controller"):
        assert await read("meter", "--config", str(bench.config)) == 2
    assert "it holds the devices" in capsys.readouterr().err
