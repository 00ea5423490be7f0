"""What has to be so before a device may be proven, and what is held while it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.devices.profile import load_profile
from holdfast.devices.roles import devices_in
from holdfast.runtime.commissioning.steps import DEFAULT_POWER_W
from holdfast.runtime.device_check import refuse_while_running
from holdfast.runtime.latch_file import load_latches
from holdfast.site.check import check_site
from holdfast.site.device_lock import hold_devices
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock

_HOLDERS = ("controller", "watchdog")


def unit_meant(site: Site, name: str | None, what: str) -> StorageUnit:
    """Returns the storage unit that is meant by ``name``; ``what`` is to be done with it. Raises
    ConfigError, which names those that there are."""
    known = ", ".join(site.unit_names)
    if name is None and len(site.storage) > 1:
        raise ConfigError(f"{what}: which one? Known are {known}")
    unit = site.storage[0] if name is None else site.unit_named(name)
    if unit is None:
        raise ConfigError(f"{what}: there is no unit {name!r}; known: {known}")
    return unit


def unit_to_prove(site: Site, name: str | None) -> StorageUnit:
    """Returns the storage unit that is meant, if it can be proven. Raises ConfigError."""
    unit = unit_meant(site, name, "devices prove")
    # What the proof is about permits no authority yet.
    check_site(site.model_copy(update={"authority": "observe"}))
    _check_points(unit)
    return unit


def power_to_prove(site: Site, unit: StorageUnit, wanted_w: float | None) -> float:
    """Returns the power that is tried, in W. Raises ConfigError for more than is permitted."""
    most_w = min(site.limited_power_w, unit.charge_power_max_w, unit.discharge_power_max_w)
    asked_w = min(DEFAULT_POWER_W, most_w) if wanted_w is None else wanted_w
    if not 0.0 < asked_w <= most_w:
        raise ConfigError(
            f"--power {asked_w:g}: from more than 0 to {most_w:g} W (limited_power_w, and what "
            "the unit may be charged and discharged with)"
        )
    traits = load_profile(unit.inverter.profile).bound(unit.inverter_hardware).traits
    power_w = traits[Point.SETPOINT_W].kept(asked_w)
    if not power_w > 0.0:
        raise ConfigError(
            f"--power {asked_w:g}: this inverter takes steps of {traits[Point.SETPOINT_W].step:g} W"
        )
    return power_w


@contextmanager
def holding(site: Site, what: str) -> Iterator[None]:
    """Makes this the only one that steers the devices of ``site``, until the end of the block.

    Raises AlreadyRunning while somebody does, and ConfigError while something is latched; ``what``
    is to be done then.
    """
    files = SiteFiles.of(site)
    refuse_while_running(files)
    files.create()
    latches = load_latches(files.latches, files.traces)
    if latches.emergency_stop or latches.faults:
        latched = ", ".join(("an emergency stop",) * latches.emergency_stop + latches.faults)
        raise ConfigError(f"{what}: latched is {latched}; look into it, and reset it first")
    # A site that only observes holds nothing, and here it is written to.
    steering = site.model_copy(update={"authority": "limited"})
    with (
        hold_lock(files, _HOLDERS[0]),
        hold_lock(files, _HOLDERS[1]),
        hold_devices(steering, _HOLDERS[0]),
        hold_devices(steering, _HOLDERS[1]),
    ):
        yield


def _check_points(unit: StorageUnit) -> None:
    points = {
        role: load_profile(device.profile).of(role).points
        for role, device in devices_in(unit).items()
    }
    if Point.SETPOINT_W not in points[Role.INVERTER]:
        raise ConfigError(f"devices prove: profile {unit.inverter.profile} takes no setpoint")
    if points[Role.BMS]:
        raise ConfigError(
            f"devices prove: the BMS of {unit.name} takes powers of its own; proving such a unit "
            "is not possible yet"
        )
