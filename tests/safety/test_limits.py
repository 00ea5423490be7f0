"""The limit table against the data sheet, row by row, and what site.yaml may change in it."""

import math

import pytest

from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, Side, build_limits
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
