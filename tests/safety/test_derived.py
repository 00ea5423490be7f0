"""What readings say together: spread, and whether they can be true at the same time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import freeze
from holdfast.core.reading import Bad, Good, Missing, Stale
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.safety.derived import derive
from holdfast.safety.finding import Reaction
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.safety.limits import build_limits
from tests.builders import (
    HEALTHY_UNIT,
    T0,
    UNIT,
    build_site,
    healthy_store,
    put,
    snapshot_of,
    unit_content,
)

SITE = build_site()


def derived(**values):
    snapshot = derive(SITE, snapshot_of({Signal[name]: value for name, value in values.items()}))
    return lambda signal: snapshot.good(UNIT, signal)


@pytest.mark.parametrize(
    ("values", "signal", "value"),
    [
        ({"CELL_VOLTAGE_MIN_V": 3.2, "CELL_VOLTAGE_MAX_V": 3.45}, Signal.CELL_IMBALANCE_V, 0.25),
        ({"CELL_VOLTAGE_MIN_V": 3.4, "CELL_VOLTAGE_MAX_V": 3.3}, Signal.CELL_IMBALANCE_V, -0.1),
        (
            {"CELL_TEMPERATURE_MIN_C": -5, "CELL_TEMPERATURE_MAX_C": 7},
            Signal.CELL_TEMPERATURE_SPREAD_K,
            12.0,
        ),
        ({"PACK_VOLTAGE_V": 52.8}, Signal.PACK_MISMATCH_V, 0.0),
        ({"PACK_VOLTAGE_V": 55.0}, Signal.PACK_MISMATCH_V, 55.0 - 16 * 3.31),
        ({"PACK_VOLTAGE_V": 50.0}, Signal.PACK_MISMATCH_V, 16 * 3.29 - 50.0),
        # 52.8 V and 50 A are 2640 W at the battery: 2750 W on the other side of 96 %.
        ({"BATTERY_CURRENT_A": 50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": -2534.4}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 5284.4),
    ],
)
def test_what_is_derived(values, signal, value):
    assert derived(**values)(signal) == pytest.approx(value)


@pytest.mark.parametrize(
    ("missing", "signals"),
    [
        ("CELL_VOLTAGE_MIN_V", [Signal.CELL_IMBALANCE_V, Signal.PACK_MISMATCH_V]),
        ("PACK_VOLTAGE_V", [Signal.PACK_MISMATCH_V, Signal.POWER_MISMATCH_W]),
        ("BATTERY_POWER_W", [Signal.POWER_MISMATCH_W]),
        ("CELL_TEMPERATURE_MAX_C", [Signal.CELL_TEMPERATURE_SPREAD_K]),
    ],
)
def test_from_what_is_missing_nothing_is_derived(missing, signals):
    value_of = derived(**{missing: None})
    assert [value_of(signal) for signal in signals] == [None] * len(signals)


def test_a_derived_reading_is_as_old_as_the_oldest_it_rests_on():
    store = healthy_store()
    put(store, UNIT, Signal.CELL_VOLTAGE_MAX_V, 3.4, T0 + NS_PER_S)
    snapshot = derive(SITE, freeze(store.image(), T0 + NS_PER_S))
    reading = snapshot.read(UNIT, Signal.CELL_IMBALANCE_V)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


@given(st.floats(-100, 100), st.floats(40, 58))
def test_losses_between_inverter_and_battery_are_no_mismatch(current_a, voltage_v):
    battery_w = current_a * voltage_v
    power_w = battery_w / 0.96 if battery_w > 0 else battery_w * 0.96
    value = derived(BATTERY_CURRENT_A=current_a, PACK_VOLTAGE_V=voltage_v, BATTERY_POWER_W=power_w)(
        Signal.POWER_MISMATCH_W
    )
    assert value == pytest.approx(0.0, abs=1e-6)


# A voltage that the cells cannot have. ----------------------------------------------------------


def judged(voltage_v, **more):
    """What becomes of a pack's voltage, of 16 cells."""
    snapshot = derive(SITE, snapshot_of({Signal.PACK_VOLTAGE_V: voltage_v}, **more))
    return snapshot.read(UNIT, Signal.PACK_VOLTAGE_V)


@pytest.mark.parametrize("voltage_v", [16 * 0.8, 16 * 2.0, 52.8, 16 * 4.6, 16 * 5.0])
def test_a_voltage_that_its_cells_can_have_is_believed_also_one_that_trips(voltage_v):
    assert judged(voltage_v) == Good(value=voltage_v, time_ns=T0)


@pytest.mark.parametrize(
    ("voltage_v", "told"),
    [
        (5.2, "5.2 V"),  # 0.1 V read as 0.01 V
        (528.0, "528 V"),
        (math.nextafter(16 * 0.8, 0.0), "12.8 V"),
        (math.nextafter(16 * 5.0, 100.0), "80 V"),
    ],
)
def test_a_voltage_that_its_cells_cannot_have_is_bad_data_and_asks_for_its_scale(voltage_v, told):
    reason = f"{told} is no voltage of 16 cells: is its scale right?"
    assert judged(voltage_v) == Bad(reason=reason, time_ns=T0)


@pytest.mark.parametrize("voltage_v", [5.2, 528.0])
def test_from_a_voltage_that_cannot_be_nothing_is_derived(voltage_v):
    snapshot = derive(
        SITE, snapshot_of({Signal.PACK_VOLTAGE_V: voltage_v, Signal.CONTACTOR_CLOSED: 1.0})
    )
    of_voltage = {Signal.PACK_MISMATCH_V, Signal.POWER_MISMATCH_W, Signal.LINK_MISMATCH_V}
    assert of_voltage.isdisjoint(snapshot.readings[UNIT])
    assert snapshot.good(UNIT, Signal.CELL_IMBALANCE_V) == pytest.approx(0.02)


def test_only_a_good_voltage_is_judged_by_the_cells():
    old = judged(5.2, sampled_ns=T0 - 6 * NS_PER_S)
    assert old == Stale(value=5.2, time_ns=T0 - 6 * NS_PER_S)
    assert judged(0.1) == Bad(reason="0.1 V is not within 1 to 1500", time_ns=T0)
    assert judged(None) == Missing()


def test_each_unit_is_judged_by_its_own_cells():
    units = [unit_content("low"), unit_content("high", battery={"cells_in_series": 160})]
    site, store = build_site(*units), healthy_store(("low", "high"))
    for name in ("low", "high"):
        put(store, name, Signal.PACK_VOLTAGE_V, 528.0, T0)
    before = freeze(store.image(), T0)
    after = derive(site, before)
    assert after.good("low", Signal.PACK_VOLTAGE_V) is None
    assert after.good("high", Signal.PACK_VOLTAGE_V) == 528.0
    assert before.good("low", Signal.PACK_VOLTAGE_V) == 528.0


@given(st.floats(1.0, 1500.0), st.integers(4, 400))
def test_a_voltage_is_believed_exactly_if_a_cell_of_it_has_0_8_to_5_v(voltage_v, cells):
    site = build_site(unit_content(battery={"cells_in_series": cells}))
    snapshot = derive(site, snapshot_of({Signal.PACK_VOLTAGE_V: voltage_v}))
    believed = 0.8 * cells <= voltage_v <= 5.0 * cells
    assert (snapshot.good(UNIT, Signal.PACK_VOLTAGE_V) is not None) is believed


# Behind a closed contactor. ---------------------------------------------------------------------

CLOSED = {"CONTACTOR_CLOSED": 1.0, "PACK_VOLTAGE_V": 52.0}


@pytest.mark.parametrize(("link_v", "mismatch_v"), [(52.0, 0.0), (50.5, 1.5), (53.5, 1.5)])
def test_behind_a_closed_contactor_two_sensors_see_the_same_voltage(link_v, mismatch_v):
    value_of = derived(**CLOSED, DC_LINK_VOLTAGE_V=link_v)
    assert value_of(Signal.LINK_MISMATCH_V) == pytest.approx(mismatch_v)


@pytest.mark.parametrize(
    "changes",
    [
        {"CONTACTOR_CLOSED": 0.0}, {"CONTACTOR_CLOSED": None}, {"PACK_VOLTAGE_V": None},
        {"DC_LINK_VOLTAGE_V": None},
    ],
)  # fmt: skip
def test_behind_an_open_contactor_or_with_one_sensor_nothing_is_compared(changes):
    values = {**CLOSED, "DC_LINK_VOLTAGE_V": 52.0, **changes}
    snapshot = derive(SITE, snapshot_of({Signal[name]: value for name, value in values.items()}))
    assert Signal.LINK_MISMATCH_V not in snapshot.readings[UNIT]


@pytest.mark.parametrize(
    "oldest", [Signal.DC_LINK_VOLTAGE_V, Signal.CONTACTOR_CLOSED, Signal.PACK_VOLTAGE_V]
)
def test_a_comparison_is_as_old_as_the_oldest_it_rests_on(oldest):
    store, later_ns = healthy_store(time_ns=T0 - 1), T0 + NS_PER_S
    values = {
        Signal.DC_LINK_VOLTAGE_V: 52.0, Signal.CONTACTOR_CLOSED: 1.0, Signal.PACK_VOLTAGE_V: 52.0,
    }  # fmt: skip
    for signal, value in values.items():
        put(store, UNIT, signal, value, T0 if signal is oldest else later_ns)
    reading = derive(SITE, freeze(store.image(), later_ns)).read(UNIT, Signal.LINK_MISMATCH_V)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


class Link:
    """A pack that speaks once a second, and a relay board twenty times."""

    def __init__(self):
        self.monitor, self.memory = LimitMonitor(build_limits(SITE)), {}
        self.store, self.now_ns = healthy_store(time_ns=T0), T0
        self.found = None

    def second(self, pack_v, *links_v):
        """A second in which the link is measured, the pack at the end of it."""
        for link_v in links_v:
            self.now_ns += NS_PER_S // len(links_v)
            put(self.store, UNIT, Signal.CONTACTOR_CLOSED, 1.0, self.now_ns)
            put(self.store, UNIT, Signal.DC_LINK_VOLTAGE_V, link_v, self.now_ns)
            self.look()
        put(self.store, UNIT, Signal.PACK_VOLTAGE_V, pack_v, self.now_ns)
        self.look()
        return self.found

    def look(self):
        snapshot = derive(SITE, freeze(self.store.image(), self.now_ns))
        findings, self.memory = self.monitor.assess(snapshot, self.memory)
        rows = {found.row: found.reaction for found in findings}
        self.found = rows.get("link_mismatch_high")


def test_a_link_that_drifts_away_derates_and_clears_by_itself():
    link = Link()
    for _ in range(20):
        assert link.second(52.0, *[51.0] * 20) is None
    for _ in range(10):
        link.second(52.0, *[48.5] * 20)
    assert link.found is Reaction.DERATE
    for _ in range(25):
        link.second(52.0, *[51.9] * 20)
    assert link.found is None


def test_a_load_that_steps_between_two_samples_of_the_pack_is_no_drift():
    link = Link()
    for _ in range(50):
        # 5 kW on and off each second: the pack tells of it up to a second later.
        assert link.second(51.5, *[52.0] * 10, *[48.4] * 10) in (None, Reaction.LOG)
        assert link.second(48.4, *[48.4] * 19, 48.4) in (None, Reaction.LOG)
        assert link.second(52.0, *[52.0] * 20) in (None, Reaction.LOG)


RESTS_ON = {
    Signal.CELL_IMBALANCE_V: (Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V),
    Signal.CELL_TEMPERATURE_SPREAD_K: (
        Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C,
    ),
    Signal.PACK_MISMATCH_V: (
        Signal.PACK_VOLTAGE_V, Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V,
    ),
    Signal.POWER_MISMATCH_W: (
        Signal.BATTERY_POWER_W, Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A,
    ),
}  # fmt: skip
CASES = [(derived, signal) for derived, signals in RESTS_ON.items() for signal in signals]


@pytest.mark.parametrize(("derived", "oldest"), CASES)
def test_a_derived_reading_is_as_old_as_whichever_input_is_the_oldest(derived, oldest):
    store = healthy_store()
    for signal in RESTS_ON[derived]:
        if signal is not oldest:
            put(store, UNIT, signal, HEALTHY_UNIT[signal], T0 + NS_PER_MS)
    snapshot = derive(SITE, freeze(store.image(), T0 + NS_PER_MS))
    reading = snapshot.read(UNIT, derived)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


@pytest.mark.parametrize(("derived", "missing"), CASES)
def test_each_input_is_needed_and_without_it_there_is_no_reading_at_all(derived, missing):
    snapshot = derive(SITE, snapshot_of({missing: None}))
    assert derived not in snapshot.readings[UNIT]


def test_what_was_measured_stays_beside_what_is_derived():
    before = snapshot_of()
    after = derive(SITE, before)
    assert after.time_ns == before.time_ns
    assert set(after.readings[UNIT]) == set(before.readings[UNIT]) | set(RESTS_ON)
    assert set(RESTS_ON).isdisjoint(before.readings[UNIT])


@pytest.mark.parametrize(
    ("current_a", "power_w", "mismatch_w"),
    [
        # At 50 V. Small powers have losses too, and are on the right side of zero.
        (0.015, 0.75 / 0.96, 0.0),
        (-0.015, -0.75 * 0.96, 0.0),
        (0.0, 300.0, 300.0),
        (0.0, -300.0, 300.0),
        (10.0, 0.0, 500.0 / 0.96),
        (-10.0, 0.0, 500.0 * 0.96),
    ],
)
def test_a_mismatch_has_no_sign_and_losses_count_however_small_the_power(
    current_a, power_w, mismatch_w
):
    values = {
        Signal.PACK_VOLTAGE_V: 50.0,
        Signal.BATTERY_CURRENT_A: current_a,
        Signal.BATTERY_POWER_W: power_w,
    }
    snapshot = derive(SITE, snapshot_of(values))
    assert snapshot.good(UNIT, Signal.POWER_MISMATCH_W) == pytest.approx(mismatch_w, abs=1e-9)


# What a site does without. ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "signal", "value"),
    [
        ("emergency_input", Signal.EMERGENCY_LOOP_CLOSED, 1.0),
        ("pv_meter", Signal.PV_POWER_W, 0.0),
    ],
)
def test_what_a_site_does_without_is_a_constant_of_every_snapshot(key, signal, value):
    nothing = freeze(healthy_store((), T0).image() | {"site": {}, UNIT: {}}, T0 + 7)
    site = build_site(**{key: {"none": "there is none"}})
    readings = derive(site, nothing).readings["site"]
    assert readings == {signal: Good(value=value, time_ns=T0 + 7)}
    assert derive(SITE, nothing).readings["site"] == {}


def test_what_else_the_site_tells_stays():
    site = build_site(pv_meter={"none": "there is none"})
    before = snapshot_of()
    after = derive(site, before).readings["site"]
    assert after[Signal.PV_POWER_W] == Good(value=0.0, time_ns=before.time_ns)
    others = {signal: reading for signal, reading in after.items() if signal != "pv_power_w"}
    assert others == {s: r for s, r in before.readings["site"].items() if s != "pv_power_w"}
