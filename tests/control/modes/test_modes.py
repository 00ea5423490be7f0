"""What each mode asks, of a view alone: the power, what it may not become, and what it keeps."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.modes.table import MODES
from holdfast.control.modes.wish import ModeView
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.slot_mode import DOES, NEEDS, SlotMode

VIEW = ModeView(
    rest_w=0.0,
    mean_rest_w=0.0,
    soc_pct=50.0,
    capacity_wh=10_000.0,
    charge_max_w=5000.0,
    discharge_max_w=4000.0,
    export_max_w=3000.0,
)
FINITE = st.floats(-1e5, 1e5)
PERCENT = st.none() | st.floats(0.0, 100.0)
VIEWS = st.builds(
    replace,
    st.just(VIEW),
    rest_w=FINITE,
    mean_rest_w=FINITE,
    soc_pct=PERCENT,
    power_w=FINITE,
    left_s=st.none() | st.floats(-1.0, 1e5),
    terms=st.builds(
        SlotTerms,
        grid_target_w=st.none() | FINITE,
        soc_target_pct=PERCENT,
        soc_ceiling_pct=PERCENT,
        import_max_w=st.none() | st.floats(0.0, 1e5),
        buy_below_pct=PERCENT,
        store_below_pct=PERCENT,
        serve_above_pct=PERCENT,
        sell_above_pct=PERCENT,
    ),
)
NEVER_DISCHARGE = (
    SlotMode.HOLD,
    SlotMode.CHARGE_ONLY,
    SlotMode.FULL_CHARGE,
    SlotMode.PASSIVE,
)


def asked(mode, **view):
    terms = SlotTerms(**view.pop("terms", {}))
    return MODES[mode](replace(VIEW, terms=terms, **view))


def power_w(mode, **view):
    return asked(mode, **view).power_w


@pytest.mark.parametrize("mode", SlotMode)
@given(VIEWS)
def test_every_wish_is_a_number_within_its_own_bounds(mode, view):
    wish = MODES[mode](view)
    assert math.isfinite(wish.power_w)
    assert wish.low_w <= wish.high_w
    assert wish.low_w <= wish.power_w <= wish.high_w or mode is SlotMode.POWER


@pytest.mark.parametrize("mode", NEVER_DISCHARGE)
@given(VIEWS)
def test_some_modes_never_discharge_whatever_they_see(mode, view):
    wish = MODES[mode](view)
    assert wish.power_w >= 0.0 == wish.low_w


@given(VIEWS)
def test_self_consumption_leaves_the_grid_its_target(view):
    wish = MODES[SlotMode.SELF_CONSUMPTION](view)
    target_w = view.terms.grid_target_w or 0.0
    assert view.rest_w + wish.power_w == pytest.approx(target_w, abs=1e-6)
    assert wish.at_meter


@pytest.mark.parametrize(
    ("rest_w", "power", "at_meter"), [(800.0, 0.0, False), (-900.0, 900.0, True), (0.0, 0.0, False)]
)
def test_hold_stores_surplus_alone(rest_w, power, at_meter):
    wish = asked(SlotMode.HOLD, rest_w=rest_w)
    assert (wish.power_w, wish.at_meter) == (power, at_meter)


def test_a_fixed_power_is_held_whatever_the_house_does():
    assert power_w(SlotMode.POWER, rest_w=3000.0, power_w=-1234.0) == -1234.0
    assert power_w(SlotMode.PASSIVE, rest_w=3000.0, power_w=-1234.0) == 0.0


@pytest.mark.parametrize(
    ("soc_pct", "target_pct", "power", "charges_w"),
    [
        (50.0, None, 0.0, 5000.0),
        (50.0, None, 700.0, 700.0),
        (79.9, 80.0, 700.0, 700.0),
        (80.0, 80.0, 700.0, 0.0),
        (None, 80.0, 700.0, 0.0),
    ],
)
def test_charging_alone_ends_at_its_target(soc_pct, target_pct, power, charges_w):
    terms = {"soc_target_pct": target_pct}
    wish = asked(SlotMode.CHARGE_ONLY, soc_pct=soc_pct, power_w=power, terms=terms)
    assert wish.power_w == charges_w


def test_a_full_charge_ends_only_when_the_battery_is_full():
    assert power_w(SlotMode.FULL_CHARGE, soc_pct=99.9, terms={"soc_target_pct": 60.0}) == 5000.0
    assert power_w(SlotMode.FULL_CHARGE, soc_pct=100.0) == 0.0


@pytest.mark.parametrize(
    ("target_pct", "left_s", "power"),
    [
        (60.0, 3600.0, 1000.0),  # 1 kWh in an hour
        (60.0, 900.0, 4000.0),
        (60.0, 60.0, 5000.0),  # no more than there is
        (40.0, 3600.0, -1000.0),
        (0.0, 60.0, -4000.0),
        (50.1, 3600.0, 0.0),  # near enough
        (60.0, None, 5000.0),
        (60.0, -5.0, 5000.0),
    ],
)
def test_a_state_of_charge_is_reached_evenly_at_the_end_of_its_slot(target_pct, left_s, power):
    terms = {"soc_target_pct": target_pct}
    wish = asked(SlotMode.SOC, left_s=left_s, terms=terms)
    assert wish.power_w == pytest.approx(power)
    assert not wish.low_w < 0.0 < wish.high_w, "it never overshoots to the other side"


def test_a_target_without_a_known_state_of_charge_is_rest():
    assert power_w(SlotMode.SOC, soc_pct=None, terms={"soc_target_pct": 90.0}) == 0.0
    assert power_w(SlotMode.SOC) == 0.0


@pytest.mark.parametrize(
    ("soc_pct", "rest_w", "power"),
    [
        (59.9, -4000.0, 4000.0),
        (60.0, -4000.0, 1000.0),  # 3 kW may be exported
        (60.0, -2000.0, 0.0),
        (60.0, 1500.0, -1500.0),
        (None, -4000.0, 4000.0),
    ],
)
def test_above_the_ceiling_only_what_would_be_cut_is_stored(soc_pct, rest_w, power):
    terms = {"soc_ceiling_pct": 60.0}
    wish = asked(SlotMode.PV_OPTIMIZER, soc_pct=soc_pct, rest_w=rest_w, terms=terms)
    assert wish.power_w == power


@pytest.mark.parametrize("mode", [SlotMode.PEAK_SHAVING, SlotMode.COMMERCIAL])
@pytest.mark.parametrize(
    ("soc_pct", "rest_w", "power"),
    [
        (50.0, 7000.0, -2000.0),  # what is above the cap
        (50.0, 5000.0, 0.0),
        (50.0, 1000.0, 3000.0),
        (50.0, -3000.0, 5000.0),  # no more than there is
    ],
)
def test_below_its_target_a_battery_serves_only_peaks_and_is_refilled(mode, soc_pct, rest_w, power):
    terms = {"import_max_w": 5000.0, "soc_target_pct": 80.0}
    wish = asked(mode, soc_pct=soc_pct, rest_w=rest_w, terms=terms)
    assert wish.power_w == pytest.approx(power)


def test_above_its_target_a_battery_waits_for_peaks_or_serves_a_company_s_load():
    terms = {"import_max_w": 5000.0, "soc_target_pct": 40.0}
    assert power_w(SlotMode.PEAK_SHAVING, rest_w=1000.0, terms=terms) == 0.0
    assert power_w(SlotMode.PEAK_SHAVING, rest_w=-1000.0, terms=terms) == 1000.0
    assert power_w(SlotMode.COMMERCIAL, rest_w=1000.0, terms=terms) == -1000.0
    assert power_w(SlotMode.COMMERCIAL, rest_w=7000.0, terms=terms) == -2000.0
    assert power_w(SlotMode.COMMERCIAL, rest_w=-1000.0, terms=terms) == 1000.0


def test_a_company_without_a_target_shaves_its_peaks():
    terms = {"import_max_w": 5000.0}
    assert power_w(SlotMode.COMMERCIAL, rest_w=7000.0, terms=terms) == -2000.0
    assert power_w(SlotMode.COMMERCIAL, rest_w=1000.0, terms=terms) == 3000.0


def test_peaks_without_a_cap_are_none_and_surplus_is_stored():
    assert power_w(SlotMode.PEAK_SHAVING, rest_w=7000.0) == 0.0
    assert power_w(SlotMode.PEAK_SHAVING, rest_w=-700.0) == 700.0


def test_a_load_balancer_gives_the_grid_the_mean_and_is_led_back_to_its_middle():
    assert power_w(SlotMode.LOAD_BALANCER, rest_w=3000.0, mean_rest_w=1000.0) == -2000.0
    assert power_w(SlotMode.LOAD_BALANCER, rest_w=1000.0, mean_rest_w=1000.0, soc_pct=30.0) == 500.0
    terms = {"soc_target_pct": 30.0}
    levelled = power_w(SlotMode.LOAD_BALANCER, rest_w=1000.0, mean_rest_w=1000.0, terms=terms)
    assert levelled == -500.0
    assert power_w(SlotMode.LOAD_BALANCER, soc_pct=None) == 0.0


def test_each_mode_says_what_it_does_and_needs_a_term_if_any():
    assert all(DOES[mode] for mode in MODES)
    assert set(NEEDS) <= set(SlotMode)
    assert set(NEEDS.values()) <= set(SlotTerms.__slots__)


MARKS = {
    "buy_below_pct": 30.0,
    "store_below_pct": 60.0,
    "serve_above_pct": 40.0,
    "sell_above_pct": 80.0,
}


@pytest.mark.parametrize(
    ("soc_pct", "rest_w", "power", "at_meter"),
    [
        (20.0, 900.0, 5000.0, False),  # bought, whatever the house does
        (20.0, -900.0, 5000.0, False),
        (35.0, 900.0, 0.0, False),  # neither bought nor served
        (35.0, -900.0, 900.0, True),
        (50.0, 900.0, -900.0, True),
        (50.0, -900.0, 900.0, True),
        (70.0, 900.0, -900.0, True),
        (70.0, -900.0, 0.0, False),  # surplus is exported
        (90.0, 900.0, -4000.0, False),  # sold, and the load served
        (90.0, -900.0, -4000.0, False),
        (90.0, 5000.0, -4000.0, False),
    ],
)
def test_what_stored_energy_is_worth_says_who_has_it(soc_pct, rest_w, power, at_meter):
    wish = asked(SlotMode.STORED_VALUE, soc_pct=soc_pct, rest_w=rest_w, terms=MARKS)
    assert (wish.power_w, wish.at_meter) == (power, at_meter)


@pytest.mark.parametrize(
    ("soc_pct", "rest_w", "power"),
    [(29.9, 0.0, 600.0), (59.9, -2000.0, 600.0), (40.1, 2000.0, -600.0), (80.1, 0.0, -600.0)],
)
def test_close_to_a_mark_power_becomes_less_so_that_nothing_runs_past_it(soc_pct, rest_w, power):
    wish = asked(SlotMode.STORED_VALUE, soc_pct=soc_pct, rest_w=rest_w, terms=MARKS)
    assert wish.power_w == pytest.approx(power)


def test_a_mark_that_is_not_told_is_never_reached_and_without_a_state_of_charge_load_is_followed():
    serve = {"serve_above_pct": 10.0}
    assert power_w(SlotMode.STORED_VALUE, rest_w=900.0, terms=serve) == -900.0
    assert power_w(SlotMode.STORED_VALUE, rest_w=-900.0, soc_pct=99.9, terms=serve) == 900.0
    assert power_w(SlotMode.STORED_VALUE, soc_pct=5.0, terms=serve) == 0.0
    for view in ({"soc_pct": None, "terms": MARKS}, {"terms": {}}):
        assert asked(SlotMode.STORED_VALUE, rest_w=900.0, **view).power_w == -900.0
