"""What a finding does to an envelope, and the table of faults."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.role import Role
from holdfast.core.units import NS_PER_MS
from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.faults import (
    FAULTS,
    Clearing,
    FaultRow,
    Guards,
    _check_table,
    finding,
    names_of,
)
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Finding, Level, Reaction, reaction_of
from tests.builders import T0
from tests.safety.test_envelope import ENVELOPES

WIDE = Envelope(min_w=-4000.0, max_w=3000.0, min_by="site.yaml", max_by="site.yaml")


def found(reaction: Reaction, since_ns: int = T0) -> Finding:
    return Finding(
        owner="battery",
        row="a_row",
        level=Level.ALARM,
        reaction=reaction,
        since_ns=since_ns,
        text="",
    )


TIMES = st.integers(min_value=-(2**62), max_value=2**62)


@given(ENVELOPES, st.sampled_from(Reaction), TIMES, TIMES)
def test_no_finding_ever_widens_an_envelope_or_takes_zero_from_it(before, reaction, since, now):
    after = found(reaction, since).narrow(before, now)
    assert before.min_w <= after.min_w <= 0.0 <= after.max_w <= before.max_w


@pytest.mark.parametrize(
    ("reaction", "left"),
    [
        (Reaction.LOG, (-4000.0, 3000.0)),
        (Reaction.HOLD, (-4000.0, 3000.0)),
        (Reaction.DERATE, (-2000.0, 1500.0)),
        (Reaction.BLOCK_CHARGE, (-4000.0, 0.0)),
        (Reaction.BLOCK_DISCHARGE, (0.0, 3000.0)),
        (Reaction.TRIP, (0.0, 0.0)),
        (Reaction.EMERGENCY_STOP, (0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("age_ns", [0, 10**15])
def test_what_each_reaction_leaves(reaction, left, age_ns):
    after = found(reaction).narrow(WIDE, T0 + age_ns)
    assert (after.min_w, after.max_w) == left


@pytest.mark.parametrize(
    ("after_ms", "share"), [(-5, 1.0), (0, 1.0), (125, 0.75), (250, 0.5), (500, 0.0), (9999, 0.0)]
)
def test_ramp_to_zero_closes_the_envelope_within_half_a_second(after_ms, share):
    after = found(Reaction.RAMP_TO_ZERO).narrow(WIDE, T0 + after_ms * NS_PER_MS)
    assert after.min_w == pytest.approx(-4000.0 * share)
    assert after.max_w == pytest.approx(3000.0 * share)


def test_an_end_that_was_narrowed_names_the_row_and_the_other_keeps_its_name():
    after = found(Reaction.BLOCK_CHARGE).narrow(WIDE, T0)
    assert (after.min_by, after.max_by) == ("site.yaml", "a_row")


def test_a_closed_end_is_no_negative_zero_in_the_record():
    after = found(Reaction.TRIP).narrow(WIDE, T0)
    assert math.copysign(1.0, after.min_w) == 1.0


@pytest.mark.parametrize(
    ("level", "reaction"),
    [
        (Level.NORMAL, Reaction.LOG),
        (Level.WARNING, Reaction.LOG),
        (Level.ALARM, Reaction.BLOCK_CHARGE),
        (Level.TRIP, Reaction.TRIP),
    ],
)
def test_only_the_alarm_level_has_a_reaction_of_its_row(level, reaction):
    assert reaction_of(level, Reaction.BLOCK_CHARGE) is reaction


def test_reactions_stand_in_the_order_of_the_design():
    assert [reaction.name for reaction in sorted(Reaction)] == [
        "LOG",
        "HOLD",
        "DERATE",
        "BLOCK_CHARGE",
        "BLOCK_DISCHARGE",
        "RAMP_TO_ZERO",
        "TRIP",
        "EMERGENCY_STOP",
    ]


@pytest.mark.parametrize(
    ("row", "reaction"),
    [
        ("data_old", Reaction.DERATE),
        ("data_missing", Reaction.RAMP_TO_ZERO),
        ("data_lost", Reaction.RAMP_TO_ZERO),
        ("data_bad", Reaction.RAMP_TO_ZERO),
        ("data_frozen", Reaction.RAMP_TO_ZERO),
        ("data_slow", Reaction.LOG),
        ("data_gone", Reaction.TRIP),
        ("cycle_gap", Reaction.TRIP),
        ("setpoint_ignored", Reaction.TRIP),
        ("export_limit_ignored", Reaction.LOG),
        ("pv_switch_ignored", Reaction.LOG),
        ("setpoint_overwritten", Reaction.LOG),
        ("second_writer", Reaction.TRIP),
        ("under_delivery", Reaction.LOG),
        ("command_held", Reaction.LOG),
        ("over_delivery", Reaction.TRIP),
        ("power_unseen", Reaction.TRIP),
        ("wrong_sign", Reaction.TRIP),
        ("contactor_stuck", Reaction.TRIP),
        ("contactor_dropped", Reaction.TRIP),
        ("contactor_welded", Reaction.TRIP),
        ("precharge_failed", Reaction.TRIP),
        ("precharge_waits", Reaction.LOG),
        ("contactor_worn", Reaction.LOG),
        ("wear_unknown", Reaction.LOG),
        ("soc_understated", Reaction.BLOCK_CHARGE),
        ("soc_overstated", Reaction.BLOCK_DISCHARGE),
        ("voltage_stuck", Reaction.RAMP_TO_ZERO),
        ("write_budget", Reaction.LOG),
        ("setpoint_oscillation", Reaction.HOLD),
        ("resistance_rising", Reaction.LOG),
        ("resistance_doubled", Reaction.DERATE),
        ("island_contradicted", Reaction.LOG),
        ("meter_sign_wrong", Reaction.RAMP_TO_ZERO),
        ("repeated_fault", Reaction.TRIP),
        ("repeated_near_limit", Reaction.DERATE),
        ("load_silent", Reaction.LOG),
        ("import_missed", Reaction.LOG),
        ("export_missed", Reaction.LOG),
        ("mean_import_missed", Reaction.LOG),
        ("phases_unseen", Reaction.LOG),
        ("operator_limits", Reaction.LOG),
        ("operator_unheard", Reaction.LOG),
        ("crash_loop", Reaction.TRIP),
        ("latch_file_corrupt", Reaction.TRIP),
        ("control_exception", Reaction.TRIP),
    ],
)
def test_every_fault_of_the_table_has_its_reaction(row, reaction):
    new = finding(row, "battery", T0, "the detail")
    assert new.reaction is reaction
    assert new.level is (Level.TRIP if reaction is Reaction.TRIP else Level.ALARM)
    assert new.key == f"battery/{row}"
    assert new.text.endswith(": the detail")
    assert FAULTS[row].source


def test_the_test_above_knows_every_row_of_the_fault_table():
    assert len(FAULTS) == 46


def test_the_same_fault_of_two_devices_is_latched_under_two_names():
    keys = {
        finding("setpoint_ignored", "battery", T0, "", device=device).key
        for device in (Role.BMS, Role.INVERTER)
    }
    assert keys == {"battery/bms_setpoint_ignored", "battery/inverter_setpoint_ignored"}


def test_what_clears_by_itself_is_held_as_long_as_the_table_says():
    held = {name: (row.hold_s, row.bms_hold_s) for name, row in FAULTS.items() if row.hold_s}
    assert held == {
        "data_old": (1.0, None),
        "data_lost": (1.0, 30.0),
        "data_bad": (1.0, 30.0),
        "data_frozen": (60.0, None),
        "data_slow": (60.0, None),
        "soc_understated": (60.0, None),
        "soc_overstated": (60.0, None),
        "island_contradicted": (60.0, None),
        "voltage_stuck": (30.0, None),
        "setpoint_oscillation": (60.0, None),
        "import_missed": (5.0, None),
        "export_missed": (5.0, None),
        "mean_import_missed": (5.0, None),
        "phases_unseen": (5.0, None),
    }


def test_a_row_is_called_by_its_name_or_with_one_of_the_devices():
    assert names_of("data_lost") == (
        "data_lost",
        "bms_data_lost",
        "inverter_data_lost",
        "relays_data_lost",
        "meter_data_lost",
        "pv_meter_data_lost",
        "emergency_input_data_lost",
        "grid_operator_data_lost",
        "load_switch_data_lost",
        "load_meter_data_lost",
        "watchdog_data_lost",
        "derived_data_lost",
        "balance_data_lost",
    )


def test_who_clears_something_is_said_in_words():
    assert [who.value for who in Clearing] == ["by itself", "operator", "service"]


def row_of(**changes):
    plain = FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        text="t",
        source="s",
    )
    return replace(plain, **changes)


TRIPS = {"reaction": Reaction.TRIP, "clearing": Clearing.OPERATOR}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"reaction": Reaction.TRIP}, "x: who clears it"),
        ({"reaction": Reaction.EMERGENCY_STOP}, "x: who clears it"),
        ({"clearing": Clearing.OPERATOR}, "x: who clears it"),
        ({"clearing": Clearing.SERVICE}, "x: who clears it"),
        ({"hold_s": -0.1}, "x: a hold time below zero"),
        ({"bms_hold_s": -0.1}, "x: a hold time below zero"),
        (TRIPS | {"hold_s": 0.1}, "x: a trip is latched"),
        (TRIPS | {"bms_hold_s": 0.1}, "x: a trip is latched"),
        ({"source": ""}, "x: no source"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(changes, complaint):
    with pytest.raises(AssertionError, match=complaint):
        _check_table({"x": row_of(**changes)})


@pytest.mark.parametrize(
    "changes",
    [{}, TRIPS, TRIPS | {"clearing": Clearing.SERVICE}, {"hold_s": 0.1, "bms_hold_s": 0.0},
     {"reaction": Reaction.LOG}],
)  # fmt: skip
def test_a_row_at_the_edge_of_what_can_be_right_is_accepted(changes):
    _check_table({"x": row_of(**changes)})
    assert (row_of().hold_s, row_of().bms_hold_s) == (0.0, None)


def test_a_finding_from_the_future_widens_nothing():
    """Not even into what is no envelope any more."""
    widest = Envelope(min_w=-1.7e308, max_w=1.7e308, min_by="a", max_by="b")
    found = Finding(
        owner="battery",
        row="row",
        level=Level.ALARM,
        reaction=Reaction.RAMP_TO_ZERO,
        since_ns=T0 + 10**18,
        text="",
    )
    assert found.narrow(widest, T0) == widest


def test_levels_count_from_nothing_upwards():
    assert {level.name: level.value for level in Level} == {
        "NORMAL": 0,
        "WARNING": 1,
        "ALARM": 2,
        "TRIP": 3,
    }
    assert not Level.NORMAL


def test_reactions_count_in_the_order_of_their_strength():
    assert [reaction.value for reaction in Reaction] == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("reaction", "low_w", "high_w", "low_by", "high_by"),
    [
        (Reaction.LOG, -800.0, 500.0, "before", "before"),
        (Reaction.HOLD, -800.0, 500.0, "before", "before"),
        (Reaction.DERATE, -400.0, 250.0, "row", "row"),
        (Reaction.BLOCK_CHARGE, -800.0, 0.0, "before", "row"),
        (Reaction.BLOCK_DISCHARGE, 0.0, 500.0, "row", "before"),
        (Reaction.RAMP_TO_ZERO, -600.0, 375.0, "row", "row"),
        (Reaction.TRIP, 0.0, 0.0, "row", "row"),
        (Reaction.EMERGENCY_STOP, 0.0, 0.0, "row", "row"),
    ],
)
def test_each_reaction_narrows_its_own_end_and_names_itself_there(
    reaction, low_w, high_w, low_by, high_by
):
    found = Finding(
        owner="battery", row="row", level=Level.ALARM, reaction=reaction, since_ns=T0, text=""
    )
    before = up_to(charge_w=500.0, discharge_w=800.0, by="before")
    left = found.narrow(before, T0 + RAMP_TO_ZERO_NS // 4)
    assert (left.min_w, left.max_w) == (low_w, high_w)
    assert (left.min_by, left.max_by) == (low_by, high_by)
