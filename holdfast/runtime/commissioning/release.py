"""An inverter is given back to its own rule, and to what it held before: nothing of Holdfast is
left in it."""

import time
from collections.abc import Callable
from functools import partial

from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Modbus
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused, HoldfastError
from holdfast.core.role import Role
from holdfast.devices.drivers import SyncModbusWriter, open_sync
from holdfast.devices.profile import RegisterTable, load_profile, outline_of
from holdfast.devices.taking_over import TakenOver
from holdfast.devices.verb_step import Verb
from holdfast.devices.verbs import VerbWrite
from holdfast.runtime.commissioning.preconditions import holding
from holdfast.site.taken_over_file import TakenOverFile

TRIES = 5
"""A device that is busy for a moment is told again."""
SHOWN_WITHIN_S = 10.0
_AGAIN_S = 0.2


def releaser(site: Site, unit: StorageUnit) -> Callable[[], None]:
    """Returns what tells the inverter of ``unit`` to keep its own rule, puts back what it held
    before, and waits until it shows that; it raises DeviceError if it does not.

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
    writer = open_sync(profile, device.connection)
    return partial(_release, writer, TakenOverFile.of(site, unit))


def give_back(site: Site, tell: Callable[[str], None]) -> None:
    """Gives back every inverter that was written to and can be, once the site has come to rest;
    where something is latched they stay at 0 W."""
    for unit in site.storage:
        if site.authority == "observe" or TakenOverFile.of(site, unit).is_needed:
            continue
        try:
            release = releaser(site, unit)
            with holding(site, f"{unit.name} is not given back"):
                release()
        except HoldfastError as error:
            tell(str(error))
        else:
            tell(f"{unit.name}: {unit.inverter.profile} keeps its own rule")


def _release(writer: SyncModbusWriter, file: TakenOverFile) -> None:
    before = file.read()
    try:
        _tell(writer, before)
        _see(writer, before, time.monotonic() + SHOWN_WITHIN_S)
    finally:
        writer.close()
    file.forget()


def _tell(writer: SyncModbusWriter, before: TakenOver | None) -> None:
    for _ in range(TRIES - 1):
        try:
            return _tell_once(writer, before)
        except DeviceError:
            time.sleep(_AGAIN_S)
    return _tell_once(writer, before)


def _tell_once(writer: SyncModbusWriter, before: TakenOver | None) -> None:
    if not writer.connected:
        writer.connect()
    writer.release(before)


def _see(writer: SyncModbusWriter, before: TakenOver | None, end_s: float) -> None:
    while not writer.is_released(before):
        if time.monotonic() >= end_s:
            raise DeviceRefused(_what_differs(writer.differing(before)))
        time.sleep(_AGAIN_S)


def _what_differs(addresses: tuple[int, ...]) -> str:
    if not addresses:
        return "it was told to keep its own rule, and does not show that"
    return f"it does not show what it held before at {', '.join(map(str, addresses))}"
