"""Interlocks: each row blocks unless its signal is known to be as wanted."""

import math

import pytest

from holdfast.core.data_store import freeze
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.interlock_manager import INTERLOCKS, Action, InterlockManager
from tests.builders import (
    T0,
    UNIT,
    build_site,
    healthy_store,
    put,
    snapshot_of,
    unit_content,
)

# row: (action, signal, wanted, a wrong value), from the design
ROWS = {
    "contactor_confirmed": (Action.POWER, Signal.CONTACTOR_CLOSED, 1.0, 0.0),
    "contactor_open": (Action.START, Signal.CONTACTOR_CLOSED, 0.0, 1.0),
    "precharge_complete": (Action.POWER, Signal.PRECHARGE_CLOSED, 0.0, 1.0),
    "precharge_open": (Action.START, Signal.PRECHARGE_CLOSED, 0.0, 1.0),
    "revert_timer_armed": (Action.START, Signal.REVERT_TIMEOUT_READBACK_S, 5.0, 0.0),
    "emergency_loop_closed": (Action.START, Signal.EMERGENCY_LOOP_CLOSED, 1.0, 0.0),
    "watchdog_armed": (Action.START, Signal.WATCHDOG_ARMED, 1.0, 0.0),
}


def blocking(snapshot, site=None):
    return {block.row: block for block in InterlockManager(site or build_site()).assess(snapshot)}


def test_the_list_above_knows_every_row():
    assert {row.id for row in INTERLOCKS} == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_silent_when_its_signal_is_as_wanted(row):
    _, signal, wanted, _ = ROWS[row]
    assert row not in blocking(snapshot_of({signal: wanted}))


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("how", ["wrong", "between", "missing", "nan", "stale", "future"])
def test_a_row_blocks_when_its_signal_is_wrong_or_not_known(row, how):
    action, signal, wanted, wrong = ROWS[row]
    age_ns = {"stale": SIGNALS[signal].max_age_ns + 1, "future": -1}.get(how, 0)
    value = {"wrong": wrong, "between": 0.5, "missing": None, "nan": math.nan}.get(how, wanted)
    blocks = blocking(snapshot_of({signal: value}, now_ns=T0, sampled_ns=T0 - age_ns))
    if how == "missing" and row.startswith("precharge"):
        assert row not in blocks  # most boards have none; where one has it, its data are lost
        return
    block = blocks[row]
    assert block.action is action
    assert block.owner == (SITE if SIGNALS[signal].of_site else UNIT)
    assert block.text


def test_the_revert_timer_must_be_armed_with_the_time_that_is_configured():
    site = build_site(unit_content(inverter_hardware={"revert_timeout_s": 12.4}))
    timer = Signal.REVERT_TIMEOUT_READBACK_S
    assert "revert_timer_armed" not in blocking(snapshot_of({timer: 12.0}), site)
    assert "revert_timer_armed" in blocking(snapshot_of({timer: 5.0}), site)


def test_a_site_that_only_observes_is_not_asked_for_what_it_cannot_bring_about():
    rows = set(blocking(snapshot_of(healthy=False), build_site(authority="observe")))
    assert rows == {"contactor_confirmed", "emergency_loop_closed", "watchdog_armed"}


def test_each_unit_is_judged_by_its_own_contactor_and_the_site_once():
    site = build_site(unit_content("left"), unit_content("right"))
    manager = InterlockManager(site)

    store = healthy_store(site.unit_names)
    put(store, "left", Signal.CONTACTOR_CLOSED, 1.0, T0)
    put(store, SITE, Signal.WATCHDOG_ARMED, 0.0, T0)
    blocks = [(block.owner, block.row) for block in manager.assess(freeze(store.image(), T0))]
    assert sorted(blocks) == [
        ("left", "contactor_open"), ("right", "contactor_confirmed"), ("site", "watchdog_armed"),
    ]  # fmt: skip
