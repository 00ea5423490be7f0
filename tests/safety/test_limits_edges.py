"""The limit table: debounce, hysteresis and hold time of each row; a wrong table is refused."""

import math
from dataclasses import replace

import pytest

from holdfast.core.errors import ConfigError
from holdfast.core.signals import SITE
from holdfast.safety.faults import Clearing
from holdfast.safety.finding import Level
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, _check_table, build_limits
from tests.builders import UNIT, build_site, unit_content

# A site of which no two numbers are the same, so that a wrong bound is seen.
BATTERY = {
    "cells_in_series": 15,
    "charge_current_max_a": 80.0,
    "discharge_current_max_a": 130.0,
    "cell_voltage_max_v": 3.7,
    "cell_voltage_min_v": 2.4,
    "charge_temperature_min_c": 1.0,
    "charge_temperature_max_c": 51.0,
    "discharge_temperature_min_c": -21.0,
    "discharge_temperature_max_c": 61.0,
}
UNUSUAL = build_site(
    unit_content(
        battery=BATTERY,
        inverter_hardware={"charge_power_max_w": 3000, "discharge_power_max_w": 4000},
        operation={"soc_min_pct": 12, "soc_max_pct": 93},
    ),
    grid={
        "import_max_w": 9000, "export_max_w": 7000,
        "nominal_voltage_v": 120, "nominal_frequency_hz": 60,
    },
)  # fmt: skip
BOUNDS = {
    "cell_voltage_high": 3.7,
    "cell_voltage_low": 2.4,
    "pack_voltage_high": 55.5,
    "pack_voltage_low": 36.0,
    "charge_current_high": 80.0,
    "discharge_current_high": -130.0,
    "soc_high": 93.0,
    "soc_low": 12.0,
    "cell_temperature_high": 61.0,
    "charge_temperature_high": 51.0,
    "charge_temperature_low": 1.0,
    "discharge_temperature_low": -21.0,
    "power_mismatch_high": 4000.0,
    "link_mismatch_high": 0.05 * 55.5,
    "grid_voltage_high": 120.0,
    "grid_voltage_low": 120.0,
    "grid_frequency_high": 60.0,
    "grid_frequency_low": 60.0,
    "grid_import_high": 9000.0,
    "grid_export_high": -7000.0,
}
# row: (m, n, hysteresis, hold time in s); a hysteresis in its unit, or as a share of the bound
DEBOUNCE = {
    "cell_voltage_high": (2, 3, 0.05, 10.0),
    "cell_voltage_low": (2, 3, 0.1, 10.0),
    "pack_voltage_high": (2, 3, 0.014, 10.0),
    "pack_voltage_low": (2, 3, 0.04, 10.0),
    "charge_current_high": (2, 3, 0.05, 5.0),
    "discharge_current_high": (2, 3, 0.05, 5.0),
    "soc_high": (1, 1, 1.0, 1.0),
    "soc_low": (1, 1, 1.0, 1.0),
    "cell_temperature_high": (2, 3, 5.0, 60.0),
    "charge_temperature_high": (2, 3, 3.0, 60.0),
    "charge_temperature_low": (2, 3, 2.0, 60.0),
    "discharge_temperature_low": (2, 3, 2.0, 60.0),
    "ambient_temperature_high": (3, 5, 3.0, 60.0),
    "ambient_temperature_low": (3, 5, 3.0, 60.0),
    "cell_imbalance_high": (3, 5, 0.05, 60.0),
    "cell_temperature_spread": (3, 5, 2.0, 60.0),
    "cell_voltages_swapped": (3, 5, 0.02, 10.0),
    "cell_temperatures_swapped": (3, 5, 1.0, 10.0),
    "insulation_low": (4, 8, 50.0, 60.0),
    "inverter_temperature_high": (2, 3, 5.0, 30.0),
    "pack_mismatch_high": (5, 10, 0.5, 10.0),
    "power_mismatch_high": (6, 12, 0.05, 10.0),
    "link_mismatch_high": (5, 10, 0.2, 10.0),
    "bms_forbids_charge": (1, 1, 0.0, 5.0),
    "bms_forbids_discharge": (1, 1, 0.0, 5.0),
    "bms_protection": (1, 1, 0.0, 5.0),
    "bms_alarm": (1, 1, 0.0, 5.0),
    "inverter_fault": (1, 1, 0.0, 5.0),
    "grid_voltage_high": (3, 5, 0.02, 60.0),
    "grid_voltage_low": (3, 5, 0.02, 60.0),
    "grid_frequency_high": (3, 5, 0.05, 60.0),
    "grid_frequency_low": (3, 5, 0.05, 60.0),
    "grid_import_high": (4, 8, 200.0, 5.0),
    "grid_export_high": (4, 8, 200.0, 5.0),
    "watchdog_lost": (1, 1, 0.0, 1.0),
}
SHARE_OF_BOUND = {
    "pack_voltage_high", "pack_voltage_low", "charge_current_high", "discharge_current_high",
    "power_mismatch_high", "link_mismatch_high", "grid_voltage_high", "grid_voltage_low",
}  # fmt: skip
ROWS = {row.id: row for row in UNIT_LIMITS + SITE_LIMITS}
BUILT = {limit.row.id: limit for limit in build_limits(UNUSUAL)}


@pytest.mark.parametrize("row", DEBOUNCE)
def test_each_row_waits_and_clears_as_the_data_sheet_says(row):
    m, n, hysteresis, hold_s = DEBOUNCE[row]
    assert ROWS[row].samples == (m, n)
    assert (ROWS[row].hysteresis, ROWS[row].hold_s) == (hysteresis, hold_s)
    assert ROWS[row].of_bound is (row in SHARE_OF_BOUND)
    scale = abs(BOUNDS[row]) if row in SHARE_OF_BOUND else 1.0
    assert BUILT[row].hysteresis == pytest.approx(hysteresis * scale)


@pytest.mark.parametrize("row", BOUNDS)
def test_each_row_follows_the_bound_of_what_is_installed(row):
    owner = UNUSUAL if ROWS[row] in SITE_LIMITS else UNUSUAL.storage[0]
    assert ROWS[row].bound(owner) == pytest.approx(BOUNDS[row])


def test_the_larger_of_two_powers_is_the_rated_one_in_either_direction():
    (unit,) = build_site(
        unit_content(inverter_hardware={"charge_power_max_w": 4500, "discharge_power_max_w": 20})
    ).storage
    assert ROWS["power_mismatch_high"].bound(unit) == 4500.0


def test_a_limit_is_called_by_its_owner_and_row():
    assert BUILT["soc_high"].key == f"{UNIT}/soc_high"
    assert BUILT["watchdog_lost"].key == f"{SITE}/watchdog_lost"


def test_a_level_may_be_set_to_its_default_and_no_further_out():
    for row, level, value in (("cell_voltage_high", "trip", 3.65), ("soc_low", "alarm", 10.0)):
        outwards = ROWS[row].side * math.inf
        for wanted, fits in ((value, True), (math.nextafter(value, outwards), False)):
            site = build_site(unit_content(limits={row: {level: wanted}}))
            if fits:
                assert f"{UNIT}/{row}" in {limit.key for limit in build_limits(site)}
            else:
                with pytest.raises(ConfigError, match="looser"):
                    build_limits(site)


def test_levels_may_coincide():
    """Whoever wants no warning sets it to the alarm."""
    site = build_site(
        unit_content(limits={"cell_voltage_high": {"trip": 3.5, "alarm": 3.5, "warning": 3.5}})
    )
    limit = next(limit for limit in build_limits(site) if limit.row.id == "cell_voltage_high")
    assert limit.level_of(3.5) is Level.TRIP


def test_a_limit_that_may_not_be_set_for_the_site_is_refused_with_its_path():
    with pytest.raises(ConfigError, match=r"^limits\.soc_high: is no row"):
        build_limits(build_site(limits={"soc_high": {"alarm": 90.0}}))


def wrong(**changes):
    row = replace(ROWS["cell_voltage_high"], **changes)
    return row if "id" in changes else replace(row, id="x")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (wrong(alarm=-0.1), "levels out of order"),
        (wrong(warning=0.01), "levels out of order"),
        (wrong(samples=(0, 3)), "0 of 3 samples"),
        (wrong(samples=(4, 3)), "4 of 3 samples"),
        (wrong(hold_s=0.0), "clears without a hold time"),
        (wrong(hold_s=-1.0), "clears without a hold time"),
        (wrong(source=""), "no source"),
        (wrong(trip=None), "x: who clears it"),
        (wrong(clearing=Clearing.BY_ITSELF), "x: who clears it"),
        (wrong(id="cell_voltage_high"), "a row stands twice"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(row, complaint):
    with pytest.raises(AssertionError, match=complaint):
        _check_table((*UNIT_LIMITS, row))


def test_a_row_at_the_edge_of_what_can_be_right_is_accepted():
    itself = Clearing.BY_ITSELF
    _check_table((wrong(samples=(3, 3), hold_s=0.1, trip=None, warning=None, clearing=itself),))
    _check_table((wrong(clearing=Clearing.SERVICE),))
    _check_table((wrong(samples=(1, 1), alarm=0.0, warning=0.0),))
