"""Drivers know the wire. They hold no rules; those are in the wrappers."""

from collections.abc import Mapping

from can.interfaces import VALID_INTERFACES

from holdfast.core.config.device import (
    CanBus,
    Connection,
    GpioChip,
    HttpHost,
    Modbus,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
)
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.ports import DeviceDriver
from holdfast.core.role import Role
from holdfast.core.signals import SITE
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.drivers.canbus import CanBmsDriver
from holdfast.devices.drivers.gpio import GpioDriver
from holdfast.devices.drivers.gpio_sync import SyncGpioWriter
from holdfast.devices.drivers.http import HttpDriver
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.drivers.mqtt import MqttDriver
from holdfast.devices.drivers.sunspec import SunSpecDriver, SyncSunSpecWriter
from holdfast.devices.drivers.sync_wires import SyncWires
from holdfast.devices.drivers.wires import Wires
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import Profile
from holdfast.devices.roles import ROLES, Per
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.devices.taking_over import Remembers

__all__ = [
    "CanBmsDriver",
    "GpioDriver",
    "HttpDriver",
    "ModbusDriver",
    "MqttDriver",
    "SunSpecDriver",
    "SyncGpioWriter",
    "SyncModbusWriter",
    "SyncSunSpecWriter",
    "SyncWires",
    "Wires",
    "open_driver",
    "open_sync",
]


def open_sync(
    profile: ModbusProfile | SunSpecProfile,
    connection: Modbus,
    wires: SyncWires | None = None,
    before: Remembers | None = None,
) -> SyncModbusWriter:
    """Returns what reads and writes this device on one connection, blocking; ``before`` keeps what
    it held before the first write.

    Those that are given the same ``wires`` share the lines that have several devices on them.
    Nothing is opened before its ``connect()``. Raises ConfigError as :func:`open_driver`.
    """
    if isinstance(profile, SunSpecProfile):
        return SyncSunSpecWriter(profile, connection, wires, before)
    return SyncModbusWriter(_over(connection, profile), connection, wires, before)


def open_driver(
    name: str,
    owners: Mapping[Role, str],
    profile: Profile,
    connection: Connection,
    store: DataStore,
    wires: Wires | None = None,
    before: Remembers | None = None,
) -> DeviceDriver:
    """Returns the driver for a device, which serves ``owners`` (the site, a storage unit, or a
    load), by role.

    Drivers that are given the same ``wires`` share the lines that have several devices on them;
    ``before`` keeps what an inverter held before the first write. Nothing is opened before its
    ``run()``. Raises ConfigError if the profile does not go with the
    connection or with an owner.
    """
    for role, owner in owners.items():
        if role not in profile.roles or (ROLES[role].per is Per.SITE) != (owner == SITE):
            roles = " and ".join(profile.roles)
            raise ConfigError(f"{owner}: profile {profile.name} is for a {roles}")
    match profile, connection:
        case ModbusProfile(), ModbusTcp() | ModbusRtu() | ModbusRtuTcp() | ModbusMqtt():
            table = _over(connection, profile)
            return ModbusDriver(name, owners, table, connection, store, wires, before)
        case SunSpecProfile(), ModbusTcp() | ModbusRtu() | ModbusRtuTcp():
            return SunSpecDriver(name, owners, profile, connection, store, wires, before)
        case CanProfile(), CanBus():
            _check_interface(name, connection)
            return CanBmsDriver(name, owners, profile, connection, store)
        case HttpProfile(), HttpHost():
            return HttpDriver(name, owners, profile, connection, store)
        case MqttProfile(), MqttBroker():
            return MqttDriver(name, owners, profile, connection, store)
        case GpioProfile(), GpioChip():
            return GpioDriver(name, owners, profile, connection, store)
        case _:
            raise ConfigError(
                f"{name}: profile {profile.name} speaks {profile.protocol}, "
                f"but the connection is {connection.kind}"
            )


def _over(connection: Modbus, profile: ModbusProfile) -> ModbusProfile:
    """Returns the table as it is read over ``connection``."""
    if not isinstance(connection, ModbusMqtt):
        return profile
    try:
        return profile.in_pieces(connection.AT_ONCE)
    except ValueError as error:
        raise ConfigError(f"profile {profile.name}: {error}") from error


def _check_interface(name: str, connection: CanBus) -> None:
    """Raises ConfigError for an interface that python-can, as it is installed, does not know."""
    if connection.interface not in VALID_INTERFACES:
        raise ConfigError(
            f"{name}: python-can knows no interface {connection.interface!r}; "
            f"known are {', '.join(sorted(VALID_INTERFACES))}"
        )
