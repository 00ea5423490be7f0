"""An acknowledgement is not believed: what counts is the power that flows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.power_follow_up import (
    BMS_LAG_S,
    Delivery,
    FollowUpMemory,
    PowerFollowUp,
    Shown,
)
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, build_site, snapshot_of, unit_content

(UNIT_CONFIG,) = build_site().storage
STEP_NS = 100 * NS_PER_MS


class Run:
    """Samples of measured power, ten a second, against the setpoints in force."""

    def __init__(self):
        self.follow_up = PowerFollowUp(UNIT_CONFIG)
        self.memory = FollowUpMemory()
        self.now_ns = T0
        self.findings = ()

    def __call__(self, setpoint_w, measured_w, seconds=1.0):
        for _ in range(round(seconds * NS_PER_S / STEP_NS)):
            self.now_ns += STEP_NS
            snapshot = snapshot_of({Signal.BATTERY_POWER_W: measured_w}, now_ns=self.now_ns)
            self.memory, self.findings = self.follow_up.check(setpoint_w, snapshot, self.memory)
        return [(found.row, found.reaction) for found in self.findings]


@pytest.mark.parametrize(
    ("setpoint_w", "measured_w", "row", "reaction"),
    [
        (3000.0, 3300.0, "inverter_over_delivery", Reaction.TRIP),
        (-3000.0, -3300.0, "inverter_over_delivery", Reaction.TRIP),
        (0.0, 300.0, "inverter_over_delivery", Reaction.TRIP),
        (3000.0, -400.0, "inverter_wrong_sign", Reaction.TRIP),
        (-3000.0, 400.0, "inverter_wrong_sign", Reaction.TRIP),
        (3000.0, 2000.0, "inverter_under_delivery", Reaction.LOG),
        (-3000.0, 0.0, "inverter_under_delivery", Reaction.LOG),
    ],
)
def test_power_that_does_not_follow_is_found_and_named(setpoint_w, measured_w, row, reaction):
    run = Run()
    assert run(setpoint_w, setpoint_w, seconds=5.0) == []
    assert run(setpoint_w, measured_w, seconds=0.2) == []  # two samples prove nothing
    assert run(setpoint_w, measured_w, seconds=0.1) == [(row, reaction)]
    assert f"{measured_w:.0f} W" in run.findings[0].text


def test_power_within_the_tolerance_is_right():
    run = Run()
    assert run(3000.0, 3240.0, seconds=5.0) == []
    assert run(3000.0, 2760.0, seconds=5.0) == []


@given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(0, 1))
def test_an_inverter_on_its_way_may_be_anywhere_in_between(before_w, after_w, way):
    run = Run()
    run(before_w, before_w, seconds=4.0)
    assert run(after_w, before_w + (after_w - before_w) * way, seconds=2.8) == []


def test_after_its_response_time_it_has_to_be_there():
    run = Run()
    run(3000.0, 3000.0, seconds=4.0)
    assert run(0.0, 3000.0, seconds=3.0) == []
    assert run(0.0, 3000.0, seconds=0.5) == [("inverter_over_delivery", Reaction.TRIP)]


def test_a_reading_that_is_read_again_proves_nothing_more():
    follow_up, memory = PowerFollowUp(UNIT_CONFIG), FollowUpMemory()
    for step in range(20):
        snapshot = snapshot_of(
            {Signal.BATTERY_POWER_W: 4000.0},
            now_ns=T0 + step * 20 * NS_PER_MS,
            sampled_ns=T0,
        )
        memory, findings = follow_up.check(0.0, snapshot, memory)
        assert findings == ()


def test_one_wild_sample_among_right_ones_is_forgiven():
    run = Run()
    for _ in range(10):
        assert run(3000.0, 3000.0, seconds=0.4) == []
        assert run(3000.0, 9000.0, seconds=0.1) == []


RIGHT, SHORT, TOO_MUCH, WRONG_WAY = Delivery


def follow_up(charge_w=5000, discharge_w=5000, response_s=3.0, revert_s=5.0, **battery):
    (unit,) = build_site(
        unit_content(
            inverter_hardware={
                "charge_power_max_w": charge_w,
                "discharge_power_max_w": discharge_w,
                "response_time_s": response_s,
                "revert_timeout_s": revert_s,
            },
            battery=battery,
        )
    ).storage
    return PowerFollowUp(unit)


def look(checks, setpoint_w, measured_w, memory, now_ns, sampled_ns=None):
    snapshot = snapshot_of(
        {Signal.BATTERY_POWER_W: measured_w}, now_ns=now_ns, sampled_ns=sampled_ns
    )
    return checks.check(setpoint_w, snapshot, memory)


def shown(checks, setpoint_w, measured_w, memory=None):
    """What one sample shows of a setpoint that has been in force for long."""
    memory = memory or FollowUpMemory(setpoint_w=setpoint_w)
    memory, _ = look(checks, setpoint_w, measured_w, memory, T0)
    return last_of(memory)


def last_of(memory, role=Role.INVERTER):
    """What the last sample of ``role`` showed."""
    return memory.shown[role].last[-1]


def test_deliveries_count_from_right_to_worst():
    assert [delivery.value for delivery in Delivery] == [0, 1, 2, 3]


def test_at_first_no_power_was_asked_for_and_everything_was_right():
    memory, shown = FollowUpMemory(), Shown()
    assert (memory.setpoint_w, memory.replaced) == (0.0, ())
    assert (memory.confirmed_ns, memory.excused_ns, memory.shown) == (0, 0, {})
    assert (shown.sample_ns, shown.found_since_ns) == (0, 0)
    assert (shown.last, shown.worst) == ((RIGHT,) * 5, RIGHT)


@pytest.mark.parametrize(
    ("setpoint_w", "right", "wrong", "delivery"),
    [
        # The tolerance is 5 % of 5000 W.
        (3000.0, 3250.0, 3250.001, TOO_MUCH),
        (3000.0, 2750.0, 2749.999, SHORT),
        (-3000.0, -3250.0, -3250.001, TOO_MUCH),
        (-3000.0, -2750.0, -2749.999, SHORT),
        (0.0, 250.0, 250.001, TOO_MUCH),
        (0.0, -250.0, -250.001, TOO_MUCH),
        (3000.0, 2750.0, -250.001, WRONG_WAY),
        (-3000.0, -2750.0, 250.001, WRONG_WAY),
        (3000.0, 2750.0, -250.0, SHORT),
        (-3000.0, -2750.0, 250.0, SHORT),
        (0.5, 250.5, -250.5, WRONG_WAY),
        (-0.5, -250.5, 250.5, WRONG_WAY),
        (0.5, -249.5, 250.501, TOO_MUCH),
        (0.5, -249.5, -249.501, SHORT),
        (-0.5, 249.5, 249.501, SHORT),
        (100.0, -150.0, -150.001, SHORT),
        (-100.0, 150.0, 150.001, SHORT),
    ],
)
def test_what_a_sample_shows_to_the_edge_of_the_tolerance(setpoint_w, right, wrong, delivery):
    checks = follow_up()
    assert shown(checks, setpoint_w, right) is RIGHT
    assert shown(checks, setpoint_w, wrong) is delivery


@pytest.mark.parametrize(
    ("charge_w", "discharge_w", "tolerance_w"),
    [(3000, 6000, 300.0), (6000, 3000, 300.0), (2000, 2000, 100.0), (500, 400, 100.0)],
)
def test_the_tolerance_is_a_share_of_the_larger_rated_power_and_100_w_at_least(
    charge_w, discharge_w, tolerance_w
):
    checks = follow_up(charge_w, discharge_w)
    assert shown(checks, 0.0, tolerance_w) is RIGHT
    assert shown(checks, 0.0, tolerance_w + 0.001) is TOO_MUCH


def test_between_two_setpoints_anything_is_right_until_the_response_time_is_over():
    checks = follow_up(response_s=3.0)
    replaced_ns = T0 - 3 * NS_PER_S
    memory = FollowUpMemory(setpoint_w=1000.0, replaced=((4000.0, replaced_ns),))
    for measured_w in (4250.0, 2000.0, 750.0):
        assert shown(checks, 1000.0, measured_w, memory) is RIGHT
    assert shown(checks, 1000.0, 4250.001, memory) is TOO_MUCH
    assert shown(checks, 1000.0, 749.0, memory) is SHORT
    memory = FollowUpMemory(setpoint_w=1000.0, replaced=((4000.0, replaced_ns - 1),))
    assert shown(checks, 1000.0, 2000.0, memory) is TOO_MUCH


def test_on_the_way_through_zero_neither_direction_is_wrong():
    checks = follow_up()
    memory = FollowUpMemory(setpoint_w=-2000.0, replaced=((2000.0, T0),))
    for measured_w in (2250.0, 0.0, -2250.0):
        assert shown(checks, -2000.0, measured_w, memory) is RIGHT
    for measured_w in (2251.0, -2251.0):
        assert shown(checks, -2000.0, measured_w, memory) is WRONG_WAY


def test_a_setpoint_that_is_replaced_is_remembered_with_its_time_and_for_its_time():
    checks = follow_up(response_s=3.0)
    memory, _ = look(checks, 1000.0, 0.0, FollowUpMemory(), T0)
    assert (memory.setpoint_w, memory.replaced) == (1000.0, ((0.0, T0),))
    same, _ = look(checks, 1000.0, 500.0, memory, T0 + NS_PER_S)
    assert same.replaced == memory.replaced
    second_ns = T0 + 3 * NS_PER_S
    memory, _ = look(checks, 2000.0, 900.0, same, second_ns)
    assert memory.replaced == ((0.0, T0), (1000.0, second_ns))
    # The BMS shows what was two seconds before.
    last_ns = T0 + 5 * NS_PER_S
    memory, _ = look(checks, 3000.0, 1900.0, memory, last_ns)
    assert memory.replaced == ((0.0, T0), (1000.0, second_ns), (2000.0, last_ns))
    memory, _ = look(checks, 4000.0, 2900.0, memory, last_ns + 1)
    assert memory.replaced == ((1000.0, second_ns), (2000.0, last_ns), (3000.0, last_ns + 1))


def test_a_sample_is_judged_by_the_setpoints_before_the_one_of_its_own_cycle():
    """It was taken before the new setpoint could be known."""
    memory, _ = look(follow_up(), 0.0, 3000.0, FollowUpMemory(setpoint_w=3000.0), T0)
    assert last_of(memory) is RIGHT
    assert memory.setpoint_w == 0.0


def test_three_of_the_last_five_samples_prove_it_and_the_worst_that_three_show_counts():
    checks = follow_up()
    memory, rows = FollowUpMemory(), []
    for step, measured_w in enumerate((3000.0, 0.0, 3000.0, 0.0, 3000.0, 0.0, 0.0)):
        memory, findings = look(checks, 0.0, measured_w, memory, T0 + step * NS_PER_S)
        rows.append([found.row for found in findings])
    over = ["inverter_over_delivery"]
    assert rows == [[], [], [], [], over, [], []]


def test_what_was_found_says_since_when_and_what_was_asked_and_measured():
    checks, memory = follow_up(), FollowUpMemory(setpoint_w=2000.0)
    for step in range(6):
        now_ns = T0 + step * NS_PER_S
        memory, findings = look(checks, 2000.0, 3000.0, memory, now_ns)
    (found,) = findings
    assert found.owner == UNIT
    assert found.since_ns == T0 + 2 * NS_PER_S  # the third sample
    assert "asked 2000 W, measured 3000 W" in found.text
    lost = snapshot_of({Signal.BATTERY_POWER_W: None}, now_ns=now_ns)
    after, (found,) = checks.check(2000.0, lost, memory)
    assert after.shown[Role.INVERTER] is memory.shown[Role.INVERTER]
    assert "measured not known" in found.text
    assert found.since_ns == T0 + 2 * NS_PER_S


def test_a_fault_that_turns_into_another_begins_anew():
    checks, memory = follow_up(), FollowUpMemory(setpoint_w=2000.0)
    for step, measured_w in enumerate((1000.0,) * 4 + (-1000.0,) * 3):
        memory, findings = look(checks, 2000.0, measured_w, memory, T0 + step * NS_PER_S)
    (found,) = findings
    assert (found.row, found.since_ns) == ("inverter_wrong_sign", T0 + 6 * NS_PER_S)


def test_a_sample_counts_once_and_one_that_is_older_does_not():
    checks, memory = follow_up(), FollowUpMemory(setpoint_w=0.0)
    memory, _ = look(checks, 0.0, 3000.0, memory, T0)
    assert memory.shown[Role.INVERTER].sample_ns == T0
    for sampled_ns in (T0, T0 - NS_PER_MS):
        again, _ = look(checks, 0.0, 3000.0, memory, T0 + NS_PER_MS, sampled_ns)
        assert again.shown == memory.shown


# What a write that nobody confirmed leaves in force. ----------------------------------------------


def unconfirmed(checks, confirmed_ns, replaced_ns, *, now_ns=T0):
    """What 3 kW show, measured at ``now_ns`` by the inverter, after 0 W were asked for."""
    memory = FollowUpMemory(replaced=((3000.0, replaced_ns),), confirmed_ns=confirmed_ns)
    values = {Signal.BATTERY_POWER_W: 3000.0, Signal.SETPOINT_READBACK_W: None}
    memory, _ = checks.check(0.0, snapshot_of(values, now_ns=now_ns), memory)
    assert memory.confirmed_ns == confirmed_ns
    return last_of(memory)


def test_what_was_replaced_is_in_force_until_a_read_back_is_younger_than_that():
    checks, replaced_ns = follow_up(response_s=3.0, revert_s=5.0), T0 - 4 * NS_PER_S
    assert unconfirmed(checks, replaced_ns, replaced_ns) is RIGHT
    assert unconfirmed(checks, replaced_ns + 1, replaced_ns) is TOO_MUCH


def test_a_read_back_takes_nothing_from_the_response_time():
    checks, replaced_ns = follow_up(response_s=3.0), T0 - 3 * NS_PER_S
    assert unconfirmed(checks, T0, replaced_ns) is RIGHT
    assert unconfirmed(checks, T0, replaced_ns - 1) is TOO_MUCH


@pytest.mark.parametrize("confirmed_ns", [0, T0 - 60 * NS_PER_S])
def test_the_inverters_own_timer_ends_what_no_read_back_confirms(confirmed_ns):
    checks, replaced_ns = follow_up(response_s=3.0, revert_s=5.0), T0 - 8 * NS_PER_S
    assert unconfirmed(checks, confirmed_ns, replaced_ns) is RIGHT
    assert unconfirmed(checks, confirmed_ns, replaced_ns - 1) is TOO_MUCH
    slower = follow_up(response_s=3.0, revert_s=60.0)
    assert unconfirmed(slower, confirmed_ns, replaced_ns - 52 * NS_PER_S + 1) is RIGHT


@pytest.mark.parametrize("value_w", [0.0, 3000.0])
def test_a_read_back_confirms_by_the_time_of_its_sample(value_w):
    """Whether the device holds another value than it was told is found where that is kept."""
    values, sampled_ns = {Signal.SETPOINT_READBACK_W: value_w}, T0 - NS_PER_MS
    snapshot = snapshot_of(values, now_ns=T0, sampled_ns=sampled_ns)
    memory, _ = follow_up().check(0.0, snapshot, FollowUpMemory())
    assert memory.confirmed_ns == sampled_ns


def test_a_setpoint_that_nobody_confirms_the_end_of_is_remembered_until_the_timer_has_ended_it():
    checks = follow_up(response_s=3.0, revert_s=5.0)
    kept = []
    for ago_ns in (10 * NS_PER_S, 10 * NS_PER_S + 1):
        memory = FollowUpMemory(setpoint_w=900.0, replaced=((3000.0, T0 - ago_ns),))
        values = {Signal.SETPOINT_READBACK_W: None}
        memory, _ = checks.check(0.0, snapshot_of(values, now_ns=T0), memory)
        kept.append([power_w for power_w, _ in memory.replaced])
    assert kept == [[3000.0, 900.0], [900.0]]


# What the BMS sees of it. -------------------------------------------------------------------------

EFFICIENCY = UNIT_CONFIG.inverter_hardware.efficiency_pct / 100
BREAK_A = UNIT_CONFIG.battery.contactor_break_current_a


def at_pack_a(ac_w, voltage_v=52.8):
    """The current of ``ac_w`` at the inverter's AC side."""
    return ac_w * (EFFICIENCY if ac_w > 0.0 else 1.0 / EFFICIENCY) / voltage_v


def by_bms(checks, setpoint_w, current_a, memory=None, *, voltage_v=52.8, now_ns=T0):
    """Memory and findings after one sample of the BMS; the inverter says that it obeys."""
    values = {
        Signal.BATTERY_POWER_W: setpoint_w,
        Signal.BATTERY_CURRENT_A: current_a,
        Signal.PACK_VOLTAGE_V: voltage_v,
    }
    memory = memory or FollowUpMemory(setpoint_w=setpoint_w)
    return checks.check(setpoint_w, snapshot_of(values, now_ns=now_ns), memory)


def bms_shows(*args, **kwargs):
    return last_of(by_bms(*args, **kwargs)[0], Role.BMS)


@pytest.mark.parametrize("voltage_v", [40.0, 52.8, 58.4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_at_0_w_it_is_the_break_current_that_counts(voltage_v, sign):
    checks = follow_up(contactor_break_current_a=7.0)
    assert bms_shows(checks, 0.0, sign * 7.0, voltage_v=voltage_v) is RIGHT
    assert bms_shows(checks, 0.0, sign * 7.001, voltage_v=voltage_v) is TOO_MUCH


def test_what_an_inverter_may_draw_for_itself_is_right_however_small_the_break_current():
    checks = follow_up(contactor_break_current_a=0.5)
    assert bms_shows(checks, 0.0, at_pack_a(99.999)) is RIGHT
    assert bms_shows(checks, 0.0, at_pack_a(100.001)) is TOO_MUCH


@pytest.mark.parametrize(("setpoint_w", "least_a"), [(100.0, 0.7286), (-100.0, -0.7480)])
def test_a_small_current_of_a_pack_of_many_volts_is_behind_the_losses_too(setpoint_w, least_a):
    """0.5 A may be broken; beyond them it is 100 W of 420 V, with the losses of their direction."""
    checks = follow_up(contactor_break_current_a=0.5)
    assert bms_shows(checks, setpoint_w, 0.998 * least_a, voltage_v=420.0) is RIGHT
    assert bms_shows(checks, setpoint_w, 1.002 * least_a, voltage_v=420.0) is TOO_MUCH


@pytest.mark.parametrize(
    ("setpoint_w", "right_w", "wrong_w", "delivery"),
    [
        # The tolerance is 10 % of what was asked for, and the break current at least.
        (4000.0, 4399.9, 4400.1, TOO_MUCH),
        (-4000.0, -4399.9, -4400.1, TOO_MUCH),
        (4000.0, -262.0, -400.1, WRONG_WAY),
        (-4000.0, 262.0, 400.1, WRONG_WAY),
        (300.0, 574.0, 576.0, TOO_MUCH),
        (-300.0, -553.0, -554.0, TOO_MUCH),
        (300.0, -253.0, -254.0, WRONG_WAY),
        # A pack says nothing of what is missing: it may charge the loads of its own DC side.
        (4000.0, 0.0, 4400.1, TOO_MUCH),
        (-4000.0, 0.0, -4400.1, TOO_MUCH),
    ],
)
def test_what_a_sample_of_the_bms_shows(setpoint_w, right_w, wrong_w, delivery):
    checks = follow_up()
    assert bms_shows(checks, setpoint_w, at_pack_a(right_w)) is RIGHT
    assert bms_shows(checks, setpoint_w, at_pack_a(wrong_w)) is delivery


def test_the_bms_shows_what_was_two_seconds_ago():
    checks, current_a = follow_up(response_s=3.0), at_pack_a(3000.0)
    assert BMS_LAG_S == 2.0
    for ago_s, delivery in ((3.001, RIGHT), (5.0, RIGHT), (5.001, TOO_MUCH)):
        memory = FollowUpMemory(replaced=((3000.0, T0 - round(ago_s * NS_PER_S)),))
        memory, _ = by_bms(checks, 0.0, current_a, memory)
        assert last_of(memory, Role.BMS) is delivery
        assert last_of(memory) is RIGHT  # the inverter says 0 W


def test_the_tolerance_of_the_bms_is_a_share_of_the_largest_power_in_force():
    for before_w in (4000.0, -4000.0):
        memory = FollowUpMemory(setpoint_w=0.0, replaced=((before_w, T0),))
        assert bms_shows(follow_up(), 0.0, at_pack_a(1.0999 * before_w), memory) is RIGHT
        assert bms_shows(follow_up(), 0.0, at_pack_a(1.1001 * before_w), memory) is TOO_MUCH


@pytest.mark.parametrize("lost", [Signal.BATTERY_CURRENT_A, Signal.PACK_VOLTAGE_V])
def test_a_bms_that_tells_no_power_is_not_judged_and_what_it_showed_stands(lost):
    checks, memory = follow_up(), FollowUpMemory()
    for step in range(3):
        memory, findings = by_bms(checks, 0.0, 56.0, memory, now_ns=T0 + step)
    values = {Signal.BATTERY_CURRENT_A: 0.0, lost: None}
    after, still = checks.check(0.0, snapshot_of(values, now_ns=T0 + 3), memory)
    assert after.shown[Role.BMS] == memory.shown[Role.BMS]
    assert [found.key for found in still] == [found.key for found in findings]
    assert "measured not known" in still[0].text


@pytest.mark.parametrize("inverter_w", [0.0, None])
def test_an_inverter_that_says_0_w_does_not_outweigh_a_bms_that_shows_a_current(inverter_w):
    checks, memory = follow_up(), FollowUpMemory()
    for step in range(3):
        values = {Signal.BATTERY_POWER_W: inverter_w, Signal.BATTERY_CURRENT_A: -56.0}
        now_ns = T0 + step * NS_PER_S
        memory, findings = checks.check(0.0, snapshot_of(values, now_ns=now_ns), memory)
        assert len(findings) == (step == 2)
    (found,) = findings
    assert (found.key, found.reaction) == ("battery/bms_over_delivery", Reaction.TRIP)
    assert found.since_ns == T0 + 2 * NS_PER_S
    assert f"asked 0 W, measured {-56.0 * 52.8 * EFFICIENCY:.0f} W" in found.text


def test_each_witness_is_judged_by_its_own_samples_alone():
    checks, memory = follow_up(), FollowUpMemory(setpoint_w=3000.0)
    for step in range(5):
        values = {Signal.BATTERY_POWER_W: 1000.0, Signal.BATTERY_CURRENT_A: at_pack_a(-1000.0)}
        snapshot = snapshot_of(values, now_ns=T0 + step)
        memory, findings = checks.check(3000.0, snapshot, memory)
    told = [(found.row, found.text.split(", measured ")[1].split(" W")[0]) for found in findings]
    assert told == [("inverter_under_delivery", "1000"), ("bms_wrong_sign", "-1000")]


POWERS = st.floats(-5000.0, 5000.0)
CURRENTS = st.floats(1.001 * BREAK_A, 200.0) | st.floats(-200.0, -1.001 * BREAK_A)
SAYS = st.none() | st.just(0.0) | POWERS


@given(
    before_w=POWERS,
    acknowledges=st.booleans(),
    bms_ms=st.sampled_from([100, 500, 1000, 2000]),
    shows=st.lists(st.tuples(CURRENTS, SAYS), min_size=3, max_size=3),
    voltage_v=st.floats(40.0, 58.4),
)
def test_a_current_above_the_break_current_at_0_w_trips_whatever_the_inverter_says(
    before_w, acknowledges, bms_ms, shows, voltage_v
):
    """0 W were acknowledged, or nothing was read back for the revert time: three samples do."""
    checks, memory, asked_ns = follow_up(response_s=3.0, revert_s=5.0), FollowUpMemory(), T0
    memory, _ = look(checks, before_w, before_w, memory, asked_ns - NS_PER_S)
    answers = {Signal.SETPOINT_READBACK_W: 0.0 if acknowledges else None}
    silent = {Signal.BATTERY_CURRENT_A: None, Signal.BATTERY_POWER_W: None}
    memory, _ = checks.check(0.0, snapshot_of(answers | silent, now_ns=asked_ns), memory)
    now_ns = asked_ns + round((3.0 + BMS_LAG_S + 5.0 * (not acknowledges)) * NS_PER_S)
    for current_a, inverter_w in shows:
        now_ns += bms_ms * NS_PER_MS
        values = answers | {
            Signal.BATTERY_CURRENT_A: current_a,
            Signal.PACK_VOLTAGE_V: voltage_v,
            Signal.BATTERY_POWER_W: inverter_w,
        }
        memory, findings = checks.check(0.0, snapshot_of(values, now_ns=now_ns), memory)
    found = {finding.key: finding.reaction for finding in findings}
    assert found["battery/bms_over_delivery"] is Reaction.TRIP


@given(st.lists(st.tuples(st.floats(-BREAK_A, BREAK_A), st.floats(40.0, 58.4)), max_size=8))
def test_a_current_that_a_contactor_may_break_is_no_finding_of_the_bms(samples):
    checks, memory = follow_up(), FollowUpMemory()
    for step, (current_a, voltage_v) in enumerate(samples):
        now_ns = T0 + step * NS_PER_S
        memory, findings = by_bms(
            checks, 0.0, current_a, memory, voltage_v=voltage_v, now_ns=now_ns
        )
        assert findings == ()


# On an island. ------------------------------------------------------------------------------------


def on_island(checks, memory, now_ns, measured_w=-3000.0):
    values = {Signal.BATTERY_POWER_W: measured_w, Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0}
    return checks.check(0.0, snapshot_of(values, now_ns=now_ns), memory)


def test_an_island_is_not_judged_for_its_power_follows_the_load():
    checks, memory = follow_up(), FollowUpMemory()
    for step in range(20):
        memory, findings = on_island(checks, memory, T0 + step * NS_PER_S)
        assert findings == ()
    assert memory.shown == {}


def test_an_island_that_the_meter_denies_is_judged():
    checks, memory = follow_up(), FollowUpMemory()
    values = {Signal.BATTERY_POWER_W: -3000.0, Signal.ISLANDED: 1.0}
    for step in range(3):
        memory, findings = checks.check(0.0, snapshot_of(values, now_ns=T0 + step), memory)
    assert [found.row for found in findings] == ["inverter_over_delivery"]


def test_back_on_the_grid_the_inverter_has_its_response_time_and_not_more():
    checks, memory = follow_up(response_s=3.0), FollowUpMemory()
    memory, _ = on_island(checks, memory, T0)
    assert memory.excused_ns == T0 + 3 * NS_PER_S
    memory, _ = look(checks, 0.0, -3000.0, memory, T0 + 3 * NS_PER_S)
    assert memory.shown == {Role.INVERTER: Shown(), Role.BMS: Shown()}
    memory, _ = look(checks, 0.0, -3000.0, memory, T0 + 3 * NS_PER_S + 1)
    assert last_of(memory) is TOO_MUCH
    for step in (2, 3):
        memory, findings = look(checks, 0.0, -3000.0, memory, T0 + 3 * NS_PER_S + step)
    assert [found.row for found in findings] == ["inverter_over_delivery"]


def test_what_was_found_before_an_island_is_forgotten_there_and_the_setpoint_is_not():
    checks, memory = follow_up(), FollowUpMemory()
    for step in range(5):
        memory, findings = look(checks, 0.0, -3000.0, memory, T0 + step)
    assert findings
    memory, findings = on_island(checks, memory, T0 + 10)
    assert findings == ()
    values = {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0}
    memory, _ = checks.check(-700.0, snapshot_of(values, now_ns=T0 + 11), memory)
    assert memory.setpoint_w == -700.0


def test_who_decides_for_himself_is_remembered_as_asked_for_nothing():
    assert PowerFollowUp(UNIT_CONFIG).excused(T0).setpoint_w == 0.0
