"""The watchdog reaches each device on a connection of its own, and is told only what worked."""

import logging
from collections.abc import Callable

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.config.device import Device, GpioChip, Modbus, RtuLine
from holdfast.core.errors import DeviceError
from holdfast.core.signals import Signal
from holdfast.devices.drivers import SyncGpioWriter, SyncModbusWriter, SyncWires, open_sync
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.profile import Profile, RegisterTable, load_profile
from holdfast.devices.roles import devices_in
from holdfast.devices.taking_over import Remembers
from holdfast.runtime.reach import timeout_s

_log = logging.getLogger(__name__)

WRITE_TRIES = 3
TOLD_AT = 3
"""So many failures in succession are told of."""


_Writer = SyncModbusWriter | SyncGpioWriter


class Link:
    """Reaches one device, on a connection of its own. Never raises: it tells what worked."""

    def __init__(
        self,
        name: str,
        device: Device,
        unit: StorageUnit,
        wires: SyncWires | None = None,
        before: Remembers | None = None,
    ) -> None:
        roles = (role for role, other in devices_in(unit).items() if other == device)
        profile = load_profile(device.profile).of(*roles).bound(unit.inverter_hardware)
        self._name = name
        self._writer: _Writer | None = None
        self.points: frozenset[Point] = frozenset()
        self.signals: frozenset[Signal] = frozenset()
        self.timeout_s = 0.0
        self.waits_its_turn = _takes_one_client(profile, device)
        """The device has one client at a time, and that is the controller while it lives."""
        if isinstance(profile, RegisterTable) and isinstance(device.connection, Modbus):
            self.timeout_s = timeout_s(device.connection)
            connection = device.connection.model_copy(update={"timeout_s": self.timeout_s})
            self._writer = open_sync(profile, connection, wires, before)
        elif isinstance(profile, GpioProfile) and isinstance(device.connection, GpioChip):
            self._writer = SyncGpioWriter(profile, device.connection, "watchdog")
        if self._writer is not None:
            self.points = frozenset(profile.points)
            self.signals = profile.signals
        self._failures = 0

    def write(self, write: Write) -> bool:
        """Writes; True if the device acknowledged it. A refusal is tried again at once."""
        for _ in range(WRITE_TRIES):
            if self._try(lambda writer: writer.write(write.point, write.value)) is not _FAILED:
                return True
            if self._writer is None or not self._writer.connected:
                break
        return False

    def read(self, signal_: Signal) -> float | None:
        """Reads the present value; None if it cannot be read."""
        value = self._try(lambda writer: writer.read(signal_))
        return value if isinstance(value, float) else None

    def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()

    def _try(self, action: Callable[[_Writer], float | None]) -> object:
        if self._writer is None:
            return _FAILED
        try:
            if not self._writer.connected:
                self._writer.connect()
            result = action(self._writer)
        except DeviceError as error:
            self._failures += 1
            if self._failures == TOLD_AT:  # a device that is busy for a moment is not told of
                _log.error("%s: %s", self._name, error)
            return _FAILED
        self._failures = 0
        return result


_FAILED = object()


def _takes_one_client(profile: Profile, device: Device) -> bool:
    # Two on a serial line take each other's answers; a GPIO line is one process's.
    if isinstance(device.connection, RtuLine | GpioChip):
        return True
    return isinstance(profile, RegisterTable) and profile.single_client
