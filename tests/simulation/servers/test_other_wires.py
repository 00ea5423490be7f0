"""HTTP servers and serial lines of the simulated site, met by clients that others have written."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from holdfast.core.config.device import HttpHost, ModbusRtu, ModbusRtuTcp
from holdfast.core.role import Role
from holdfast.core.signals import SITE
from holdfast.simulation.net import free_port
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[SiteServer]:
    """A meter on HTTP, an inverter on a serial line, its relay behind a transparent gateway."""
    content = example_content(tmp_path, bms_on_can=False)
    unit = content["storage"][0]
    here = {"host": "127.0.0.1"}
    content["pv_meter"] = {"none": "a test"}
    content["meter"] = {
        "profile": "shelly_pro_3em",
        "connection": {"kind": "http", "port": free_port(), "prefix": "/em", **here},
    }
    unit["inverter"]["connection"] = {
        "kind": "modbus_rtu", "port": str(tmp_path / "line"), "device_id": 3,
    }  # fmt: skip
    unit["relays"]["connection"] = {
        "kind": "modbus_rtu_tcp", "port": free_port(), "device_id": 4, **here,
    }  # fmt: skip
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    async with SiteServer(site, SitePlant.from_site(site)) as server:
        yield server


def url_of(server: SiteServer) -> str:
    connection = server.site.meter.connection
    assert isinstance(connection, HttpHost)
    return f"http://127.0.0.1:{connection.port}/em/rpc/EM.GetStatus?id=0"


def is_plugged_in(connection: ModbusRtu) -> bool:
    return Path(connection.port).is_symlink()


async def test_a_document_stands_at_its_path_and_nothing_anywhere_else(served: SiteServer) -> None:
    served.plant.household.load_override_w = 700.0
    served.plant.household.pv_override_w = 0.0
    served.plant.step(0.01, 0.0)
    async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
        told = (await client.get(url_of(served))).json()
        assert told["total_act_power"] == pytest.approx(700.0)
        assert (await client.get(url_of(served) + "1")).status_code == 404
        assert (await client.post(url_of(served))).status_code == 404


async def test_a_server_fails_as_it_is_told(served: SiteServer) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
        await served.set_fault(SITE, Role.METER, ProtocolFault.EXCEPTION)
        assert (await client.get(url_of(served))).status_code == 503
        for fault, error in (
            (ProtocolFault.RESET, httpx.RemoteProtocolError),
            (ProtocolFault.ABSENT, httpx.ConnectError),
        ):
            await served.clear_fault(SITE, Role.METER)
            await served.set_fault(SITE, Role.METER, fault)
            with pytest.raises(error):
                await client.get(url_of(served))
        await served.clear_fault(SITE, Role.METER)
        assert (await client.get(url_of(served))).status_code == 200


async def test_a_line_answers_for_who_is_on_it_and_is_silent_for_who_is_not(
    served: SiteServer,
) -> None:
    connection = served.site.storage[0].inverter.connection
    assert isinstance(connection, ModbusRtu)
    client = AsyncModbusSerialClient(connection.port, baudrate=9600, timeout=2.0, retries=0)
    assert await client.connect()
    try:
        assert not (await client.write_registers(2, [0xFFFF, 0xFB2E], device_id=3)).isError()
        assert served.plant.units["battery"].inverter.setpoint_w == -1234
        read = await client.read_holding_registers(2, count=2, device_id=3)
        assert read.registers == [0xFFFF, 0xFB2E]
        assert (await client.read_holding_registers(50, count=1, device_id=3)).exception_code == 2
        with pytest.raises(ModbusException):
            await client.read_holding_registers(2, count=2, device_id=9)
    finally:
        client.close()
    await served.set_fault("battery", Role.INVERTER, ProtocolFault.ABSENT)
    assert not is_plugged_in(connection)
    await served.clear_fault("battery", Role.INVERTER)
    assert is_plugged_in(connection)


async def test_a_transparent_gateway_hands_the_lines_frames_on(served: SiteServer) -> None:
    connection = served.site.storage[0].relays.connection
    assert isinstance(connection, ModbusRtuTcp)
    client = AsyncModbusTcpClient(
        "127.0.0.1", port=connection.port, framer=FramerType.RTU, timeout=2.0, retries=0
    )
    assert await client.connect()
    try:
        assert not (await client.write_coil(0, True, device_id=4)).isError()
        assert served.plant.units["battery"].contactor.commanded
        with pytest.raises(ModbusException):
            await client.read_coils(0, count=1, device_id=9)
    finally:
        client.close()
