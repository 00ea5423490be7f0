"""The interlock table is refused when it waits for itself or wants what excludes each other."""

from itertools import pairwise

import pytest

from holdfast.core.signals import Signal
from holdfast.safety.interlocks import (
    ACTIONS,
    AT_REST,
    INTERLOCKS,
    UNDER_LOAD,
    Action,
    ActionRow,
    InterlockRow,
    check_table,
)
from tests.builders import build_site, unit_content

X, Y, Z = Signal.CONTACTOR_CLOSED, Signal.INVERTER_ENABLED, Signal.PRECHARGE_CLOSED


def row(action, signal, wanted, row_id=None):
    return InterlockRow(
        id=row_id or f"{action}_{signal}_{wanted}",
        action=action,
        signal=signal,
        wanted=wanted,
        text="",
    )


def acting(*, lasts=False, after=(), **brings):
    return ActionRow(
        brings={Signal(name): value for name, value in brings.items()}, after=after, lasts=lasts
    )


def refused(*rows, actions=ACTIONS, at_rest=AT_REST):
    with pytest.raises(ValueError, match=r"cycle|contradiction|twice") as error:
        check_table(rows, actions, at_rest)
    return str(error.value)


START, CONNECT, POWER = Action.START, Action.CONNECT, Action.POWER
# row: (action, signal, wanted, marks), from the design
TABLE = {
    "contactor_open": (START, "contactor_closed", 0.0, "w"),
    "precharge_open": (START, "precharge_closed", 0.0, "wt"),
    "setpoint_at_zero": (START, "setpoint_readback_w", 0.0, "w"),
    "device_mode_off": (START, "device_mode", 0.0, "wt"),
    "revert_timer_armed": (START, "revert_timeout_readback_s", 12.0, "wt"),
    "emergency_loop_closed": (START, "emergency_loop_closed", 1.0, ""),
    "watchdog_armed": (START, "watchdog_armed", 1.0, ""),
    "connect_emergency_loop": (CONNECT, "emergency_loop_closed", 1.0, ""),
    "connect_power_stage_off": (CONNECT, "inverter_enabled", 0.0, ""),
    "connect_pack_voltage": (CONNECT, "pack_voltage_v", None, ""),
    "contactor_confirmed": (POWER, "contactor_closed", 1.0, ""),
    "precharge_complete": (POWER, "precharge_closed", 0.0, "t"),
    "fresh_pack_voltage": (POWER, "pack_voltage_v", None, ""),
    "fresh_battery_current": (POWER, "battery_current_a", None, ""),
    "fresh_battery_power": (POWER, "battery_power_w", None, ""),
    "bms_permits_charge": (Action.CHARGE, "charge_allowed", 1.0, "t"),
    "bms_permits_discharge": (Action.DISCHARGE, "discharge_allowed", 1.0, "t"),
    "contactor_under_load": (Action.OPEN, "battery_power_w", None, "r"),
}
UNIT_12_S = build_site(unit_content(inverter_hardware={"revert_timeout_s": 12.4})).storage[0]


def test_every_row_is_that_of_the_design():
    assert {
        row.id: (
            row.action,
            row.signal,
            row.wanted(UNIT_12_S) if callable(row.wanted) else row.wanted,
            "w" * row.writes + "t" * row.where_told + "r" * row.judged_by_relays,
        )
        for row in INTERLOCKS
    } == TABLE
    assert [row.id for row in INTERLOCKS] == list(TABLE)
    of_battery = {row.signal for row in INTERLOCKS if row.of_battery}
    assert of_battery == {
        "pack_voltage_v",
        "battery_current_a",
        "charge_allowed",
        "discharge_allowed",
    }
    assert UNDER_LOAD.id == "contactor_under_load"
    assert " ".join(Action) == "start connect power charge discharge open"


def test_a_row_of_which_nothing_is_said_holds_everywhere_and_is_judged_here():
    plain = row(Action.START, X, 0.0)
    assert (plain.writes, plain.where_told, plain.judged_by_relays) == (False, False, False)


def test_a_table_may_come_one_row_at_a_time():
    check_table(iter(INTERLOCKS))
    with pytest.raises(ValueError, match="cycle"):
        check_table(iter([row(Action.POWER, Y, 1.0)]))


def test_the_table_that_comes_with_holdfast_is_sound_in_any_order():
    check_table(INTERLOCKS)
    check_table(INTERLOCKS[::-1])


def test_what_each_action_brings_about_and_how_long_it_needs_what_it_needs():
    assert {action for action, what in ACTIONS.items() if what.lasts} == {
        Action.POWER,
        Action.CHARGE,
        Action.DISCHARGE,
    }
    assert {action: dict(what.brings) for action, what in ACTIONS.items() if what.brings} == {
        Action.CONNECT: {X: 1.0, Z: 0.0},
        Action.POWER: {Y: 1.0},
        Action.OPEN: {X: 0.0},
    }
    assert {action: what.after for action, what in ACTIONS.items() if what.after} == {
        Action.CONNECT: (Action.START,),
        Action.CHARGE: (Action.POWER,),
        Action.DISCHARGE: (Action.POWER,),
    }
    assert AT_REST == {X: 0.0, Y: 0.0, Z: 0.0}


def test_a_row_that_stands_twice_is_refused():
    twice = row(Action.START, X, 0.0, "a"), row(Action.POWER, X, 1.0, "a")
    assert refused(*twice) == "an interlock stands twice"


# Cycles. -----------------------------------------------------------------------------------------


def test_an_action_that_needs_what_only_itself_brings_about_is_refused():
    assert refused(row(Action.POWER, Y, 1.0)) == "cycle: power needs power"


def test_a_cycle_through_others_is_refused_and_told():
    # START would wait for the contactor, which closes after START.
    told = refused(row(Action.START, X, 1.0))
    assert told.startswith("cycle: ")
    assert set(told.removeprefix("cycle: ").split(" needs ")) == {"start", "connect"}
    # POWER waits for the contactor and the contactor for the power stage.
    told = refused(row(Action.POWER, X, 1.0), row(Action.CONNECT, Y, 1.0))
    assert set(told.removeprefix("cycle: ").split(" needs ")) == {"power", "connect"}


def test_a_cycle_of_three_is_refused():
    actions = {
        Action.START: acting(contactor_closed=1.0),
        Action.CONNECT: acting(inverter_enabled=1.0),
        Action.POWER: acting(precharge_closed=1.0),
    }
    around = (row(Action.START, Y, 1.0), row(Action.CONNECT, Z, 1.0), row(Action.POWER, X, 1.0))
    assert refused(*around, actions=actions).startswith("cycle: ")
    check_table(around[1:], actions)


def test_each_needs_the_next_in_what_is_told_of_a_cycle():
    actions = {
        Action.START: acting(contactor_closed=1.0),
        Action.CONNECT: acting(inverter_enabled=1.0),
        Action.POWER: acting(precharge_closed=1.0),
    }
    around = (row(Action.START, Y, 1.0), row(Action.CONNECT, Z, 1.0), row(Action.POWER, X, 1.0))
    names = refused(*around, actions=actions).removeprefix("cycle: ").split(" needs ")
    steps = {("start", "connect"), ("connect", "power"), ("power", "start")}
    assert set(pairwise(names)) == steps


def test_what_is_so_at_rest_needs_nobody_and_is_no_cycle():
    # CONNECT, which comes after START, also leaves the precharge open: START does not wait for it.
    check_table((row(Action.START, Z, 0.0),))
    told = refused(row(Action.START, Z, 0.0), at_rest={X: 0.0, Y: 0.0, Z: 1.0})
    assert told.startswith("cycle: ")


def test_what_comes_from_outside_needs_nobody():
    check_table((row(Action.POWER, Signal.EMERGENCY_LOOP_CLOSED, 1.0),))


def test_any_good_value_is_no_value_that_somebody_has_to_bring_about():
    check_table((row(Action.POWER, Y, None), row(Action.CONNECT, X, None)))


# Contradictions. ---------------------------------------------------------------------------------


def test_two_values_of_one_signal_for_one_action_are_refused():
    told = refused(row(Action.START, X, 0.0), row(Action.START, X, 1.0))
    assert told == "contradiction: start needs two values of contactor_closed"


def test_the_same_value_twice_and_a_fresh_one_beside_it_are_none():
    check_table(
        (
            row(Action.START, X, 0.0, "a"),
            row(Action.START, X, 0.0, "b"),
            row(Action.START, X, None, "c"),
        )
    )


def test_a_value_of_the_configuration_is_not_the_same_as_a_number():
    def configured(_):
        return 0.0

    told = refused(row(Action.START, X, configured), row(Action.START, X, 0.0))
    assert told == "contradiction: start needs two values of contactor_closed"
    check_table((row(Action.START, X, configured, "a"), row(Action.START, X, configured, "b")))


def test_needing_an_action_and_another_value_than_it_brings_about_is_refused():
    # CHARGE comes after POWER, which needs the contactor closed.
    told = refused(row(Action.POWER, X, 1.0), row(Action.CHARGE, X, 0.0))
    assert told == "contradiction: charge needs another contactor_closed than connect brings about"
    told = refused(row(Action.POWER, X, 1.0), row(Action.POWER, Z, 1.0))
    assert told == "contradiction: power needs another precharge_closed than connect brings about"


def test_one_that_lasts_may_not_need_what_it_takes_away_itself():
    told = refused(row(Action.POWER, Y, 0.0))
    assert told == "contradiction: power needs another inverter_enabled than power brings about"
    check_table((row(Action.CONNECT, X, 0.0),))  # it must be open to be closed


def test_what_start_needs_at_its_moment_power_may_change_later():
    check_table((row(Action.START, X, 0.0), row(Action.POWER, X, 1.0)))


def test_what_one_brings_about_and_a_later_one_changes_again_is_no_contradiction():
    actions = {
        Action.OPEN: acting(contactor_closed=0.0),
        Action.CONNECT: acting(contactor_closed=1.0, after=(Action.OPEN,)),
        Action.POWER: acting(lasts=True),
    }
    check_table((row(Action.POWER, X, 1.0),), actions, {X: 0.0})
    # Without an order between the two nobody knows which value remains.
    actions[Action.CONNECT] = acting(contactor_closed=1.0)
    actions[Action.POWER] = acting(lasts=True, after=(Action.OPEN,))
    told = refused(row(Action.POWER, X, 1.0), actions=actions, at_rest={X: 0.0})
    assert told == "contradiction: power needs another contactor_closed than open brings about"
