"""What stands in site.yaml for a device: its name, a table of the owner's, or why there is none."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.core.config import Site
from holdfast.core.config.device import MqttBroker
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.errors import ConfigError
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile
from holdfast.safety.derived import derive
from holdfast.site.check import check_site
from holdfast.site.devices import (
    devices,
    expected_signals,
    left_out,
    physical_devices,
    writable_points,
)
from holdfast.site.site_file import parse_site
from tests.builders import device, site_content, unit_content


def content(**changes: Any) -> dict[str, Any]:
    accepts = {"unwanted_power": "the maker's own protection has to do"}
    unit = unit_content(bms="hybrid", inverter="hybrid", accepts=accepts)
    site = site_content(unit) | {"devices": {"hybrid": device("generic_integrated")}}
    return site | {"meter": "hybrid"} | changes


def parsed(site: dict[str, Any]) -> Site:
    return parse_site(yaml.safe_dump(site))


def test_a_box_with_three_roles_is_one_device_of_two_owners() -> None:
    site = parsed(content())
    check_site(site)
    hybrid, *others = sorted(physical_devices(site), key=lambda one: -len(one.owners))
    assert hybrid.name == "hybrid"
    assert hybrid.owners == {
        Role.METER: "site", Role.PV_METER: "site", Role.BMS: "battery", Role.INVERTER: "battery",
    }  # fmt: skip
    assert sorted(one.name for one in others) == ["battery/relays", "site/emergency_input"]


def test_each_owner_has_of_it_what_its_roles_tell_and_take() -> None:
    apart, together = parsed(site_content()), parsed(content())
    expected = expected_signals(together)
    assert {"grid_power_w", "grid_voltage_v"} <= set(expected["site"])
    assert not {"grid_power_w", "grid_voltage_v"} & set(expected["battery"])
    assert {"soc_pct", "battery_power_w", "contactor_closed"} <= set(expected["battery"])
    bms_takes = {"charge_power_w", "discharge_power_w"}
    assert set(writable_points(together)["battery"]) == (
        set(writable_points(apart)["battery"]) - bms_takes | {"device_mode"}
    )


def test_a_device_without_a_name_is_called_by_what_it_does() -> None:
    site = parsed(site_content())
    assert sorted(one.name for one in physical_devices(site)) == [
        "battery/bms", "battery/inverter", "battery/relays", "site/emergency_input", "site/meter",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"meter": "hybird"}, "meter: no device under devices is called 'hybird'; hybrid"),
        (
            {"devices": {}},
            "meter: no device under devices is called 'hybrid'; none are there",
        ),
        (
            {"devices": {"hybrid": device("generic_integrated"), "spare": device("generic_meter")}},
            "devices.spare: nothing uses it; write its name where it serves",
        ),
        (
            {"storage": [unit_content(bms="hybrid", inverter="x")]},
            "storage[0].inverter: no device under devices is called 'x'; hybrid",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_place(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        parsed(content(**changes))
    assert str(error.value) == f"site.yaml: {told}"


def test_a_named_device_switches_loads_and_rooms_and_measures_loads_too() -> None:
    room = {"capacity_wh_per_k": 300, "loss_w_per_k": 40, "comfort": [{"low_c": 20, "high_c": 23}]}
    site = parsed(
        content(
            devices={
                "hybrid": device("generic_integrated"),
                "relay": device("generic_load_switch", "10.0.0.7"),
                "valve": device("generic_thermostat", "10.0.0.8"),
                "counter": device("generic_load_meter", "10.0.0.9"),
            },
            loads=[{"name": "boiler", "power_w": 2000, "energy_wh": 4000, "switch": "relay"}],
            rooms=[{"name": "bath", "power_max_w": 800, "switch": "valve", **room}],
            metered_loads=[{"name": "car", "meter": "counter"}],
        )
    )
    switches = {
        owner: one.profile
        for (owner, role), (_, one) in devices(site).items()
        if role is Role.LOAD_SWITCH
    }
    assert site.metered_loads[0].meter.profile == "generic_load_meter"
    assert switches == {"boiler": "generic_load_switch", "bath": "generic_thermostat"}


def test_a_mistake_in_it_is_told_once_at_its_own_place() -> None:
    broken = device("generic_integrated")
    broken["connection"]["port"] = 0
    with pytest.raises(ConfigError) as error:
        parsed(content(devices={"hybrid": broken}))
    assert str(error.value).splitlines() == [
        "site.yaml: 1 wrong:",
        "  devices.hybrid.connection.port: 0: must be at least 1",
    ]


def test_what_is_no_list_of_sections_is_told_as_everywhere() -> None:
    with pytest.raises(ConfigError, match=r"storage: .*must be a list"):
        parsed(content(storage="hybrid", meter=device("generic_meter"), devices={}))
    with pytest.raises(ConfigError, match=r"storage\[0\]: "):
        parsed(content(storage=[3], meter=device("generic_meter"), devices={}))


def test_a_role_that_its_table_does_not_have_is_refused() -> None:
    site = parsed(content(emergency_input="hybrid"))
    with pytest.raises(ConfigError) as error:
        check_site(site)
    assert str(error.value) == (
        "emergency_input: profile generic_integrated is a inverter and bms and meter and pv_meter, "
        "not a emergency_input"
    )


# What a site does without. ----------------------------------------------------------------------


WHY = {"none": "the inverter has a switch of its own"}


def test_a_device_is_left_out_in_words_and_what_it_would_tell_is_so() -> None:
    site = parsed(site_content() | {"emergency_input": WHY, "pv_meter": {"none": "no PV here"}})
    check_site(site)
    assert {role for _, role in devices(site)} == {
        Role.BMS, Role.INVERTER, Role.RELAYS, Role.METER,
    }  # fmt: skip
    assert Signal.EMERGENCY_LOOP_CLOSED not in expected_signals(site)["site"]
    snapshot = derive(site, freeze(DataStore(site.unit_names).image(), 7))
    assert snapshot.read("site", Signal.EMERGENCY_LOOP_CLOSED) == Good(value=1.0, time_ns=7)
    assert snapshot.read("site", Signal.PV_POWER_W) == Good(value=0.0, time_ns=7)


def test_what_is_left_out_is_listed_by_its_place_with_the_reason() -> None:
    unit = unit_content() | {"relays": WHY}
    site = parsed(site_content(unit) | {"pv_meter": {"none": "no PV here"}})
    assert left_out(site) == {
        "pv_meter": (Role.PV_METER, "no PV here"),
        "storage[0].relays": (Role.RELAYS, WHY["none"]),
    }
    assert left_out(site_with()) == {}


def test_what_is_not_left_out_is_not_known_before_it_is_told() -> None:
    snapshot = derive(site_with(), freeze(DataStore(("battery",)).image(), 7))
    assert snapshot.readings["site"] == {}


def site_with(**changes: Any) -> Site:
    return parsed(site_content() | changes)


@pytest.mark.parametrize("key", ["meter", "emergency_input"])
def test_nothing_is_left_out_by_default(key: str) -> None:
    left = {name: value for name, value in site_content().items() if name != key}
    with pytest.raises(ConfigError, match=f"{key}: is missing"):
        parsed(left)


@pytest.mark.parametrize("key", ["meter", "storage[0].bms", "storage[0].inverter"])
def test_no_site_does_without_meter_bms_or_inverter(key: str) -> None:
    changes = {"meter": WHY} if key == "meter" else {"storage": [unit_content(**{key[11:]: WHY})]}
    with pytest.raises(ConfigError) as error:
        site_with(**changes)
    assert f"  {key}.none: is not a known key here" in str(error.value).splitlines()


@pytest.mark.parametrize("reason", ["", "no", None, 1])
def test_a_device_is_left_out_with_a_reason(reason: object) -> None:
    with pytest.raises(ConfigError) as error:
        site_with(emergency_input={"none": reason})
    assert str(error.value).splitlines()[1].startswith("  emergency_input.none: ")


def test_pv_is_measured_by_the_meter_or_by_who_is_named_for_it() -> None:
    assert devices(site_with())["site", Role.PV_METER] == devices(site_with())["site", Role.METER]
    apart = site_with(pv_meter=device("generic_meter", "192.0.2.9"))
    check_site(apart)
    path, pv_meter = devices(apart)["site", Role.PV_METER]
    assert (path, pv_meter.connection.host) == ("pv_meter", "192.0.2.9")


def test_a_meter_that_measures_no_pv_needs_somebody_who_does() -> None:
    site = site_with(meter=device("generic_relays"))
    with pytest.raises(ConfigError, match="is a relays, not a meter"):
        check_site(site)
    site = site_with(pv_meter=device("generic_relays", "192.0.2.9"))
    with pytest.raises(ConfigError) as error:
        check_site(site)
    assert str(error.value) == (
        "pv_meter: profile generic_relays measures no PV; name what does as pv_meter, or write "
        "pv_meter: {none: why there is no PV}"
    )


# A table of the owner's. -------------------------------------------------------------------------

TABLE = """\
name: my_meter
protocol: modbus
roles: [meter]
source: its manual, page 7
poll_period_s: 0.2
reads:
  - {signal: grid_power_w, address: 52, table: input, type: int32, scale: 0.1}
"""


def own(tmp_path: Path, table: str, profile: str = "./my_meter.yaml") -> Site:
    (tmp_path / "my_meter.yaml").write_text(table)
    changes = {"meter": device(profile), "pv_meter": {"none": "no PV here"}}
    return parse_site(yaml.safe_dump(site_content() | changes), folder=tmp_path)


@pytest.mark.parametrize("profile", ["./my_meter.yaml", "my_meter.yaml", "sub/../my_meter.yaml"])
def test_a_table_of_the_owners_lies_beside_site_yaml(tmp_path: Path, profile: str) -> None:
    (tmp_path / "sub").mkdir()
    site = own(tmp_path, TABLE, profile)
    check_site(site)
    assert load_profile(site.meter.profile).name == "my_meter"
    assert Signal.GRID_POWER_W in expected_signals(site)["site"]


def test_it_may_stand_under_devices_or_with_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "my_meter.yaml").write_text(TABLE)
    whole = str(tmp_path / "my_meter.yaml")
    for profile in ("my_meter.yaml", whole):
        changes = {
            "devices": {"counter": device(profile)},
            "meter": "counter",
            "pv_meter": {"none": "no PV here"},
        }
        site = parse_site(yaml.safe_dump(site_content() | changes), folder=tmp_path)
        assert site.meter.profile == whole


@pytest.mark.parametrize(
    ("wrong", "right", "line", "told"),
    [
        ("address: 52", "address: 70000", 7, "reads[0].address: 70000: must be at most 65535"),
        ("scale: 0.1", "scale: 0", 7, "reads[0]: scale 0 makes every value 0"),
        ("int32", "int33", 7, "reads[0].type: 'int33': must be "),
        (
            "poll_period_s: 0.2",
            "poll_period_s: 0.5",
            1,
            "the whole file: poll_period_s 0.5 leaves fewer than three polls",
        ),
        ("poll_period_s: 0.2", "poll_s: 0.2", 5, "poll_s: is not a known key here"),
        (
            "[meter]",
            "[meter, bms]",
            1,
            "the whole file: roles: nothing that it reads is produced by bms",
        ),
    ],
)
def test_a_mistake_in_it_is_told_with_file_line_and_reason(
    tmp_path: Path, wrong: str, right: str, line: int, told: str
) -> None:
    site = own(tmp_path, TABLE.replace(wrong, right))
    with pytest.raises(ConfigError) as error:
        check_site(site)
    first, *others = str(error.value).splitlines()
    assert first.startswith(f"meter: {tmp_path}/my_meter.yaml: ")
    assert any(other.startswith(f"  line {line}: {told}") for other in others)


def test_a_table_that_is_no_yaml_or_not_there_is_told(tmp_path: Path) -> None:
    site = own(tmp_path, "name: [")
    with pytest.raises(ConfigError, match=r"(?s)my_meter.yaml: is not YAML: .*line 1"):
        check_site(site)
    site = own(tmp_path, TABLE, "./other.yaml")
    with pytest.raises(
        ConfigError, match=r"meter: profile .*/other.yaml: cannot be read: .*No such"
    ):
        check_site(site)


@pytest.mark.parametrize("path", ["secret", "./secret", "{folder}/secret"])
def test_a_password_lies_beside_site_yaml_too(tmp_path: Path, path: str) -> None:
    connection = {
        "kind": "mqtt", "host": "broker", "topic": "house/meter", "username": "holdfast",
        "password_file": path.format(folder=tmp_path),
    }  # fmt: skip
    meter = {"profile": "mqtt_meter", "connection": connection}
    changes = {"meter": meter, "pv_meter": {"none": "no PV here"}}
    site = parse_site(yaml.safe_dump(site_content() | changes), folder=tmp_path)
    assert isinstance(site.meter.connection, MqttBroker)
    assert site.meter.connection.password_file == str(tmp_path / "secret")


@pytest.mark.parametrize("path", ["~/secret", "", 7])
def test_a_path_of_a_password_that_is_none_is_refused(tmp_path: Path, path: object) -> None:
    connection = {"kind": "mqtt", "host": "b", "topic": "t", "username": "x", "password_file": path}
    meter = {"profile": "mqtt_meter", "connection": connection}
    with pytest.raises(ConfigError, match="password_file"):
        parse_site(yaml.safe_dump(site_content() | {"meter": meter}), folder=tmp_path)
