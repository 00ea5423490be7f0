"""Every key of site.yaml: its default, and the last value that it accepts."""

import math

import pytest
from pydantic import ValidationError

from holdfast.core.config import (
    BatteryHardware,
    Cycle,
    Gateway,
    Grid,
    InverterHardware,
    Location,
    Operation,
    Planner,
    PvArray,
    PvPlant,
    Site,
    StorageUnit,
)
from holdfast.core.device_config import CanBus, ModbusTcp
from holdfast.core.load_config import Comfort, FlexibleLoad, HeatedRoom
from tests.builders import build_site, room_content, site_content, unit_content

CELLS = {
    "cells_in_series": 16, "capacity_wh": 10_000, "charge_current_max_a": 100,
    "discharge_current_max_a": 100,
}  # fmt: skip
POWERS = {"charge_power_max_w": 5000, "discharge_power_max_w": 5000}
LIMITS = {"import_max_w": 1, "export_max_w": 0}
MODBUS = {"host": "h"}
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
    (CanBus, CAN, "bitrate", 10_000, 1_000_000, 500_000),
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
    (Planner, {}, "horizon_h", 2.0, 168.0, 48.0),
    (Planner, {}, "interval_s", 1.0, 3600.0, 300.0),
    (Planner, {}, "device_mode_dwell_minutes", 15, 1440, 60),
    (HeatedRoom, ROOM, "heat_per_power", 0.5, 10.0, 1.0),
    (Comfort, {"high_c": 35}, "low_c", 5.0, 30.0, None),
    (Comfort, {"low_c": 5}, "high_c", 5.0, 35.0, None),
    (Planner, {}, "ageing_above_pct", 0.0, 100.0, 80.0),
    (Planner, {}, "deep_from_pct", math.nextafter(0.0, 1.0), 100.0, 60.0),
    (Planner, {}, "load_quantile", 0.1, 0.9, 0.5),
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
    (Cycle, {}, "period_ms", 10, 1000, 20),
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
    (Planner, {}, "wear_cost_per_kwh"),
    (Planner, {}, "ageing_cost_per_kwh_day"),
    (Planner, {}, "deep_wear_cost_per_kwh"),
    (Planner, {}, "change_worth"),
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


def test_what_is_not_said_has_the_careful_default():
    site = build_site()
    (unit,) = site.storage
    assert unit.battery.contactor_break_current_a == 5.0
    assert unit.operation.charge_power_max_w is None
    assert unit.operation.discharge_power_max_w is None
    assert unit.operation.ramp_w_per_s == 2000.0
    assert unit.limits == site.limits == {}
    assert (site.timezone, site.currency, str(site.state_dir)) == ("UTC", "EUR", "state")
    assert site.limited_power_w == 500.0
    assert site.operating_mode == "auto"
    assert site.emergency_stop_category == 1
    assert site.grid.nominal_frequency_hz == 50
    assert (site.prices, site.hardware_watchdog) == (None, None)
    assert site.planner.wear_cost_per_kwh == 0.02
    assert site.planner.ageing_cost_per_kwh_day == site.planner.deep_wear_cost_per_kwh == 0.0
    assert site.planner.change_worth == 0.01
    assert (site.location, site.pv) == (None, None)
    assert site.weather.url == "https://api.open-meteo.com/v1/forecast"
    assert PvPlant.model_validate({"arrays": [ROOF]}).inverter_ac_max_w is None
    assert site.gateway.host == "127.0.0.1"
    assert unit.bms.connection.kind == "modbus_tcp"
    assert ModbusTcp(host="h").kind == "modbus_tcp"
    assert CanBus(interface="virtual", channel="c").kind == "can"
    assert CanBus.model_validate(CAN).acts_as_inverter is False
    assert CanBus.model_validate({**CAN, "acts_as_inverter": True}).acts_as_inverter is True


@pytest.mark.parametrize(
    ("section", "needs", "key", "values"),
    [
        (CanBus, CAN, "interface", ["slcan", "socketcan", "virtual"]),
        (Grid, LIMITS, "nominal_frequency_hz", [50, 60]),
        (Site, site_content(), "emergency_stop_category", [0, 1]),
        (Site, site_content(), "authority", ["observe", "limited", "full"]),
        (Site, site_content(), "operating_mode", ["auto", "charge_only", "passive"]),
    ],
    ids=names,
)
def test_a_key_with_a_list_of_values_takes_these_and_no_other(section, needs, key, values):
    for value in values:
        assert getattr(section.model_validate({**needs, key: value}), key) == value
    for bad in (f"{values[-1]}_", 49, 51, 59, 61, -1, 2, None):
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
