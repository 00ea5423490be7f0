"""site.yaml: a wrong key is named with its path, and nothing is looser than the hardware."""

import copy
import math
from pathlib import Path

import pytest
import yaml

from holdfast.core.errors import ConfigError
from holdfast.core.site_file import load_site, parse_site
from holdfast.devices.profile import profile_names
from tests.builders import build_site, device, site_content, unit_content

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
        ("grid.import_max_w", 0, "grid.import_max_w", "greater than 0"),
        ("grid.import_max_w", "much", "grid.import_max_w", "'much'"),
        ("grid.export_max_w", -1, "grid.export_max_w", "-1: "),
        ("authority", "boss", "authority", "'boss'"),
        ("cycle.period_ms", 5, "cycle.period_ms", "5: "),
        ("cycle.period_ms", 1001, "cycle.period_ms", "1001: "),
        ("storage", [], "storage", "at least 1 item"),
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
    assert f"key written twice: {twice}" in refusal(text)
    assert "line " in refusal(text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "just words", "a: [", "a: b: c", "\t"])
def test_what_is_no_mapping_is_refused_with_the_name_of_the_file(text):
    assert refusal(text).startswith("site.yaml: ")


def test_python_objects_in_the_file_are_not_made():
    assert "is not YAML" in refusal("name: !!python/object/apply:os.getcwd []")


def test_relative_paths_count_from_the_folder_of_the_file(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    site = load_site(path)
    assert site.state_dir == tmp_path / "state"
    assert site.prices.purchase.source.path == tmp_path / "prices.xml"


def test_absolute_paths_stay_as_they_are(tmp_path):
    elsewhere = Path("/var/lib/holdfast")
    site = parse_site(changed("state_dir", str(elsewhere)), folder=tmp_path)
    assert site.state_dir == elsewhere


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
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
