"""Power that nobody sees: a closed contactor behind which nobody can tell whether power flows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.unseen_power import GONE_NS, SHOWN_BY, SeenMemory, UnseenPower
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, build_site, snapshot_of, unit_content

SILENT = dict.fromkeys(SHOWN_BY.values())
"""Neither inverter nor BMS says anything of the power."""
SEEN_AT_T0 = SeenMemory(seen_ns={Role.INVERTER: T0, Role.BMS: T0})


def unseen_power(revert_s=5.0):
    content = unit_content(inverter_hardware={"revert_timeout_s": revert_s})
    return UnseenPower(build_site(content).storage[0])


def check(values, now_ns, memory=SEEN_AT_T0, *, checks=None, connected=True, sampled_ns=None):
    snapshot = snapshot_of(values, now_ns=now_ns, sampled_ns=sampled_ns)
    return (checks or unseen_power()).check(snapshot, memory, connected=connected)


def keys(findings):
    return [(found.key, found.reaction) for found in findings]


UNSEEN = ("battery/power_unseen", Reaction.TRIP)
INVERTER_GONE = ("battery/inverter_data_gone", Reaction.TRIP)
BMS_GONE = ("battery/bms_data_gone", Reaction.TRIP)


def test_inverter_and_bms_see_the_power_each_by_itself():
    assert SHOWN_BY == {
        Role.INVERTER: Signal.BATTERY_POWER_W,
        Role.BMS: Signal.BATTERY_CURRENT_A,
    }
    assert all(SIGNALS[signal].producer is role for role, signal in SHOWN_BY.items())


def test_at_first_nothing_has_been_seen_and_nothing_is_missed():
    assert SeenMemory().seen_ns == {}
    memory, findings = check(SILENT, T0, SeenMemory())
    assert (memory, findings) == (SEEN_AT_T0, ())


@pytest.mark.parametrize(
    ("revert_s", "after_s"), [(1.0, 5.0), (5.0, 5.0), (5.5, 5.5), (60.0, 60.0)]
)
def test_power_that_nobody_sees_trips_after_the_revert_time_and_5_s_at_the_least(revert_s, after_s):
    """The inverter's timer has ended the power by then, or it never will."""
    checks, due_ns = unseen_power(revert_s), T0 + round(after_s * NS_PER_S)
    _, findings = check(SILENT, due_ns - 1, checks=checks)
    assert UNSEEN not in keys(findings)
    memory, findings = check(SILENT, due_ns, checks=checks)
    assert UNSEEN in keys(findings)
    _, findings = check(SILENT, due_ns + NS_PER_S, memory, checks=checks)
    (found,) = [found for found in findings if found.row == "power_unseen"]
    assert (found.owner, found.since_ns) == (UNIT, due_ns)
    assert f"last seen {after_s + 1.0:.1f} s ago" in found.text


@pytest.mark.parametrize("seen_by", SHOWN_BY)
def test_one_who_sees_it_is_enough_for_a_minute_and_not_for_longer(seen_by):
    (other,) = [role for role in SHOWN_BY if role is not seen_by]
    values = {**SILENT, SHOWN_BY[seen_by]: 0.0}
    assert GONE_NS == 60 * NS_PER_S
    memory, findings = check(values, T0 + GONE_NS - 1)
    assert findings == ()
    assert memory.seen_ns == {seen_by: T0 + GONE_NS - 1, other: T0}
    memory, findings = check(values, T0 + GONE_NS, memory)
    assert keys(findings) == [INVERTER_GONE if other is Role.INVERTER else BMS_GONE]
    (found,) = check(values, T0 + GONE_NS + NS_PER_S, memory)[1]
    assert found.since_ns == T0 + GONE_NS
    assert "last seen 61.0 s ago" in found.text


def test_what_comes_back_is_not_missed_any_more():
    memory, _ = check(SILENT, T0 + 4 * NS_PER_S)
    memory, _ = check({}, T0 + 4 * NS_PER_S, memory)
    memory, findings = check(SILENT, T0 + 9 * NS_PER_S - 1, memory)
    assert findings == ()
    assert keys(check(SILENT, T0 + 9 * NS_PER_S, memory)[1]) == [UNSEEN]


def test_all_that_is_missed_is_told():
    _, findings = check(SILENT, T0 + GONE_NS)
    assert keys(findings) == [INVERTER_GONE, BMS_GONE, UNSEEN]


def test_the_time_of_a_sample_counts_and_not_that_of_the_cycle_that_reads_it_again():
    sampled_ns = T0 + 100 * NS_PER_MS
    memory, _ = check({}, T0 + 900 * NS_PER_MS, sampled_ns=sampled_ns)
    assert set(memory.seen_ns.values()) == {sampled_ns}


def test_a_sample_from_before_the_closing_makes_the_wait_no_shorter():
    memory, _ = check({}, T0, SeenMemory(), sampled_ns=T0 - NS_PER_S // 2)
    assert memory == SEEN_AT_T0


@pytest.mark.parametrize("value", [math.nan, 1e9, None])
def test_a_value_that_cannot_be_true_shows_nothing(value):
    values = dict.fromkeys(SHOWN_BY.values(), value)
    memory, findings = check(values, T0 + 5 * NS_PER_S)
    assert memory == SEEN_AT_T0
    assert keys(findings) == [UNSEEN]


def test_behind_an_open_contactor_there_is_nothing_to_see():
    assert check(SILENT, T0 + 2 * GONE_NS, connected=False) == (SeenMemory(), ())


CYCLES = st.lists(
    st.tuples(
        st.sampled_from([20 * NS_PER_MS, 300 * NS_PER_MS, NS_PER_S, 7 * NS_PER_S]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=20,
)


@given(
    revert_s=st.sampled_from([1.0, 5.0, 12.0, 60.0]),
    before=CYCLES,
    gaps_ns=st.lists(st.integers(1, 3 * NS_PER_S), min_size=1, max_size=60),
)
def test_with_both_silent_a_contactor_that_is_told_closed_trips_in_time_whatever_was_before(
    revert_s, before, gaps_ns
):
    """And from then on in every cycle, as long as it is told so."""
    checks, memory, now_ns = unseen_power(revert_s), SeenMemory(), T0
    for step_ns, is_seen, connected in before:
        now_ns += step_ns
        values = {} if is_seen else SILENT
        memory, _ = check(values, now_ns, memory, checks=checks, connected=connected)
    silent_ns = now_ns
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        memory, findings = check(SILENT, now_ns, memory, checks=checks)
        # It counts from the cycle that told it to close, at the latest the first one here.
        if now_ns - silent_ns - gaps_ns[0] >= max(revert_s, 5.0) * NS_PER_S:
            assert UNSEEN in keys(findings)


@given(st.lists(st.tuples(st.integers(1, 4 * NS_PER_S), st.sampled_from(list(SHOWN_BY)))))
def test_a_unit_of_which_somebody_speaks_every_few_seconds_is_never_unseen(samples):
    checks, memory, now_ns = unseen_power(), SeenMemory(), T0
    for gap_ns, role in samples:
        now_ns += gap_ns
        values = {**SILENT, SHOWN_BY[role]: 0.0}
        memory, findings = check(values, now_ns, memory, checks=checks)
        assert UNSEEN not in keys(findings)
