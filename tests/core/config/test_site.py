"""site.yaml: a wrong key is named with its path, and nothing is looser than the hardware."""

import copy
import math
import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from holdfast.core.config import (
    BatteryHardware,
    CycleTiming,
    Gateway,
    Grid,
    InverterHardware,
    Location,
    Operation,
    PlannerOptions,
    PvArray,
    PvPlant,
    Site,
    StorageUnit,
)
from holdfast.core.config.device import (
    CanBus,
    HttpHost,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
)
from holdfast.core.config.loads import Comfort, FlexibleLoad, HeatedRoom
from holdfast.core.errors import ConfigError
from holdfast.devices.profile import profile_names
from holdfast.site.site_file import load_site, parse_site
from tests.builders import (
    build_site,
    device,
    room_content,
    site_content,
    unit_content,
)

EXAMPLE = """
name: House
timezone: Europe/Berlin
authority: limited
grid: {import_max_w: 17250, export_max_w: 10000}
meter: {profile: generic_meter, connection: {host: 10.0.0.5, kind: modbus_tcp}}
emergency_input:
  profile: generic_emergency_input
  connection: {kind: modbus_tcp, host: 10.0.0.6, port: 1502, device_id: 3}
storage:
  - name: battery
    battery:
      cells_in_series: 16
      capacity_wh: 10000
      charge_current_max_a: 100
      discharge_current_max_a: 120
    inverter_hardware: {charge_power_max_w: 5000, discharge_power_max_w: 6000}
    operation: {soc_min_pct: 15, discharge_power_max_w: 4000}
    limits:
      cell_voltage_high: {trip: 3.6, alarm: 3.55}
    bms: {profile: pylontech_lv_can, connection: {kind: can, interface: socketcan, channel: can0}}
    inverter: {profile: generic_inverter, connection: {kind: modbus_tcp, host: 10.0.0.7}}
    relays: {profile: generic_relays, connection: {kind: modbus_tcp, host: 10.0.0.8}}
prices:
  purchase: {source: {kind: file, path: prices.xml}, levies_per_kwh: 0.18, vat_pct: 19}
  feed_in: {source: {kind: fixed, price_per_kwh: 0.08}}
"""


def changed(path: str, value: object = None, *, remove: bool = False) -> str:
    """The text of a correct site with one key changed or removed."""
    content = copy.deepcopy(site_content())
    target = content
    *keys, last = (int(key) if key.isdigit() else key for key in path.split("."))
    for key in keys:
        target = target[key] if isinstance(target, list) else target.setdefault(key, {})
    if remove:
        del target[last]
    else:
        target[last] = value
    return yaml.safe_dump(content)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_site(text)
    return str(caught.value)


def test_an_example_is_accepted_and_means_what_it_says():
    site = parse_site(EXAMPLE)
    unit = site.storage[0]
    assert site.unit_names == ("battery",)
    assert (site.charge_power_max_w, site.discharge_power_max_w) == (5000, 4000)
    assert (unit.operation.soc_min_pct, unit.operation.soc_max_pct) == (15, 95)
    assert unit.limits["cell_voltage_high"].trip == 3.6
    assert unit.bms.connection.channel == "can0"
    assert site.emergency_input.connection.device_id == 3
    assert {unit.bms.profile, unit.inverter.profile, unit.relays.profile} <= set(profile_names())


def test_a_site_that_does_not_say_otherwise_only_observes_and_listens_to_itself():
    site = parse_site(changed("authority", remove=True))
    assert site.authority == "observe"
    assert site.gateway.host == "127.0.0.1"
    assert site.cycle.period_ms == 20


@pytest.mark.parametrize(
    ("path", "value", "where", "why"),
    [
        ("grid.import_max_kw", 10, "grid.import_max_kw", "is not a known key here"),
        ("surprise", 1, "surprise", "is not a known key here"),
        ("storage.0.battery.capacity", 1, "storage[0].battery.capacity", "is not a known key"),
        ("storage.0.bms.connection.hots", "x", "storage[0].bms.connection.hots", "not a known key"),
        ("storage.0.limits.soc_high", {"stop": 1}, "limits.soc_high.stop", "not a known key"),
        ("grid.import_max_w", 0, "grid.import_max_w", "must be above 0"),
        ("grid.import_max_w", "much", "grid.import_max_w", "'much'"),
        ("grid.export_max_w", -1, "grid.export_max_w", "-1: "),
        ("authority", "boss", "authority", "'boss'"),
        ("cycle.period_ms", 5, "cycle.period_ms", "5: "),
        ("cycle.period_ms", 1001, "cycle.period_ms", "1001: "),
        ("storage", [], "storage", "at least 1 entry"),
        ("storage.0.name", "Main Battery", "storage[0].name", "'Main Battery'"),
        ("storage.0.battery.cells_in_series", 0, "storage[0].battery.cells_in_series", "0: "),
        ("storage.0.battery.cell_voltage_max_v", 4.4, "battery.cell_voltage_max_v", "4.4: "),
        ("storage.0.battery.discharge_temperature_max_c", 76, "temperature_max_c", "76: "),
        ("storage.0.inverter_hardware.revert_timeout_s", 0, "revert_timeout_s", "0: "),
        ("storage.0.bms.connection.kind", "serial", "storage[0].bms.connection", "modbus_tcp"),
        ("storage.0.bms.connection.port", 65536, "storage[0].bms.connection.port", "65536: "),
        ("timezone", "Berlin", "timezone", "'Berlin' is no IANA time zone"),
        ("timezone", "../etc/passwd", "timezone", "is no IANA time zone"),
        ("timezone", "", "timezone", "is no IANA time zone"),
        ("timezone", "Europe" + "x" * 300, "timezone", "is no IANA time zone"),
        ("currency", "euro", "currency", "'euro'"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_path_and_the_reason(path, value, where, why):
    line = next(line for line in refusal(changed(path, value)).splitlines() if where in line)
    assert why in line


@pytest.mark.parametrize(
    "path",
    ["name", "grid", "grid.import_max_w", "meter", "emergency_input", "storage",
     "storage.0.name", "storage.0.battery.capacity_wh", "storage.0.inverter_hardware",
     "storage.0.bms", "storage.0.relays.connection.host"],
)  # fmt: skip
def test_a_missing_key_is_named_with_its_path(path):
    where = path.replace(".0.", "[0].")
    assert f"  {where}: is missing" in refusal(changed(path, remove=True)).splitlines()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "path",
    ["grid.import_max_w", "grid.export_max_w", "limited_power_w", "planner.wear_cost_per_kwh",
     "planner.horizon_h", "storage.0.battery.capacity_wh", "storage.0.battery.charge_current_max_a",
     "storage.0.battery.cell_voltage_max_v", "storage.0.battery.cell_voltage_min_v",
     "storage.0.battery.charge_temperature_min_c", "storage.0.battery.contactor_break_current_a",
     "storage.0.inverter_hardware.charge_power_max_w",
     "storage.0.inverter_hardware.efficiency_pct", "storage.0.inverter_hardware.revert_timeout_s",
     "storage.0.operation.soc_min_pct", "storage.0.operation.soc_max_pct",
     "storage.0.operation.discharge_power_max_w", "storage.0.operation.ramp_w_per_s",
     "storage.0.limits.soc_high.alarm", "storage.0.bms.connection.timeout_s"],
)  # fmt: skip
def test_no_number_may_be_infinite_or_none_at_all(path, value):
    assert path.replace(".0.", "[0].") in refusal(changed(path, value))


@pytest.mark.parametrize("days", [1, 4, 29, -1])
def test_a_number_of_days_of_which_nothing_is_learned_is_refused(days):
    assert "planner.scenario_days" in refusal(changed("planner.scenario_days", days))


@pytest.mark.parametrize("days", [0, 5, 28])
def test_plans_may_rest_on_no_days_or_on_enough(days):
    assert parse_site(changed("planner.scenario_days", days)).planner.scenario_days == days


def test_every_wrong_key_is_named_at_once():
    content = site_content()
    content["grid"] = {"import_max_w": -1}
    content["nmae"] = "x"
    text = refusal(yaml.safe_dump(content))
    assert "3 wrong" in text
    for where in ("grid.import_max_w", "grid.export_max_w: is missing", "nmae"):
        assert where in text


@pytest.mark.parametrize("direction", ["charge", "discharge"])
def test_a_power_looser_than_the_hardware_is_refused(direction):
    key = f"storage.0.operation.{direction}_power_max_w"
    text = refusal(changed(key, 5001))
    assert f"operation.{direction}_power_max_w: 5001 W is looser than the hardware's 5000" in text
    assert "storage[0]" in text
    unit = parse_site(changed(key, 5000)).storage[0]
    assert getattr(unit, f"{direction}_power_max_w") == 5000
    unit = parse_site(changed(key, 1)).storage[0]
    assert getattr(unit, f"{direction}_power_max_w") == 1


@pytest.mark.parametrize(("low", "high"), [(95, 95), (60, 40)])
def test_soc_limits_must_leave_something_between_them(low, high):
    text = refusal(changed("storage.0.operation", {"soc_min_pct": low, "soc_max_pct": high}))
    assert f"soc_min_pct ({low}) must be below soc_max_pct ({high})" in text


@pytest.mark.parametrize("names", [("a", "a"), ("a", "site")])
def test_units_must_have_names_that_tell_them_apart(names):
    units = [unit_content(name) for name in names]
    assert "names of storage, loads and rooms must differ" in refusal(
        yaml.safe_dump(site_content(*units))
    )


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("name: a\nname: b\n", "name"),
        ("grid: {import_max_w: 1, import_max_w: 2}\n", "import_max_w"),
        ("storage:\n- name: a\n  battery: {capacity_wh: 1, capacity_wh: 9}\n", "capacity_wh"),
    ],
)
def test_a_key_that_stands_twice_is_refused_and_named(text, twice):
    assert re.search(rf"line \d: {twice} stands in line \d already", refusal(text))


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "just words", "a: [", "a: b: c", "\t"])
def test_what_is_no_mapping_is_refused_with_the_name_of_the_file(text):
    assert refusal(text).startswith("site.yaml: ")


def test_python_objects_in_the_file_are_not_made():
    assert "is not YAML" in refusal("name: !!python/object/apply:os.getcwd []")


def test_relative_paths_count_from_the_folder_of_the_file(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    site = load_site(path)
    assert Path(site.state_dir) == tmp_path / "state"
    assert Path(site.prices.purchase.source.path) == tmp_path / "prices.xml"


def test_a_path_to_a_home_is_refused_for_it_depends_on_who_runs_the_command():
    with pytest.raises(ConfigError, match=r"state_dir: ~/state: write the path without ~"):
        parse_site(yaml.safe_dump(site_content(state_dir="~/state")))
    assert parse_site(yaml.safe_dump(site_content(state_dir="a~b"))).state_dir.endswith("a~b")


def test_absolute_paths_stay_as_they_are(tmp_path):
    elsewhere = "/var/lib/holdfast"
    site = parse_site(changed("state_dir", elsewhere), folder=tmp_path)
    assert site.state_dir == elsewhere


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no .*nowhere\.yaml; `holdfast init` writes"):
        load_site(tmp_path / "nowhere.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: Gebäude".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: cannot be read"):
        load_site(latin)


def test_a_site_cannot_be_changed_once_it_is_checked():
    site = build_site()
    with pytest.raises(ValueError, match="frozen"):
        site.authority = "full"
    with pytest.raises(ValueError, match="frozen"):
        site.storage[0].battery.cell_voltage_max_v = 9.0


def test_a_device_needs_a_connection_of_a_known_kind():
    wrong = {**device("generic_bms"), "connection": {"kind": "can", "channel": "can0"}}
    assert "storage[0].bms.connection.interface: is missing" in refusal(
        changed("storage.0.bms", wrong)
    )


def test_a_battery_whose_lowest_cell_voltage_exceeds_its_highest_is_refused():
    content = site_content(
        unit_content(battery={"cell_voltage_max_v": 3.0, "cell_voltage_min_v": 3.2})
    )
    assert "cell_voltage" in refusal(yaml.safe_dump(content))


CELLS = {
    "cells_in_series": 16, "capacity_wh": 10_000, "charge_current_max_a": 100,
    "discharge_current_max_a": 100,
}  # fmt: skip
POWERS = {"charge_power_max_w": 5000, "discharge_power_max_w": 5000}
LIMITS = {"import_max_w": 1, "export_max_w": 0}
MODBUS = {"host": "h"}
SERIAL = {"port": "/dev/ttyUSB0"}
BROKER = {"host": "h", "topic": "t"}
PLACE = {"latitude_deg": 48.0, "longitude_deg": 11.0}
ROOF = {"azimuth_deg": 143, "tilt_deg": 35, "peak_w": 7500}
LOAD = {"name": "boiler", "power_w": 2000, "energy_wh": 5e-324}
ROOM = room_content()
CAN = {"kind": "can", "interface": "socketcan", "channel": "can0"}

# section, what it needs, key, smallest value accepted, largest value accepted, default
RANGES = [
    (ModbusTcp, MODBUS, "port", 1, 65535, 502),
    (ModbusTcp, MODBUS, "device_id", 0, 255, 1),
    (ModbusTcp, MODBUS, "timeout_s", math.nextafter(0.0, 1.0), 5.0, 0.5),
    (ModbusRtu, SERIAL, "baudrate", 300, 4_000_000, 9600),
    (ModbusRtu, SERIAL, "device_id", 1, 247, 1),
    (ModbusRtu, SERIAL, "timeout_s", math.nextafter(0.0, 1.0), 5.0, 1.0),
    (ModbusRtuTcp, MODBUS, "port", 1, 65535, 502),
    (ModbusRtuTcp, MODBUS, "device_id", 1, 247, 1),
    (ModbusRtuTcp, MODBUS, "timeout_s", math.nextafter(0.0, 1.0), 5.0, 1.0),
    (HttpHost, MODBUS, "port", 1, 65535, 80),
    (HttpHost, MODBUS, "timeout_s", math.nextafter(0.0, 1.0), 5.0, 0.8),
    (MqttBroker, BROKER, "port", 1, 65535, 1883),
    (CanBus, CAN, "bitrate", 10_000, 1_000_000, 500_000),
    (CanBus, CAN, "address", 0, 15, 0),
    (BatteryHardware, CELLS, "cells_in_series", 1, 500, None),
    (BatteryHardware, CELLS, "cell_voltage_max_v", 3.0, 4.3, 3.65),
    (BatteryHardware, CELLS, "cell_voltage_min_v", 1.5, 3.2, 2.5),
    (BatteryHardware, CELLS, "charge_temperature_min_c", -30.0, 20.0, 0.0),
    (BatteryHardware, CELLS, "charge_temperature_max_c", 30.0, 70.0, 55.0),
    (BatteryHardware, CELLS, "discharge_temperature_min_c", -40.0, 10.0, -20.0),
    (BatteryHardware, CELLS, "discharge_temperature_max_c", 30.0, 75.0, 60.0),
    (BatteryHardware, CELLS, "contactor_cycles_rated", 100, 10_000_000, 50_000),
    (InverterHardware, POWERS, "efficiency_pct", math.nextafter(50.0, 100.0), 100.0, 96.0),
    (InverterHardware, POWERS, "response_time_s", 0.1, 60.0, 3.0),
    (InverterHardware, POWERS, "revert_timeout_s", 1.0, 60.0, 5.0),
    (Operation, {}, "soc_min_pct", 0.0, None, 10.0),
    (Operation, {}, "soc_max_pct", None, 100.0, 95.0),
    (Grid, LIMITS, "nominal_voltage_v", 100.0, 500.0, 230.0),
    (PlannerOptions, {}, "horizon_h", 2.0, 168.0, 48.0),
    (PlannerOptions, {}, "interval_s", 1.0, 3600.0, 300.0),
    (PlannerOptions, {}, "device_mode_dwell_minutes", 15, 1440, 60),
    (HeatedRoom, ROOM, "heat_per_power", 0.5, 10.0, 1.0),
    (Comfort, {"high_c": 35}, "low_c", 5.0, 30.0, None),
    (Comfort, {"low_c": 5}, "high_c", 5.0, 35.0, None),
    (PlannerOptions, {}, "ageing_above_pct", 0.0, 100.0, 80.0),
    (PlannerOptions, {}, "deep_from_pct", math.nextafter(0.0, 1.0), 100.0, 60.0),
    (PlannerOptions, {}, "load_quantile", 0.1, 0.9, 0.5),
    (Operation, {"soc_max_pct": 100.0}, "backup_reserve_pct", 0.0, None, 0.0),
    (Location, PLACE, "latitude_deg", -90.0, 90.0, None),
    (Location, PLACE, "longitude_deg", -180.0, 180.0, None),
    (Location, PLACE, "altitude_m", -430.0, 6000.0, 0.0),
    (PvArray, ROOF, "azimuth_deg", 0.0, math.nextafter(360.0, 0.0), None),
    (PvArray, ROOF, "tilt_deg", 0.0, 90.0, None),
    (PvArray, ROOF, "losses_pct", 0.0, math.nextafter(100.0, 0.0), 14.0),
    (
        PvPlant,
        {"arrays": [ROOF]},
        "inverter_efficiency_pct",
        math.nextafter(50.0, 100.0),
        100.0,
        96.0,
    ),
    (Gateway, {}, "port", 1, 65535, 9464),
    (CycleTiming, {}, "period_ms", 10, 1000, 20),
]
# keys that take every finite number above zero, or from zero on
POSITIVE = [
    (FlexibleLoad, LOAD, "power_w"),
    (FlexibleLoad, LOAD | {"power_w": 1e9}, "energy_wh"),
    (HeatedRoom, ROOM, "power_max_w"),
    (HeatedRoom, ROOM, "capacity_wh_per_k"),
    (HeatedRoom, ROOM, "loss_w_per_k"),
    (BatteryHardware, CELLS, "capacity_wh"),
    (BatteryHardware, CELLS, "charge_current_max_a"),
    (BatteryHardware, CELLS, "discharge_current_max_a"),
    (BatteryHardware, CELLS, "contactor_break_current_a"),
    (InverterHardware, POWERS, "charge_power_max_w"),
    (InverterHardware, POWERS, "discharge_power_max_w"),
    (Operation, {}, "charge_power_max_w"),
    (Operation, {}, "discharge_power_max_w"),
    (Operation, {}, "ramp_w_per_s"),
    (Grid, LIMITS, "import_max_w"),
    (PvArray, ROOF, "peak_w"),
    (PvPlant, {"arrays": [ROOF]}, "inverter_ac_max_w"),
]
FROM_ZERO = [
    (HeatedRoom, ROOM, "discomfort_cost_per_k_h"),
    (Grid, LIMITS, "export_max_w"),
    (PlannerOptions, {}, "wear_cost_per_kwh"),
    (PlannerOptions, {}, "ageing_cost_per_kwh_day"),
    (PlannerOptions, {}, "deep_wear_cost_per_kwh"),
    (PlannerOptions, {}, "change_worth"),
]


def names(value):
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("section", "needs", "key", "low", "high", "default"), RANGES, ids=names)
def test_a_key_takes_its_whole_range_and_nothing_beyond(section, needs, key, low, high, default):
    def of(value):
        return getattr(section.model_validate({**needs, key: value}), key)

    whole = isinstance(default if default is not None else low, int)
    if default is not None:
        assert getattr(section.model_validate(needs), key) == default
    for end, outwards in ((low, -math.inf), (high, math.inf)):
        if end is None:
            continue
        assert of(end) == end
        beyond = end + math.copysign(1, outwards) if whole else math.nextafter(end, outwards)
        with pytest.raises(ValidationError):
            of(beyond)


@pytest.mark.parametrize(("section", "needs", "key"), POSITIVE + FROM_ZERO, ids=names)
def test_a_magnitude_is_finite_and_not_negative(section, needs, key):
    zero_is_one = (section, needs, key) in FROM_ZERO
    assert getattr(section.model_validate({**needs, key: 5e-324}), key) == 5e-324
    for bad in (-5e-324, math.nan, math.inf, True, *(() if zero_is_one else (0.0,))):
        with pytest.raises(ValidationError):
            section.model_validate({**needs, key: bad})
    if zero_is_one:
        assert getattr(section.model_validate({**needs, key: 0.0}), key) == 0.0


def test_a_unit_has_a_contactor_of_ours_unless_it_says_why_not():
    assert StorageUnit.model_validate(unit_content()).has_contactor
    without = unit_content() | {"relays": {"none": "the inverter has one"}}
    assert not StorageUnit.model_validate(without).has_contactor


def test_what_is_not_said_has_the_careful_default():
    site = build_site()
    (unit,) = site.storage
    assert unit.battery.contactor_break_current_a == 5.0
    assert unit.operation.charge_power_max_w is None
    assert unit.operation.discharge_power_max_w is None
    assert unit.operation.ramp_w_per_s == 2000.0
    assert unit.limits == site.limits == {}
    assert (site.timezone, site.currency, str(site.state_dir)) == ("UTC", "EUR", "state")
    assert site.version == 1
    assert site.limited_power_w == 500.0
    assert (site.operating_mode, site.resume) == ("auto", "manual")
    assert site.emergency_stop_category == 1
    assert site.grid.nominal_frequency_hz == 50
    assert (site.prices, site.hardware_watchdog, site.pv_meter) == (None, None, None)
    assert site.planner.wear_cost_per_kwh == 0.02
    assert site.planner.ageing_cost_per_kwh_day == site.planner.deep_wear_cost_per_kwh == 0.0
    assert site.planner.change_worth == 0.01
    assert (site.location, site.pv) == (None, None)
    assert site.weather.url == "https://api.open-meteo.com/v1/forecast"
    assert PvPlant.model_validate({"arrays": [ROOF]}).inverter_ac_max_w is None
    assert site.gateway.host == "127.0.0.1"
    assert unit.bms.connection.kind == "modbus_tcp"
    assert ModbusTcp(host="h").kind == "modbus_tcp"
    assert ModbusRtuTcp(host="h").kind == "modbus_rtu_tcp"
    serial = ModbusRtu.model_validate(SERIAL)
    assert (serial.kind, serial.parity, serial.stop_bits) == ("modbus_rtu", "none", 1)
    assert CanBus(interface="virtual", channel="c").kind == "can"
    assert CanBus.model_validate(CAN).acts_as_inverter is False
    assert CanBus.model_validate({**CAN, "acts_as_inverter": True}).acts_as_inverter is True


def test_a_can_bus_has_whatever_interface_and_its_options():
    bus = CanBus.model_validate(
        {**CAN, "interface": "socketcand", "options": ["host=h", "port=28600"]}
    )
    assert bus.options == ("host=h", "port=28600")
    assert CanBus.model_validate(CAN).options == ()
    assert hash(bus) != hash(CanBus.model_validate(CAN))
    longest = "host=" + "h" * 95
    assert CanBus.model_validate({**CAN, "options": [longest]}).options == (longest,)
    for option in ("host", "host=", "=h", "two words=1", f"{longest}h"):
        with pytest.raises(ValidationError, match="options"):
            CanBus.model_validate({**CAN, "options": [option]})
    for interface in ("", "Socket CAN", "4can"):
        with pytest.raises(ValidationError, match="interface"):
            CanBus.model_validate({**CAN, "interface": interface})


@pytest.mark.parametrize(
    "key",
    ["interface", "channel", "bitrate", "can_filters", "ignore_config", "receive_own_messages"],
)
def test_what_the_driver_sets_is_no_option(key):
    with pytest.raises(ValidationError, match=f"{key}: no option, but set by Holdfast"):
        CanBus.model_validate({**CAN, "options": [f"{key}=1"]})


@pytest.mark.parametrize(
    ("section", "needs", "key", "values"),
    [
        (Grid, LIMITS, "nominal_frequency_hz", [50, 60]),
        (ModbusRtu, SERIAL, "parity", ["none", "even", "odd"]),
        (ModbusRtu, SERIAL, "stop_bits", [1, 2]),
        (Site, site_content(), "emergency_stop_category", [0, 1]),
        (Site, site_content(), "authority", ["observe", "limited", "full"]),
        (Site, site_content(), "resume", ["manual", "automatic"]),
        (Site, site_content(), "operating_mode", ["auto", "charge_only", "passive"]),
    ],
    ids=names,
)
def test_a_key_with_a_list_of_values_takes_these_and_no_other(section, needs, key, values):
    for value in values:
        assert getattr(section.model_validate({**needs, key: value}), key) == value
    for bad in {f"{values[-1]}_", 49, 51, 59, 61, -1, 0, 2, 3, None}.difference(values):
        with pytest.raises(ValidationError):
            section.model_validate({**needs, key: bad})


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("b", True), ("battery_2", True), ("b" * 31, True),
        ("b" * 32, False), ("", False), ("2b", False), ("_b", False), ("b-2", False), ("B", False),
        ("b\n", False),
    ],
)  # fmt: skip
def test_a_unit_has_a_name_that_fits_a_file_a_metric_and_an_address(name, fits):
    if fits:
        assert StorageUnit.model_validate(unit_content(name)).name == name
    else:
        with pytest.raises(ValidationError):
            StorageUnit.model_validate(unit_content(name))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("cell_voltage_min_v", "cell_voltage_max_v"),
        ("charge_temperature_min_c", "charge_temperature_max_c"),
        ("discharge_temperature_min_c", "discharge_temperature_max_c"),
    ],
)
def test_a_lower_bound_must_be_below_its_upper_one(low, high):
    """Asked of the rule itself: for temperatures, the ranges of the keys keep them apart too."""
    values = BatteryHardware.model_validate(CELLS).model_dump()
    for lower, fits in ((3.09, True), (3.1, False), (3.11, False)):
        hardware = BatteryHardware.model_construct(**{**values, low: lower, high: 3.1})
        if fits:
            assert hardware._ordered() is hardware
        else:
            with pytest.raises(ValueError, match=f"{low} .* must be below {high}"):
                hardware._ordered()


def test_a_cell_without_a_voltage_between_its_limits_is_refused():
    with pytest.raises(ValidationError, match="must be below"):
        BatteryHardware.model_validate(
            {**CELLS, "cell_voltage_min_v": 3.1, "cell_voltage_max_v": 3.1}
        )


def test_the_band_of_the_state_of_charge_may_lie_at_either_end():
    for low, high in ((0.0, 0.5), (99.5, 100.0)):
        band = Operation.model_validate({"soc_min_pct": low, "soc_max_pct": high})
        assert (band.soc_min_pct, band.soc_max_pct) == (low, high)


@pytest.mark.parametrize("direction", ["charge", "discharge"])
def test_a_wish_may_be_as_large_as_the_hardware_and_counts_before_it(direction):
    key = f"{direction}_power_max_w"
    for wanted in (5000.0, 1200.0):
        (unit,) = build_site(unit_content(operation={key: wanted})).storage
        assert getattr(unit, key) == wanted
    with pytest.raises(ValidationError, match="looser than the hardware"):
        build_site(unit_content(operation={key: math.nextafter(5000.0, 6000.0)}))


def test_without_a_wish_each_direction_has_the_power_of_its_own_hardware():
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 4000}
    (unit,) = build_site(unit_content(inverter_hardware=hardware)).storage
    assert (unit.charge_power_max_w, unit.discharge_power_max_w) == (3000.0, 4000.0)


def test_a_currency_and_a_time_zone_are_kept_as_they_are_written():
    site = build_site(currency="CHF", timezone="Europe/Zurich")
    assert (site.currency, site.timezone) == ("CHF", "Europe/Zurich")
    for bad in ("CH", "CHFR", "chf", "CH1"):
        with pytest.raises(ValidationError):
            build_site(currency=bad)


def test_the_powers_of_all_units_add_up():
    site = build_site(
        unit_content("left", operation={"charge_power_max_w": 1000}),
        unit_content("right", operation={"discharge_power_max_w": 2000}),
    )
    assert (site.charge_power_max_w, site.discharge_power_max_w) == (6000.0, 7000.0)
    assert site.unit_names == ("left", "right")


def test_a_reserve_leaves_something_to_use():
    for reserve_pct, soc_max_pct in ((79.9, 80.0), (94.9, None)):
        operation = {"backup_reserve_pct": reserve_pct}
        Operation.model_validate(operation | ({"soc_max_pct": soc_max_pct} if soc_max_pct else {}))
    for reserve_pct in (80.0, 80.1):
        with pytest.raises(
            ValidationError, match=r"backup_reserve_pct .* must be below soc_max_pct"
        ):
            Operation(backup_reserve_pct=reserve_pct, soc_max_pct=80.0)


def test_arrays_need_a_place_and_a_plant_needs_arrays():
    plant = {"arrays": [ROOF]}
    assert build_site(location=PLACE, pv=plant).pv is not None
    assert build_site(location=PLACE).pv is None
    with pytest.raises(ValueError, match="pv: needs location"):
        build_site(pv=plant)
    with pytest.raises(ValidationError):
        PvPlant.model_validate({"arrays": []})


@pytest.mark.parametrize("host", ["192.168.1.5", "inverter.local", "fe80::1", "::1", "h"])
def test_a_host_is_a_name_or_an_address(host):
    assert ModbusTcp(host=host).host == host


@pytest.mark.parametrize("host", ["http://10.0.0.5", "10.0.0.5/", "//h", "", " h", "h ", "my host"])
@pytest.mark.parametrize("section", [ModbusTcp, ModbusRtuTcp, HttpHost, MqttBroker])
def test_a_url_is_no_host(section, host):
    with pytest.raises(ValidationError, match=r"write only the name or address, such as 192"):
        section.model_validate({"host": host})


@pytest.mark.parametrize("host", ["10.0.0.5:502", "http://10.0.0.5:502/", "tcp://10.0.0.5:502"])
def test_a_port_has_a_key_of_its_own(host):
    told = r"write only the name or address, 10\.0\.0\.5; 502 goes to port"
    with pytest.raises(ValidationError, match=told):
        ModbusTcp(host=host)


@pytest.mark.parametrize("port", ["ttyUSB0", "COM3", "", "/dev/", "./ttyUSB0"])
def test_a_serial_port_is_named_by_its_whole_path(port):
    with pytest.raises(ValidationError, match=r"write its whole path, such as /dev/ttyUSB0"):
        ModbusRtu(port=port)
    by_id = "/dev/serial/by-id/usb-FTDI"
    assert ModbusRtu(port=by_id).port == by_id


@pytest.mark.parametrize("length", [100, 101])
def test_the_name_of_a_site_has_so_many_characters_at_most(length):
    text = yaml.safe_dump(site_content(name="n" * length))
    if length == 100:
        assert parse_site(text).name == "n" * 100
    else:
        with pytest.raises(ConfigError, match=r"name: 'n+…: must have at most 100 characters"):
            parse_site(text)


def test_a_storage_unit_is_found_by_its_name_and_no_other_is():
    site = build_site(unit_content("east"), unit_content("west"))
    assert [site.unit_named(name) for name in ("west", "east")] == [*reversed(site.storage)]
    assert site.unit_named("north") is site.unit_named(None) is None
