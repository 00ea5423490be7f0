"""Assembly: a configuration that cannot work is refused, with the path of what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SITE, Producer, Signal
from holdfast.devices.profile import load_profile, parse_profile
from holdfast.runtime import assembly
from holdfast.runtime.assembly import (
    build_cycle,
    check_site,
    devices,
    expected_signals,
    open_drivers,
    writable_points,
    write_budgets,
)
from holdfast.runtime.files import SiteFiles
from tests.builders import (
    LOAD,
    UNIT,
    build_site,
    device,
    load_content,
    room_content,
    unit_content,
)

CAN = {"kind": "can", "interface": "slcan", "channel": "/dev/nowhere"}


def site_with(role: str, content: dict[str, Any]) -> Site:
    if role in {"meter", "emergency_input"}:
        return build_site(**{role: content})
    return build_site(unit_content(**{role: content}))


ROLES = {
    "meter": "meter",
    "emergency_input": "emergency_input",
    "bms": "storage[0].bms",
    "inverter": "storage[0].inverter",
    "relays": "storage[0].relays",
}


@pytest.mark.parametrize("role", ROLES)
def test_an_unknown_profile_names_the_device(role: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_site(site_with(role, device("no_such_profile")))
    assert str(error.value).startswith(f"{ROLES[role]}: ")
    assert "no_such_profile" in str(error.value)


@pytest.mark.parametrize("role", ROLES)
def test_a_profile_of_another_role_names_the_device_and_both_roles(role: str) -> None:
    other = "generic_inverter" if role != "inverter" else "generic_relays"
    with pytest.raises(ConfigError) as error:
        check_site(site_with(role, device(other)))
    text = str(error.value)
    assert text.startswith(f"{ROLES[role]}: ")
    assert other in text
    assert f"not a {role}" in text


def test_a_profile_on_the_wrong_wire_names_the_device() -> None:
    content = device("generic_bms") | {"connection": CAN}
    with pytest.raises(ConfigError, match=r"^storage\[0\]\.bms: .*modbus.*can"):
        check_site(site_with("bms", content))
    with pytest.raises(ConfigError, match=r"^storage\[0\]\.bms: .*can.*modbus_tcp"):
        check_site(site_with("bms", device("pylontech_lv_can")))


def test_a_precharge_of_which_the_link_is_not_told_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No such profile comes with Holdfast, so one is read from here."""
    blind = parse_profile(
        """
        name: blind_relays
        protocol: modbus
        role: relays
        source: a test
        poll_period_s: 0.05
        reads:
          - {signal: contactor_closed, table: discrete, address: 1, type: bool}
          - {signal: precharge_closed, table: discrete, address: 2, type: bool}
        writes:
          - {point: contactor, table: coil, address: 0, type: bool, readback: contactor_closed}
          - {point: precharge, table: coil, address: 1, type: bool, readback: precharge_closed}
        """,
        source="blind_relays.yaml",
    )
    site = site_with("relays", device("precharge_relays"))
    check_site(site)
    monkeypatch.setattr(
        assembly, "load_profile", lambda name: blind if "precharge" in name else load_profile(name)
    )
    with pytest.raises(ConfigError) as error:
        check_site(site)
    assert str(error.value).startswith(
        "storage[0].relays: profile blind_relays has a precharge and does not tell dc_link_voltage"
    )


SWITCH = """
    name: odd_switch
    protocol: modbus
    role: load_switch
    source: a test
    poll_period_s: 1
    reads:
      - {{signal: {told}, address: 0, type: uint16}}
      - {{signal: {told_too}, address: 1, type: uint16}}
    writes:
      - {{point: {point}, address: 2, type: uint16}}
      - {{point: {point_too}, address: 3, type: uint16}}
    """


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"loads": [load_content(switch=device("generic_meter"))]}, "loads[0].switch",
         "profile generic_meter is a meter, not a load_switch"),
        ({"loads": [load_content(switch=None), load_content(name="pump", switch=device("no"))]},
         "loads[1].switch", "there is no profile 'no'"),
        ({"loads": [load_content(switch=device("generic_thermostat"))]}, "loads[0].switch",
         "profile generic_thermostat has nothing to switch with: no load_on"),
        ({"rooms": [room_content(), room_content(name="bath", switch=device("generic_meter"))]},
         "rooms[1].switch", "profile generic_meter is a meter, not a load_switch"),
        ({"rooms": [room_content(switch=device("generic_load_switch"))]}, "rooms[0].switch",
         "profile generic_load_switch does not tell room_temperature_c"),
    ],
)  # fmt: skip
def test_a_switch_that_does_not_fit_its_load_names_the_device(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check_site(build_site(**changes))
    assert str(error.value).startswith(f"{path}: {reason}")


_TIMER = "profile odd_switch has no timer that switches off by itself"


@pytest.mark.parametrize(
    ("told", "points", "reason"),
    [
        (("load_on", "room_temperature_c"), ("load_on", "room_setpoint_c"), _TIMER),
        (("load_on", "room_temperature_c"), ("load_on", "load_revert_s"), _TIMER),
        (("load_revert_readback_s", "room_temperature_c"), ("load_on", "load_revert_s"),
         "profile odd_switch does not provide load_on"),
        (("load_on", "room_temperature_c"), ("load_revert_s", "room_setpoint_c"), None),
        (("load_on", "load_revert_readback_s"), ("load_on", "load_revert_s"),
         "profile odd_switch does not tell room_temperature_c"),
    ],
)  # fmt: skip
def test_a_switch_of_a_room_needs_a_thermometer_and_a_timer_or_a_thermostat(
    monkeypatch: pytest.MonkeyPatch, told: tuple[str, str], points: tuple[str, str],
    reason: str | None,
) -> None:  # fmt: skip
    """No such profile comes with Holdfast, so one is read from here."""
    odd = parse_profile(
        SWITCH.format(told=told[0], told_too=told[1], point=points[0], point_too=points[1]),
        source="odd_switch.yaml",
    )
    monkeypatch.setattr(
        assembly, "load_profile", lambda name: odd if "room_switch" in name else load_profile(name)
    )
    site = build_site(rooms=[room_content()])
    if reason is None:
        check_site(site)
        return
    with pytest.raises(ConfigError) as error:
        check_site(site)
    assert str(error.value).startswith(f"rooms[0].switch: {reason}")


def test_a_room_that_can_be_neither_switched_nor_set_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = SWITCH.format(
        told="load_on", told_too="room_temperature_c", point="load_revert_s", point_too="x"
    )
    deaf = parse_profile(text[: text.index("writes:")], source="deaf_switch.yaml")
    monkeypatch.setattr(
        assembly, "load_profile", lambda name: deaf if "room_switch" in name else load_profile(name)
    )
    with pytest.raises(ConfigError, match="no load_on or room_setpoint_c"):
        check_site(build_site(rooms=[room_content()]))


def site_with_loads() -> Site:
    """A boiler, another load that somebody else switches, a heater, and a thermostat."""
    return build_site(
        loads=[load_content(), load_content(name="car", switch=None)],
        rooms=[room_content(), room_content(name="bath", switch=device("generic_thermostat"))],
    )


def test_switched_loads_are_devices_and_other_loads_are_not() -> None:
    site = site_with_loads()
    check_site(site)
    role = Producer.LOAD_SWITCH
    found = {key: path for key, (path, _) in devices(site).items() if key[1] is role}
    assert found == {
        (LOAD, role): "loads[0].switch",
        ("parlour", role): "rooms[0].switch",
        ("bath", role): "rooms[1].switch",
    }
    drivers = open_drivers(site, DataStore(site.unit_names, tuple(site.switches)))
    assert drivers[LOAD, role].name == "boiler/load_switch"


def test_no_safety_rests_on_what_loads_tell() -> None:
    assert expected_signals(site_with_loads()) == expected_signals(build_site())


def test_a_second_unit_is_named_by_its_index() -> None:
    second = unit_content("second", relays=device("generic_meter"))
    with pytest.raises(ConfigError, match=r"^storage\[1\]\.relays: "):
        check_site(build_site(unit_content(), second))


def test_a_looser_limit_and_an_unknown_row_name_their_path() -> None:
    loose = unit_content(limits={"cell_voltage_high": {"trip": 3.9}})
    with pytest.raises(ConfigError, match=r"storage\[0\]\.limits\.cell_voltage_high\.trip: 3\.9"):
        check_site(build_site(loose))
    unknown = unit_content(limits={"cell_colour": {"trip": 3.9}})
    with pytest.raises(ConfigError, match=r"storage\[0\]\.limits\.cell_colour"):
        build_cycle(build_site(unknown))


def test_everything_that_the_devices_provide_must_keep_coming() -> None:
    site = build_site()
    expected = expected_signals(site)
    assert expected.keys() == {SITE, UNIT}
    assert {Signal.GRID_POWER_W, Signal.EMERGENCY_LOOP_CLOSED, Signal.WATCHDOG_ARMED} <= set(
        expected[SITE]
    )
    assert {Signal.SOC_PCT, Signal.SETPOINT_READBACK_W, Signal.CONTACTOR_CLOSED} <= set(
        expected[UNIT]
    )
    assert Signal.CELL_VOLTAGE_MAX_V not in expected[UNIT]  # this BMS does not tell it


def test_what_can_be_written_comes_from_the_profiles() -> None:
    assert writable_points(build_site())[UNIT] == {
        Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S,
        Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W, Point.CONTACTOR,
    }  # fmt: skip
    on_can = build_site(unit_content(bms={"profile": "pylontech_lv_can", "connection": CAN}))
    assert Point.CHARGE_POWER_W not in writable_points(on_can)[UNIT]


def test_what_can_be_written_to_loads_comes_from_the_profiles_too() -> None:
    points = writable_points(site_with_loads())
    assert points[LOAD] == points["parlour"] == {Point.LOAD_ON, Point.LOAD_REVERT_S}
    assert points["bath"] == {Point.ROOM_SETPOINT_C}
    assert points.keys() == {UNIT, LOAD, "parlour", "bath"}


def test_write_budgets_come_from_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile that comes with Holdfast wears out, so one is read from here."""
    site = build_site(
        unit_content("a"), unit_content("b", bms=device("worn_bms")), loads=[load_content()]
    )
    worn = parse_profile(
        """
        name: worn_bms
        protocol: modbus
        role: bms
        source: a test
        poll_period_s: 0.2
        reads:
          - {signal: soc_pct, address: 100, type: uint16}
        writes:
          - {point: charge_power_w, address: 200, type: uint16, writes_per_day: 50}
          - {point: discharge_power_w, address: 201, type: uint16}
        """,
        source="worn_bms.yaml",
    )
    monkeypatch.setattr(
        assembly, "load_profile", lambda name: worn if name == "worn_bms" else load_profile(name)
    )
    assert write_budgets(site) == {"a": {}, "b": {Point.CHARGE_POWER_W: 50}, LOAD: {}}


def test_each_device_gets_a_driver_that_opens_nothing_yet() -> None:
    site = build_site(unit_content("a"), unit_content("b"))
    drivers = open_drivers(site, DataStore(site.unit_names, tuple(site.switches)))
    assert drivers.keys() == devices(site).keys()
    assert drivers["b", Producer.RELAYS].name == "b/relays"
    assert len({driver.name for driver in drivers.values()}) == 8


def test_a_state_folder_that_is_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with pytest.raises(ConfigError, match=r"state_dir: .* too long"):
        SiteFiles(state_dir=deep).create()
    assert not deep.exists()


def test_a_state_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state_dir: cannot be made"):
        SiteFiles(state_dir=tmp_path / "file" / "state").create()


def test_the_state_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path / "state")
    files.create()
    files.create()
    assert files.state_dir.stat().st_mode & 0o077 == 0
    assert files.logs.stat().st_mode & 0o077 == 0
