"""This module says whether a site can be run as its site.yaml describes it."""

from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import (
    CanBus,
    Connection,
    Device,
    GpioChip,
    ModbusMqtt,
    ModbusRtu,
)
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Profile, load_profile
from holdfast.devices.roles import NEEDS, ROLES
from holdfast.devices.sunspec.model_files import check_names
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.safety.limits import build_limits
from holdfast.site.assurance import check_authority
from holdfast.site.devices import address_of, devices, physical_devices
from holdfast.site.release import check_release

_PROTOCOLS = {
    "modbus_tcp": ("modbus", "sunspec"),
    "modbus_rtu": ("modbus", "sunspec"),
    "modbus_rtu_tcp": ("modbus", "sunspec"),
    "modbus_mqtt": ("modbus",),
    "can": ("can",),
    "http": ("http",),
    "mqtt": ("mqtt",),
    "gpio": ("gpio",),
}
"""Maps each kind of connection to what may be spoken over it."""


def check_site(site: Site) -> None:
    """Checks what site.yaml alone cannot tell, from profiles to guards. Raises ConfigError."""
    rooms = {room.name for room in site.rooms}
    places: dict[tuple[str, str, Role], str] = {}
    for (owner, role), (path, device) in devices(site).items():
        try:
            _check_device(role, device)
            if role is Role.LOAD_SWITCH:
                _check_switch(load_profile(device.profile), of_room=owner in rooms)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        address = address_of(device.connection)
        before = places.setdefault((address, device.profile, role), path)
        if before != path:
            raise ConfigError(
                f"{path}: the same device as {before}: profile {device.profile} at {address}"
            )
    _check_lines(site)
    _check_chips(site)
    for index, unit in enumerate(site.storage):
        try:
            _check_unit(
                unit, load_profile(unit.inverter.profile), writes=site.authority != "observe"
            )
        except ConfigError as error:
            raise ConfigError(f"storage[{index}].inverter: {error}") from error
    build_limits(site)
    check_authority(site)
    check_release(site)


def _check_device(role: Role, device: Device) -> None:
    profile = load_profile(device.profile)
    if role is Role.PV_METER and role not in profile.roles:
        raise ConfigError(
            f"profile {profile.name} measures no PV; name what does as pv_meter, or write "
            "pv_meter: {none: why there is no PV}"
        )
    if role not in profile.roles:
        raise ConfigError(
            f"profile {profile.name} is a {' and '.join(profile.roles)}, not a {role}"
        )
    _check_wire(profile, device)
    missing = ROLES[role].tells - profile.signals - profile.lacks.keys()
    if missing:
        raise ConfigError(f"profile {profile.name} does not provide {', '.join(sorted(missing))}")
    for point, need in NEEDS.items():
        lacking = need.offers - profile.signals - profile.points.keys()
        if lacking and point in profile.points:
            raise ConfigError(
                f"profile {profile.name} takes {point} without {', '.join(sorted(lacking))}: "
                f"{need.why}"
            )


def _check_place(profile: Profile, connection: Connection) -> None:
    """Raises ValueError where a device of this table cannot be."""
    match profile, connection:
        case CanProfile(), CanBus(address=address):
            profile.at(address)
        case GpioProfile(), GpioChip(lines=lines):
            profile.at(lines)
        case ModbusProfile(), ModbusMqtt() as stick:
            profile.in_pieces(stick.AT_ONCE)


def _check_chips(site: Site) -> None:
    """Checks that no line of a GPIO chip is named twice."""
    taken: dict[tuple[str, int | str | None], str] = {}
    for one in physical_devices(site):
        match load_profile(one.device.profile), one.device.connection:
            case GpioProfile() as profile, GpioChip(chip=chip, lines=lines):
                placed = profile.at(lines)
                for row in (*placed.reads, *placed.writes):
                    before = taken.setdefault((chip, row.line), one.path)
                    if before != one.path:
                        raise ConfigError(
                            f"{one.path}: line {row.line} of {chip} is taken by {before}"
                        )


def _check_wire(profile: Profile, device: Device) -> None:
    """Checks that the table goes with the connection."""
    if profile.protocol not in _PROTOCOLS[device.connection.kind]:
        raise ConfigError(
            f"profile {profile.name} speaks {profile.protocol}, but the connection is "
            f"{device.connection.kind}"
        )
    if isinstance(profile, SunSpecProfile):
        check_names(profile)
    try:
        _check_place(profile, device.connection)
    except ValueError as error:
        raise ConfigError(f"profile {profile.name}: {error}") from error


def _check_lines(site: Site) -> None:
    """Checks that the devices of a serial line agree how it is set up."""
    lines: dict[str, tuple[str, ModbusRtu]] = {}
    for path, device in devices(site).values():
        one = device.connection
        if not isinstance(one, ModbusRtu):
            continue
        before, other = lines.setdefault(one.port, (path, one))
        for key in ("baudrate", "parity", "stop_bits"):
            if getattr(one, key) != getattr(other, key):
                raise ConfigError(
                    f"{path}: {key} {getattr(one, key)} on {one.port}, where {before} has "
                    f"{getattr(other, key)}; a line has one"
                )


def _check_unit(unit: StorageUnit, inverter: Profile, *, writes: bool) -> None:
    """Checks that the inverter fits the unit that it is in."""
    if unit.has_contactor and Signal.INVERTER_ENABLED in inverter.lacks:
        raise ConfigError(
            f"profile {inverter.name} cannot tell that its power stage is off, and no contactor "
            "may close on it; write relays: {none: why} if it has one of its own"
        )
    if writes and Point.SETPOINT_W not in inverter.points:
        raise ConfigError(
            f"profile {inverter.name} takes no setpoint; a site with it has authority: observe"
        )


def _check_switch(profile: Profile, *, of_room: bool) -> None:
    """Checks that a load or room can be switched, and a room's temperature is told."""
    if of_room and Signal.ROOM_TEMPERATURE_C not in profile.signals:
        raise ConfigError(f"profile {profile.name} does not tell room_temperature_c")
    wanted = (Point.LOAD_ON, Point.ROOM_SETPOINT_C) if of_room else (Point.LOAD_ON,)
    if not any(point in profile.points for point in wanted):
        raise ConfigError(
            f"profile {profile.name} has nothing to switch with: no {' or '.join(wanted)}"
        )
