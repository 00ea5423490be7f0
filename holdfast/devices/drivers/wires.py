"""The wires of one process: devices on one line share it, any other has connections of its own."""

from collections.abc import Callable
from typing import assert_never

from holdfast.core.config.device import (
    Modbus,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    RtuLine,
)
from holdfast.devices.drivers.line_place import line_name, place_of
from holdfast.devices.drivers.link import DeviceLink, Manners
from holdfast.devices.drivers.modbus_link import ModbusLink
from holdfast.devices.drivers.rtu_bus import RtuBus, Seat
from holdfast.devices.drivers.station import Station
from holdfast.devices.drivers.stick import StickLink, stick_name
from holdfast.devices.drivers.turns import Urgency
from holdfast.devices.modbus_profile import ModbusProfile


def where(connection: Modbus) -> str:
    """Tells the address of a device, in words."""
    if isinstance(connection, ModbusMqtt):
        return stick_name(connection)
    if isinstance(connection, ModbusTcp):
        at = f"{connection.host}:{connection.port}"
    else:
        at = line_name(connection)
    return f"{at}, device {connection.device_id}"


class Wires:
    """Hands out links. Drivers that are given the same one share their lines."""

    def __init__(self) -> None:
        self._buses: dict[str, RtuBus] = {}

    def links(
        self, connection: Modbus, profile: ModbusProfile, on_stray: Callable[[str], None]
    ) -> tuple[DeviceLink, DeviceLink]:
        """Returns a device's link for commands, and the one for readings; they may be one.

        ``on_stray`` is told of each answer on a shared line that was not accepted.
        """
        manners = Manners(pause_s=profile.pause_s, connect_pause_s=profile.connect_pause_s)
        match connection:
            case ModbusTcp():
                commands = ModbusLink(connection, manners)
                if profile.single_client:
                    return commands, commands
                # After an outage no reading may show for long what could not be written yet.
                retry = commands.retry_now
                return commands, ModbusLink(connection, manners, on_first_answer=retry)
            case ModbusRtu() | ModbusRtuTcp():
                bus = self._bus_of(connection)
                station = Station(connection.timeout_s, manners, on_stray)
                return Seat(bus, station, Urgency.COMMAND), Seat(bus, station, Urgency.POLL)
            case ModbusMqtt():
                link = StickLink(connection)
                return link, link
            case _:
                assert_never(connection)

    def _bus_of(self, connection: RtuLine) -> RtuBus:
        place = place_of(connection)
        if place not in self._buses:
            self._buses[place] = RtuBus(connection)
        return self._buses[place]
