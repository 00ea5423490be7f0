"""The roles: what a device must tell and may be told, and what is safe for it in which order."""

from dataclasses import replace

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal, SignalRow
from holdfast.devices.profile import load_profile, profile_names
from holdfast.devices.roles import (
    LEFT_ALONE,
    NEEDS,
    ROLE_OF,
    ROLES,
    SAFE_VALUES,
    Per,
    Rank,
    RoleRow,
    SafeValue,
    _check_roles,
    _check_safe_values,
    devices_in,
    safe_writes,
)
from tests.builders import UNIT, build_site, load_content, room_content

TAKES = {
    Role.BMS: {Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W},
    Role.INVERTER: {
        Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S, Point.EXPORT_LIMIT_W,
        Point.PV_ON, Point.DEVICE_MODE,
    },
    Role.RELAYS: {Point.CONTACTOR, Point.PRECHARGE},
    Role.METER: set(),
    Role.PV_METER: set(),
    Role.EMERGENCY_INPUT: set(),
    Role.GRID_OPERATOR: set(),
    Role.LOAD_SWITCH: {Point.LOAD_ON, Point.LOAD_REVERT_S, Point.ROOM_SETPOINT_C},
    Role.LOAD_METER: set(),
}  # fmt: skip
TELLS = {
    Role.BMS: {
        Signal.SOC_PCT, Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A,
        Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C,
    },
    Role.INVERTER: {
        Signal.BATTERY_POWER_W, Signal.SETPOINT_READBACK_W, Signal.INVERTER_ENABLED,
        Signal.REVERT_TIMEOUT_READBACK_S,
    },
    Role.RELAYS: {Signal.CONTACTOR_CLOSED},
    Role.METER: {Signal.GRID_POWER_W},
    Role.PV_METER: {Signal.PV_POWER_W},
    Role.EMERGENCY_INPUT: {Signal.EMERGENCY_LOOP_CLOSED},
    Role.GRID_OPERATOR: set(),
    Role.LOAD_SWITCH: {Signal.LOAD_ON},
    Role.LOAD_METER: {Signal.LOAD_POWER_W},
}  # fmt: skip
ORDER = [
    (Rank.WISH, Role.INVERTER, Point.SETPOINT_W, 0.0),
    (Rank.WISH, Role.INVERTER, Point.DEVICE_MODE, 0.0),
    (Rank.WISH, Role.BMS, Point.CHARGE_POWER_W, 0.0),
    (Rank.WISH, Role.LOAD_SWITCH, Point.LOAD_ON, 0.0),
    (Rank.WISH, Role.INVERTER, Point.PV_ON, 1.0),
    (Rank.SUPPLY, Role.INVERTER, Point.ENABLE, 0.0),
    (Rank.SUPPLY, Role.BMS, Point.DISCHARGE_POWER_W, 0.0),
    (Rank.LIMITED_CURRENT, Role.RELAYS, Point.PRECHARGE, 0.0),
    (Rank.ANY_CURRENT, Role.RELAYS, Point.CONTACTOR, 0.0),
]
UNIT_POINTS = {role: TAKES[role] for role in (Role.BMS, Role.INVERTER, Role.RELAYS)}


def test_a_role_takes_and_tells_what_it_should() -> None:
    assert {role: row.takes for role, row in ROLES.items()} == TAKES
    assert {role: row.tells for role, row in ROLES.items()} == TELLS
    assert {point: {point in TAKES[ROLE_OF[point]]} for point in Point} == {
        p: {True} for p in Point
    }


def test_the_safe_values_are_written_in_this_order() -> None:
    assert [(row.rank, row.role, row.point, row.value) for row in SAFE_VALUES] == ORDER
    assert [rank.name for rank in sorted(Rank)] == [
        "WISH",
        "SUPPLY",
        "LIMITED_CURRENT",
        "ANY_CURRENT",
    ]
    assert [int(rank) for rank in Rank] == [1, 2, 3, 4]


def test_a_unit_at_rest_is_seen_to_have_no_setpoint_and_no_closed_relay() -> None:
    assert {row.point: row.seen for row in SAFE_VALUES if row.seen is not None} == {
        Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
        Point.DEVICE_MODE: Signal.DEVICE_MODE,
        Point.PRECHARGE: Signal.PRECHARGE_CLOSED,
        Point.CONTACTOR: Signal.CONTACTOR_CLOSED,
    }


def test_what_is_left_alone_has_a_reason() -> None:
    assert LEFT_ALONE.keys() == {
        Point.REVERT_TIMEOUT_S,
        Point.EXPORT_LIMIT_W,
        Point.LOAD_REVERT_S,
        Point.ROOM_SETPOINT_C,
    }
    assert all(LEFT_ALONE.values())


def test_some_points_need_something_beside_them() -> None:
    assert {point: need.offers for point, need in NEEDS.items()} == {
        Point.PRECHARGE: {Signal.DC_LINK_VOLTAGE_V},
        Point.LOAD_ON: {Point.LOAD_REVERT_S, Signal.LOAD_REVERT_READBACK_S},
    }
    assert all(need.why for need in NEEDS.values())


def test_every_profile_has_what_its_role_demands() -> None:
    for name in profile_names():
        profile = load_profile(name)
        for role in profile.roles:
            row, part = ROLES[role], profile.of(role)
            assert row.tells <= part.signals | part.lacks.keys(), name
            assert part.points.keys() <= row.takes, name


def test_each_section_of_a_site_names_its_devices() -> None:
    site = build_site(
        loads=[load_content(), load_content(name="car", switch=None)], rooms=[room_content()]
    )
    unit, boiler, car, room = site.storage[0], site.loads[0], site.loads[1], site.rooms[0]
    assert devices_in(site) == {Role.METER: site.meter, Role.EMERGENCY_INPUT: site.emergency_input}
    assert devices_in(unit) == {
        Role.BMS: unit.bms,
        Role.INVERTER: unit.inverter,
        Role.RELAYS: unit.relays,
    }
    assert devices_in(boiler) == {Role.LOAD_SWITCH: boiler.switch}
    assert devices_in(room) == {Role.LOAD_SWITCH: room.switch}
    assert devices_in(car) == {}
    assert devices_in(site.grid) == {}


def test_where_a_role_may_stand() -> None:
    assert {per.name: per.value for per in Per} == {
        "SITE": (Site,),
        "UNIT": (StorageUnit,),
        "LOAD": (FlexibleLoad, HeatedRoom),
        "METERED_LOAD": (MeteredLoad,),
    }


@pytest.mark.parametrize(
    ("ranks", "points"),
    [
        ((Rank.WISH,), [Point.SETPOINT_W, Point.DEVICE_MODE, Point.CHARGE_POWER_W, Point.PV_ON]),
        ((Rank.SUPPLY, Rank.LIMITED_CURRENT),
         [Point.ENABLE, Point.DISCHARGE_POWER_W, Point.PRECHARGE]),
        ((Rank.LIMITED_CURRENT, Rank.SUPPLY),
         [Point.ENABLE, Point.DISCHARGE_POWER_W, Point.PRECHARGE]),
        ((Rank.ANY_CURRENT,), [Point.CONTACTOR]),
        ((), []),
    ],
)  # fmt: skip
def test_safe_writes_are_those_of_their_ranks_in_order(
    ranks: tuple[Rank, ...], points: list[Point]
) -> None:
    assert safe_writes(UNIT, UNIT_POINTS, *ranks) == tuple(
        Write(unit=UNIT, role=ROLE_OF[point], point=point, value=float(point is Point.PV_ON))
        for point in points
    )


def test_nothing_is_written_that_a_device_does_not_take() -> None:
    """Neither a point that its table lacks, nor another device's."""
    assert safe_writes(UNIT, {Role.BMS: (), Role.RELAYS: (Point.CONTACTOR,)}, *Rank) == (
        Write(unit=UNIT, role=Role.RELAYS, point=Point.CONTACTOR, value=0.0),
    )
    assert safe_writes(UNIT, {Role.INVERTER: list(Point)}, Rank.WISH) == (
        Write(unit=UNIT, role=Role.INVERTER, point=Point.SETPOINT_W, value=0.0),
        Write(unit=UNIT, role=Role.INVERTER, point=Point.DEVICE_MODE, value=0.0),
        Write(unit=UNIT, role=Role.INVERTER, point=Point.PV_ON, value=1.0),
    )


def changed(role: Role, **changes: object) -> dict[Role, RoleRow]:
    return ROLES | {role: replace(ROLES[role], **changes)}


@pytest.mark.parametrize(
    ("roles", "complaint"),
    [
        (dict(list(ROLES.items())[:-1]), "each role has one row"),
        (dict(reversed(ROLES.items())), "in the order of their names"),
        (changed(Role.METER, key="counter"), "Site has other devices"),
        (changed(Role.METER, per=Per.UNIT), "Site has other devices"),
        (changed(Role.RELAYS, key="bms"), "StorageUnit has other devices"),
        (changed(Role.LOAD_SWITCH, key="plug"), "FlexibleLoad has other devices"),
        (changed(Role.METER, wrapper=ROLES[Role.BMS].wrapper), "two roles take one point"),
        (changed(Role.BMS, wrapper=None), "each point is kept by a wrapper"),
        (changed(Role.BMS, tells=frozenset({Signal.PV_POWER_W})), "a bms cannot tell that"),
    ],
)
def test_a_table_of_roles_that_is_not_whole_is_refused(
    roles: dict[Role, RoleRow], complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        _check_roles(roles)


@pytest.mark.parametrize("where", ["of_site", "of_load"])
def test_a_role_stands_where_each_of_its_signals_belongs(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The tables of signals and of roles must agree on what is the site's, a unit's, a load's."""
    right = getattr(SignalRow, where).fget
    astray = SIGNALS[Signal.SOC_PCT]
    monkeypatch.setattr(SignalRow, where, property(lambda row: right(row) or row is astray))
    with pytest.raises(AssertionError, match=Role.BMS):
        _check_roles(ROLES)


def rows_with(index: int, **changes: object) -> list[SafeValue]:
    rows = list(SAFE_VALUES)
    rows[index] = replace(rows[index], **changes)
    return rows


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (SAFE_VALUES[1:], "a point is safe, or left alone"),
        ((*SAFE_VALUES, SAFE_VALUES[-1]), "a point is safe, or left alone"),
        (rows_with(0, rank=Rank.SUPPLY), "the lowest rank first"),
        (SAFE_VALUES[::-1], "the lowest rank first"),
        (rows_with(0, role=Role.BMS), "a bms does not take setpoint_w"),
        (rows_with(0, seen=Signal.SOC_PCT), "soc_pct is not its"),
    ],
)
def test_safe_values_that_are_not_whole_or_in_order_are_refused(
    rows: list[SafeValue], complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        _check_safe_values(rows, LEFT_ALONE)
