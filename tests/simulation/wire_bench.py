"""Clients of the simulated site's wires: Modbus TCP, slcan, control socket."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import can
from pymodbus.client import AsyncModbusTcpClient

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.config.device import ModbusTcp
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.devices import devices

Written = tuple[Role, str, Point, float, int]
UNIT, RELAYS = 1, 2


def modbus_of(site: Site, role: Role) -> ModbusTcp:
    for (_, found), (_, device) in devices(site).items():
        if found is role and isinstance(device.connection, ModbusTcp):
            return device.connection
    raise AssertionError(role)


@contextlib.asynccontextmanager
async def client_of(
    site: Site, role: Role, timeout_s: float = 0.3
) -> AsyncIterator[AsyncModbusTcpClient]:
    async with client_at(modbus_of(site, role), timeout_s) as client:
        yield client


@contextlib.asynccontextmanager
async def client_at(
    connection: ModbusTcp, timeout_s: float = 0.3
) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(
        connection.host, port=connection.port, timeout=timeout_s, retries=0, reconnect_delay=0
    )
    await client.connect()
    try:
        yield client
    finally:
        client.close()


class Served:
    """A running server with everything that was written to it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.plant = SitePlant.from_site(site, soc_pct=60)
        self.written: list[Written] = []
        self.server = SiteServer(
            site,
            self.plant,
            on_write=lambda *event: self.written.append(event),
            burst_period_s=0.05,
        )

    async def fault(self, fault: ProtocolFault, value: float | None = None) -> None:
        await self.server.set_fault("battery", Role.INVERTER, fault, value)


async def read_all(client: AsyncModbusTcpClient, name: str, device_id: int) -> dict[Signal, float]:
    """Every signal of a profile, read block by block as a driver does."""
    profile = load_profile(name)
    assert isinstance(profile, ModbusProfile)
    image = {}
    for block in profile.blocks():
        read = {
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
        }[block.table]
        answer = await read(block.address, count=block.count, device_id=device_id)
        assert not answer.isError()
        words = answer.registers or [int(bit) for bit in answer.bits]
        image |= dict(zip(block.places, words, strict=False))
    return {one.signal: one.value for one in profile.told(image, dict.fromkeys(image, 0))}


async def read_enabled(client: AsyncModbusTcpClient) -> Any:
    return await client.read_holding_registers(4, count=1, device_id=UNIT)


def can_burst(channel: str, wanted: int, timeout_s: float = 60.0) -> dict[int, bytes]:
    """Frames by identifier from python-can's slcan bus; sends one keep-alive."""
    frames: dict[int, bytes] = {}
    bus = can.Bus(interface="slcan", channel=channel, bitrate=500_000, sleep_after_open=0)
    try:
        bus.send(can.Message(arbitration_id=0x305, data=bytes(8), is_extended_id=False))
        deadline = time.monotonic() + timeout_s
        while len(frames) < wanted and time.monotonic() < deadline:
            message = bus.recv(timeout=0.05)
            if message is not None:
                frames[message.arbitration_id] = bytes(message.data)
    finally:
        bus.shutdown()
    return frames


def channel_of(site: Site) -> str:
    connection = site.storage[0].bms.connection
    assert not isinstance(connection, ModbusTcp)
    return connection.channel


def link_of(site: Site) -> Path:
    return Path(channel_of(site))


def decode(frames: dict[int, bytes]) -> dict[Signal, float]:
    profile = load_profile("pylontech_lv_can")
    assert isinstance(profile, CanProfile)
    values: dict[Signal, float] = {}
    for frame in profile.frames:
        if frame.id in frames or not frame.optional:
            values |= frame.decode(frames[frame.id])
    return values


async def talk(channel: str, line: bytes) -> bytes:
    """Send raw bytes to the adapter; what it says until it is quiet for a moment."""
    port = os.open(channel, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(port, line)
        heard, quiet = b"", 0
        while quiet < 3:
            await asyncio.sleep(0.01)
            with contextlib.suppress(BlockingIOError):
                heard, quiet = heard + os.read(port, 4096), -1
            quiet += 1
        return heard
    finally:
        os.close(port)


async def ask(path: Path, request: object) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    text = request if isinstance(request, bytes) else json.dumps(request).encode()
    writer.write(text + b"\n")
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(reader.readline(), 60))
    writer.close()
    await writer.wait_closed()
    return answer
