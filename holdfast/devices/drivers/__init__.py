"""Drivers know the wire. They hold no rules; those are in the wrappers."""

from collections.abc import Mapping

from holdfast.core.config.device import CanBus, Device, ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.ports import DeviceDriver
from holdfast.core.role import Role
from holdfast.core.signals import SITE
from holdfast.devices.drivers.canbus import CanBmsDriver
from holdfast.devices.drivers.modbus import ModbusDriver, SyncModbusWriter
from holdfast.devices.profile import CanProfile, ModbusProfile, load_profile
from holdfast.devices.roles import ROLES, Per

__all__ = ["CanBmsDriver", "ModbusDriver", "SyncModbusWriter", "open_driver"]


def open_driver(
    name: str, owners: Mapping[Role, str], device: Device, store: DataStore
) -> DeviceDriver:
    """Returns the driver for ``device``, which serves ``owners`` (the site, a storage unit, or a
    load), by role.

    Nothing is opened before its ``run()``. Raises ConfigError if there is no such profile,
    or it does not go with the connection or with an owner.
    """
    profile = load_profile(device.profile)
    for role, owner in owners.items():
        if role not in profile.roles or (ROLES[role].per is Per.SITE) != (owner == SITE):
            roles = " and ".join(profile.roles)
            raise ConfigError(f"{owner}: profile {profile.name} is for a {roles}")
    match profile.of(*owners), device.connection:
        case ModbusProfile() as table, ModbusTcp() as connection:
            return ModbusDriver(name, owners, table, connection, store)
        case CanProfile() as table, CanBus() as connection:
            return CanBmsDriver(name, owners, table, connection, store)
        case _, connection:
            raise ConfigError(
                f"{name}: profile {profile.name} speaks {profile.protocol}, "
                f"but the connection is {connection.kind}"
            )
