"""The plausibility checks at the edge of each of their numbers."""

import math

import pytest

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety import plausibility
from holdfast.safety.finding import Reaction
from holdfast.safety.plausibility import Count, Plausibility, Swing, UnitPlausibility
from tests.builders import T0, UNIT, build_site, unit_content

SITE = build_site(
    unit_content(
        battery={
            "capacity_wh": 10_000, "charge_current_max_a": 100, "discharge_current_max_a": 50,
        }
    )
)  # fmt: skip
SIGNALS = (Signal.SOC_PCT, Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A)


def assess(soc_pct, voltage_v, current_a, before=None, *, now_ns=T0, site=SITE, ages_ns=(0, 0, 0)):
    """Findings by row, and what is remembered of the unit."""
    values = zip(SIGNALS, (soc_pct, voltage_v, current_a), ages_ns, strict=True)
    readings = {
        signal: Good(value=value, time_ns=now_ns - age_ns)
        for signal, value, age_ns in values
        if value is not None
    }
    snapshot = Snapshot(time_ns=now_ns, readings={UNIT: readings})
    memory = {} if before is None else {UNIT: before}
    findings, after = Plausibility(site).assess(snapshot, memory)
    return {found.row: found for found in findings}, after.get(UNIT)


def counting(counted_pct=0.0, *, anchor_pct=50.0, anchor_ns=T0, time_ns=T0, **more):
    count = Count(
        anchor_pct=anchor_pct, anchor_ns=anchor_ns, time_ns=time_ns, counted_pct=counted_pct
    )
    return UnitPlausibility(count=count, **more)


def test_the_numbers_are_these():
    assert plausibility.SOC_TOLERANCE_PCT == 10.0
    assert (plausibility.ANCHOR_S, plausibility.GAP_S) == (3600.0, 10.0)
    assert (plausibility.STILL_S, plausibility.SWING, plausibility.STILL_V) == (30.0, 0.3, 0.005)
    assert UnitPlausibility() == UnitPlausibility(
        count=None, swing=None, still_since_ns=None, off_since_ns=None
    )
    assert Count(anchor_pct=1.0, anchor_ns=1, time_ns=1).counted_pct == 0.0


def test_the_first_sample_is_the_anchor():
    found, after = assess(70.0, 52.0, 40.0)
    assert found == {}
    assert after.count == Count(anchor_pct=70.0, anchor_ns=T0, time_ns=T0, counted_pct=0.0)


@pytest.mark.parametrize("current_a", [40.0, -40.0])
def test_what_flows_is_counted_as_a_share_of_the_capacity(current_a):
    _, after = assess(50.0, 50.0, current_a, counting(1.0), now_ns=T0 + 9 * NS_PER_S)
    flowed_pct = 100.0 * current_a * 50.0 * 9.0 / 3600.0 / 10_000.0
    assert after.count.counted_pct == pytest.approx(1.0 + flowed_pct)
    assert (after.count.anchor_pct, after.count.anchor_ns) == (50.0, T0)
    assert after.count.time_ns == T0 + 9 * NS_PER_S


@pytest.mark.parametrize(
    ("told_pct", "counted_pct", "off"),
    [
        (60.0, 0.0, False), (60.1, 0.0, True), (40.0, 0.0, False), (39.9, 0.0, True),
        (65.0, 5.0, False), (65.1, 5.0, True), (35.0, -5.0, False), (34.9, -5.0, True),
    ],
)  # fmt: skip
def test_more_than_ten_percent_off_is_found(told_pct, counted_pct, off):
    now_ns = T0 + NS_PER_S
    found, after = assess(told_pct, 52.0, 0.0, counting(counted_pct), now_ns=now_ns)
    assert set(found) == ({"soc_implausible"} if off else set())
    assert after.off_since_ns == (now_ns if off else None)
    if off:
        finding = found["soc_implausible"]
        assert (finding.owner, finding.since_ns) == (UNIT, now_ns)
        assert finding.reaction is Reaction.DERATE
        assert f"counted {counted_pct:+.1f} % since 50 %" in finding.text


def test_it_is_off_since_it_began_and_no_longer_once_it_fits():
    before = counting(off_since_ns=T0 - 5)
    found, after = assess(75.0, 52.0, 0.0, before, now_ns=T0 + NS_PER_S)
    assert after.off_since_ns == found["soc_implausible"].since_ns == T0 - 5
    found, after = assess(50.0, 52.0, 0.0, before, now_ns=T0 + NS_PER_S)
    assert (found, after.off_since_ns) == ({}, None)


@pytest.mark.parametrize(
    ("anchor_s", "last_s", "anew"),
    [(0, 10, False), (0, 10.001, True), (3600, 1, False), (3600.001, 1, True)],
)
def test_the_count_begins_anew_after_a_gap_and_after_an_hour(anchor_s, last_s, anew):
    before = counting(
        3.0,
        anchor_ns=T0 - round((anchor_s or last_s) * NS_PER_S),
        time_ns=T0 - round(last_s * NS_PER_S),
    )
    _, after = assess(53.0, 52.0, 0.0, before)
    assert after.count.anchor_ns == (T0 if anew else before.count.anchor_ns)
    assert after.count.counted_pct == (0.0 if anew else 3.0)
    assert after.count.anchor_pct == (53.0 if anew else 50.0)


def swinging(current_a=(0.0, 0.0), voltage_v=(52.0, 52.0), since_ns=T0, **more):
    swing = Swing(since_ns=since_ns, current_a=current_a, voltage_v=voltage_v)
    return counting(swing=swing, **more)


@pytest.mark.parametrize(
    ("current_a", "voltage_v", "stuck"),
    [
        # 30 % of the smaller rated current, which is 50 A
        (15.0, 52.0, False), (15.1, 52.0, True), (-15.0, 52.0, False), (-15.1, 52.0, True),
        (40.0, 52.004, True), (40.0, 52.006, False), (40.0, 51.996, True), (40.0, 51.994, False),
    ],
)  # fmt: skip
def test_a_voltage_that_does_not_move_with_the_current_is_found(current_a, voltage_v, stuck):
    now_ns = T0 + 30 * NS_PER_S
    before = swinging(time_ns=now_ns - NS_PER_S)
    found, after = assess(50.0, voltage_v, current_a, before, now_ns=now_ns)
    assert set(found) == ({"voltage_stuck"} if stuck else set())
    assert after.still_since_ns == (now_ns if stuck else None)
    assert after.swing.since_ns == T0
    assert after.swing.current_a == (min(current_a, 0.0), max(current_a, 0.0))
    assert after.swing.voltage_v == (min(voltage_v, 52.0), max(voltage_v, 52.0))
    if stuck:
        finding = found["voltage_stuck"]
        assert (finding.owner, finding.since_ns) == (UNIT, now_ns)
        assert finding.reaction is Reaction.RAMP_TO_ZERO


def test_a_voltage_that_moves_by_the_very_least_has_moved():
    for moved_v, stuck in ((0.005, False), (math.nextafter(0.005, 0.0), True)):
        before = swinging(voltage_v=(0.0, 0.0))
        found, _ = assess(50.0, moved_v, 40.0, before, now_ns=T0 + NS_PER_S)
        assert bool(found) is stuck


def test_the_smaller_of_the_two_rated_currents_counts_either_way_round():
    battery = {"charge_current_max_a": 50, "discharge_current_max_a": 100}
    site = build_site(unit_content(battery=battery))
    found, _ = assess(50.0, 52.0, 15.1, swinging(), now_ns=T0 + NS_PER_S, site=site)
    assert set(found) == {"voltage_stuck"}


def test_extremes_of_both_are_kept_over_the_window():
    before = swinging((-3.0, 4.0), (51.0, 53.0))
    _, after = assess(50.0, 52.0, 1.0, before, now_ns=T0 + NS_PER_S)
    assert (after.swing.current_a, after.swing.voltage_v) == ((-3.0, 4.0), (51.0, 53.0))


def test_after_half_a_minute_the_window_begins_anew():
    now_ns = T0 + 30 * NS_PER_S + 1
    before = swinging((-40.0, 40.0), time_ns=now_ns - NS_PER_S)
    found, after = assess(50.0, 52.0, 7.0, before, now_ns=now_ns)
    assert found == {}
    assert after.swing == Swing(since_ns=now_ns, current_a=(7.0, 7.0), voltage_v=(52.0, 52.0))


def test_it_is_stuck_since_it_was_found():
    before = swinging((-40.0, 40.0), still_since_ns=T0 - 5)
    found, after = assess(50.0, 52.0, 0.0, before, now_ns=T0 + NS_PER_S)
    assert after.still_since_ns == found["voltage_stuck"].since_ns == T0 - 5


@pytest.mark.parametrize("oldest", range(3))
def test_a_sample_is_as_old_as_the_oldest_of_the_three(oldest):
    ages_ns = [0, 0, 0]
    ages_ns[oldest] = 7
    _, after = assess(50.0, 52.0, 0.0, ages_ns=ages_ns)
    assert after.count.time_ns == T0 - 7


@pytest.mark.parametrize("lost", range(3))
def test_without_one_of_the_three_what_was_found_stays_and_nothing_is_counted(lost):
    before = counting(5.0, off_since_ns=T0, still_since_ns=T0)
    values = [50.0, 52.0, 0.0]
    values[lost] = None
    found, after = assess(*values, before, now_ns=T0 + NS_PER_S)
    assert set(found) == {"soc_implausible", "voltage_stuck"}
    assert after is before
    assert assess(*values) == ({}, None)


def test_a_sample_that_is_not_newer_is_not_counted():
    before = counting(5.0)
    for now_ns in (T0, T0 - 1):
        _, after = assess(50.0, 52.0, 40.0, before, now_ns=now_ns)
        assert after is before
    _, after = assess(50.0, 52.0, 40.0, before, now_ns=T0 + 1)
    assert after is not before


def test_each_unit_is_judged_by_itself_and_what_is_remembered_of_others_stays():
    site = build_site(unit_content("left"), unit_content("right"))
    readings = {signal: Good(value=50.0, time_ns=T0) for signal in SIGNALS}
    before = {"right": counting(off_since_ns=T0)}
    snapshot = Snapshot(time_ns=T0, readings={"left": readings, "right": {}})
    findings, after = Plausibility(site).assess(snapshot, before)
    assert [(found.owner, found.row) for found in findings] == [("right", "soc_implausible")]
    assert set(after) == {"left", "right"}
    assert after["right"] is before["right"]
    assert set(before) == {"right"}
