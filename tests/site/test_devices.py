"""The devices of a site: what cannot work is refused, with the path of what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.ages import USUAL
from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.config.device import CanBus, GpioChip, HttpHost, ModbusRtuTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.profile import Profile, load_profile, parse_profile
from holdfast.runtime.controller import open_drivers
from holdfast.site import check as site_check
from holdfast.site import devices as site_devices
from holdfast.site.assembly import build_cycle
from holdfast.site.check import check_site
from holdfast.site.devices import (
    abilities,
    address_of,
    devices,
    expected_signals,
    point_traits,
    site_ages,
    writable_points,
)
from holdfast.site.files import SiteFiles
from tests.builders import (
    LOAD,
    UNIT,
    Bench,
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
        roles: [relays]
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
        site_check,
        "load_profile",
        lambda name: blind if "precharge" in name else load_profile(name),
    )
    with pytest.raises(ConfigError) as error:
        check_site(site)
    assert str(error.value).startswith(
        "storage[0].relays: profile blind_relays takes precharge without dc_link_voltage_v: "
    )


SWITCH = """
    name: odd_switch
    protocol: modbus
    roles: [load_switch]
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
         "profile generic_meter is a meter and pv_meter, not a load_switch"),
        ({"loads": [load_content(switch=None), load_content(name="pump", switch=device("no"))]},
         "loads[1].switch", "there is no profile 'no'"),
        ({"loads": [load_content(switch=device("generic_thermostat"))]}, "loads[0].switch",
         "profile generic_thermostat has nothing to switch with: no load_on"),
        ({"rooms": [room_content(), room_content(name="bath", switch=device("generic_meter"))]},
         "rooms[1].switch", "profile generic_meter is a meter and pv_meter, not a load_switch"),
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


_TIMER = "profile odd_switch takes load_on without load_revert_"


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
    monkeypatch: pytest.MonkeyPatch,
    told: tuple[str, str],
    points: tuple[str, str],
    reason: str | None,
) -> None:
    """No such profile comes with Holdfast, so one is read from here."""
    odd = parse_profile(
        SWITCH.format(told=told[0], told_too=told[1], point=points[0], point_too=points[1]),
        source="odd_switch.yaml",
    )
    monkeypatch.setattr(
        site_check,
        "load_profile",
        lambda name: odd if "room_switch" in name else load_profile(name),
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
        site_check,
        "load_profile",
        lambda name: deaf if "room_switch" in name else load_profile(name),
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
    role = Role.LOAD_SWITCH
    found = {key: path for key, (path, _) in devices(site).items() if key[1] is role}
    assert found == {
        (LOAD, role): "loads[0].switch",
        ("parlour", role): "rooms[0].switch",
        ("bath", role): "rooms[1].switch",
    }
    drivers = open_drivers(site, DataStore(site.unit_names, tuple(site.switches)))
    assert drivers[LOAD, role].name == "boiler/load_switch"


def test_a_site_of_which_nothing_is_known_can_only_follow_a_setpoint() -> None:
    assert not SETPOINT_ONLY.throttles_pv
    assert not SETPOINT_ONLY.switches_pv


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


def test_of_signals_that_are_lost_together_the_same_one_is_named_in_every_run() -> None:
    """They are expected in the order of devices and names, and not in that of a set."""
    expected = expected_signals(build_site())
    bms, inverter, relays = (
        sorted(load_profile(f"generic_{role}").required) for role in ("bms", "inverter", "relays")
    )
    assert list(expected[UNIT]) == [*bms, *inverter, *relays]


def test_a_table_knows_the_unit_whose_inverter_it_is() -> None:
    """A step of a tenth of the rated power is one of 500 W here."""
    box = device("growatt_sph")
    own = {"inverter": box, "bms": box, "relays": {"none": "it has its own"}}
    site = build_site(unit_content() | own)
    profiles = [site_devices.profile_of(site, one) for one in site_devices.physical_devices(site)]
    (hybrid,) = (profile for profile in profiles if Point.SETPOINT_W in profile.points)
    assert hybrid.traits[Point.SETPOINT_W].step == 500.0
    assert len(profiles) > 1


def test_pv_can_be_throttled_if_one_inverter_takes_an_export_limit() -> None:
    plain, hybrid = unit_content("plain"), unit_content("b", inverter=device("generic_hybrid"))
    assert not abilities(build_site(plain)).throttles_pv
    assert abilities(build_site(plain, hybrid)).throttles_pv
    assert not abilities(build_site(plain)).switches_pv
    assert abilities(build_site(plain, hybrid)).switches_pv


@pytest.mark.parametrize(
    ("points", "able"),
    [
        ({Point.EXPORT_LIMIT_W}, Abilities(throttles_pv=True)),
        ({Point.PV_ON}, Abilities(switches_pv=True)),
        ({Point.SETPOINT_W}, Abilities()),
    ],
)
def test_each_point_of_pv_is_an_ability_of_its_own(
    monkeypatch: pytest.MonkeyPatch, points: set[Point], able: Abilities
) -> None:
    monkeypatch.setattr(site_devices, "writable_points", lambda _: {"battery": points})
    assert abilities(build_site()) == able


def test_a_cycle_is_built_of_a_whole_site_and_of_no_other() -> None:
    site = build_site()
    assert build_cycle(site).points == writable_points(site)
    with pytest.raises(ConfigError, match=r"^meter: profile generic_relays is a relays, not a "):
        build_cycle(site_with("meter", device("generic_relays")))


def test_what_can_be_written_comes_from_the_profiles() -> None:
    assert writable_points(build_site())[UNIT] == {
        Point.SETPOINT_W,
        Point.ENABLE,
        Point.REVERT_TIMEOUT_S,
        Point.CHARGE_POWER_W,
        Point.DISCHARGE_POWER_W,
        Point.CONTACTOR,
    }
    on_can = build_site(unit_content(bms={"profile": "pylontech_lv_can", "connection": CAN}))
    assert Point.CHARGE_POWER_W not in writable_points(on_can)[UNIT]


def test_what_can_be_written_to_loads_comes_from_the_profiles_too() -> None:
    points = writable_points(site_with_loads())
    assert points[LOAD] == points["parlour"] == {Point.LOAD_ON, Point.LOAD_REVERT_S}
    assert points["bath"] == {Point.ROOM_SETPOINT_C}
    assert points.keys() == {UNIT, LOAD, "parlour", "bath"}


def test_traits_of_points_come_from_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile that comes with Holdfast wears out, so one is read from here."""
    site = build_site(
        unit_content("a"), unit_content("b", bms=device("worn_bms")), loads=[load_content()]
    )
    worn = parse_profile(
        """
        name: worn_bms
        protocol: modbus
        roles: [bms]
        source: a test
        poll_period_s: 0.2
        reads:
          - {signal: soc_pct, address: 100, type: uint16}
        writes:
          - {point: charge_power_w, address: 200, type: uint16, scale: 5, writes_per_day: 50}
          - {point: discharge_power_w, address: 201, type: uint16}
        """,
        source="worn_bms.yaml",
    )
    use(monkeypatch, worn)
    traits = point_traits(site)
    assert traits.keys() == {"a", "b", LOAD}
    usual_ns = 500_000_000
    worn_traits = PointTraits(step=5.0, settle_ns=usual_ns, writes_per_day=50)
    assert traits["b"][Point.CHARGE_POWER_W] == worn_traits
    plain = PointTraits(step=1.0, settle_ns=usual_ns)
    assert traits["b"][Point.SETPOINT_W] == traits["a"][Point.SETPOINT_W] == plain
    assert traits[LOAD][Point.LOAD_ON] == plain


def slow(profile: str, timeout_s: float) -> dict[str, Any]:
    content = device(profile)
    return content | {"connection": content["connection"] | {"timeout_s": timeout_s}}


def test_a_slow_device_is_given_its_time_to_settle() -> None:
    site = build_site(unit_content(inverter=slow("generic_inverter", 3.0)))
    traits = point_traits(site)[UNIT]
    assert traits[Point.SETPOINT_W].settle_ns == 3 * NS_PER_S
    assert traits[Point.CHARGE_POWER_W].settle_ns == NS_PER_S // 2
    assert traits[Point.CONTACTOR].settle_ns == NS_PER_S // 2


def test_a_site_of_usual_devices_has_the_usual_ages() -> None:
    on_can = build_site(unit_content(bms={"profile": "pylontech_lv_can", "connection": CAN}))
    assert site_ages(on_can) == site_ages(site_with_loads()) == {}
    assert writable_points(on_can)[UNIT] == point_traits(on_can)[UNIT].keys()


def test_what_a_slow_inverter_tells_is_lost_later_and_old_as_ever() -> None:
    site = build_site(
        unit_content(inverter=slow("generic_inverter", 3.0), relays=slow("generic_relays", 3.0)),
        unit_content("b", bms=slow("generic_bms", 3.0)),
        meter=slow("generic_meter", 0.6),
    )
    ages = site_ages(site)
    assert ages.keys() == {UNIT}
    lost_s = {signal: ns / NS_PER_S for signal, ns in ages[UNIT].lost_ns.items()}
    assert lost_s[Signal.BATTERY_POWER_W] == 6.0
    assert lost_s[Signal.CONTACTOR_CLOSED] == 1.0
    assert lost_s[Signal.SOC_PCT] == 5.0
    assert ages[UNIT].old_ns == USUAL.old_ns
    assert ages[UNIT].lost_ns.keys() == USUAL.lost_ns.keys()


def test_a_table_may_say_that_its_device_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    table = load_profile("generic_inverter")
    assert isinstance(table, ModbusProfile)
    use(monkeypatch, table.model_copy(update={"name": "slow", "max_age_s": 30.0}))
    for timeout_s, lost_s in ((0.5, 30), (5.0, 30), (0.1, 30)):
        ages = site_ages(build_site(unit_content(inverter=slow("slow", timeout_s))))
        assert ages[UNIT].lost_ns[Signal.SETPOINT_READBACK_W] == lost_s * NS_PER_S
    # One that is quicker than others is lost as late as they are.
    for timeout_s, max_age_s in ((0.3, None), (0.5, 0.5)):
        use(monkeypatch, table.model_copy(update={"name": "slow", "max_age_s": max_age_s}))
        assert site_ages(build_site(unit_content(inverter=slow("slow", timeout_s)))) == {}
    use(monkeypatch, table.model_copy(update={"name": "slow", "max_age_s": 0.5}))
    assert site_ages(build_site(unit_content(inverter=slow("slow", 0.5)))) == {}


def over_http(profile: str, **changes: Any) -> dict[str, Any]:
    connection = {"kind": "http", "host": "192.0.2.9", **changes}
    return {"profile": profile, "connection": connection}


def test_what_a_slow_meter_tells_is_old_as_ever_and_lost_later() -> None:
    site = build_site(meter=over_http("shelly_3em"), pv_meter={"none": "no PV here"})
    check_site(site)
    ages = site_ages(site)[SITE]
    assert ages.lost_ns[Signal.GRID_POWER_W] == 5 * NS_PER_S
    assert ages.lost_ns[Signal.EMERGENCY_LOOP_CLOSED] == USUAL.lost_ns[Signal.EMERGENCY_LOOP_CLOSED]
    assert ages.old_ns == USUAL.old_ns
    assert Signal.GRID_VOLTAGE_V in expected_signals(site)[SITE]


def test_while_the_value_of_a_slow_meter_is_old_the_power_is_halved_and_then_ends() -> None:
    site = build_site(meter=over_http("shelly_3em"), pv_meter={"none": "no PV here"})
    for silent_s, row in ((2.0, "meter_data_old"), (6.0, "meter_data_lost")):
        bench = Bench(site)
        bench.cycle = build_cycle(site)
        bench.run(0.1)
        bench.set(Signal.GRID_POWER_W, None)
        bench.run(silent_s)
        rows = {finding.row for finding in bench.records[-1].assessment.findings}
        assert {each for each in rows if each.startswith("meter_data")} == {row}


def test_a_meter_over_http_has_an_address_and_fits_its_connection_alone() -> None:
    pv = {"pv_meter": {"none": "no PV here"}}
    connection = HttpHost(host="Meter.Local", port=8080, prefix="/a")
    assert address_of(connection) == "meter.local:8080/a"
    wrong = device("shelly_3em")
    with pytest.raises(ConfigError, match="shelly_3em speaks http, but the connection is modbus_"):
        check_site(build_site(meter=wrong, **pv))
    with pytest.raises(ConfigError, match="generic_meter speaks modbus, but the connection is htt"):
        check_site(build_site(meter=over_http("generic_meter"), **pv))
    twice = build_site(
        meter=over_http("fronius_solar_api_meter"),
        pv_meter=over_http("fronius_solar_api_meter", host="192.0.2.8"),
    )
    check_site(twice)
    drivers = open_drivers(twice, DataStore(twice.unit_names))
    assert len({drivers[SITE, Role.METER], drivers[SITE, Role.PV_METER]}) == 2


def over_mqtt(profile: str, topic: str = "house/it", **changes: Any) -> dict[str, Any]:
    connection = {"kind": "mqtt", "host": "Broker.local", "topic": topic, **changes}
    return {"profile": profile, "connection": connection}


def test_loads_and_rooms_are_switched_over_mqtt() -> None:
    site = build_site(
        loads=[load_content(switch=over_mqtt("mqtt_switch"))],
        rooms=[room_content(name="bath", switch=over_mqtt("mqtt_thermostat", "house/bath"))],
    )
    check_site(site)
    assert address_of(site.switches[LOAD].connection) == "broker.local:1883, topic house/it"
    assert writable_points(site)[LOAD] == {Point.LOAD_ON, Point.LOAD_REVERT_S}
    assert point_traits(site)["bath"] == {Point.ROOM_SETPOINT_C: PointTraits(step=0.5)}
    assert site_ages(site) == {}


def test_two_devices_at_one_topic_are_the_same() -> None:
    boiler, car = (load_content(name=n, switch=over_mqtt("mqtt_switch")) for n in (LOAD, "car"))
    with pytest.raises(ConfigError, match=r"^loads\[1\]\.switch: the same device as loads\[0\]"):
        check_site(build_site(loads=[boiler, car]))
    car["switch"] = over_mqtt("mqtt_switch", "house/car")
    check_site(build_site(loads=[boiler, car]))


def test_a_relay_without_a_timer_is_refused_over_mqtt_too(monkeypatch: pytest.MonkeyPatch) -> None:
    table = load_profile("mqtt_switch")
    assert isinstance(table, MqttProfile)
    plain = table.model_copy(update={"name": "plain", "writes": table.writes[:1]})
    monkeypatch.setattr(
        site_check,
        "load_profile",
        lambda name: plain if name == "plain" else load_profile(name),
    )
    use(monkeypatch, plain)
    with pytest.raises(ConfigError, match="load_on without load_revert_s: the load would stay on"):
        check_site(build_site(loads=[load_content(switch=over_mqtt("plain"))]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topic": "a/#"}, "is no topic such as house/meter"),
        ({"topic": "/a"}, "is no topic such as house/meter"),
        ({"topic": ""}, "is no topic such as house/meter"),
        ({"host": "mqtt://broker"}, "write only the name or address"),
        ({"password_env": "mqtt"}, "this is no name of an environment variable"),
        ({"username": "x", "password_env": "A", "password_file": "b"}, "only one of them can be"),
        ({"password_env": "A"}, "username: a password needs one"),
        ({"password_file": "a"}, "username: a password needs one"),
        ({"password_file": "~/a", "username": "x"}, "write the path without ~"),
        ({"username": ""}, "username"),
    ],
)
def test_a_connection_to_a_broker_that_is_wrong_is_refused(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        build_site(loads=[load_content(switch=over_mqtt("mqtt_switch", **changes))])


def on_gpio(role: str, *lines: str, chip: str = "/dev/gpiochip0") -> dict[str, Any]:
    connection = {"kind": "gpio", "chip": chip, "lines": list(lines)}
    return {"profile": f"gpio_{role}", "connection": connection}


def site_on_gpio(loop: str = "4", chip: str = "/dev/gpiochip0", **changes: Any) -> Site:
    relays = on_gpio("relays", "contactor=17", "contactor_closed=27", chip=chip)
    return build_site(
        unit_content(relays=relays),
        emergency_input=on_gpio("emergency_input", f"emergency_loop_closed={loop}"),
        authority="observe",
        **changes,
    )


def test_relays_and_an_emergency_input_hang_on_lines() -> None:
    site = site_on_gpio()
    check_site(site)
    addresses = [address_of(device.connection) for _, device in devices(site).values()]
    assert "/dev/gpiochip0: contactor=17, contactor_closed=27" in addresses
    assert "/dev/gpiochip0: emergency_loop_closed=4" in addresses
    assert address_of(GpioChip(chip="x")) == "x"
    assert Point.CONTACTOR in writable_points(site)[UNIT]
    assert point_traits(site)[UNIT][Point.CONTACTOR] == PointTraits()
    assert Signal.CONTACTOR_CLOSED in expected_signals(site)[UNIT]
    assert site_ages(site) == {}


def test_the_order_in_which_lines_are_named_makes_no_other_place() -> None:
    turned = GpioChip(chip="x", lines=("contactor_closed=2", "contactor=1"))
    assert address_of(turned) == "x: contactor=1, contactor_closed=2"


@pytest.mark.parametrize(
    ("role", "device", "told"),
    [
        (
            "relays", on_gpio("relays", "contactor=17"),
            "storage[0].relays: profile gpio_relays: lines: contactor_closed is missing; write [",
        ),
        (
            "relays", device("gpio_relays"),
            "storage[0].relays: profile gpio_relays speaks gpio, but the connection is modbus_tcp",
        ),
        (
            "relays", on_gpio("relays") | {"profile": "generic_relays"},
            "storage[0].relays: profile generic_relays speaks modbus, but the connection is gpio",
        ),
    ],
)  # fmt: skip
def test_lines_that_do_not_fit_are_told_with_the_place(
    role: str, device: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check_site(build_site(unit_content(**{role: device})))
    assert told in str(error.value)


@pytest.mark.parametrize("line", ["17", "27"])
def test_a_line_has_one_device(line: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_site(site_on_gpio(loop=line))
    assert str(error.value) == (
        f"storage[0].relays: line {line} of /dev/gpiochip0 is taken by emergency_input"
    )
    check_site(site_on_gpio(loop="27", chip="gpiochip1"))


@pytest.mark.parametrize(
    "line",
    ["17", "contactor", "contactor=", "contactor= 5", "Contactor=5", f"contactor={'a' * 65}"],
)
def test_a_line_is_named_with_what_hangs_on_it(line: str) -> None:
    with pytest.raises(ValidationError, match="is no line such as contactor=17"):
        build_site(unit_content(relays=on_gpio("relays", line)))


def test_names_of_lines_and_chips_have_an_end_and_a_beginning() -> None:
    longest = f"contactor={'a' * 64}"
    assert GpioChip(chip="x", lines=(longest,)).lines == (longest,)
    with pytest.raises(ValidationError, match="chip"):
        GpioChip(chip="")


def test_a_precharge_on_lines_is_refused_for_lines_tell_no_voltage(tmp_path: Path) -> None:
    table = tmp_path / "precharge.yaml"
    table.write_text(
        "{name: precharge, protocol: gpio, roles: [relays], source: test, poll_period_s: 0.02,"
        " reads: [{signal: contactor_closed, line: 1, bias: external},"
        " {signal: precharge_closed, line: 2, bias: external}],"
        " writes: [{point: contactor, line: 3}, {point: precharge, line: 4}]}"
    )
    relays = on_gpio("relays") | {"profile": str(table)}
    with pytest.raises(ConfigError, match="takes precharge without dc_link_voltage_v"):
        check_site(build_site(unit_content(relays=relays)))


def test_a_bms_is_not_old_before_its_next_burst_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    table = load_profile("pylontech_lv_can")
    assert isinstance(table, CanProfile)
    for period_s, old_s in ((1.0, 2.5), (1.6, 2.5), (2.0, 3.0), (3.0, 4.5)):
        use(monkeypatch, table.model_copy(update={"name": "slow", "burst_period_s": period_s}))
        site = build_site(unit_content(bms={"profile": "slow", "connection": CAN}))
        ages = site_ages(site).get(UNIT, USUAL)
        assert ages.old_ns[Signal.SOC_PCT] == ns_from_s(old_s)
        assert ages.lost_ns == USUAL.lost_ns


def test_a_cycle_goes_by_the_ages_of_its_site() -> None:
    slower = build_site(unit_content(inverter=slow("generic_inverter", 3.0)))
    for site, found in ((slower, "inverter_data_old"), (build_site(), "inverter_data_lost")):
        bench = Bench(site)
        bench.cycle = build_cycle(site)
        bench.run(0.1)
        bench.set(Signal.BATTERY_POWER_W, None)
        bench.run(2.0)
        rows = {finding.row for finding in bench.records[-1].assessment.findings}
        assert rows >= {found}


def use(monkeypatch: pytest.MonkeyPatch, table: Profile) -> None:
    """Knows ``table`` beside the profiles that come with Holdfast."""
    monkeypatch.setattr(
        site_devices,
        "load_profile",
        lambda name: table if name == table.name else load_profile(name),
    )


def test_an_address_of_a_battery_that_has_none_is_refused() -> None:
    bms = {"profile": "pylontech_lv_can", "connection": CAN | {"address": 1}}
    with pytest.raises(ConfigError, match="bms: profile pylontech_lv_can: address 1: its batt"):
        check_site(build_site(unit_content(bms=bms)))


def test_batteries_with_two_addresses_on_one_bus_are_at_two_places() -> None:
    connection = CanBus(interface="socketcan", channel="can0")
    assert address_of(connection) == "can0"
    assert address_of(connection.model_copy(update={"address": 1})) == "can0, battery 1"


def test_each_device_gets_a_driver_that_opens_nothing_yet() -> None:
    site = build_site(unit_content("a"), unit_content("b"))
    drivers = open_drivers(site, DataStore(site.unit_names, tuple(site.switches)))
    assert drivers.keys() == devices(site).keys()
    assert drivers["b", Role.RELAYS].name == "b/relays"
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


def test_two_devices_of_one_profile_at_one_address_are_one_and_refused() -> None:
    twin = unit_content("right", inverter=device("generic_inverter", "left"))
    with pytest.raises(ConfigError) as error:
        check_site(build_site(unit_content("left"), twin))
    assert str(error.value) == (
        "storage[1].inverter: the same device as storage[0].inverter: "
        "profile generic_inverter at left:502, device 1"
    )


def test_two_batteries_on_one_can_bus_are_one_and_refused() -> None:
    bms = {"profile": "pylontech_lv_can", "connection": CAN}
    with pytest.raises(ConfigError, match=r"pylontech_lv_can at /dev/nowhere$"):
        check_site(build_site(unit_content("left", bms=bms), unit_content("right", bms=bms)))


def test_devices_at_one_address_with_other_ids_or_profiles_are_several() -> None:
    other = device("generic_inverter", "left")
    other["connection"]["device_id"] = 2
    check_site(build_site(unit_content("left"), unit_content("right", inverter=other)))
    check_site(build_site(unit_content("left", relays=device("generic_relays", "left"))))


# What an inverter does not do by itself. ----------------------------------------------------------


def test_no_contactor_of_ours_closes_on_a_power_stage_that_cannot_be_seen_off() -> None:
    box = device("foxess_h3")
    changes = {"meter": box, "pv_meter": box, "authority": "observe"}
    with pytest.raises(ConfigError, match=r"inverter: .* cannot tell that its power"):
        check_site(build_site(unit_content() | {"inverter": box, "bms": box}, **changes))
    alone = {"relays": {"none": "it has its own"}}
    check_site(build_site(unit_content() | {"inverter": box, "bms": box} | alone, **changes))


@pytest.mark.parametrize(
    "writes", ["[]", "[{point: enable, address: 4, type: uint16, readback: inverter_enabled}]"]
)
def test_an_inverter_that_takes_no_setpoint_is_only_observed(tmp_path: Path, writes: str) -> None:
    table = tmp_path / "mute.yaml"
    table.write_text(
        "{name: mute, protocol: modbus, roles: [inverter], source: test, poll_period_s: 0.1,"
        "reads: ["
        "{signal: battery_power_w, address: 0, type: int32},"
        "{signal: setpoint_readback_w, address: 2, type: int32},"
        "{signal: inverter_enabled, address: 4, type: uint16},"
        "{signal: revert_timeout_readback_s, address: 5, type: uint16}],"
        f"writes: {writes}}}"
    )
    unit = unit_content() | {"inverter": device(str(table))}
    check_site(build_site(unit, authority="observe"))
    with pytest.raises(ConfigError, match=r"inverter: profile mute takes no setpoint"):
        check_site(build_site(unit, authority="limited"))


def serial(role: str, port: str = "/dev/ttyUSB0", **connection: object) -> dict[str, Any]:
    return {
        "profile": f"generic_{role}",
        "connection": {"kind": "modbus_rtu", "port": port, **connection},
    }


@pytest.mark.parametrize(
    ("key", "value", "usual"), [("baudrate", 19200, 9600), ("parity", "even", "none"),
                                ("stop_bits", 2, 1)],
)  # fmt: skip
def test_the_devices_of_a_line_agree_how_it_is_set_up(
    key: str, value: object, usual: object
) -> None:
    inverter, relays = serial("inverter"), serial("relays", device_id=2)
    check_site(build_site(unit_content(inverter=inverter, relays=relays)))
    other = serial("relays", "/dev/ttyUSB1", **{key: value})
    check_site(build_site(unit_content(inverter=inverter, relays=other)))
    relays["connection"][key] = value
    with pytest.raises(ConfigError) as error:
        check_site(build_site(unit_content(inverter=inverter, relays=relays)))
    assert str(error.value) == (
        f"storage[0].relays: {key} {value} on /dev/ttyUSB0, where storage[0].inverter has {usual}; "
        "a line has one"
    )


def test_a_table_of_registers_is_read_over_a_serial_line_behind_a_converter_too() -> None:
    connection = {"kind": "modbus_rtu_tcp", "host": "10.0.0.9", "port": 4196}
    meter = {"profile": "generic_meter", "connection": connection}
    check_site(build_site(meter=meter))


def test_a_device_has_its_place_on_a_line_by_its_id() -> None:
    same = serial("inverter")
    with pytest.raises(ConfigError, match=r"the same device .* at /dev/ttyUSB0, device 1"):
        check_site(build_site(
            unit_content(inverter=same), unit_content("second", inverter=same)
        ))  # fmt: skip
    gateway = ModbusRtuTcp(host="Gateway", port=4196, device_id=3)
    assert site_devices.address_of(gateway) == "gateway:4196, device 3"


def test_on_a_line_a_write_waits_for_others_too() -> None:
    site = build_site(unit_content(inverter=serial("inverter", timeout_s=0.4)))
    (settle_ns,) = {t.settle_ns for t in point_traits(site)[UNIT].values() if t.settle_ns > 6e8}
    assert settle_ns == ns_from_s(0.8)


def behind_stick(profile: str, **changes: Any) -> dict[str, Any]:
    connection = {"kind": "modbus_mqtt", "host": "broker", **changes}
    return {"profile": profile, "connection": connection}


def with_growatt(**changes: Any) -> Site:
    box = behind_stick("growatt_sph", **changes)
    unit = unit_content(inverter=box, bms=box) | {"relays": {"none": "it has its own"}}
    return build_site(unit, authority="observe")


def test_a_growatt_behind_a_stick_is_a_device_of_registers() -> None:
    site = with_growatt()
    check_site(site)
    (one,) = (each for each in site_devices.physical_devices(site) if Role.INVERTER in each.owners)
    assert set(one.owners) == {Role.INVERTER, Role.BMS}
    assert site_devices.address_of(one.device.connection) == "broker:1883, topic energy/solar"
    (settle_ns,) = {trait.settle_ns for trait in point_traits(site)[UNIT].values()}
    assert settle_ns == ns_from_s(5.0), "a command takes several messages"
    profile, connection = load_profile("growatt_sph"), one.device.connection
    old_ns, lost_ns = site_devices.ages_of(Signal.BATTERY_POWER_W, profile, connection)
    assert (old_ns, lost_ns) == (ns_from_s(0.5), ns_from_s(15.0)), "so does what it shows"
    battery = site_devices.ages_of(Signal.SOC_PCT, profile, connection)
    assert battery[1] == ns_from_s(5.0), "and its battery is lost as any other"


def test_a_table_that_reads_more_at_once_than_a_stick_is_refused_behind_one(
    tmp_path: Path,
) -> None:
    table = tmp_path / "long.yaml"
    table.write_text(
        "{name: long, protocol: modbus, roles: [meter], source: test, poll_period_s: 0.3, reads: "
        "[{signal: grid_power_w, address: 0, type: int16, scale_from: 9}], read_gap: 8}"
    )
    meter = behind_stick(str(table))
    with pytest.raises(ConfigError, match="meter: profile long: it reads more registers together"):
        check_site(build_site(meter=meter, pv_meter={"none": "these tests"}))


def test_what_is_found_by_its_models_is_not_read_through_a_stick() -> None:
    meter = behind_stick("sunspec_meter")
    with pytest.raises(ConfigError, match="speaks sunspec, but the connection is modbus_mqtt"):
        check_site(build_site(meter=meter, pv_meter={"none": "these tests"}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topic": "a/#"}, "topic"),
        ({"device_id": 2}, "device_id"),
        ({"timeout_s": 6}, "timeout_s"),
        ({"password_env": "SECRET"}, "username: a password needs one"),
    ],
)
def test_a_connection_to_a_stick_that_is_wrong_is_refused(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        with_growatt(**changes)


def test_the_meter_of_a_load_is_a_device_of_the_site_and_no_safety_rests_on_it() -> None:
    loads = [{"name": "car", "meter": device("generic_load_meter", "car")}]
    site = build_site(metered_loads=loads)
    assert ("car", Role.LOAD_METER) in devices(site)
    assert expected_signals(site) == expected_signals(build_site())
