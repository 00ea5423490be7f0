"""The CAN BMS on its pseudo-terminal decodes to the plant's values; its faults bite."""

import asyncio

import pytest

from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.pylontech import burst
from holdfast.testing.waiting import until
from tests.simulation.wire_bench import (
    Served,
    can_burst,
    channel_of,
    decode,
    talk,
)


async def test_frames_on_the_terminal_decode_to_the_plants_values(served: Served) -> None:
    frames = await asyncio.to_thread(can_burst, channel_of(served.site), 7)
    told = {signal: value for role, _, signal, value in served.plant.samples() if role is Role.BMS}
    assert decode(frames) == pytest.approx(told)
    adapter = served.server.can["battery"].adapter
    await asyncio.to_thread(until, lambda: not adapter.is_open, "the client's channel closed")
    assert adapter.received == {0x305: 1}
    assert adapter.last_data[0x305] == bytes(8)


async def test_frames_decode_under_load_with_alarms(site: Site) -> None:
    plant = SitePlant.from_site(site, soc_pct=97, ambient_c=-3, bms_protects=False)
    unit = plant.units["battery"]
    unit.contactor.closed = True
    unit.inverter.write_enable(on=True)
    unit.inverter.write_setpoint(4000)
    for _ in range(400):
        plant.step(1.0, 0.0)
    assert unit.bms.alarms
    told = {signal: value for role, _, signal, value in plant.samples() if role is Role.BMS}
    assert told[Signal.BMS_ALARM] == 1
    assert told[Signal.CHARGE_ALLOWED] == 0
    assert decode(dict(burst(unit))) == pytest.approx(told)


@pytest.mark.parametrize(
    ("flag", "byte", "bit"),
    [
        (BmsFlag.OVER_VOLTAGE, 0, 1),
        (BmsFlag.UNDER_VOLTAGE, 0, 2),
        (BmsFlag.OVER_TEMPERATURE, 0, 3),
        (BmsFlag.UNDER_TEMPERATURE, 0, 4),
        (BmsFlag.DISCHARGE_OVER_CURRENT, 0, 7),
        (BmsFlag.CHARGE_OVER_CURRENT, 1, 0),
        (BmsFlag.SYSTEM_ERROR, 1, 3),
    ],
)
def test_flags_are_the_bits_of_the_protocol_document(
    site: Site, flag: BmsFlag, byte: int, bit: int
) -> None:
    unit = SitePlant.from_site(site).units["battery"]
    unit.bms.protections = int(flag)
    frame = dict(burst(unit))[0x359]
    assert frame[byte] == 1 << bit
    assert sum(frame[:4]) == 1 << bit
    unit.bms.protections, unit.bms.alarms = 0, int(flag)
    assert dict(burst(unit))[0x359][:4] == bytes(byte + 2) + bytes([1 << bit]) + bytes(1 - byte)
    assert frame[4:] == b"\x01PN"


async def test_a_client_does_not_hear_what_a_dead_one_left_unread(served: Served) -> None:
    channel = channel_of(served.site)
    assert await talk(channel, b"O\r")
    await asyncio.sleep(0.15)
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SILENT)
    assert await talk(channel, b"C\rS6\rO\r") == b"\r\r\r"


async def test_can_faults(served: Served) -> None:
    channel = channel_of(served.site)
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SILENT)
    assert await asyncio.to_thread(can_burst, channel, 1, 0.2) == {}
    await served.server.clear_fault("battery", Role.BMS)
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SHORT)
    short = await asyncio.to_thread(can_burst, channel, 7)
    with pytest.raises(ValueError, match="bytes"):
        decode(short)
    await served.server.clear_fault("battery", Role.BMS)
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.FROZEN)
    served.plant.units["battery"].bms.soc_pct = 12.0
    frozen = decode(await asyncio.to_thread(can_burst, channel, 7))
    assert frozen[Signal.SOC_PCT] == 60
    await served.server.clear_fault("battery", Role.BMS)
    assert decode(await asyncio.to_thread(can_burst, channel, 7))[Signal.SOC_PCT] == 12


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"V\r", b"V1013\r"),
        (b"N\r", b"N0001\r"),
        (b"S6\r", b"\r"),
        (b"F\r", b"\a"),
        (b"t3050\r", b"\a"),
        (b"C\r", b"\r"),
        (b"?\r", b"\a"),
        (b"x" * 100, b""),
    ],
)
async def test_a_closed_adapter_answers_as_a_real_one(
    served: Served, line: bytes, answer: bytes
) -> None:
    assert await talk(channel_of(served.site), line) == answer


async def test_an_open_adapter_refuses_what_makes_no_sense(served: Served) -> None:
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SILENT)
    channel = channel_of(served.site)
    assert await talk(channel, b"S6\rO\r") == b"\r\r"
    assert await talk(channel, b"S6\rF\r") == b"\aF00\r"
    assert await talk(channel, b"t30520102\r") == b"z\r"
    assert await talk(channel, b"t3052010\rt305\rtzzz0\rt9990\rt3059\r") == b"\a\a\a\a\a"
    assert served.server.can["battery"].adapter.received == {0x305: 1}


async def test_frames_that_nobody_reads_are_dropped_whole(served: Served) -> None:
    adapter = served.server.can["battery"].adapter
    channel = channel_of(served.site)
    await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SILENT)
    await talk(channel, b"O\r")
    for _ in range(200):
        adapter.send([(0x351, bytes(8))] * 7)
    assert adapter.dropped > 0
    heard = await talk(channel, b"")
    lines = heard.split(b"\r")[:-1]
    assert set(lines) == {b"t3518" + b"0" * 16}
    await served.server.clear_fault("battery", Role.BMS)
    assert set(await asyncio.to_thread(can_burst, channel, 7)) >= {0x351, 0x373}
