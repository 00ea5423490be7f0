"""devices scan: who answers behind an address, what he says of himself, and which tables fit."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.pdu.device import ModbusControlBlock

from holdfast.cli.main import main
from holdfast.simulation.net import free_port
from holdfast.simulation.servers.modbus_desk import ModbusDevice
from holdfast.simulation.servers.modbus_server import ModbusEndpoint
from holdfast.simulation.servers.protocol_faults import FaultSet
from holdfast.site.device_lock import hold_devices
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.cli.test_check_devices import Bench

GENTLE = ("--pause", "0.001")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.server:
        yield bench


async def scan(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["devices", "scan", *arguments, *GENTLE])


class SunSpecBox:
    """Has the marker and a common model, refuses the rest, and counts what is written."""

    def __init__(self) -> None:
        text = [int.from_bytes(b"Fr", "big"), int.from_bytes(b"on", "big"), *[0] * 14]
        self.words = [0x5375, 0x6E53, 1, 66, *text, *[0] * 50]
        self.written = 0

    def read(
        self, function: int, address: int, count: int, device_id: int | None = None
    ) -> list[int] | ExcCodes:
        words = self.words[address - 40000 :][:count] if address >= 40000 else []
        return words if len(words) == count else ExcCodes.ILLEGAL_ADDRESS

    def write(self, function: int, address: int, values: Sequence[int], device_id: int) -> None:
        self.written += 1


async def test_who_answers_is_found_with_the_tables_that_fit_and_nothing_is_written(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    port = bench.content["storage"][0]["inverter"]["connection"]["port"]
    at = ("127.0.0.1", "--port", str(port), "--ids", "1-3")
    assert await scan(*at, "--json") == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert list(complaints(shape(OUTPUTS["devices scan"]), found)) == []
    assert found["complete"]
    inverter, relays = found["devices"]
    assert (inverter["id"], relays["id"]) == (1, 2)
    assert inverter["tables"][0] == {"table": "generic_inverter", "values": 7}
    assert "generic_relays" in [fit["table"] for fit in relays["tables"]]
    assert "id 3: nobody" in shown.err
    assert bench.written == []


async def test_what_a_device_says_of_itself_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = ModbusControlBlock().Identity  # type: ignore[no-untyped-call]
    monkeypatch.setattr(identity, "ProductCode", "Symo\x1b[2J")
    box = SunSpecBox()
    device = ModbusDevice(registers=cast("Any", box), faults=FaultSet("box", "modbus"))
    endpoint = ModbusEndpoint("127.0.0.1", free_port(), {7: device})
    await endpoint.refresh()
    try:
        at = ("127.0.0.1", "--port", str(endpoint.port), "--ids", "7")
        assert await scan(*at) == 0
    finally:
        await endpoint.close()
    told = capsys.readouterr().out
    assert "speaks SunSpec; code Symo[2J, manufacturer Fron\n" in told
    assert "no table that comes with Holdfast fits" in told
    assert box.written == 0


async def test_a_scan_ends_in_time_and_says_that_it_is_not_all(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    port = bench.content["meter"]["connection"]["port"]
    at = ("127.0.0.1", "--port", str(port), "--ids", "1-200", "--within", "0.3")
    assert await scan(*at) == 1
    assert "not everything was asked" in capsys.readouterr().out


async def test_a_device_that_somebody_steers_is_left_alone(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    port = bench.content["storage"][0]["inverter"]["connection"]["port"]
    with hold_devices(bench.site, "controller"):
        assert await scan("127.0.0.1", "--port", str(port)) == 2
    assert "has a controller on this computer already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        ([], "which address?", 2),
        (["127.0.0.1", "--ids", "1-"], "ids are named such as 1-10,247", 2),
        (["127.0.0.1", "--ids", "256"], "ids from 0 to 255", 2),
        (["http://127.0.0.1"], "write only the name", 2),
        (["127.0.0.1", "--within", "nan"], "--within nan", 2),
        (["127.0.0.1", "--port", "closed"], "connection refused", 1),
    ],
)
async def test_what_cannot_be_scanned_is_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str, code: int
) -> None:
    words = [str(free_port()) if word == "closed" else word for word in arguments]
    assert await scan(*words) == code
    assert told in capsys.readouterr().err
