"""This module says which devices a site has, whether they fit, what they tell and can be told."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from holdfast.core.abilities import Abilities
from holdfast.core.ages import USUAL, SiteAges
from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.config.device import (
    CanBus,
    Connection,
    Device,
    GpioChip,
    HttpHost,
    Modbus,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
    RtuLine,
    Without,
)
from holdfast.core.config.section import Section
from holdfast.core.role import DeviceKey, Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import ns_from_s
from holdfast.devices.can_profile import LATE_BURSTS, CanProfile
from holdfast.devices.json_profile import JsonProfile
from holdfast.devices.modbus_profile import MAY_BE_SLOW
from holdfast.devices.point_traits import PointTraits, Traits
from holdfast.devices.profile import Profile, load_profile
from holdfast.devices.roles import OF_LOADS, ROLE_OF, ROLES, devices_in


def devices(site: Site) -> dict[DeviceKey, tuple[str, Device]]:
    """Returns every device of a site, with its path in site.yaml."""
    found = {
        (owner, role): (f"{path}{ROLES[role].key}", device)
        for path, owner, section in _sections(site)
        for role, device in devices_in(section).items()
    }
    if site.pv_meter is None:  # the meter has a channel for it
        found[SITE, Role.PV_METER] = found[SITE, Role.METER]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalDevice:
    """One box on the wall: an integrated one has several roles behind one connection."""

    name: str
    """As messages name it."""
    path: str
    """Its place in site.yaml, the first where it stands."""
    device: Device
    owners: Mapping[Role, str]
    """Whom it serves, by role."""


def physical_devices(site: Site) -> tuple[PhysicalDevice, ...]:
    """Returns what ``site`` is connected to, each once."""
    owners: dict[Device, dict[Role, str]] = {}
    paths: dict[Device, str] = {}
    for (owner, role), (path, device) in devices(site).items():
        owners.setdefault(device, {})[role] = owner
        paths.setdefault(device, path)
    names = {device: name for name, device in site.devices.items()}
    return tuple(
        PhysicalDevice(
            name=names.get(device, _first(roles)),
            path=paths[device],
            device=device,
            owners=roles,
        )
        for device, roles in owners.items()
    )


def profile_of(site: Site, one: PhysicalDevice) -> Profile:
    """Returns the table of a box, as far as it serves this site."""
    profile = load_profile(one.device.profile).of(*one.owners)
    unit = site.unit_named(one.owners.get(Role.INVERTER))
    return profile if unit is None else profile.bound(unit.inverter_hardware)


def _first(owners: Mapping[Role, str]) -> str:
    role, owner = next(iter(owners.items()))
    return f"{owner}/{role}"


def left_out(site: Site) -> dict[str, tuple[Role, str]]:
    """Returns what a site does without: the role and the owner's reason, by place in site.yaml."""
    return {
        f"{path}{row.key}": (role, device.none)
        for path, _, section in _sections(site)
        for role, row in ROLES.items()
        if isinstance(section, row.per.value)
        and isinstance(device := getattr(section, row.key), Without)
    }


def _sections(site: Site) -> Iterator[tuple[str, str, Section]]:
    """Yields what has devices, with its path in site.yaml and its name."""
    yield "", SITE, site
    for index, unit in enumerate(site.storage):
        yield f"storage[{index}].", unit.name, unit
    for index, load in enumerate(site.loads):
        yield f"loads[{index}].", load.name, load
    for index, room in enumerate(site.rooms):
        yield f"rooms[{index}].", room.name, room
    for index, metered in enumerate(site.metered_loads):
        yield f"metered_loads[{index}].", metered.name, metered


def address_of(connection: Connection) -> str:
    """Tells where a device is, in words; equal for two that are at the same place."""
    match connection:
        case ModbusTcp() | ModbusRtuTcp():
            return f"{connection.host.lower()}:{connection.port}, device {connection.device_id}"
        case ModbusRtu(port=port, device_id=device_id):
            return f"{port}, device {device_id}"
        case HttpHost(host=host, port=port, prefix=prefix):
            return f"{host.lower()}:{port}{prefix}"
        case (
            MqttBroker(host=host, port=port, topic=topic)
            | ModbusMqtt(host=host, port=port, topic=topic)
        ):
            return f"{host.lower()}:{port}, topic {topic}"
        case CanBus(channel=channel, address=address):
            return f"{channel}, battery {address}" if address else channel
        case GpioChip(chip=chip, lines=lines):
            return f"{chip}: {', '.join(sorted(lines))}" if lines else chip


def expected_signals(site: Site) -> dict[str, Collection[Signal]]:
    """Returns the signals that must keep coming, by owner. No safety rests on those of loads."""
    expected: dict[str, list[Signal]] = {owner: [] for owner in (SITE, *site.unit_names)}
    for (owner, role), (_, device) in devices(site).items():
        if ROLES[role].per not in OF_LOADS:
            expected[owner] += sorted(load_profile(device.profile).of(role).required)
    expected[SITE].append(Signal.WATCHDOG_ARMED)
    return dict(expected)


def writable_points(site: Site) -> Mapping[str, Collection[Point]]:
    """Returns the points that can be written, by storage unit and switched load."""
    return {
        owner: frozenset(point for profile in profiles for point in profile.points)
        for owner, profiles in _profiles(site).items()
    }


def point_traits(site: Site) -> Mapping[str, Traits]:
    """Returns what the tables say of the points, by storage unit and switched load."""
    traits: dict[str, dict[Point, PointTraits]] = {}
    for one in physical_devices(site):
        settle_ns = _settle_ns(one.device.connection)
        for point, trait in profile_of(site, one).traits.items():
            owner = one.owners[ROLE_OF[point]]
            traits.setdefault(owner, {})[point] = replace(trait, settle_ns=settle_ns)
    return traits


def _settle_ns(connection: Connection) -> int:
    """Returns how long a write may take: as long as a device is given to answer, and as long again
    to have its turn where others are on its line, or it has more to do."""
    if isinstance(connection, RtuLine | ModbusMqtt):
        return ns_from_s(2.0 * connection.timeout_s)
    return ns_from_s(connection.timeout_s) if isinstance(connection, ModbusTcp) else 0


def site_ages(site: Site) -> SiteAges:
    """Returns the ages of the owners that have a device which is slower than others."""
    slower: dict[str, dict[Signal, tuple[int, int]]] = {}
    for (owner, role), (_, device) in devices(site).items():
        profile = load_profile(device.profile).of(role)
        ages = {signal: ages_of(signal, profile, device.connection) for signal in profile.signals}
        changed = {signal: pair for signal, pair in ages.items() if pair != _usual(signal)}
        if changed:
            slower.setdefault(owner, {}).update(changed)
    return {owner: USUAL.of(changed) for owner, changed in slower.items()}


def _usual(signal: Signal) -> tuple[int, int]:
    return USUAL.old_ns[signal], USUAL.lost_ns[signal]


_STICKS_ANSWERS = 6.0
"""A stick answers a dozen questions a poll, and a few more a command; what it shows of them is
older than what a device tells all at once."""


def ages_of(signal: Signal, profile: Profile, connection: Connection) -> tuple[int, int]:
    """Returns from when on a value is old, and lost.

    One that comes in bursts is not old before the next burst is late. One of a device that is slow
    to answer, or of a meter that has a new value seldom, is old as any other, which derates, and
    lost later.
    """
    old_ns, lost_ns = _usual(signal)
    if isinstance(profile, CanProfile):
        return max(old_ns, ns_from_s(LATE_BURSTS * profile.burst_period_s)), lost_ns
    if isinstance(profile, JsonProfile):
        return old_ns, ns_from_s(profile.lost_s(signal))
    if SIGNALS[signal].producer in MAY_BE_SLOW and isinstance(connection, Modbus):
        answers = _STICKS_ANSWERS if isinstance(connection, ModbusMqtt) else 2.0
        answered_s = answers * connection.timeout_s
        slow_s = max(answered_s, profile.max_age_s or answered_s)
        return old_ns, max(lost_ns, ns_from_s(slow_s))
    return old_ns, lost_ns


def abilities(site: Site) -> Abilities:
    """Tells what the devices of a site can be told beyond a setpoint."""
    points = writable_points(site).values()
    return Abilities(
        throttles_pv=any(Point.EXPORT_LIMIT_W in taken for taken in points),
        switches_pv=any(Point.PV_ON in taken for taken in points),
    )


def _profiles(site: Site) -> dict[str, list[Profile]]:
    """Returns those of all devices, by storage unit and switched load."""
    found: dict[str, list[Profile]] = {}
    for (owner, role), (_, device) in devices(site).items():
        if owner != SITE:
            found.setdefault(owner, []).append(load_profile(device.profile).of(role))
    return found
