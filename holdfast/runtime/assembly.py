"""Assembly: from a site.yaml to the parts that run it."""

from collections.abc import Collection, Mapping

from holdfast.control.cycle import Cycle
from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.device_config import Device
from holdfast.core.errors import ConfigError
from holdfast.core.ports import DeviceDriver
from holdfast.core.signals import SITE, Producer, Signal
from holdfast.devices.drivers import open_driver
from holdfast.devices.profile import Profile, load_profile
from holdfast.devices.write_budget import Budgets
from holdfast.safety.limits import build_limits

DeviceKey = tuple[str, Producer]
"""Owner and role."""

_NEEDED = {
    Producer.BMS: {
        Signal.SOC_PCT,
        Signal.PACK_VOLTAGE_V,
        Signal.BATTERY_CURRENT_A,
        Signal.CELL_TEMPERATURE_MIN_C,
        Signal.CELL_TEMPERATURE_MAX_C,
    },
    Producer.INVERTER: {
        Signal.BATTERY_POWER_W,
        Signal.SETPOINT_READBACK_W,
        Signal.INVERTER_ENABLED,
        Signal.REVERT_TIMEOUT_READBACK_S,
    },
    Producer.RELAYS: {Signal.CONTACTOR_CLOSED},
    Producer.METER: {Signal.GRID_POWER_W, Signal.PV_POWER_W},
    Producer.EMERGENCY_INPUT: {Signal.EMERGENCY_LOOP_CLOSED},
    Producer.LOAD_SWITCH: {Signal.LOAD_ON},
}
"""What a device in each role must provide for the safety path to be complete."""


def devices(site: Site) -> dict[DeviceKey, tuple[str, Device]]:
    """Every device of a site, with its path in site.yaml."""
    found = {
        (SITE, Producer.METER): ("meter", site.meter),
        (SITE, Producer.EMERGENCY_INPUT): ("emergency_input", site.emergency_input),
    }
    for index, unit in enumerate(site.storage):
        for role, device in (
            (Producer.BMS, unit.bms),
            (Producer.INVERTER, unit.inverter),
            (Producer.RELAYS, unit.relays),
        ):
            found[unit.name, role] = (f"storage[{index}].{role}", device)
    for index, load in enumerate(site.loads):
        if load.switch is not None:
            found[load.name, Producer.LOAD_SWITCH] = (f"loads[{index}].switch", load.switch)
    for index, room in enumerate(site.rooms):
        found[room.name, Producer.LOAD_SWITCH] = (f"rooms[{index}].switch", room.switch)
    return found


def check_site(site: Site) -> None:
    """Check what site.yaml alone cannot tell: profiles, roles, limits. Raises ConfigError."""
    rooms = {room.name for room in site.rooms}
    for (owner, role), (path, device) in devices(site).items():
        try:
            _check_device(role, device)
            if role is Producer.LOAD_SWITCH:
                _check_switch(load_profile(device.profile), of_room=owner in rooms)
            open_driver(owner, device, DataStore(site.unit_names, tuple(site.switches)))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
    build_limits(site)


def _check_device(role: Producer, device: Device) -> None:
    profile = load_profile(device.profile)
    if profile.role is not role:
        raise ConfigError(f"profile {profile.name} is a {profile.role}, not a {role}")
    missing = _NEEDED[role] - profile.signals
    if missing:
        raise ConfigError(f"profile {profile.name} does not provide {', '.join(sorted(missing))}")
    if Point.PRECHARGE in profile.points and Signal.DC_LINK_VOLTAGE_V not in profile.signals:
        raise ConfigError(
            f"profile {profile.name} has a precharge and does not tell dc_link_voltage_v, without "
            "which it cannot be seen to complete"
        )


def _check_switch(profile: Profile, *, of_room: bool) -> None:
    """A load or room can be switched, and does not stay on when nobody commands it any more."""
    points = profile.points
    if of_room and Signal.ROOM_TEMPERATURE_C not in profile.signals:
        raise ConfigError(f"profile {profile.name} does not tell room_temperature_c")
    if Point.LOAD_ON in points:
        if (
            Point.LOAD_REVERT_S not in points
            or Signal.LOAD_REVERT_READBACK_S not in profile.signals
        ):
            raise ConfigError(
                f"profile {profile.name} has no timer that switches off by itself: it needs "
                "load_revert_s and load_revert_readback_s"
            )
    elif not (of_room and Point.ROOM_SETPOINT_C in points):
        wanted = "load_on or room_setpoint_c" if of_room else "load_on"
        raise ConfigError(f"profile {profile.name} has nothing to switch with: no {wanted}")


def expected_signals(site: Site) -> dict[str, Collection[Signal]]:
    """The signals that must keep coming, by owner. Not those of loads: no safety rests on them."""
    expected: dict[str, list[Signal]] = {owner: [] for owner in (SITE, *site.unit_names)}
    for (owner, role), (_, device) in devices(site).items():
        if role is not Producer.LOAD_SWITCH:
            expected[owner] += sorted(load_profile(device.profile).required)
    expected[SITE].append(Signal.WATCHDOG_ARMED)
    return dict(expected)


def writable_points(site: Site) -> Mapping[str, Collection[Point]]:
    """The points that can be written, by storage unit and switched load."""
    return {
        owner: frozenset(point for profile in profiles for point in profile.points)
        for owner, profiles in _profiles(site).items()
    }


def write_budgets(site: Site) -> Mapping[str, Budgets]:
    """Writes a day for the points that wear out, by storage unit and switched load."""
    return {
        owner: {point: n for profile in profiles for point, n in profile.budgets.items()}
        for owner, profiles in _profiles(site).items()
    }


def _profiles(site: Site) -> dict[str, list[Profile]]:
    """Of all devices, by storage unit and switched load."""
    found: dict[str, list[Profile]] = {}
    for (owner, _), (_, device) in devices(site).items():
        if owner != SITE:
            found.setdefault(owner, []).append(load_profile(device.profile))
    return found


def build_cycle(site: Site) -> Cycle:
    """The control cycle of a site. Raises ConfigError."""
    check_site(site)
    return Cycle(site, expected_signals(site), writable_points(site), write_budgets(site))


def open_drivers(site: Site, store: DataStore) -> dict[DeviceKey, DeviceDriver]:
    """A driver for every device of a site."""
    return {
        (owner, role): open_driver(owner, device, store)
        for (owner, role), (_, device) in devices(site).items()
    }
