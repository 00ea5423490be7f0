"""The follow-up sample by sample: its tolerance, its memory of setpoints, and since when."""

import pytest

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.power_follow_up import Delivery, FollowUpMemory, PowerFollowUp
from tests.builders import T0, UNIT, build_site, snapshot_of, unit_content

RIGHT, SHORT, TOO_MUCH, WRONG_WAY = Delivery


def follow_up(charge_w=5000, discharge_w=5000, response_s=3.0):
    (unit,) = build_site(
        unit_content(
            inverter_hardware={
                "charge_power_max_w": charge_w,
                "discharge_power_max_w": discharge_w,
                "response_time_s": response_s,
            }
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
    return memory.shown[-1]


def test_deliveries_count_from_right_to_worst():
    assert [delivery.value for delivery in Delivery] == [0, 1, 2, 3]


def test_at_first_no_power_was_asked_for_and_everything_was_right():
    memory = FollowUpMemory()
    assert (memory.setpoint_w, memory.sample_ns, memory.found_since_ns) == (0.0, 0, 0)
    assert memory.shown == (RIGHT,) * 5
    assert memory.replaced == ()


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
    memory, _ = look(checks, 3000.0, 1900.0, memory, second_ns + 1)
    assert memory.replaced == ((1000.0, second_ns), (2000.0, second_ns + 1))


def test_a_sample_is_judged_by_the_setpoints_before_the_one_of_its_own_cycle():
    """It was taken before the new setpoint could be known."""
    memory, _ = look(follow_up(), 0.0, 3000.0, FollowUpMemory(setpoint_w=3000.0), T0)
    assert memory.shown[-1] is RIGHT
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
    assert after is memory
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
    assert memory.sample_ns == T0
    for sampled_ns in (T0, T0 - NS_PER_MS):
        again, _ = look(checks, 0.0, 3000.0, memory, T0 + NS_PER_MS, sampled_ns)
        assert again is memory


# On an island. ------------------------------------------------------------------------------------


def on_island(checks, memory, now_ns, measured_w=-3000.0):
    values = {Signal.BATTERY_POWER_W: measured_w, Signal.ISLANDED: 1.0}
    return checks.check(0.0, snapshot_of(values, now_ns=now_ns), memory)


def test_an_island_is_not_judged_for_its_power_follows_the_load():
    checks, memory = follow_up(), FollowUpMemory()
    for step in range(20):
        memory, findings = on_island(checks, memory, T0 + step * NS_PER_S)
        assert findings == ()
    assert memory.shown == (RIGHT,) * 5


def test_back_on_the_grid_the_inverter_has_its_response_time_and_not_more():
    checks, memory = follow_up(response_s=3.0), FollowUpMemory()
    memory, _ = on_island(checks, memory, T0)
    assert memory.excused_ns == T0 + 3 * NS_PER_S
    memory, _ = look(checks, 0.0, -3000.0, memory, T0 + 3 * NS_PER_S)
    assert memory.shown == (RIGHT,) * 5
    memory, _ = look(checks, 0.0, -3000.0, memory, T0 + 3 * NS_PER_S + 1)
    assert memory.shown[-1] is TOO_MUCH
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
    values = {Signal.ISLANDED: 1.0}
    memory, _ = checks.check(-700.0, snapshot_of(values, now_ns=T0 + 11), memory)
    assert memory.setpoint_w == -700.0


def test_at_first_no_sample_is_excused():
    assert FollowUpMemory().excused_ns == 0
