"""Each protocol fault of a Modbus device does what it says, and ends."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest
from pymodbus.exceptions import ModbusException

from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.testing.sites import example_site
from holdfast.testing.waiting import Stopwatch
from tests.simulation.wire_bench import (
    RELAYS,
    UNIT,
    Served,
    client_of,
    modbus_of,
    read_enabled,
)


async def test_an_ignored_single_write_is_echoed(tmp_path: Path) -> None:
    site = example_site(tmp_path, bms_on_can=False)
    plant = SitePlant.from_site(site)
    async with SiteServer(site, plant) as server, client_of(site, Role.BMS) as client:
        await server.set_fault("battery", Role.BMS, ProtocolFault.IGNORE_SETPOINT)
        answer = await client.write_register(200, 150, device_id=1)
        assert answer.registers == [150]
        assert (await client.read_holding_registers(200, count=1, device_id=1)).registers == [0]
    assert plant.units["battery"].bms.charge_power_w == 0


async def test_exception_fault_answers_everything_with_its_code(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        await served.fault(ProtocolFault.EXCEPTION, 6)
        assert (await read_enabled(client)).exception_code == 6
        assert (await client.write_register(4, 1, device_id=UNIT)).exception_code == 6
        assert not served.plant.units["battery"].inverter.enabled
        await served.server.clear_fault("battery", Role.INVERTER)
        assert not (await read_enabled(client)).isError()


async def test_slow_fault_delays_the_answer_not_the_act(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER, timeout_s=0.1) as client:
        await served.fault(ProtocolFault.SLOW, 0.3)
        with pytest.raises(ModbusException):
            await client.write_register(4, 1, device_id=UNIT)
        assert served.plant.units["battery"].inverter.enabled
    async with client_of(served.site, Role.INVERTER, timeout_s=10) as client:
        start = time.monotonic()
        with Stopwatch() as watch:
            await read_enabled(client)
        assert time.monotonic() - start >= 0.3
        assert watch.passed_s < 0.9


async def test_reset_fault_cuts_the_connection_in_mid_answer(served: Served) -> None:
    await served.fault(ProtocolFault.RESET)
    connection = modbus_of(served.site, Role.INVERTER)
    reader, writer = await asyncio.open_connection(connection.host, connection.port)
    writer.write(bytes.fromhex("000100000006010300040001"))
    received = b""
    with contextlib.suppress(ConnectionResetError):
        received = await asyncio.wait_for(reader.read(), 60)
    assert len(received) < 11
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()
    await served.server.clear_fault("battery", Role.INVERTER, ProtocolFault.RESET)
    async with client_of(served.site, Role.INVERTER) as client:
        assert not (await read_enabled(client)).isError()


async def test_wrong_unit_id_fault_is_seen_on_the_wire(served: Served) -> None:
    await served.fault(ProtocolFault.WRONG_UNIT_ID)
    connection = modbus_of(served.site, Role.INVERTER)
    reader, writer = await asyncio.open_connection(connection.host, connection.port)
    writer.write(bytes.fromhex("000100000006010300040001"))
    answer = await asyncio.wait_for(reader.readexactly(11), 60)
    assert answer[6] != UNIT
    writer.close()
    await writer.wait_closed()


async def test_frozen_fault_keeps_the_values_and_still_takes_writes(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        await served.fault(ProtocolFault.FROZEN)
        answer = await client.write_register(4, 1, device_id=UNIT)
        assert answer.registers == [1], "acknowledged"
        assert served.plant.units["battery"].inverter.enabled
        assert (await read_enabled(client)).registers == [0]
        await served.server.clear_fault("battery", Role.INVERTER)
        assert (await read_enabled(client)).registers == [1]


async def test_ignored_setpoint_is_acknowledged_and_not_stored(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        await served.fault(ProtocolFault.IGNORE_SETPOINT)
        assert not (await client.write_registers(2, [0, 999], device_id=UNIT)).isError()
        assert (await client.read_holding_registers(3, count=1, device_id=UNIT)).registers == [0]
        await client.write_register(4, 1, device_id=UNIT)
        assert served.plant.units["battery"].inverter.enabled, "only the setpoint is ignored"
    assert served.written[0][2:4] == (Point.SETPOINT_W, 999), "the request was seen"


async def test_absent_device_is_silent_beside_others_and_refuses_alone(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER, timeout_s=0.1) as client:
        await served.fault(ProtocolFault.ABSENT)
        with pytest.raises(ModbusException):
            await read_enabled(client)
        assert not (await client.read_coils(0, count=1, device_id=RELAYS)).isError()
        await served.server.set_fault("battery", Role.RELAYS, ProtocolFault.ABSENT)
    connection = modbus_of(served.site, Role.INVERTER)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(connection.host, connection.port)
    await served.server.clear_fault("battery", Role.INVERTER)
    async with client_of(served.site, Role.INVERTER) as client:
        assert not (await read_enabled(client)).isError()


async def test_a_fault_of_the_other_protocol_is_refused(served: Served) -> None:
    with pytest.raises(ValueError, match="speaks modbus"):
        await served.fault(ProtocolFault.CAN_SILENT)
    with pytest.raises(ValueError, match="speaks can"):
        await served.server.set_fault("battery", Role.BMS, ProtocolFault.SLOW)
