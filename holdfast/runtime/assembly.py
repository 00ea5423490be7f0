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
from holdfast.devices.profile import load_profile
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
    return found


def check_site(site: Site) -> None:
    """Check what site.yaml alone cannot tell: profiles, roles, limits. Raises ConfigError."""
    for (owner, role), (path, device) in devices(site).items():
        try:
            _check_device(role, device)
            open_driver(owner, device, DataStore(site.unit_names))
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


def expected_signals(site: Site) -> dict[str, Collection[Signal]]:
    """The signals that must keep coming, by owner."""
    expected: dict[str, list[Signal]] = {owner: [] for owner in (SITE, *site.unit_names)}
    for (owner, _), (_, device) in devices(site).items():
        expected[owner] += sorted(load_profile(device.profile).required)
    expected[SITE].append(Signal.WATCHDOG_ARMED)
    return dict(expected)


def writable_points(site: Site) -> Mapping[str, Collection[Point]]:
    """The points that can be written, by unit."""
    return {
        unit.name: frozenset(
            point
            for device in (unit.bms, unit.inverter, unit.relays)
            for point in load_profile(device.profile).points
        )
        for unit in site.storage
    }


def write_budgets(site: Site) -> Mapping[str, Budgets]:
    """Writes a day for the points that wear out, by unit."""
    return {
        unit.name: {
            point: budget
            for device in (unit.bms, unit.inverter, unit.relays)
            for point, budget in load_profile(device.profile).budgets.items()
        }
        for unit in site.storage
    }


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
