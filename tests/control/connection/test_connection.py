"""The limits at the meter, joined: what they leave, what is missing, and who gives way to whom."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.connection.connection import FAR_W, SOON_S, GridConnection
from holdfast.control.connection.memory import ConnectionMemory
from holdfast.control.connection.operator_signal import OperatorState
from holdfast.control.connection.rows import ROWS
from holdfast.core.asked_slot import NO_TERMS, SlotTerms
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.finding import Reaction
from holdfast.safety.phases import PhaseFollower
from tests.builders import (
    T0,
    build_site,
    device,
    load_content,
    snapshot_of,
    unit_content,
)

NOON_NS = 1_768_392_000 * NS_PER_S
CONTACT = device("gpio_grid_operator")
CONTACT["connection"] = {
    "kind": "gpio",
    "chip": "gpiochip0",
    "lines": ["consumption_limited=4"],
}


def site_of(*, unit=None, operator=None, **grid):
    content = {"import_max_w": 20_000, "export_max_w": 15_000, **grid}
    more = {}
    if operator is not None:
        content["operator"] = operator
        more["grid_operator"] = CONTACT
    return build_site(unit_content(**unit or {}), grid=content, **more)


def band_of(site, values=None, terms=NO_TERMS, *, utc_ns=NOON_NS, memory=None, now_ns=T0):
    seen = snapshot_of(values, now_ns=now_ns)
    seen, _ = PhaseFollower(site).follow(seen, None)
    memory = ConnectionMemory() if memory is None else memory
    return GridConnection(site).band(seen, terms, utc_ns, memory)


def ends(band):
    return band.low_w, band.low_by, band.high_w, band.high_by


def rows_of(findings):
    return {found.row: found.text.split(": ", 1)[1] for found in findings}


def test_the_rows_stand_in_the_order_of_their_strength():
    assert [row.name for row in ROWS] == [
        "main_fuse", "connection", "grid_operator", "mean_import", "import_max", "export_max",
    ]  # fmt: skip
    assert all(row.source and row.what for row in ROWS)


# ------------------------------------------------------------------------------ the connection


def test_the_connection_leaves_what_others_do_not_take():
    band, findings, _ = band_of(site_of(), {Signal.GRID_POWER_W: 3000.0})
    assert ends(band) == (-18_000.0, "connection", 17_000.0, "connection")
    assert findings == ()


def test_who_is_over_the_limit_without_the_batteries_is_helped():
    band, findings, _ = band_of(site_of(), {Signal.GRID_POWER_W: 23_000.0})
    assert band.high_w == -3000.0
    assert findings == ()
    band, findings, _ = band_of(site_of(), {Signal.GRID_POWER_W: -17_000.0})
    assert band.low_w == 2000.0
    assert findings == ()


@pytest.mark.parametrize(
    ("grid_w", "soc_pct", "ends_w", "missing"),
    [
        (25_100.0, 50.0, (-40_100.0, -5000.0), None),
        (25_101.0, 50.0, (-40_101.0, -5000.0), "connection: 101 W are missing"),
        (23_000.0, 10.0, (-38_000.0, 0.0), "connection: 3000 W are missing"),
        (-20_101.0, 50.0, (5000.0, 40_101.0), "connection: 101 W are missing"),
        (-17_000.0, 95.0, (0.0, 37_000.0), "connection: 2000 W are missing"),
    ],
)
def test_more_help_than_there_is_is_told_and_not_asked_for(grid_w, soc_pct, ends_w, missing):
    values = {Signal.GRID_POWER_W: grid_w, Signal.SOC_PCT: soc_pct}
    band, findings, memory = band_of(site_of(), values)
    assert (band.low_w, band.high_w) == ends_w
    row = "import_missed" if grid_w > 0.0 else "export_missed"
    assert rows_of(findings) == ({} if missing is None else {row: missing})
    assert all(found.reaction is Reaction.LOG and found.since_ns == T0 for found in findings)
    _, later, _ = band_of(site_of(), values, memory=memory, now_ns=T0 + NS_PER_S)
    assert [found.since_ns for found in later] == [T0] * len(findings)


@pytest.mark.parametrize("lost", [Signal.GRID_POWER_W, Signal.BATTERY_POWER_W])
def test_while_meter_or_battery_cannot_be_read_the_batteries_rest(lost):
    band, findings, _ = band_of(site_of(), {lost: None})
    assert ends(band) == (0.0, "meter", 0.0, "meter")
    assert findings == ()


def test_an_island_has_no_connection():
    values = {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0, Signal.GRID_POWER_W: 0.0}
    band, _, _ = band_of(site_of(), values)
    assert (band.low_w, band.high_w) == (-FAR_W, FAR_W)


def test_what_an_asker_bounds_is_kept_as_far_as_the_site_s_own_limits_let_it():
    terms = SlotTerms(import_max_w=3000.0, export_max_w=500.0)
    band, _, _ = band_of(site_of(), {Signal.GRID_POWER_W: 5000.0}, terms)
    assert ends(band) == (-5500.0, "export_max", -2000.0, "import_max")
    assert band.export_max_w == 500.0
    terms = SlotTerms(import_max_w=math.nan, export_max_w=-4.0)
    band, _, _ = band_of(site_of(), {Signal.GRID_POWER_W: 2000.0}, terms)
    assert ends(band) == (-2000.0, "export_max", -2000.0, "import_max")
    assert band.export_max_w == 0.0


def test_nobody_s_bound_discharges_what_is_kept_for_an_outage():
    terms = SlotTerms(import_max_w=3000.0, reserve_pct=60.0)
    band, findings, _ = band_of(site_of(), {Signal.GRID_POWER_W: 5000.0}, terms)
    assert band.high_w == 0.0
    assert rows_of(findings) == {"import_missed": "import_max: 2000 W are missing"}


def test_the_way_back_takes_its_time():
    site = site_of()
    _, _, memory = band_of(site, {Signal.GRID_POWER_W: 19_000.0})
    band, _, _ = band_of(site, {Signal.GRID_POWER_W: 1000.0}, memory=memory, now_ns=T0 + NS_PER_S)
    assert band.high_w == 1500.0
    assert band.low_w == -16_000.0


@pytest.mark.parametrize(("charge_w", "discharge_w"), [(3000, 5000), (5000, 3000)])
def test_the_way_back_is_as_quick_as_the_stronger_way_of_the_battery(charge_w, discharge_w):
    hardware = {"charge_power_max_w": charge_w, "discharge_power_max_w": discharge_w}
    site = site_of(unit={"inverter_hardware": hardware})
    _, _, memory = band_of(site, {Signal.GRID_POWER_W: 19_000.0})
    band, _, _ = band_of(site, {Signal.GRID_POWER_W: 1000.0}, memory=memory, now_ns=T0 + NS_PER_S)
    assert band.high_w == 1500.0


def test_whose_limit_is_missed_is_told_of_each_direction():
    _, findings, _ = band_of(
        site_of(), {Signal.GRID_POWER_W: -6000.0}, SlotTerms(export_max_w=500.0)
    )
    assert rows_of(findings) == {"export_missed": "export_max: 500 W are missing"}


def test_what_stands_for_no_limit_and_for_soon():
    assert (FAR_W, SOON_S) == (1.0e7, 60.0)


# ------------------------------------------------------------------------------ phases

FUSE = {"fuse_a": 63, "phases": 3, "import_max_w": 90_000, "export_max_w": 90_000}
ON_ALL = {
    "inverter_hardware": {
        "charge_power_max_w": 30_000, "discharge_power_max_w": 30_000, "phases": [1, 2, 3],
    }
}  # fmt: skip


def carried(*amps):
    powers = {Signal(f"grid_power_l{n}_w"): a * 230.0 for n, a in enumerate(amps, 1)}
    return {**powers, Signal.GRID_POWER_W: sum(powers.values())}


@pytest.mark.parametrize("amps", [(20.0, 4.0, 4.0), (4.0, 20.0, 4.0), (4.0, 4.0, 20.0)])
def test_the_fullest_phase_limits_import_and_the_emptiest_export(amps):
    """Case C11."""
    site = site_of(unit=ON_ALL, **FUSE, export_max_a=10.5)
    band, findings, _ = band_of(site, carried(*amps))
    assert (band.low_w, band.high_w) == pytest.approx((-14.5 * 690.0, 39.85 * 690.0))
    assert (band.low_by, band.high_by) == ("main_fuse", "main_fuse")
    assert findings == ()


def test_a_phase_that_is_overloaded_is_helped_by_a_battery_that_is_on_it():
    unit = {"inverter_hardware": {**ON_ALL["inverter_hardware"], "phases": [2]}}
    site = site_of(unit=unit, **FUSE)
    band, _, _ = band_of(site, carried(4.0, 69.85, 4.0))
    assert band.high_w == pytest.approx(-10.0 * 230.0)
    band, _, _ = band_of(site, carried(69.85, 4.0, 4.0))
    assert band.high_w == pytest.approx(55.85 * 230.0)


def test_phases_that_cannot_be_read_leave_the_limit_of_their_sum():
    site = site_of(unit=ON_ALL, **FUSE)
    band, findings, _ = band_of(site, {Signal.GRID_POWER_W: 1000.0})
    assert band.high_by == "connection"
    assert rows_of(findings) == {"phases_unseen": "L1 to L3"}


@pytest.mark.parametrize(
    ("nets", "ends_w"), [(True, (-2100.0, 18_000.0)), (False, (-900.0, 18_000.0))]
)
def test_zero_export_means_no_phase_where_the_meter_nets_none(nets, ends_w):
    grid = {"export_max_w": 0, "import_max_w": 20_100, "phases": 3, "meter_nets_phases": nets}
    site = site_of(unit=ON_ALL, **grid)
    values = {
        Signal.GRID_POWER_L1_W: 600.0,
        Signal.GRID_POWER_L2_W: 300.0,
        Signal.GRID_POWER_L3_W: 1200.0,
        Signal.GRID_POWER_W: 2100.0,
    }
    band, _, _ = band_of(site, values)
    assert (band.low_w, band.high_w) == pytest.approx(ends_w)


def test_a_meter_that_nets_nothing_counts_what_the_importing_phases_import():
    grid = {"phases": 3, "meter_nets_phases": False, "mean_import_max_w": 6000}
    site = site_of(unit=ON_ALL, **grid)
    values = {
        Signal.GRID_POWER_L1_W: 3600.0,
        Signal.GRID_POWER_L2_W: -3600.0,
        Signal.GRID_POWER_L3_W: 0.0,
        Signal.GRID_POWER_W: 0.0,
    }
    _, _, memory = band_of(site, values)
    later = {"utc_ns": NOON_NS + 10 * NS_PER_S, "now_ns": T0 + 10 * NS_PER_S}
    _, _, after = band_of(site, values, memory=memory, **later)
    assert after.interval.counted_wh == pytest.approx(10.0)
    del values[Signal.GRID_POWER_L3_W]  # then the sum is all that is known
    _, _, after = band_of(site, values, memory=memory, **later)
    assert after.interval.counted_wh == 0.0


def test_of_two_phases_both_are_counted():
    unit = {"inverter_hardware": {"phases": [1, 2]}}
    site = site_of(unit=unit, phases=2, meter_nets_phases=False, mean_import_max_w=6000)
    for l1_w, l2_w in ((3600.0, -3600.0), (-3600.0, 3600.0)):
        values = {
            Signal.GRID_POWER_L1_W: l1_w, Signal.GRID_POWER_L2_W: l2_w, Signal.GRID_POWER_W: 0.0
        }  # fmt: skip
        assert counted_wh(site, values) == pytest.approx(10.0)


def test_a_fuse_of_each_phase_makes_no_meter_count_them_one_by_one():
    grid = {**FUSE, "import_max_w": 20_100, "export_max_w": 0}
    site = site_of(unit=ON_ALL, **grid, meter_nets_phases=True)
    band, _, _ = band_of(site, carried(3.0, -2.0, 8.0))
    assert (band.low_w, band.high_w) == pytest.approx((-9.0 * 230.0, 20_100 - 9.0 * 230.0))


def counted_wh(site, values):
    """What ten seconds of the same count."""
    _, _, memory = band_of(site, values)
    later = {"utc_ns": NOON_NS + 10 * NS_PER_S, "now_ns": T0 + 10 * NS_PER_S}
    _, _, after = band_of(site, values, memory=memory, **later)
    return after.interval.counted_wh


def test_a_meter_that_nets_all_counts_its_sum_where_that_is_import():
    site = site_of(unit=ON_ALL, phases=3, meter_nets_phases=True, mean_import_max_w=6000)
    phases = {
        Signal.GRID_POWER_L1_W: 3600.0, Signal.GRID_POWER_L2_W: -3600.0, Signal.GRID_POWER_L3_W: 0.0
    }  # fmt: skip
    assert counted_wh(site, {**phases, Signal.GRID_POWER_W: 0.0}) == 0.0
    plain = site_of(mean_import_max_w=6000)
    assert counted_wh(plain, {Signal.GRID_POWER_W: 3600.0}) == pytest.approx(10.0)
    assert counted_wh(plain, {Signal.GRID_POWER_W: -3600.0}) == 0.0


# ------------------------------------------------------------------------------ quarter hour


@pytest.mark.parametrize(("grid_w", "peak_w"), [(-3000.0, 0.0), (2500.0, 2500.0), (None, 0.0)])
def test_the_highest_load_is_one_that_was_seen(grid_w, peak_w):
    _, _, memory = band_of(site_of(mean_import_max_w=6000), {Signal.GRID_POWER_W: grid_w})
    assert memory.interval.peak_w == peak_w


def test_a_mean_below_zero_leaves_what_zero_leaves():
    for values in ({}, {Signal.GRID_POWER_W: 9000.0}):
        below, zero = (
            band_of(site_of(), values, SlotTerms(import_mean_max_w=mean_w))
            for mean_w in (-5000.0, 0.0)
        )
        assert below == zero


def test_the_mean_of_the_interval_leaves_its_budget():
    site = site_of(mean_import_max_w=6000)
    band, findings, memory = band_of(site, {Signal.GRID_POWER_W: 2000.0})
    assert (band.high_w, band.high_by) == (pytest.approx(3940.0), "mean_import")
    assert findings == ()
    assert memory.interval.peak_w == 2000.0
    band, _, _ = band_of(site, {Signal.GRID_POWER_W: 9000.0})
    assert band.high_w == pytest.approx(-3060.0)


def test_the_tighter_of_contract_and_plan_counts():
    terms = SlotTerms(import_mean_max_w=5000.0)
    band, _, _ = band_of(site_of(mean_import_max_w=6000), None, terms)
    assert band.high_w == pytest.approx(4950.0)
    band, _, _ = band_of(site_of(mean_import_max_w=4000), None, terms)
    assert band.high_w == pytest.approx(3960.0)
    band, _, _ = band_of(site_of(), None, SlotTerms(import_mean_max_w=math.nan))
    assert band.high_w == pytest.approx(0.0)


def test_what_the_battery_cannot_hold_of_the_mean_is_told_before_the_interval_ends():
    site = site_of(mean_import_max_w=6000)
    band, findings, _ = band_of(site, {Signal.GRID_POWER_W: 12_000.0})
    assert band.high_w == -5000.0
    assert rows_of(findings) == {
        "mean_import_missed": "250 Wh are missing, which is 1000 W for the 900 s to come: "
        "it will be 7000 W instead of 6000 W"
    }
    # Another quarter hour's energy: 10 % of 10 kWh are stored, and would last for it.
    _, findings, _ = band_of(site, {Signal.GRID_POWER_W: 10_000.0, Signal.SOC_PCT: 20.0})
    assert findings == ()
    _, findings, _ = band_of(site, {Signal.GRID_POWER_W: 11_000.0, Signal.SOC_PCT: 11.0})
    assert "mean_import_missed" in rows_of(findings)


def test_a_limit_of_nothing_is_kept_and_what_is_missing_of_it_told():
    """As where a plan counts on no import at all."""
    terms = SlotTerms(import_mean_max_w=0.0)
    for grid_w in (0.0, 9000.0):
        band, findings, _ = band_of(site_of(), {Signal.GRID_POWER_W: grid_w}, terms)
        assert band.high_w == pytest.approx(max(-grid_w, -5000.0))
        assert set(rows_of(findings)) == ({"mean_import_missed"} if grid_w else set())


def test_a_little_too_much_is_not_told():
    site = site_of(mean_import_max_w=6000)
    _, findings, _ = band_of(site, {Signal.GRID_POWER_W: 11_060.0})
    assert findings == ()
    _, findings, _ = band_of(site, {Signal.GRID_POWER_W: 11_061.0})
    assert "mean_import_missed" in rows_of(findings)


def test_charging_leaves_room_for_the_load_that_was_there_and_nobody_has_to_discharge_for_it():
    site = site_of(mean_import_max_w=6000)
    _, _, memory = band_of(site, {Signal.GRID_POWER_W: 14_000.0})
    memory = replace(memory, released=None)
    band, _, _ = band_of(site, {Signal.GRID_POWER_W: 500.0}, memory=memory)
    assert (band.high_w, band.high_by) == (0.0, "mean_import")


@pytest.mark.parametrize(("grid_w", "high_w"), [(5939.5, 0.0), (5940.0, 0.0), (5940.5, -0.5)])
def test_at_the_limit_charging_ends_and_the_least_beyond_it_is_helped(grid_w, high_w):
    site = site_of(mean_import_max_w=6000)
    _, _, memory = band_of(site, {Signal.GRID_POWER_W: 14_000.0})
    memory = replace(memory, released=None)
    band, _, _ = band_of(site, {Signal.GRID_POWER_W: grid_w}, memory=memory)
    assert band.high_w == pytest.approx(high_w)


def test_what_nobody_counts_has_no_clock():
    _, _, memory = band_of(site_of(mean_import_max_w=6000), utc_ns=None)
    assert memory.interval is None


# ------------------------------------------------------------------------------ grid operator

BOTH = {
    "consumption_w": 4200,
    "production_w": 3000,
    "failsafe_consumption_w": 2000,
    "failsafe_production_w": 1000,
}


def told(consumption, production=None):
    return {Signal.CONSUMPTION_LIMITED: consumption, Signal.PRODUCTION_LIMITED: production}


def test_until_he_is_heard_of_his_failsafe_limits_hold():
    band, findings, memory = band_of(site_of(operator=BOTH), {Signal.GRID_POWER_W: 300.0})
    assert ends(band) == (-1300.0, "grid_operator", 2000.0, "grid_operator")
    assert band.export_max_w == 1000.0
    assert findings == ()
    assert memory.consumption.state is memory.production.state is OperatorState.INIT


def test_what_he_says_holds_and_without_a_word_nothing_does():
    site = site_of(operator=BOTH)
    band, findings, _ = band_of(site, told(1.0, 1.0))
    assert (band.low_w, band.high_w, band.export_max_w) == (-3000.0, 4200.0, 3000.0)
    said = "consumption up to 4200 W and production up to 3000 W"
    assert rows_of(findings) == {"operator_limits": said}
    band, findings, _ = band_of(site, told(0.0, 0.0))
    assert findings == ()
    assert ends(band) == (-15_000.0, "connection", 20_000.0, "connection")
    assert band.export_max_w == 15_000.0


def test_who_is_not_told_a_failsafe_limit_has_the_same_as_else():
    band, _, memory = band_of(site_of(operator={"consumption_w": 4200}))
    assert ends(band) == (-15_000.0, "connection", 4200.0, "grid_operator")
    assert band.export_max_w == 15_000.0
    assert memory.production.time_ns is None
    band, _, memory = band_of(site_of(operator={"production_w": 0}))
    assert ends(band) == (0.0, "grid_operator", 20_000.0, "connection")
    assert memory.consumption.time_ns is None


@pytest.mark.parametrize(
    ("counts", "grid_w", "high_w"),
    [
        ("controllable", 3000.0, 4200.0),  # the house counts nothing
        ("controllable", -2500.0, 6700.0),  # what the sun leaves is not from the grid
        ("connection", 3000.0, 1200.0),
        ("connection", 5000.0, -800.0),
    ],
)
def test_what_his_limit_is_of(counts, grid_w, high_w):
    site = site_of(operator={"consumption_w": 4200, "counts": counts})
    band, _, _ = band_of(site, {**told(1.0), Signal.GRID_POWER_W: grid_w})
    assert band.high_w == high_w


@pytest.mark.parametrize(
    ("load_on", "grid_w", "high_w"),
    [(1.0, 2500.0, 2200.0), (0.0, 2500.0, 4200.0), (1.0, 500.0, 3700.0), (None, 2500.0, 4200.0)],
)
def test_loads_that_are_switched_count_with_the_battery(load_on, grid_w, high_w):
    """A boiler of 2 kW is on: beside 500 W of house, or with sun of 1.5 kW."""
    site = build_site(
        loads=[load_content()],
        grid_operator=CONTACT,
        grid={"import_max_w": 20_000, "export_max_w": 0, "operator": {"consumption_w": 4200}},
    )
    band, _, _ = band_of(site, {**told(1.0), Signal.GRID_POWER_W: grid_w, Signal.LOAD_ON: load_on})
    assert band.high_w == high_w


def test_nobody_hears_of_him_any_more():
    site, memory = site_of(operator=BOTH), None
    for second in range(122):
        now_ns = T0 + second * NS_PER_S
        _, findings, memory = band_of(site, memory=memory, now_ns=now_ns)
    assert rows_of(findings) == {
        "operator_unheard": "consumption up to 2000 W and production up to 1000 W"
    }


def test_what_is_failsafe_lasts_as_many_minutes_as_are_configured():
    """His box tells a heartbeat that stands still."""
    site, memory = site_of(operator={**BOTH, "failsafe_minutes": 150}), None
    for after_s, state in (
        (0, OperatorState.INIT),
        (121, OperatorState.FAILSAFE),
        (121 + 8999, OperatorState.FAILSAFE),
        (121 + 9000, OperatorState.AUTONOMOUS),
    ):
        values, now_ns = {Signal.OPERATOR_BEATS_COUNT: 1.0}, T0 + after_s * NS_PER_S
        _, _, memory = band_of(site, values, memory=memory, now_ns=now_ns)
        assert memory.consumption.state is memory.production.state is state


@pytest.mark.parametrize(
    ("battery_w", "consumption_s", "production_s"),
    [(4300.0, 0, 0), (4301.0, 1, 0), (-3100.0, 0, 0), (-3101.0, 0, 1)],
)
def test_how_long_more_flowed_than_he_permits_is_counted(battery_w, consumption_s, production_s):
    site = site_of(operator=BOTH)
    _, _, memory = band_of(site, told(1.0, 1.0))
    values = {**told(1.0, 1.0), Signal.BATTERY_POWER_W: battery_w, Signal.GRID_POWER_W: battery_w}
    _, _, memory = band_of(site, values, memory=memory, now_ns=T0 + NS_PER_S)
    assert memory.consumption.limited_ns == memory.production.limited_ns == NS_PER_S
    assert memory.consumption.exceeded_ns == consumption_s * NS_PER_S
    assert memory.production.exceeded_ns == production_s * NS_PER_S


# ------------------------------------------------------------------------------ whatever comes

ANY_W = st.one_of(st.none(), st.floats(-1e6, 1e6))
TERM = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(
    grid_w=ANY_W,
    battery_w=ANY_W,
    soc_pct=st.one_of(st.none(), st.floats(0, 100)),
    phases_w=st.tuples(ANY_W, ANY_W, ANY_W),
    terms=st.builds(
        SlotTerms,
        import_max_w=TERM,
        export_max_w=TERM,
        import_mean_max_w=TERM,
        reserve_pct=TERM,
    ),
    after_s=st.floats(0, 2000),
    nets=st.booleans(),
    asked_w=st.floats(allow_nan=True, allow_infinity=True),
)
def test_whatever_the_meter_shows_and_whoever_asks_there_is_a_band_and_it_holds(
    grid_w, battery_w, soc_pct, phases_w, terms, after_s, nets, asked_w
):
    site = site_of(
        unit=ON_ALL, operator=BOTH, **FUSE, meter_nets_phases=nets, mean_import_max_w=6000
    )
    values = {
        Signal.GRID_POWER_W: grid_w,
        Signal.BATTERY_POWER_W: battery_w,
        Signal.SOC_PCT: soc_pct,
        Signal.GRID_POWER_L1_W: phases_w[0],
        Signal.GRID_POWER_L2_W: phases_w[1],
        Signal.GRID_POWER_L3_W: phases_w[2],
    }
    _, _, memory = band_of(site, carried(1.0, 2.0, 3.0))
    band, _, _ = band_of(
        site,
        values,
        terms,
        memory=memory,
        now_ns=T0 + ns_from_s(after_s),
        utc_ns=NOON_NS + ns_from_s(after_s),
    )
    assert -FAR_W <= band.low_w <= band.high_w <= FAR_W
    assert band.low_w <= band.clamp(asked_w) <= band.high_w
    assert 0.0 <= band.export_max_w <= 1000.0
    if grid_w is None or battery_w is None:
        assert (band.low_w, band.high_w) == (0.0, 0.0)
