"""Who guards a goal, and what authority that permits."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.signals import Signal
from holdfast.safety.goals import (
    GOALS,
    Accepted,
    Assurance,
    Authority,
    ByDevice,
    ByHoldfast,
    Facts,
    Goal,
    GoalRow,
    Nobody,
    _check_table,
    assure,
)

UNIT_GOALS = [goal for goal, row in GOALS.items() if not row.of_site]
SITE_GOALS = [goal for goal, row in GOALS.items() if row.of_site]
WATCHED = [goal for goal, row in GOALS.items() if row.needs]
EVERYTHING = dict.fromkeys(Signal, "one box") | {Signal.GRID_POWER_W: "meter"}


# fmt: off
# goal: (of the site, needs, by boxes, watched by, unguarded, accepted, second way)
TABLE = {
    "cell_overvoltage": (
        False,
        ("cell_voltage_max_v",),
        1,
        ("cell_voltage_high",),
        "limited",
        "full",
        None,
    ),
    "cell_undervoltage": (
        False,
        ("cell_voltage_min_v",),
        1,
        ("cell_voltage_low",),
        "limited",
        "full",
        None,
    ),
    "overcurrent": (
        False,
        ("battery_current_a",),
        1,
        ("charge_current_high", "discharge_current_high"),
        "observe",
        "observe",
        None,
    ),
    "cold_charging": (
        False,
        ("cell_temperature_min_c",),
        1,
        ("charge_temperature_low", "discharge_temperature_low"),
        "observe",
        "observe",
        None,
    ),
    "overheating": (
        False,
        ("cell_temperature_max_c",),
        1,
        ("cell_temperature_high", "charge_temperature_high"),
        "observe",
        "observe",
        None,
    ),
    "unwanted_power": (
        False,
        ("battery_current_a", "battery_power_w", "grid_power_w", "pack_voltage_v"),
        2,
        ("over_delivery", "wrong_sign", "power_unseen"),
        "limited",
        "full",
        None,
    ),
    "disconnection": (
        False,
        ("contactor_closed",),
        1,
        ("contactor_open", "contactor_confirmed"),
        "limited",
        "full",
        None,
    ),
    "lost_controller": (
        False,
        ("revert_timeout_readback_s",),
        1,
        ("revert_timer_armed",),
        "observe",
        "full",
        "disconnection",
    ),
    "understood": (False, (), 1, (), "observe", "limited", None),
    "insulation": (False, ("insulation_kohm",), 1, ("insulation_low",), "full", "full", None),
    "emergency_stop": (
        True,
        ("emergency_loop_closed",),
        1,
        ("emergency_loop_closed",),
        "limited",
        "full",
        None,
    ),
    "main_fuse": (True, ("grid_power_w",), 1, ("grid_import_high",), "observe", "observe", None),
    "export_limit": (True, ("grid_power_w",), 1, ("grid_export_high",), "observe", "observe", None),
    "grid_fault": (
        True,
        ("grid_frequency_hz", "grid_voltage_v"),
        1,
        ("grid_voltage_high", "grid_voltage_low", "grid_frequency_high", "grid_frequency_low"),
        "full",
        "full",
        None,
    ),
    "supply_in_outage": (False, (), 1, (), "limited", "full", None),
}
# fmt: on


def test_every_row_is_that_of_the_decision() -> None:
    assert {
        goal: (
            row.of_site,
            tuple(sorted(row.needs)),
            row.boxes,
            row.rows,
            row.unguarded.key,
            row.accepted.key,
            row.second_way,
        )
        for goal, row in GOALS.items()
    } == TABLE
    assert all(len(row.text) > 15 for row in GOALS.values())
    assert len({row.text for row in GOALS.values()}) == len(GOALS)


def facts(
    told_by: dict[Signal, str] | None = None,
    guarded: dict[Goal, str] | None = None,
    accepted: dict[Goal, str] | None = None,
    disproven: dict[Goal, str] | None = None,
) -> Facts:
    return Facts(
        told_by=EVERYTHING if told_by is None else told_by,
        guarded=guarded or {},
        accepted=accepted or {},
        disproven=disproven or {},
    )


def of(goal: Goal, known: Facts) -> Assurance:
    """Tells of one goal, whoever's it is."""
    found = assure("battery", known, of_site=GOALS[goal].of_site)
    return next(each for each in found if each.goal is goal)


def without(goal: Goal) -> dict[Signal, str]:
    return {signal: box for signal, box in EVERYTHING.items() if signal not in GOALS[goal].needs}


def test_each_owner_has_its_own_goals_in_the_order_of_the_table() -> None:
    assert [each.goal for each in assure("site", facts(), of_site=True)] == SITE_GOALS
    unit = assure("battery", facts(), of_site=False)
    assert [each.goal for each in unit] == UNIT_GOALS
    assert {each.owner for each in unit} == {"battery"}


@pytest.mark.parametrize("goal", GOALS)
def test_what_was_seen_not_to_guard_it_does_not_whatever_it_tells(goal: Goal) -> None:
    seen = {goal: "its timer ended nothing"}
    found = of(goal, facts(guarded={goal: "manual"}, disproven=seen))
    assert found.guard == Nobody(why="its timer ended nothing")
    assert found.permits is GOALS[goal].unguarded
    assert of(goal, facts(accepted={goal: "why"}, disproven=seen)).guard == Accepted(reason="why")


@pytest.mark.parametrize("goal", WATCHED)
def test_what_all_its_signals_tell_is_watched_and_permits_everything(goal: Goal) -> None:
    found = of(goal, facts(guarded={goal: "manual"}, accepted={goal: "why"}))
    assert found.guard == ByHoldfast(rows=GOALS[goal].rows)
    assert found.permits is Authority.FULL


@pytest.mark.parametrize("goal", Goal)
def test_one_signal_that_nobody_tells_leaves_it_unguarded_and_is_named(goal: Goal) -> None:
    for signal in GOALS[goal].needs:
        told = {other: box for other, box in EVERYTHING.items() if other is not signal}
        found = of(goal, facts(told))
        assert found.guard == Nobody(why=f"no device is sure to tell {signal}")
        assert found.permits is GOALS[goal].unguarded


def test_all_that_is_lacking_is_named_in_one_order() -> None:
    found = of(Goal.GRID_FAULT, facts({}))
    assert found.guard == Nobody(
        why="no device is sure to tell grid_frequency_hz and grid_voltage_v"
    )


@pytest.mark.parametrize("goal", Goal)
def test_a_device_that_guards_it_by_itself_permits_everything(goal: Goal) -> None:
    found = of(goal, facts(without(goal), {goal: "manual, p. 7"}, {goal: "why"}))
    assert found.guard == ByDevice(source="manual, p. 7")
    assert found.permits is Authority.FULL


@pytest.mark.parametrize("goal", Goal)
def test_what_is_accepted_permits_what_the_table_says(goal: Goal) -> None:
    found = of(goal, facts(without(goal), accepted={goal: "seen to"}))
    assert found.guard == Accepted(reason="seen to")
    assert found.permits is GOALS[goal].accepted


def test_power_that_one_box_alone_tells_of_is_seen_by_nobody_else() -> None:
    alone = dict.fromkeys(Signal, "hybrid")
    found = of(Goal.UNWANTED_POWER, facts(alone))
    assert found.guard == Nobody(why="hybrid alone tells all of it")
    assert found.permits is Authority.LIMITED
    bms_apart = alone | {Signal.BATTERY_CURRENT_A: "bms"}
    assert of(Goal.UNWANTED_POWER, facts(bms_apart)).permits is Authority.FULL


def test_a_missing_revert_timer_that_is_accepted_permits_all_only_with_another_way_to_zero() -> (
    None
):
    accepted = {Goal.LOST_CONTROLLER: "the watchdog opens the contactor"}
    told = without(Goal.LOST_CONTROLLER)
    assert of(Goal.LOST_CONTROLLER, facts(told, accepted=accepted)).permits is Authority.FULL
    told = {signal: box for signal, box in told.items() if signal is not Signal.CONTACTOR_CLOSED}
    assert of(Goal.LOST_CONTROLLER, facts(told, accepted=accepted)).permits is Authority.LIMITED
    # That nobody opens it either is no other way, accepted or not.
    accepted |= {Goal.DISCONNECTION: "the inverter has a contactor of its own"}
    assert of(Goal.LOST_CONTROLLER, facts(told, accepted=accepted)).permits is Authority.LIMITED
    own = {Goal.DISCONNECTION: "opens by itself: manual, p. 9"}
    assert of(Goal.LOST_CONTROLLER, facts(told, own, accepted)).permits is Authority.FULL


def test_what_ends_with_the_controller_is_no_second_way() -> None:
    told = without(Goal.LOST_CONTROLLER)
    known = facts(told, accepted={Goal.LOST_CONTROLLER: "why"})
    assert of(Goal.LOST_CONTROLLER, known).permits is Authority.FULL
    known = replace(known, ends_with_us=frozenset({Goal.DISCONNECTION}))
    assert of(Goal.LOST_CONTROLLER, known).permits is Authority.LIMITED
    assert of(Goal.DISCONNECTION, known).permits is Authority.FULL
    known = replace(known, ends_with_us=frozenset({Goal.LOST_CONTROLLER}))
    assert of(Goal.LOST_CONTROLLER, known).permits is Authority.FULL


def test_what_no_signal_tells_is_guarded_by_what_somebody_has_seen() -> None:
    found = of(Goal.UNDERSTOOD, facts())
    assert found.guard == Nobody(why="no table says so")
    assert found.permits is Authority.OBSERVE
    assert of(Goal.UNDERSTOOD, facts(accepted={Goal.UNDERSTOOD: "mine"})).permits is (
        Authority.LIMITED
    )
    assert of(Goal.UNDERSTOOD, facts(guarded={Goal.UNDERSTOOD: "seen"})).permits is Authority.FULL


def test_what_would_do_damage_and_cannot_be_seen_is_not_to_be_accepted() -> None:
    blind = (Goal.OVERCURRENT, Goal.COLD_CHARGING, Goal.OVERHEATING, Goal.MAIN_FUSE)
    for goal in blind:
        assert of(goal, facts({}, accepted={goal: "I do not mind"})).permits is Authority.OBSERVE


def test_stages_have_the_names_of_site_yaml_and_an_order() -> None:
    assert [stage.key for stage in Authority] == ["observe", "limited", "full"]
    assert Authority.OBSERVE < Authority.LIMITED < Authority.FULL


# The table is refused when it is loaded. ----------------------------------------------------------

ONE_ROW = {goal: replace(row, rows=("x",) if row.needs else ()) for goal, row in GOALS.items()}


def changed(goal: Goal, **changes: Any) -> dict[Goal, GoalRow]:
    return ONE_ROW | {goal: replace(ONE_ROW[goal], **changes)}


def test_a_table_that_can_be_kept_is_taken() -> None:
    _check_table(ONE_ROW, ("x",))
    needs = frozenset({Signal.CELL_VOLTAGE_MAX_V, Signal.CELL_VOLTAGE_MIN_V})
    _check_table(changed(Goal.CELL_OVERVOLTAGE, needs=needs, boxes=2), ("x", "y"))


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (dict(reversed(ONE_ROW.items())), "in the order of their names"),
        (changed(Goal.OVERCURRENT, rows=("x", "z")), "watched by rows that no table has"),
        (
            changed(Goal.OVERCURRENT, unguarded=Authority.LIMITED),
            "accepting it takes authority away",
        ),
        (changed(Goal.OVERCURRENT, boxes=0), "cannot be watched"),
        (changed(Goal.OVERCURRENT, boxes=2), "cannot be watched"),
        (changed(Goal.OVERCURRENT, rows=()), "what watches it, and by what"),
        (changed(Goal.UNDERSTOOD, rows=("x",)), "what watches it, and by what"),
        (
            changed(
                Goal.GRID_FAULT, needs=frozenset({Signal.GRID_VOLTAGE_V, Signal.PACK_VOLTAGE_V})
            ),
            "grid_fault",
        ),
        (changed(Goal.LOST_CONTROLLER, second_way=Goal.EMERGENCY_STOP), "another's second way"),
        (
            changed(Goal.LOST_CONTROLLER, accepted=Authority.LIMITED),
            "a second way to nothing more",
        ),
    ],
)
def test_a_table_that_cannot_be_kept_is_refused(rows: dict[Goal, GoalRow], named: str) -> None:
    with pytest.raises(AssertionError, match=named):
        _check_table(rows, ("x",))
