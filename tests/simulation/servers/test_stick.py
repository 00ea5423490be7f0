"""The simulated stick at its broker: what it takes, what it answers, and its faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiomqtt")

import aiomqtt
import yaml

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusMqtt
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.devices.drivers import ModbusDriver
from holdfast.runtime.controller import open_drivers
from holdfast.simulation.demo_site import with_table
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.site.check import check_site
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content
from holdfast.testing.waiting import until
from tests.simulation.wire_bench import Served

UNIT = "battery"


def served(folder: Path, table: str = "growatt_sph") -> Served:
    content = with_table(example_content(folder, bms_on_can=False), table, over_mqtt=True)
    site = parse_site(yaml.safe_dump(content), folder=folder)
    check_site(site)
    return Served(site)


class Asking:
    """Somebody who asks the stick by hand."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def ask(self, command: str, payload: str) -> dict[str, Any]:
        await self._client.publish(f"energy/solar/command/{command}", payload, qos=1)
        message = await asyncio.wait_for(anext(self._client.messages), 60)
        assert message.topic.value == "energy/solar/result"
        found: dict[str, Any] = json.loads(bytes(message.payload))
        assert found["command"] == command
        return found

    async def get(self, address: int, size: str = "16b", kind: str = "H") -> dict[str, Any]:
        asked = {"id": address, "type": size, "registerType": kind}
        return await self.ask("modbus/get", json.dumps(asked))


@asynccontextmanager
async def asking(one: Served) -> AsyncIterator[Asking]:
    connection = one.site.devices["box"].connection
    assert isinstance(connection, ModbusMqtt)
    async with aiomqtt.Client(
        connection.host, connection.port, protocol=aiomqtt.ProtocolVersion.V311
    ) as client:
        await client.subscribe("energy/solar/result")
        yield Asking(client)


async def test_it_reads_registers_and_writes_them(tmp_path: Path) -> None:
    one = served(tmp_path)
    async with one.server, asking(one) as stick:
        assert (await stick.get(1014, kind="I"))["value"] == 60
        assert (await stick.get(1090))["value"] == 100
        asked = {"id": 1090, "type": "16b", "registerType": "H", "value": 40}
        answer = await stick.ask("modbus/set", json.dumps(asked | {"correlationId": "me"}))
        assert (answer["success"], answer["correlationId"]) == (True, "me")
        assert (await stick.get(1090, "32b"))["value"] == 40 << 16 | 100
        echo = await stick.ask("echo", '{"text": "hello"}')
        assert echo["text"] == "Echo: hello"


async def test_a_slot_comes_whole_and_one_register_of_it_alone_is_forgotten(tmp_path: Path) -> None:
    one = served(tmp_path)
    async with one.server, asking(one) as stick:
        slot = {"start": "00:00", "stop": "23:59", "enabled": True, "slot": 1}
        assert (await stick.ask("batteryfirst/set/timeslot", json.dumps(slot)))["success"]
        assert [(await stick.get(address))["value"] for address in (1100, 1101, 1102)] == [
            0, 5947, 1,
        ]  # fmt: skip
        await stick.ask(
            "modbus/set", '{"id": 1102, "type": "16b", "registerType": "H", "value": 0}'
        )
        assert (await stick.get(1102))["value"] == 1
        for wrong in ({"slot": 4}, {"start": "0:00"}):
            answer = await stick.ask("batteryfirst/set/timeslot", json.dumps(slot | wrong))
            assert not answer["success"]


@pytest.mark.parametrize(
    ("command", "payload", "message"),
    [
        ("modbus/get", "{", "Failed to parse JSON request: InvalidInput"),
        ("modbus/get", "{}", "'type' field is required"),
        ("modbus/get", '{"id": 1, "type": "64b", "registerType": "H"}', "'type' must be '16b'"),
        (
            "modbus/set",
            '{"id": 9, "type": "16b", "registerType": "H", "value": 1}',
            "failed to write holding register",
        ),
        ("powerrate", "{}", "Unknown command: powerrate"),
    ],
)
async def test_what_it_does_not_do_it_says(
    tmp_path: Path, command: str, payload: str, message: str
) -> None:
    one = served(tmp_path, "growatt_vpp")
    async with one.server, asking(one) as stick:
        answer = await stick.ask(command, payload)
        assert not answer["success"]
        assert message in answer["message"]


async def test_its_faults_bite(tmp_path: Path) -> None:
    one = served(tmp_path)
    async with one.server, asking(one) as stick:
        await one.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.EXCEPTION)
        assert not (await stick.get(1090))["success"]
        await one.server.clear_fault(UNIT, Role.INVERTER)
        await one.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.SLOW, 0.01)
        assert (await stick.get(1090))["success"]
        await one.server.clear_fault(UNIT, Role.INVERTER)
        with pytest.raises(ValueError, match="speaks modbus_mqtt"):
            await one.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.RESET)
        await one.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.ABSENT)
        with pytest.raises(aiomqtt.MqttError):
            async with asking(one):
                pass
        await one.server.clear_fault(UNIT, Role.INVERTER)
        async with asking(one) as again:
            assert (await again.get(1090))["success"]


@pytest.mark.parametrize("table", ["growatt_sph", "growatt_mod", "growatt_vpp"])
async def test_a_growatt_behind_it_is_read_and_told_what_to_do(tmp_path: Path, table: str) -> None:
    one = served(tmp_path, table)
    async with one.server:
        store = DataStore(one.site.unit_names)
        driver = open_drivers(one.site, store)[UNIT, Role.INVERTER]
        assert isinstance(driver, ModbusDriver)
        running = asyncio.create_task(driver.run())

        def shown() -> object:
            sample = store.image()[UNIT].get(Signal.SETPOINT_READBACK_W)
            return sample.value if isinstance(sample, Good) else None

        await asyncio.to_thread(until, lambda: driver.counters.reads, "a poll")
        for power_w in (2000.0, -1500.0, 0.0):
            write = Write(unit=UNIT, role=Role.INVERTER, point=Point.SETPOINT_W, value=power_w)
            await driver.write(write)
            await asyncio.to_thread(until, lambda: shown() == power_w, "what it was told")  # noqa: B023
        assert driver.counters.errors == 0
        await driver.close()
        await asyncio.wait_for(running, 60)


@pytest.mark.parametrize("table", ["growatt_sph", "growatt_mod"])
async def test_its_meter_is_heard_at_the_same_broker(tmp_path: Path, table: str) -> None:
    content = with_table(example_content(tmp_path, bms_on_can=False), table, over_mqtt=True)
    stick = content["devices"]["box"]["connection"]
    connection = {"kind": "mqtt", **{key: stick[key] for key in ("host", "port")}}
    meter = {"profile": f"{table}_mqtt", "connection": connection | {"topic": "energy/solar"}}
    content |= {"meter": meter, "pv_meter": meter}
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    check_site(site)
    one = Served(site)
    one.plant.household.load_override_w, one.plant.household.pv_override_w = 7000.0, 300.0
    async with one.server:
        store = DataStore(site.unit_names)
        driver = open_drivers(site, store)[SITE, Role.METER]
        running = asyncio.create_task(driver.run())

        def heard() -> dict[Signal, float]:
            samples = store.image()[SITE].items()
            return {signal: one.value for signal, one in samples if isinstance(one, Good)}

        covered_w = 5000.0
        await asyncio.to_thread(
            until, lambda: heard().get(Signal.GRID_POWER_W, 0.0) > 1000.0, "what the grid gives"
        )
        assert heard() == pytest.approx(
            {
                Signal.GRID_POWER_W: 7000.0 - 300.0 - covered_w,
                Signal.PV_POWER_W: 300.0,
                Signal.GRID_VOLTAGE_V: 230.0,
                Signal.GRID_FREQUENCY_HZ: 50.0,
            }
        )
        await driver.close()
        await asyncio.wait_for(running, 60)


def test_two_sticks_are_not_on_one_port(tmp_path: Path) -> None:
    content = with_table(example_content(tmp_path, bms_on_can=False), "growatt_sph", over_mqtt=True)
    meter = content["devices"]["box"]["connection"] | {"topic": "other"}
    content["meter"] = {"profile": "generic_meter", "connection": meter}
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    with pytest.raises(ConfigError, match="two devices are on"):
        Served(site)
