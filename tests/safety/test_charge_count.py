"""What a BMS tells of its charge must agree with what two devices have counted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety import charge_count
from holdfast.safety.charge_count import (
    BY_BMS,
    BY_INVERTER,
    Anchor,
    ChargeCount,
    Contradiction,
    Counter,
    contradiction,
    counted,
)
from holdfast.safety.faults import FAULTS
from tests.builders import T0

CAPACITY_WH = 10_000.0
EXACT = Counter(share=0.0, idle_w=0.0)
UNDER, OVER = Contradiction.UNDERSTATED, Contradiction.OVERSTATED


def begun(soc_pct=50.0, time_ns=T0):
    return counted(None, time_ns, soc_pct, 0.0, CAPACITY_WH)


def run(hours, power_w, soc_of, *, start_pct=50.0, every_s=10.0):
    """A count after ``hours`` in which ``power_w`` flowed and the BMS told ``soc_of(hours)``."""
    count = begun(start_pct)
    for step in range(1, round(hours * 3600.0 / every_s) + 1):
        time_ns = T0 + ns_from_s(step * every_s)
        count = counted(count, time_ns, soc_of(step * every_s / 3600.0), power_w, CAPACITY_WH)
    return count


def test_the_numbers_are_these():
    assert charge_count.TOLERANCE_PCT == 10.0
    assert (charge_count.ANCHOR_EVERY_S, charge_count.ANCHORS) == (3600.0, 12)
    assert (charge_count.GAP_S, charge_count.JUMP_PCT, charge_count.AGED) == (10.0, 5.0, 0.25)
    assert Counter(share=0.05, idle_w=20.0) == BY_BMS
    assert Counter(share=0.10, idle_w=60.0) == BY_INVERTER
    anchor = Anchor(time_ns=1, soc_pct=2.0)
    assert (anchor.counted_pct, anchor.through_pct) == (0.0, 0.0)
    count = ChargeCount(anchors=(anchor,), time_ns=1, soc_pct=2.0)
    assert (count.counted_pct, count.through_pct) == (0.0, 0.0)


def test_each_contradiction_is_a_row_of_the_fault_table():
    assert {how.value for how in Contradiction} == {row for row in FAULTS if row.startswith("soc_")}


# The count. ---------------------------------------------------------------------------------------


def test_it_begins_with_an_anchor_at_the_first_sample():
    assert counted(None, T0, 70.0, 5000.0, CAPACITY_WH) == ChargeCount(
        anchors=(Anchor(time_ns=T0, soc_pct=70.0),), time_ns=T0, soc_pct=70.0
    )


@pytest.mark.parametrize("power_w", [3600.0, -3600.0])
def test_what_flows_is_a_share_of_the_capacity_and_adds_up(power_w):
    count = counted(begun(), T0 + 10 * NS_PER_S, 50.5, power_w, CAPACITY_WH)
    assert count.counted_pct == pytest.approx(math.copysign(0.1, power_w))
    assert count.through_pct == pytest.approx(0.1)
    assert (count.time_ns, count.soc_pct) == (T0 + 10 * NS_PER_S, 50.5)
    count = counted(count, T0 + 15 * NS_PER_S, 50.5, -power_w, CAPACITY_WH)
    assert count.counted_pct == pytest.approx(math.copysign(0.05, power_w))
    assert count.through_pct == pytest.approx(0.15)
    assert count.anchors == begun().anchors


@pytest.mark.parametrize(
    ("after_s", "soc_pct", "anew"),
    [
        (10.0, 50.0, False), (10.0 + 1e-6, 50.0, True),
        (1.0, 55.0, False), (1.0, 55.01, True), (1.0, 45.0, False), (1.0, 44.99, True),
        (1.0, math.nan, True),
    ],
)  # fmt: skip
def test_it_begins_anew_after_a_gap_and_where_the_charge_jumps(after_s, soc_pct, anew):
    before = counted(begun(), T0 + NS_PER_S, 50.0, 3600.0, CAPACITY_WH)
    time_ns = before.time_ns + ns_from_s(after_s)
    after = counted(before, time_ns, soc_pct, 3600.0, CAPACITY_WH)
    assert (after.counted_pct == 0.0) is anew
    assert (after.anchors[0].time_ns == time_ns) is anew
    assert len(after.anchors) == 1


def test_there_is_an_anchor_every_hour_and_twelve_of_them_stay():
    count = run(1.0 - 10.0 / 3600.0, 1000.0, lambda _: 50.0)
    assert len(count.anchors) == 1
    count = counted(count, T0 + 3600 * NS_PER_S, 51.0, 1000.0, CAPACITY_WH)
    assert count.anchors[1] == Anchor(
        time_ns=count.time_ns,
        soc_pct=51.0,
        counted_pct=count.counted_pct,
        through_pct=count.through_pct,
    )
    assert count.counted_pct == pytest.approx(10.0)
    count = run(15.0, -1.0, lambda _: 50.0)
    hours = [(anchor.time_ns - T0) / NS_PER_S / 3600.0 for anchor in count.anchors]
    assert hours == list(range(4, 16))
    assert all(anchor.counted_pct < 0.0 < anchor.through_pct for anchor in count.anchors)


# What contradicts it. -----------------------------------------------------------------------------


def count_of(told_pct, flowed_pct, *, anchor_pct=50.0, through_pct=None, hours=0.0, offset_pct=0.0):
    """Told ``anchor_pct``, then ``flowed_pct`` flowed, and now ``told_pct`` is told."""
    anchor = Anchor(
        time_ns=T0, soc_pct=anchor_pct, counted_pct=offset_pct, through_pct=abs(offset_pct)
    )
    through_pct = abs(flowed_pct) if through_pct is None else through_pct
    return ChargeCount(
        anchors=(anchor,),
        time_ns=T0 + ns_from_s(hours * 3600.0),
        soc_pct=told_pct,
        counted_pct=offset_pct + flowed_pct,
        through_pct=abs(offset_pct) + through_pct,
    )


@pytest.mark.parametrize("offset_pct", [0.0, 30.0, -30.0])
@pytest.mark.parametrize(
    ("told_pct", "flowed_pct", "how"),
    [
        (50.0, 10.0, None), (50.0, 10.01, UNDER), (50.0, -10.0, None), (50.0, -10.01, OVER),
        (60.0, 0.0, None), (60.01, 0.0, OVER), (40.0, 0.0, None), (39.99, 0.0, UNDER),
        # who tells less than full and charges has not more than that, and the other way round
        (95.0, 50.0, None), (95.0, 50.01, UNDER), (89.0, 49.0, None), (89.0, 49.01, UNDER),
        (100.0, 60.0, None), (100.0, 60.01, UNDER),
        # and near the end it may rest there for a while
        (97.0, 50.0, None), (97.0, 50.01, UNDER), (99.0, 52.0, None), (99.0, 52.01, UNDER),
        (3.0, -50.0, None), (3.0, -50.01, OVER), (1.0, -52.0, None), (1.0, -52.01, OVER),
        (5.0, -50.0, None), (5.0, -50.01, OVER), (11.0, -49.0, None), (11.0, -49.01, OVER),
        (0.0, -60.0, None), (0.0, -60.01, OVER),
        (math.nan, 0.0, UNDER), (50.0, math.nan, UNDER),
    ],
)  # fmt: skip
def test_ten_percent_is_the_tolerance_and_it_ends_where_the_battery_does(
    told_pct, flowed_pct, how, offset_pct
):
    count = count_of(told_pct, flowed_pct, offset_pct=offset_pct, through_pct=0.0)
    found = contradiction(count, EXACT, CAPACITY_WH)
    assert found == (None if how is None else (how, count.anchors[0]))


@pytest.mark.parametrize(
    ("anchor_pct", "told_pct", "flowed_pct"),
    [(104.0, 95.0, -1.0), (-4.0, 5.0, 1.0), (-4.0, 5.0, 0.0)],
)
def test_the_other_end_does_not_count(anchor_pct, told_pct, flowed_pct):
    """Who discharges is not judged by how full it may have been, nor who charges by how empty."""
    count = count_of(told_pct, flowed_pct, anchor_pct=anchor_pct, through_pct=0.0)
    assert contradiction(count, EXACT, CAPACITY_WH) is None


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("counter", "through_pct", "hours", "ahead_pct"),
    [
        (BY_BMS, 20.0, 0.0, 6.0), (BY_INVERTER, 20.0, 0.0, 7.0), (BY_BMS, 40.0, 0.0, 12.0),
        (BY_BMS, 20.0, 10.0, 8.0), (BY_INVERTER, 20.0, 10.0, 13.0),
    ],
)  # fmt: skip
def test_what_an_aged_pack_tells_may_be_ahead_of_what_has_flowed(
    counter, through_pct, hours, ahead_pct, sign
):
    for beyond_pct, found in ((-0.01, False), (0.01, True)):
        told_pct = 50.0 + sign * (20.0 + 10.0 + ahead_pct + beyond_pct)
        count = count_of(
            told_pct, sign * 20.0, through_pct=through_pct, hours=hours, offset_pct=7.0
        )
        how = contradiction(count, counter, CAPACITY_WH)
        assert how == ((OVER if sign > 0 else UNDER, count.anchors[0]) if found else None)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("counter", "through_pct", "hours", "error_pct"),
    [
        (BY_BMS, 200.0, 0.0, 10.0), (BY_INVERTER, 200.0, 0.0, 20.0),
        (BY_BMS, 0.0, 10.0, 2.0), (BY_INVERTER, 0.0, 10.0, 6.0),
        (BY_INVERTER, 200.0, 10.0, 26.0),
    ],
)  # fmt: skip
def test_the_count_itself_may_err_with_what_flowed_and_with_time(
    counter, through_pct, hours, error_pct, sign
):
    for beyond_pct, found in ((-0.01, False), (0.01, True)):
        flowed_pct = sign * (10.0 + error_pct + beyond_pct)
        count = count_of(50.0, flowed_pct, through_pct=through_pct, hours=hours, offset_pct=7.0)
        how = contradiction(count, counter, CAPACITY_WH)
        assert how == ((UNDER if sign > 0 else OVER, count.anchors[0]) if found else None)


def test_a_small_battery_feels_the_idle_power_more():
    count = count_of(50.0, 13.0, through_pct=0.0, hours=1.0)
    assert contradiction(count, Counter(share=0.0, idle_w=60.0), 2000.0) is None
    assert contradiction(count, Counter(share=0.0, idle_w=60.0), 2001.0) is not None


def test_every_anchor_is_compared_and_the_oldest_that_contradicts_is_told():
    anchors = tuple(
        Anchor(time_ns=T0 + index, soc_pct=50.0, counted_pct=counted_pct)
        for index, counted_pct in enumerate((0.0, -30.0, 25.0, -40.0))
    )
    count = ChargeCount(anchors=anchors, time_ns=T0 + 9, soc_pct=50.0)
    assert contradiction(count, EXACT, CAPACITY_WH) == (UNDER, anchors[1])
    assert contradiction(
        ChargeCount(anchors=anchors[::2], time_ns=T0 + 9, soc_pct=50.0), EXACT, CAPACITY_WH
    ) == (OVER, anchors[2])


# Over hours. --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("power_w", "how"), [(1000.0, UNDER), (-1000.0, OVER)])
def test_a_bms_that_repeats_itself_at_a_tenth_of_the_capacity_is_found_in_two_hours(power_w, how):
    """By what the inverter goes on counting."""
    assert contradiction(run(1.0, power_w, lambda _: 50.0), BY_INVERTER, CAPACITY_WH) is None
    found = contradiction(run(2.0, power_w, lambda _: 50.0), BY_INVERTER, CAPACITY_WH)
    assert found == (how, Anchor(time_ns=T0, soc_pct=50.0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_no_new_anchor_hides_a_drift_of_three_percent_an_hour(sign):
    drift = contradiction(run(6.0, 0.0, lambda h: 50.0 + sign * 3.0 * h), BY_BMS, CAPACITY_WH)
    assert drift == (OVER if sign > 0 else UNDER, Anchor(time_ns=T0, soc_pct=50.0))


@pytest.mark.parametrize("counter", [BY_BMS, BY_INVERTER])
def test_an_aged_pack_is_full_and_empty_sooner_than_its_plate_says_and_is_believed(counter):
    """It holds 75 % of its plate, and is charged and discharged at 2 kW from end to end."""
    count, soc_pct, power_w = begun(0.0), 0.0, 2000.0
    for step in range(1, 24 * 360):
        soc_pct += 100.0 * power_w * 10.0 / 3600.0 / (0.75 * CAPACITY_WH)
        soc_pct = min(max(soc_pct, 0.0), 100.0)
        if soc_pct in (0.0, 100.0):
            power_w = -power_w
        time_ns = T0 + ns_from_s(10.0 * step)
        count = counted(count, time_ns, soc_pct, power_w, CAPACITY_WH)
        assert contradiction(count, counter, CAPACITY_WH) is None


@given(
    powers_w=st.lists(st.floats(-5000.0, 5000.0), min_size=1, max_size=40),
    start_pct=st.floats(0.0, 100.0),
    health=st.floats(0.75, 1.0),
    error=st.floats(-0.045, 0.045),
    unseen_w=st.floats(-19.0, 19.0),
)
def test_a_battery_that_tells_the_truth_is_never_contradicted(
    powers_w, start_pct, health, error, unseen_w
):
    """Half an hour at each power; the pack is aged, and its current sensor errs."""
    count, true_pct, time_ns = begun(start_pct), start_pct, T0
    for power_w in powers_w:
        for _ in range(180):
            moved_pct = 100.0 * power_w * 10.0 / 3600.0 / (health * CAPACITY_WH)
            if not 0.0 <= true_pct + moved_pct <= 100.0:
                break
            true_pct += moved_pct
            time_ns += 10 * NS_PER_S
            seen_w = power_w * (1.0 + error) + unseen_w
            count = counted(count, time_ns, true_pct, seen_w, CAPACITY_WH)
        assert len(count.anchors) <= 12
        assert contradiction(count, BY_BMS, CAPACITY_WH) is None
