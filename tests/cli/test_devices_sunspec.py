"""A site of SunSpec devices: checked, and each read with the models that it has."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.core.errors import ConfigError
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.cli.test_check_devices import Bench
from tests.cli.test_devices import lines, read


class SunSpecBench(Bench):
    """All that has a SunSpec table speaks it."""

    def save(self) -> None:
        (unit,) = self.content["storage"]
        self.content["authority"] = "observe"
        self.content["meter"]["profile"] = "sunspec_meter"
        self.content["pv_meter"] = {"none": "these tests"}
        unit["inverter"]["profile"] = "sunspec_704"
        unit["bms"]["profile"] = "sunspec_battery"
        unit["relays"] = {"none": "the battery has its own"}
        super().save()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[SunSpecBench]:
    bench = SunSpecBench(tmp_path)
    async with bench.server:
        yield bench


def at(bench: Bench, key: str) -> tuple[str, ...]:
    (unit,) = bench.content["storage"]
    connection = (unit.get(key) or bench.content[key])["connection"]
    return (
        "--host", "127.0.0.1", "--port", str(connection["port"]),
        "--id", str(connection.get("device_id", 1)),
    )  # fmt: skip


async def test_every_device_of_such_a_site_answers(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await bench.check("--within", "4") == 0
    told = lines(capsys)
    assert "soc_pct 60 %" in told
    assert "revert_timeout_readback_s 0 s" in told
    assert any(line.startswith("grid_voltage_v 2") for line in told)
    assert any(line.startswith("cell_voltage_min_v 3.") for line in told)
    assert "device_mode own_rule" in told
    assert bench.written == []


async def test_a_device_is_read_with_the_models_that_it_has(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    await read("--table", "sunspec_704", *at(bench, "inverter"))
    told = lines(capsys)
    assert told[0].startswith("sunspec_704, read at 20")
    assert told[1].startswith("models: 1 at 40002, 701 at 40070, 702 at 40225, 703 at ")
    assert "inverter_fault FFFF" not in " ".join(told)
    assert any(line.startswith("battery_power_w ") and line.endswith(" W") for line in told)
    assert bench.written == []


async def test_the_same_for_programs(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert await read("--table", "sunspec_meter", *at(bench, "meter"), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["devices read"]), found)) == []
    assert [model["id"] for model in found["models"]] == [1, 203]


async def test_a_recording_tells_the_models_again(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "meter.json"
    assert await read("meter", "--config", str(bench.config), "--record", str(kept)) == 0
    told = lines(capsys)
    await bench.server.close()
    assert await read("--replay", str(kept)) == 0
    assert lines(capsys) == told
    assert await read("--replay", str(kept), "--table", "sunspec_704") == 2
    assert "model 701 is not there" in capsys.readouterr().err


async def test_a_device_without_its_models_is_told_with_those_that_it_has(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await read("--table", "sunspec_battery", *at(bench, "inverter")) == 2
    told = capsys.readouterr().err
    assert "model 802 is not there: no soc_pct, pack_voltage_v" in told
    assert "there are models 1, 701, 702, 703, 704, 713, 714" in told


async def test_a_device_that_speaks_no_sunspec_is_told(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    emergency = at(bench, "emergency_input")
    assert await read("--table", "sunspec_meter", *emergency) == 2
    assert "does not speak SunSpec: no SunS at any of 40000, 0, 50000" in capsys.readouterr().err


def test_a_recording_of_another_protocol_tells_of_no_models(tmp_path: Path) -> None:
    from holdfast.devices.profile import load_profile
    from holdfast.devices.sunspec.profile import SunSpecProfile
    from holdfast.runtime.device_reading import decode, load

    kept = tmp_path / "plain.json"
    kept.write_text('{"table": "generic_bms", "utc": "2026-01-01T00:00:00Z", "blocks": []}')
    table = load_profile("sunspec_meter")
    assert isinstance(table, SunSpecProfile)
    with pytest.raises(ConfigError, match="the recording tells of no models"):
        decode(table, load(kept))
