"""An inverter is given back to its own rule: nothing of Holdfast remains in it."""

import time
from collections.abc import Callable
from functools import partial

from holdfast.core.commands import Point
from holdfast.core.config import StorageUnit
from holdfast.core.config.device import Modbus
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused
from holdfast.core.role import Role
from holdfast.devices.drivers import SyncModbusWriter, open_sync
from holdfast.devices.profile import RegisterTable, load_profile, outline_of
from holdfast.devices.verb_step import Verb
from holdfast.devices.verbs import VerbWrite

TRIES = 5
"""A device that is busy for a moment is told again."""
SHOWN_WITHIN_S = 10.0
_AGAIN_S = 0.2


def releaser(unit: StorageUnit) -> Callable[[], None]:
    """Returns what tells the inverter of ``unit`` to keep its own rule, and waits until it shows
    that; it raises DeviceError if it does not.

    Raises ConfigError if its table does not say how it is told.
    """
    device = unit.inverter
    profile = load_profile(device.profile).of(Role.INVERTER).bound(unit.inverter_hardware)
    row = outline_of(profile).points.get(Point.SETPOINT_W)
    if not (isinstance(row, VerbWrite) and Verb.RELEASE in row.verbs):
        raise ConfigError(
            f"devices release: profile {profile.name} has no verb release: it tells of no rule "
            "that the inverter would keep by itself"
        )
    assert isinstance(profile, RegisterTable), "what is told in verbs has registers"
    assert isinstance(device.connection, Modbus), "and speaks Modbus"
    return partial(_release, open_sync(profile, device.connection))


def _release(writer: SyncModbusWriter) -> None:
    try:
        _tell(writer)
        _see(writer, time.monotonic() + SHOWN_WITHIN_S)
    finally:
        writer.close()


def _tell(writer: SyncModbusWriter) -> None:
    for _ in range(TRIES - 1):
        try:
            return _tell_once(writer)
        except DeviceError:
            time.sleep(_AGAIN_S)
    return _tell_once(writer)


def _tell_once(writer: SyncModbusWriter) -> None:
    if not writer.connected:
        writer.connect()
    writer.release()


def _see(writer: SyncModbusWriter, end_s: float) -> None:
    while not writer.is_released():
        if time.monotonic() >= end_s:
            raise DeviceRefused("it was told to keep its own rule, and does not show that")
        time.sleep(_AGAIN_S)
