"""A BMS is believed as long as what it tells agrees with what has flowed."""

import math

import pytest

from holdfast.core.data_store import DataStore, Snapshot, freeze
from holdfast.core.reading import Bad, Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety import plausibility
from holdfast.safety.charge_count import Anchor, ChargeCount, Contradiction
from holdfast.safety.finding import Reaction
from holdfast.safety.plausibility import Extremes, Plausibility, UnitPlausibility
from tests.builders import T0, UNIT, build_site, put, unit_content

SITE = build_site()  # 10 kWh, 100 A


class Run:
    """One BMS burst a second."""

    def __init__(self):
        self.checks, self.memory, self.now_ns = Plausibility(SITE), {}, T0
        self.store = DataStore((UNIT,))

    def __call__(self, soc_pct, current_a, voltage_v=52.0, gap_s=1.0, inverter_w=None):
        self.now_ns += round(gap_s * NS_PER_S)
        for signal, value in (
            (Signal.SOC_PCT, soc_pct),
            (Signal.BATTERY_CURRENT_A, current_a),
            (Signal.PACK_VOLTAGE_V, voltage_v),
            (Signal.BATTERY_POWER_W, inverter_w),
        ):
            if value is not None:
                put(self.store, UNIT, signal, value, self.now_ns)
        return self.look()

    def look(self):
        snapshot = freeze(self.store.image(), self.now_ns)
        findings, self.memory = self.checks.assess(snapshot, self.memory)
        return {found.row: found.reaction for found in findings}


def percent(current_a, seconds):
    return 100.0 * current_a * 52.0 * seconds / 3600.0 / 10_000.0


def test_a_true_state_of_charge_is_believed_for_hours():
    run, soc_pct = Run(), 20.0
    for second in range(3 * 3600):
        current_a = 40.0 if second < 2 * 3600 else -40.0
        soc_pct = min(soc_pct + percent(current_a, 1), 100.0)
        if soc_pct == 100.0:
            break
        assert run(round(soc_pct), current_a, 52.0 + 0.001 * current_a + second * 1e-4) == {}


HOW = {
    1.0: {"soc_overstated": Reaction.BLOCK_DISCHARGE},
    -1.0: {"soc_understated": Reaction.BLOCK_CHARGE},
}


@pytest.mark.parametrize("drift", [1.0, -1.0])
def test_a_state_of_charge_that_leaves_the_count_blocks_the_direction_that_it_hides(drift):
    """It may be emptier or fuller than it says, and it is not just derated."""
    run = Run()
    for second in range(1000):
        found = run(50.0 + drift * second * 0.01, 0.0)
    assert found == {}
    for second in range(110):
        found = run(50.0 + drift * (10.0 + second * 0.01), 0.0)
    assert found == HOW[drift]


@pytest.mark.parametrize("drift", [1.0, -1.0])
def test_a_slow_drift_is_found_over_hours(drift):
    """3 % an hour while nothing flows: within one hour it is no more than an estimator's error."""
    run = Run()
    for step in range(5 * 360):
        found = run(50.0 + drift * step / 120.0, 0.0, gap_s=10.0)
    assert found == HOW[drift]


@pytest.mark.parametrize("current_a", [50.0, -50.0])
def test_a_state_of_charge_that_stands_still_while_current_flows_is_found(current_a):
    run = Run()
    for second in range(2000):
        found = run(50.0, current_a, 52.0 + second * 1e-3)
    assert found == HOW[-math.copysign(1.0, current_a)]


@pytest.mark.parametrize("inverter_w", [1000.0, -1000.0])
def test_a_bms_that_shows_neither_current_nor_charge_is_contradicted_by_the_inverter(inverter_w):
    run = Run()
    for _ in range(3 * 360):
        found = run(50.0, 0.0, gap_s=10.0, inverter_w=inverter_w)
    assert found == HOW[-math.copysign(1.0, inverter_w)]


def test_after_a_gap_and_after_a_jump_the_count_begins_anew():
    run = Run()
    run(50.0, 0.0)
    assert run(80.0, 0.0, gap_s=60.0) == {}
    assert run(95.0, 0.0) == {}


def test_a_voltage_that_stands_still_while_the_current_swings_is_found_and_forgiven():
    run = Run()
    for _ in range(5):
        assert run(50.0, 0.0, 52.8) == {}
    assert run(50.0, 40.0, 52.8) == {"voltage_stuck": Reaction.RAMP_TO_ZERO}
    assert run(50.0, 40.0, 53.4) == {}


def test_a_steady_current_over_a_flat_curve_is_no_stuck_voltage():
    run = Run()
    for _ in range(600):
        assert "voltage_stuck" not in run(50.0, 40.0, 53.1)


def test_a_sample_that_is_read_again_counts_once():
    run = Run()
    run(50.0, 100.0)
    run(50.0, 100.0)
    before = run.memory[UNIT]
    for _ in range(1000):
        assert run.look() == {}
    assert run.memory[UNIT] is before


EDGE_SITE = build_site(
    unit_content(
        battery={
            "capacity_wh": 10_000,
            "charge_current_max_a": 100,
            "discharge_current_max_a": 50,
        }
    )
)
SIGNALS = (Signal.SOC_PCT, Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A)


def assess(
    soc_pct,
    voltage_v,
    current_a,
    before=None,
    *,
    now_ns=T0,
    site=EDGE_SITE,
    ages_ns=(0, 0, 0),
    inverter=None,
):
    """Findings by row, and what is remembered of the unit."""
    values = zip(SIGNALS, (soc_pct, voltage_v, current_a), ages_ns, strict=True)
    readings = {
        signal: Good(value=value, time_ns=now_ns - age_ns)
        for signal, value, age_ns in values
        if value is not None
    }
    if inverter is not None:
        readings[Signal.BATTERY_POWER_W] = inverter
    snapshot = Snapshot(time_ns=now_ns, readings={UNIT: readings})
    memory = {} if before is None else {UNIT: before}
    findings, after = Plausibility(site).assess(snapshot, memory)
    return {found.row: found for found in findings}, after.get(UNIT)


def count_of(counted_pct=0.0, *, anchor_pct=50.0, told_pct=50.0, time_ns=T0):
    """``anchor_pct`` was told, and since then ``counted_pct`` has been counted."""
    return ChargeCount(
        anchors=(Anchor(time_ns=time_ns, soc_pct=anchor_pct),),
        time_ns=time_ns,
        soc_pct=told_pct,
        counted_pct=counted_pct,
    )


def counting(counted_pct=0.0, *, time_ns=T0, **more):
    return UnitPlausibility(by_bms=count_of(counted_pct, time_ns=time_ns), **more)


def test_the_numbers_are_these():
    assert (plausibility.STILL_S, plausibility.SWING, plausibility.STILL_V) == (30.0, 0.3, 0.005)
    assert UnitPlausibility() == UnitPlausibility(
        by_bms=None, by_inverter=None, off=None, swing=None, still_since_ns=None
    )


def test_the_first_sample_is_the_anchor_of_both_counts():
    watts = Good(value=2000.0, time_ns=T0)
    found, after = assess(70.0, 52.0, 40.0, inverter=watts)
    assert found == {}
    assert after.by_bms == after.by_inverter == count_of(anchor_pct=70.0, told_pct=70.0)
    assert assess(70.0, 52.0, 40.0)[1].by_inverter is None


@pytest.mark.parametrize("current_a", [40.0, -40.0])
def test_the_bms_counts_what_flows_at_the_pack(current_a):
    _, after = assess(50.0, 50.0, current_a, counting(1.0), now_ns=T0 + 9 * NS_PER_S)
    flowed_pct = 100.0 * current_a * 50.0 * 9.0 / 3600.0 / 10_000.0
    assert after.by_bms.counted_pct == pytest.approx(1.0 + flowed_pct)
    assert after.by_bms.anchors == counting().by_bms.anchors
    assert (after.by_bms.time_ns, after.by_inverter) == (T0 + 9 * NS_PER_S, None)


@pytest.mark.parametrize(
    ("inverter_w", "at_pack_w"), [(1000.0, 800.0), (-1000.0, -1250.0), (0.0, 0.0)]
)
def test_the_inverter_counts_what_its_losses_leave_at_the_pack(inverter_w, at_pack_w):
    site = build_site(unit_content(inverter_hardware={"efficiency_pct": 80.0}))
    before = UnitPlausibility(by_bms=count_of(), by_inverter=count_of(1.0))
    watts = Good(value=inverter_w, time_ns=T0)
    _, after = assess(50.0, 50.0, 40.0, before, now_ns=T0 + 9 * NS_PER_S, site=site, inverter=watts)
    flowed_pct = 100.0 * at_pack_w * 9.0 / 3600.0 / 10_000.0
    assert after.by_inverter.counted_pct == pytest.approx(1.0 + flowed_pct)
    assert after.by_inverter.time_ns == T0 + 9 * NS_PER_S


def test_an_inverter_that_was_not_seen_begins_its_count_anew():
    before = UnitPlausibility(by_bms=count_of(), by_inverter=count_of(1.0))
    lost = Bad(reason="lost", time_ns=T0)
    _, after = assess(50.0, 50.0, 0.0, before, now_ns=T0 + NS_PER_S, inverter=lost)
    assert after.by_inverter is None
    watts = Good(value=0.0, time_ns=T0)
    _, after = assess(50.0, 50.0, 0.0, after, now_ns=T0 + 2 * NS_PER_S, inverter=watts)
    assert after.by_inverter == count_of(time_ns=T0 + 2 * NS_PER_S)


OFF = [
    (54.9, 45.0, None), (54.9, 30.0, "soc_overstated"),
    (45.1, 55.0, None), (45.1, 70.0, "soc_understated"),
]  # fmt: skip


@pytest.mark.parametrize("by_inverter", [False, True])
@pytest.mark.parametrize(("told_pct", "expected_pct", "row"), OFF)
def test_a_contradiction_by_either_count_is_found(told_pct, expected_pct, row, by_inverter):
    off, fits = count_of(expected_pct - 50.0), count_of(told_pct - 50.0)
    before = UnitPlausibility(
        by_bms=fits if by_inverter else off, by_inverter=off if by_inverter else fits
    )
    now_ns = T0 + NS_PER_S
    found, after = assess(
        told_pct, 52.0, 0.0, before, now_ns=now_ns, inverter=Good(value=0.0, time_ns=now_ns)
    )
    assert list(found) == ([] if row is None else [row])
    assert (after.off is None) is (row is None)
    if row is not None:
        finding = found[row]
        who = "the inverter's power" if by_inverter else "the BMS's current"
        assert (finding.owner, finding.since_ns) == (UNIT, now_ns)
        assert finding.text.endswith(
            f": told {told_pct:.0f} %, {expected_pct - 50.0:+.1f} % since 50 %, by {who}"
        )


def test_what_the_bms_counts_is_told_first():
    before = UnitPlausibility(by_bms=count_of(30.0), by_inverter=count_of(-30.0))
    watts = Good(value=0.0, time_ns=T0)
    found, _ = assess(50.0, 52.0, 0.0, before, now_ns=T0 + NS_PER_S, inverter=watts)
    assert list(found) == ["soc_understated"]


def test_what_flowed_is_told_since_the_anchor_that_contradicts():
    anchors = (
        Anchor(time_ns=T0, soc_pct=45.0, counted_pct=40.0),
        Anchor(time_ns=T0, soc_pct=48.0, counted_pct=10.0),
    )
    count = ChargeCount(anchors=anchors, time_ns=T0, soc_pct=50.0, counted_pct=40.0)
    found, _ = assess(50.0, 52.0, 0.0, UnitPlausibility(by_bms=count), now_ns=T0 + NS_PER_S)
    (finding,) = found.values()
    assert finding.text.endswith("told 50 %, +30.0 % since 48 %, by the BMS's current")


def test_the_capacity_is_that_of_the_battery():
    for capacity_wh, found in ((20_000, False), (200, True)):
        site = build_site(unit_content(battery={"capacity_wh": capacity_wh}))
        seen, _ = assess(50.0, 50.0, 90.0, counting(8.0), now_ns=T0 + 9 * NS_PER_S, site=site)
        assert bool(seen) is found  # 11.25 Wh are 0.06 %, or 5.6 %


def test_it_is_off_since_it_began_and_no_longer_once_it_fits():
    off = (Contradiction.OVERSTATED, T0 - 5, "before")
    before = counting(-30.0, off=off)
    now_ns = T0 + NS_PER_S
    found, after = assess(52.0, 52.0, 0.0, before, now_ns=now_ns)
    assert after.off[:2] == (Contradiction.OVERSTATED, T0 - 5)
    assert found["soc_overstated"].since_ns == T0 - 5
    assert "told 52 %" in found["soc_overstated"].text
    found, after = assess(50.0, 52.0, 0.0, counting(off=off), now_ns=now_ns)
    assert (found, after.off) == ({}, None)
    found, after = assess(50.0, 52.0, 0.0, counting(30.0, off=off), now_ns=now_ns)
    assert found["soc_understated"].since_ns == after.off[1] == now_ns


def swinging(current_a=(0.0, 0.0), voltage_v=(52.0, 52.0), since_ns=T0, **more):
    swing = Extremes(since_ns=since_ns, current_a=current_a, voltage_v=voltage_v)
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
    assert after.swing == Extremes(since_ns=now_ns, current_a=(7.0, 7.0), voltage_v=(52.0, 52.0))


def test_it_is_stuck_since_it_was_found():
    before = swinging((-40.0, 40.0), still_since_ns=T0 - 5)
    found, after = assess(50.0, 52.0, 0.0, before, now_ns=T0 + NS_PER_S)
    assert after.still_since_ns == found["voltage_stuck"].since_ns == T0 - 5


@pytest.mark.parametrize("oldest", range(3))
def test_a_sample_is_as_old_as_the_oldest_of_the_three(oldest):
    ages_ns = [0, 0, 0]
    ages_ns[oldest] = 7
    _, after = assess(50.0, 52.0, 0.0, ages_ns=ages_ns)
    assert after.by_bms.time_ns == T0 - 7


@pytest.mark.parametrize("lost", range(3))
def test_without_one_of_the_three_what_was_found_stays_and_nothing_is_counted(lost):
    before = counting(5.0, off=(Contradiction.UNDERSTATED, T0, ""), still_since_ns=T0)
    values = [50.0, 52.0, 0.0]
    values[lost] = None
    found, after = assess(*values, before, now_ns=T0 + NS_PER_S)
    assert set(found) == {"soc_understated", "voltage_stuck"}
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
    before = {"right": counting(off=(Contradiction.OVERSTATED, T0, ""))}
    snapshot = Snapshot(time_ns=T0, readings={"left": readings, "right": {}})
    findings, after = Plausibility(site).assess(snapshot, before)
    assert [(found.owner, found.row) for found in findings] == [("right", "soc_overstated")]
    assert set(after) == {"left", "right"}
    assert after["right"] is before["right"]
    assert set(before) == {"right"}
