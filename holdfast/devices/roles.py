"""The roles of devices stand here as rows, with what takes a device to its safe state, in order.

Whoever has to know what a device is for reads it here: profiles, assembly, the control loop when
a cycle fails, the watchdog, and the simulated site.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import ClassVar, Protocol

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Device, device_keys
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.core.config.section import Section
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.load_safety_wrapper import LoadSafetyWrapper


class Per(Enum):
    """Tells what has one device in a role, or none where its section of site.yaml leaves it out."""

    SITE = (Site,)
    UNIT = (StorageUnit,)
    LOAD = (FlexibleLoad, HeatedRoom)
    """No safety rests on what such a device tells or does."""
    METERED_LOAD = (MeteredLoad,)
    """As little."""


class Wrapper(Protocol):
    """Decides what is written to a device in one role."""

    KEEPS: ClassVar[frozenset[Point]]
    """Names the points that it keeps, where the device takes them."""


class Rank(IntEnum):
    """Tells what a safe value takes away; whoever writes safe values begins with the lowest."""

    WISH = 1
    """It takes away what was asked for: an island goes on."""
    SUPPLY = 2
    """It takes away power at all: the loads of an island go dark."""
    LIMITED_CURRENT = 3
    """It takes away a path with a resistor in it, which may open at any time."""
    ANY_CURRENT = 4
    """It takes away the path itself, once the current may be broken, or has been waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """Holds what is known of every device in one role."""

    per: Per
    key: str
    """Names the key of the device in that section of site.yaml."""
    wrapper: type[Wrapper] | None
    """If None, it takes no point, and nothing is ever written to it."""
    tells: frozenset[Signal]
    """Without these the safety path would not be complete."""

    @property
    def takes(self) -> frozenset[Point]:
        """Returns the points that can be written to such a device."""
        return frozenset() if self.wrapper is None else self.wrapper.KEEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeValue:
    """Holds the value of a point that is safe whatever has happened."""

    role: Role
    point: Point
    value: float
    rank: Rank
    seen: Signal | None
    """Names what must show it, too, before a unit is taken to be at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Tells what a device must offer beside a point."""

    offers: frozenset[Signal | Point]
    why: str


OF_LOADS = frozenset({Per.LOAD, Per.METERED_LOAD})
_S = Signal
_SITE, _UNIT, _LOAD, _METERED = Per

# fmt: off
ROLES: dict[Role, RoleRow] = {
    role: RoleRow(per=per, key=key, wrapper=wrapper, tells=frozenset(tells))
    for role, per, key, wrapper, tells in (
        # role                 per    key                kept by                must tell
        (Role.BMS,             _UNIT, "bms",             BmsSafetyWrapper,      (_S.SOC_PCT, _S.PACK_VOLTAGE_V, _S.BATTERY_CURRENT_A, _S.CELL_TEMPERATURE_MIN_C, _S.CELL_TEMPERATURE_MAX_C)),
        (Role.INVERTER,        _UNIT, "inverter",        InverterSafetyWrapper, (_S.BATTERY_POWER_W, _S.SETPOINT_READBACK_W, _S.INVERTER_ENABLED, _S.REVERT_TIMEOUT_READBACK_S)),
        (Role.RELAYS,          _UNIT, "relays",          RelayController,       (_S.CONTACTOR_CLOSED,)),
        (Role.METER,           _SITE, "meter",           None,                  (_S.GRID_POWER_W,)),
        (Role.PV_METER,        _SITE, "pv_meter",        None,                  (_S.PV_POWER_W,)),
        (Role.EMERGENCY_INPUT, _SITE, "emergency_input", None,                  (_S.EMERGENCY_LOOP_CLOSED,)),
        (Role.GRID_OPERATOR,   _SITE, "grid_operator",   None,                  ()),
        (Role.LOAD_SWITCH,     _LOAD, "switch",          LoadSafetyWrapper,     (_S.LOAD_ON,)),
        (Role.LOAD_METER,      _METERED, "meter",        None,                  (_S.LOAD_POWER_W,)),
    )
}

SAFE_VALUES: tuple[SafeValue, ...] = tuple(
    SafeValue(role=role, point=point, value=value, rank=rank, seen=seen)
    for role, point, value, rank, seen in (
        # role             point                    value rank                  seen to be at rest
        (Role.INVERTER,    Point.SETPOINT_W,        0.0, Rank.WISH,            _S.SETPOINT_READBACK_W),
        (Role.INVERTER,    Point.DEVICE_MODE,       0.0, Rank.WISH,            _S.DEVICE_MODE),
        (Role.BMS,         Point.CHARGE_POWER_W,    0.0, Rank.WISH,            None),
        (Role.LOAD_SWITCH, Point.LOAD_ON,           0.0, Rank.WISH,            None),
        (Role.INVERTER,    Point.PV_ON,             1.0, Rank.WISH,            None),
        (Role.INVERTER,    Point.ENABLE,            0.0, Rank.SUPPLY,          None),
        (Role.BMS,         Point.DISCHARGE_POWER_W, 0.0, Rank.SUPPLY,          None),
        (Role.RELAYS,      Point.PRECHARGE,         0.0, Rank.LIMITED_CURRENT, _S.PRECHARGE_CLOSED),
        (Role.RELAYS,      Point.CONTACTOR,         0.0, Rank.ANY_CURRENT,     _S.CONTACTOR_CLOSED),
    )
)
"""The order is that in which they are written. PV goes on again: whoever repeats a setpoint of 0 W
keeps the inverter's revert timer from doing it."""
# fmt: on

LEFT_ALONE: dict[Point, str] = {
    Point.REVERT_TIMEOUT_S: "once armed it takes the inverter to 0 W by itself",
    Point.EXPORT_LIMIT_W: "it keeps the site within what it may export, as it did before",
    Point.LOAD_REVERT_S: "once armed it switches the load off by itself",
    Point.ROOM_SETPOINT_C: "a thermostat goes on keeping the room as warm as it was told",
}
"""These have no safe value; it says why they stay as they are when nobody decides any more."""

MAY_LACK = (_S.INVERTER_ENABLED, _S.REVERT_TIMEOUT_READBACK_S, _S.ISLANDED)
"""A table may say in words that a device does not tell these. A power stage that cannot be seen off
takes no contactor of ours; without a revert timer nobody guards a site that has lost us; one that
tells of no outage goes on being commanded in it."""

NEEDS: dict[Point, Need] = {
    Point.PRECHARGE: Need(
        offers=frozenset({Signal.DC_LINK_VOLTAGE_V}),
        why="the precharge cannot be seen to complete",
    ),
    Point.LOAD_ON: Need(
        offers=frozenset({Point.LOAD_REVERT_S, Signal.LOAD_REVERT_READBACK_S}),
        why="the load would stay on when nobody commands it any more",
    ),
}

ROLE_OF: dict[Point, Role] = {point: role for role, row in ROLES.items() for point in row.takes}
"""Tells whose device takes a point."""


def devices_in(section: Section) -> dict[Role, Device]:
    """Returns the devices that a section of site.yaml names, by their role there."""
    named = {
        role: getattr(section, row.key)
        for role, row in ROLES.items()
        if isinstance(section, row.per.value)
    }
    return {role: device for role, device in named.items() if isinstance(device, Device)}


def safe_writes(
    owner: str, points: Mapping[Role, Collection[Point]], *ranks: Rank
) -> tuple[Write, ...]:
    """Returns what takes ``ranks`` away from the devices of ``owner``, in the order to write it.

    ``points`` are those that each of the devices takes, by role.
    """
    return tuple(
        Write(unit=owner, role=safe.role, point=safe.point, value=safe.value)
        for safe in SAFE_VALUES
        if safe.rank in ranks and safe.point in points.get(safe.role, ())
    )


def _check_roles(roles: Mapping[Role, RoleRow]) -> None:
    assert tuple(roles) == tuple(Role), "each role has one row, in the order of their names"
    for per in Per:
        keys = {row.key for row in roles.values() if row.per is per}
        for section in per.value:
            assert keys == set(device_keys(section)), f"{section.__name__} has other devices"
    takes = [point for row in roles.values() for point in row.takes]
    assert len(takes) == len(set(takes)), "two roles take one point"
    assert set(takes) == set(Point), "each point is kept by a wrapper"
    for role, row in roles.items():
        told = [signal for signal in Signal if SIGNALS[signal].producer is role]
        assert row.tells <= set(told), f"a {role} cannot tell that"
        assert all(SIGNALS[signal].of_site == (row.per is Per.SITE) for signal in told), role
        assert all(SIGNALS[signal].of_load == (row.per in OF_LOADS) for signal in told), role


def _check_safe_values(rows: Sequence[SafeValue], left_alone: Mapping[Point, str]) -> None:
    points = [row.point for row in rows]
    assert sorted([*points, *left_alone]) == sorted(Point), "a point is safe, or left alone"
    assert [row.rank for row in rows] == sorted(row.rank for row in rows), "the lowest rank first"
    for row in rows:
        assert ROLE_OF[row.point] is row.role, f"a {row.role} does not take {row.point}"
        assert row.seen is None or SIGNALS[row.seen].producer is row.role, f"{row.seen} is not its"


_check_roles(ROLES)
_check_safe_values(SAFE_VALUES, LEFT_ALONE)
