"""Devices that are behind one address share what serves them there."""

from collections.abc import Iterable, Iterator
from typing import Protocol, assert_never

from pymodbus.framer import FramerType

from holdfast.core.config.device import (
    Connection,
    HttpHost,
    Modbus,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
    RtuLine,
)
from holdfast.core.errors import ConfigError
from holdfast.simulation.servers.http_server import HttpEndpoint
from holdfast.simulation.servers.json_device import JsonDevice
from holdfast.simulation.servers.modbus_desk import Devices, ModbusDevice
from holdfast.simulation.servers.modbus_server import ModbusEndpoint
from holdfast.simulation.servers.mqtt_client import MqttClient
from holdfast.simulation.servers.serial_line import SerialLine
from holdfast.simulation.servers.stick import StickServer, Tell


class Endpoint(Protocol):
    """Serves what is at one address."""

    async def refresh(self) -> None:
        """Begins to, or stops while nobody is there. Raises OSError, ConfigError if it cannot."""

    async def close(self) -> None:
        """Ends every connection."""


class Endpoints:
    """Holds what serves the devices of a site."""

    def __init__(self) -> None:
        self._all: list[Endpoint] = []
        self._modbus: dict[str, dict[int, ModbusDevice]] = {}
        self._http: dict[str, dict[str, JsonDevice]] = {}
        self._sticks: dict[str, StickServer] = {}

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all)

    def add_modbus(self, connection: ModbusTcp | RtuLine, device: ModbusDevice) -> None:
        """Adds a device. Raises ConfigError where its id is taken."""
        place = _place_of(connection)
        if place not in self._modbus:
            self._modbus[place] = {}
            self._all.append(_modbus_at(connection, self._modbus[place]))
        device_id = connection.device_id if device.inner_id is None else device.inner_id
        if device_id in self._modbus[place]:
            raise ConfigError(f"two devices are device id {device_id} on {place}")
        self._modbus[place][device_id] = device

    def add_stick(self, connection: ModbusMqtt, device: ModbusDevice, tell: Tell | None) -> None:
        """Adds a stick, which has a broker of its own. Raises ConfigError where there is one."""
        place = _place_of(connection)
        if place in self._sticks:
            raise ConfigError(f"two devices are on {place}")
        stick = StickServer(connection.host, connection.port, connection.topic, device, tell)
        self._sticks[place] = stick
        self._all.append(stick)

    @property
    def sticks(self) -> Iterable[StickServer]:
        """Returns those that send what they read by themselves."""
        return self._sticks.values()

    def has_stick(self, connection: Connection) -> bool:
        """Says whether a stick sends there what a meter is to tell."""
        if not isinstance(connection, MqttBroker):
            return False
        stick = self._sticks.get(_place_of(connection))
        return stick is not None and stick.topic == connection.topic

    def add_http(self, connection: HttpHost, device: JsonDevice) -> None:
        """Adds a device, below its prefix."""
        place = _place_of(connection)
        if place not in self._http:
            self._http[place] = {}
            self._all.append(HttpEndpoint(connection.host, connection.port, self._http[place]))
        self._http[place][connection.prefix] = device

    def add_mqtt(self, connection: MqttBroker, device: JsonDevice) -> None:
        """Adds a device, which goes to a broker of somebody else's."""
        self._all.append(MqttClient(connection, device))


def _place_of(connection: Modbus | HttpHost | MqttBroker) -> str:
    if isinstance(connection, ModbusRtu):
        return connection.port
    return f"{connection.host}:{connection.port}"


def _modbus_at(connection: ModbusTcp | RtuLine, devices: Devices) -> Endpoint:
    match connection:
        case ModbusTcp(host=host, port=port):
            return ModbusEndpoint(host, port, devices)
        case ModbusRtuTcp(host=host, port=port):
            return ModbusEndpoint(host, port, devices, FramerType.RTU)
        case ModbusRtu():
            return SerialLine(connection, devices)
        case _:
            assert_never(connection)
