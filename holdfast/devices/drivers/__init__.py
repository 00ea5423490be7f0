"""Drivers: what knows the wire. They hold no rules; those are in the wrappers."""

from holdfast.core.data_store import DataStore
from holdfast.core.device_config import CanBus, Device, ModbusTcp
from holdfast.core.errors import ConfigError
from holdfast.core.ports import DeviceDriver
from holdfast.core.signals import SITE, SITE_PRODUCERS
from holdfast.devices.drivers.canbus import CanBmsDriver
from holdfast.devices.drivers.modbus import ModbusDriver, SyncModbusWriter
from holdfast.devices.profile import CanProfile, ModbusProfile, load_profile

__all__ = ["CanBmsDriver", "ModbusDriver", "SyncModbusWriter", "open_driver"]


def open_driver(owner: str, device: Device, store: DataStore) -> DeviceDriver:
    """The driver for ``device`` of ``owner`` (a storage unit, or the site).

    Nothing is opened before its ``run()``. Raises ConfigError if there is no such profile,
    or it does not go with the connection or with the owner.
    """
    profile = load_profile(device.profile)
    if (profile.role in SITE_PRODUCERS) != (owner == SITE):
        raise ConfigError(f"{owner}: profile {profile.name} is for a {profile.role}")
    match profile, device.connection:
        case ModbusProfile(), ModbusTcp() as connection:
            return ModbusDriver(owner, profile, connection, store)
        case CanProfile(), CanBus() as connection:
            return CanBmsDriver(owner, profile, connection, store)
        case _, connection:
            raise ConfigError(
                f"{owner}: profile {profile.name} speaks {profile.protocol}, "
                f"but the connection is {connection.kind}"
            )
