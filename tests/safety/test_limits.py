"""The limit table against the data sheet, row by row, and what site.yaml may change in it."""

import math
from dataclasses import replace

import pytest

from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.faults import Clearing
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.limits import (
    SITE_LIMITS,
    UNIT_LIMITS,
    Side,
    _check_far,
    _check_table,
    build_limits,
)
from tests.builders import UNIT, build_site, unit_content

# The test site: 16 LFP cells 2.5 to 3.65 V, 100 A each way, 10 to 95 %, worked out by hand.
# row: (signal, side, trip, alarm, warning, reaction at the alarm)
HIGH, LOW = Side.HIGH, Side.LOW
DATA_SHEET = {
    "cell_voltage_high": ("cell_voltage_max_v", HIGH, 3.65, 3.60, 3.55, "BLOCK_CHARGE"),
    "cell_voltage_low": ("cell_voltage_min_v", LOW, 2.5, 2.8, 2.9, "BLOCK_DISCHARGE"),
    "pack_voltage_high": ("pack_voltage_v", HIGH, 58.4, 57.5824, 56.7648, "BLOCK_CHARGE"),
    "pack_voltage_low": ("pack_voltage_v", LOW, 40.0, 44.8, 46.4, "BLOCK_DISCHARGE"),
    "charge_current_high": ("battery_current_a", HIGH, 120.0, 108.0, 102.0, "RAMP_TO_ZERO"),
    "discharge_current_high": ("battery_current_a", LOW, -120.0, -108.0, -102.0, "RAMP_TO_ZERO"),
    "soc_high": ("soc_pct", HIGH, None, 95.0, None, "BLOCK_CHARGE"),
    "soc_low": ("soc_pct", LOW, None, 10.0, None, "BLOCK_DISCHARGE"),
    "cell_temperature_high": ("cell_temperature_max_c", HIGH, 60.0, 55.0, 50.0, "RAMP_TO_ZERO"),
    "charge_temperature_high": ("cell_temperature_max_c", HIGH, None, 50.0, 45.0, "BLOCK_CHARGE"),
    "charge_temperature_low": ("cell_temperature_min_c", LOW, None, 1.0, 3.0, "BLOCK_CHARGE"),
    "discharge_temperature_low": (
        "cell_temperature_min_c", LOW, None, -19.0, -17.0, "BLOCK_DISCHARGE",
    ),
    "bms_forbids_charge": ("charge_allowed", LOW, None, 0.5, None, "BLOCK_CHARGE"),
    "bms_forbids_discharge": ("discharge_allowed", LOW, None, 0.5, None, "BLOCK_DISCHARGE"),
    "bms_protection": ("bms_protection", HIGH, None, 0.5, None, "RAMP_TO_ZERO"),
    "bms_alarm": ("bms_alarm", HIGH, None, 0.5, None, "LOG"),
    "inverter_fault": ("inverter_fault", HIGH, None, 0.5, None, "RAMP_TO_ZERO"),
    "ambient_temperature_high": ("ambient_temperature_c", HIGH, None, 50.0, 45.0, "DERATE"),
    "ambient_temperature_low": ("ambient_temperature_c", LOW, None, -20.0, -15.0, "DERATE"),
    "cell_imbalance_high": ("cell_imbalance_v", HIGH, None, 0.3, 0.2, "DERATE"),
    "cell_temperature_spread": ("cell_temperature_spread_k", HIGH, None, 15.0, 10.0, "DERATE"),
    "cell_voltages_swapped": ("cell_imbalance_v", LOW, None, -0.05, -0.02, "RAMP_TO_ZERO"),
    "cell_temperatures_swapped": (
        "cell_temperature_spread_k", LOW, None, -3.0, -2.0, "RAMP_TO_ZERO",
    ),
    "insulation_low": ("insulation_kohm", LOW, 500.0, 750.0, 1000.0, "RAMP_TO_ZERO"),
    "inverter_temperature_high": (
        "inverter_temperature_c", HIGH, None, 90.0, 80.0, "RAMP_TO_ZERO",
    ),
    "pack_mismatch_high": ("pack_mismatch_v", HIGH, None, 3.0, 1.5, "RAMP_TO_ZERO"),
    "power_mismatch_high": ("power_mismatch_w", HIGH, None, 1500.0, 750.0, "RAMP_TO_ZERO"),
    "link_mismatch_high": ("link_mismatch_v", HIGH, None, 2.92, 1.752, "DERATE"),
    "grid_voltage_high": ("grid_voltage_v", HIGH, None, 264.5, 253.0, "RAMP_TO_ZERO"),
    "grid_voltage_low": ("grid_voltage_v", LOW, None, 195.5, 207.0, "RAMP_TO_ZERO"),
    "grid_frequency_high": ("grid_frequency_hz", HIGH, None, 51.5, 51.0, "RAMP_TO_ZERO"),
    "grid_frequency_low": ("grid_frequency_hz", LOW, None, 47.5, 49.0, "RAMP_TO_ZERO"),
    "grid_import_high": ("grid_power_w", HIGH, None, 10500.0, 10000.0, "BLOCK_CHARGE"),
    "grid_export_high": ("grid_power_w", LOW, None, -10500.0, -10100.0, "BLOCK_DISCHARGE"),
    "watchdog_lost": ("watchdog_armed", LOW, None, 0.5, None, "RAMP_TO_ZERO"),
}  # fmt: skip

ONE_SAMPLE = {
    "cell_voltage_high": 3.80,
    "cell_voltage_low": 2.30,
    "pack_voltage_high": 60.7944,
    "pack_voltage_low": 36.8,
    "charge_current_high": 150.0,
    "discharge_current_high": -150.0,
}


def limit_of(row: str, **limits):
    overrides = {row: limits} if limits else {}
    of_site = row in {limit.id for limit in SITE_LIMITS}
    site = build_site(limits=overrides) if of_site else build_site(unit_content(limits=overrides))
    return next(limit for limit in build_limits(site) if limit.row.id == row)


def test_the_table_and_the_data_sheet_name_the_same_rows():
    assert {row.id for row in UNIT_LIMITS + SITE_LIMITS} == set(DATA_SHEET)


@pytest.mark.parametrize("row", DATA_SHEET)
def test_each_row_has_the_levels_and_the_reaction_of_the_data_sheet(row):
    signal, side, trip, alarm, warning, reaction = DATA_SHEET[row]
    limit = limit_of(row)
    assert limit.row.signal == signal
    assert limit.row.side is side
    assert limit.row.reaction is Reaction[reaction]
    levels = dict(limit.levels)
    for level, value in ((Level.TRIP, trip), (Level.ALARM, alarm), (Level.WARNING, warning)):
        assert levels.get(level) == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize("row", DATA_SHEET)
def test_one_sample_is_enough_where_the_data_sheet_says_so(row):
    limit, far = limit_of(row), ONE_SAMPLE.get(row)
    assert (limit.far is None) is (far is None)
    if far is None:
        assert not limit.is_far(math.nan)
        assert not limit.is_far(limit.row.side * 1e9)
        return
    assert limit.far == pytest.approx(far)
    assert limit.is_far(limit.far)
    assert limit.is_far(math.nan)
    assert limit.is_far(limit.far + limit.row.side)
    assert not limit.is_far(math.nextafter(limit.far, -limit.row.side * math.inf))
    assert limit.row.far_source


def test_a_tighter_trip_does_not_move_where_one_sample_is_enough():
    assert limit_of("cell_voltage_high", trip=3.62).far == pytest.approx(3.80)


@pytest.mark.parametrize("row", DATA_SHEET)
def test_a_value_counts_as_beyond_from_the_level_itself_on(row):
    limit = limit_of(row)
    side = limit.row.side
    for index, (level, threshold) in enumerate(limit.levels):
        weaker = limit.levels[index + 1][0] if index + 1 < len(limit.levels) else Level.NORMAL
        outwards, inwards = side * math.inf, -side * math.inf
        assert limit.level_of(threshold) is level
        assert limit.level_of(math.nextafter(threshold, outwards)) is level
        assert limit.level_of(math.nextafter(threshold, inwards)) is weaker


@pytest.mark.parametrize("row", DATA_SHEET)
def test_not_a_number_reaches_the_strongest_level(row):
    limit = limit_of(row)
    assert limit.level_of(math.nan) is limit.levels[0][0]
    assert limit.level_of(math.nan, inside_by=limit.hysteresis) is limit.levels[0][0]
    assert limit.level_of(limit.row.side * math.inf) is limit.levels[0][0]


@pytest.mark.parametrize("row", DATA_SHEET)
def test_hysteresis_only_makes_a_row_stricter(row):
    limit = limit_of(row)
    for _, threshold in limit.levels:
        just_inside = threshold - limit.row.side * limit.hysteresis / 2
        assert limit.level_of(just_inside, inside_by=limit.hysteresis) >= limit.level_of(
            just_inside
        )


@pytest.mark.parametrize("row", DATA_SHEET)
def test_the_margin_is_the_distance_to_the_level_that_acts(row):
    limit = limit_of(row)
    alarm = dict(limit.levels)[Level.ALARM]
    assert limit.margin(alarm) == 0.0
    assert limit.margin(alarm - limit.row.side * 0.25) == pytest.approx(0.25)
    assert limit.margin(alarm + limit.row.side * 0.25) == pytest.approx(-0.25)
    assert limit.unit == SIGNALS[Signal(DATA_SHEET[row][0])].unit


def levels_of(row):
    _, side, trip, alarm, warning, _ = DATA_SHEET[row]
    named = (("trip", trip), ("alarm", alarm), ("warning", warning))
    return [(row, side, name, value) for name, value in named if value is not None]


UNIT_LEVELS = [
    case for row in DATA_SHEET if row != "watchdog_lost" for case in levels_of(row)
]  # fmt: skip
WEAKEST = {row: levels_of(row)[-1][2] for row in DATA_SHEET}


@pytest.mark.parametrize(("row", "side", "level", "value"), UNIT_LEVELS)
def test_no_level_can_be_loosened(row, side, level, value):
    looser = value + side * 0.001
    with pytest.raises(ConfigError, match=rf"limits\.{row}\.{level}: .*looser") as why:
        limit_of(row, **{level: looser})
    assert SIGNALS[Signal(DATA_SHEET[row][0])].unit in str(why.value)


@pytest.mark.parametrize(("row", "side", "level", "value"), UNIT_LEVELS)
def test_the_weakest_level_may_be_tightened_and_then_acts_earlier(row, side, level, value):
    tighter = value - side * 0.02
    if level == WEAKEST[row]:
        limit = limit_of(row, **{level: tighter})
        assert dict(limit.levels)[Level[level.upper()]] == tighter
        assert limit.level_of(tighter) is Level[level.upper()]
    else:
        # Tightened past the weaker levels it would act before they warn.
        weakest = next(c[3] for c in levels_of(row) if c[2] == WEAKEST[row])
        with pytest.raises(ConfigError, match=rf"{row}: warning, alarm and trip must come"):
            limit_of(row, **{level: weakest - side * 0.02})


def test_all_levels_of_a_row_may_be_tightened_together():
    limit = limit_of("cell_voltage_high", trip=3.6, alarm=3.5, warning=3.45)
    assert dict(limit.levels) == {Level.TRIP: 3.6, Level.ALARM: 3.5, Level.WARNING: 3.45}


@pytest.mark.parametrize(
    ("row", "level"), [("soc_high", "trip"), ("soc_low", "warning"), ("bms_alarm", "trip")]
)
def test_a_level_that_a_row_does_not_have_is_refused(row, level):
    with pytest.raises(
        ConfigError, match=rf"storage\[0\]\.limits\.{row}\.{level}: .*no such level"
    ):
        limit_of(row, **{level: 50.0})


def test_a_row_that_does_not_exist_is_refused_with_the_path_and_the_known_rows():
    site = build_site(unit_content("a"), unit_content("b", limits={"cell_voltage": {}}))
    with pytest.raises(ConfigError, match=r"storage\[1\]\.limits\.cell_voltage: is no row") as why:
        build_limits(site)
    assert "cell_voltage_high" in str(why.value)


def test_the_sites_own_rows_cannot_be_set_by_a_unit():
    site = build_site(unit_content(limits={"watchdog_lost": {"alarm": 0.6}}))
    with pytest.raises(ConfigError, match=r"storage\[0\]\.limits\.watchdog_lost: is no row"):
        build_limits(site)


def test_each_unit_has_every_row_with_its_own_values():
    loose, tight = unit_content("a"), unit_content("b", battery={"cell_voltage_max_v": 3.5})
    limits = {limit.key: limit for limit in build_limits(build_site(loose, tight))}
    assert len(limits) == 2 * len(UNIT_LIMITS) + len(SITE_LIMITS)
    assert dict(limits["a/cell_voltage_high"].levels)[Level.TRIP] == 3.65
    assert dict(limits["b/cell_voltage_high"].levels)[Level.TRIP] == 3.5
    assert limits["site/watchdog_lost"].owner == SITE
    assert f"{UNIT}/soc_low" not in limits


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
        "import_max_w": 9000,
        "export_max_w": 7000,
        "nominal_voltage_v": 120,
        "nominal_frequency_hz": 60,
    },
)
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
        (wrong(far=0.0), "far is not beyond its trip"),
        (wrong(far=-0.1, trip=None, clearing=Clearing.BY_ITSELF), "far is not beyond its trip"),
        (wrong(far=-0.1, far_source=""), "where is far from"),
        (wrong(far=None), "where is far from"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(row, complaint):
    with pytest.raises(AssertionError, match=complaint):
        _check_table((*UNIT_LIMITS, row))


def test_a_row_at_the_edge_of_what_can_be_right_is_accepted():
    itself = Clearing.BY_ITSELF
    none = {"far": None, "far_source": ""}
    edge = wrong(samples=(3, 3), hold_s=0.1, trip=None, warning=None, clearing=itself, **none)
    _check_table((edge,))
    _check_table((wrong(far=-1e-9),))
    _check_table((wrong(clearing=Clearing.SERVICE),))
    _check_table((wrong(samples=(1, 1), alarm=0.0, warning=0.0),))


def test_what_is_far_beyond_is_told_of_rows_only():
    _check_far(UNIT_LIMITS)
    with pytest.raises(AssertionError, match="cell_voltage_high: far of no row"):
        _check_far(tuple(row for row in UNIT_LIMITS if row.id != "cell_voltage_high"))
