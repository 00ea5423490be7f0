"""Interlocks: each row blocks unless its signal is known to be as wanted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.envelope import Envelope
from holdfast.safety.interlock_manager import Block, InterlockManager
from holdfast.safety.interlocks import INTERLOCKS, Action
from tests.builders import (
    T0,
    UNIT,
    build_site,
    healthy_store,
    put,
    snapshot_of,
    unit_content,
)
from tests.safety.test_envelope import ENVELOPES

ANY = None
# row: (action, signal, wanted, a wrong value; ANY: no value is wrong), from the design
ROWS = {
    "contactor_open": (Action.START, Signal.CONTACTOR_CLOSED, 0.0, 1.0),
    "precharge_open": (Action.START, Signal.PRECHARGE_CLOSED, 0.0, 1.0),
    "setpoint_at_zero": (Action.START, Signal.SETPOINT_READBACK_W, 0.0, 10.0),
    "device_mode_off": (Action.START, Signal.DEVICE_MODE, 0.0, 1.0),
    "revert_timer_armed": (Action.START, Signal.REVERT_TIMEOUT_READBACK_S, 5.0, 0.0),
    "emergency_loop_closed": (Action.START, Signal.EMERGENCY_LOOP_CLOSED, 1.0, 0.0),
    "watchdog_armed": (Action.START, Signal.WATCHDOG_ARMED, 1.0, 0.0),
    "connect_emergency_loop": (Action.CONNECT, Signal.EMERGENCY_LOOP_CLOSED, 1.0, 0.0),
    "connect_power_stage_off": (Action.CONNECT, Signal.INVERTER_ENABLED, 0.0, 1.0),
    "connect_pack_voltage": (Action.CONNECT, Signal.PACK_VOLTAGE_V, 52.8, ANY),
    "contactor_confirmed": (Action.POWER, Signal.CONTACTOR_CLOSED, 1.0, 0.0),
    "precharge_complete": (Action.POWER, Signal.PRECHARGE_CLOSED, 0.0, 1.0),
    "fresh_pack_voltage": (Action.POWER, Signal.PACK_VOLTAGE_V, 52.8, ANY),
    "fresh_battery_current": (Action.POWER, Signal.BATTERY_CURRENT_A, 0.0, ANY),
    "fresh_battery_power": (Action.POWER, Signal.BATTERY_POWER_W, 0.0, ANY),
    "bms_permits_charge": (Action.CHARGE, Signal.CHARGE_ALLOWED, 1.0, 0.0),
    "bms_permits_discharge": (Action.DISCHARGE, Signal.DISCHARGE_ALLOWED, 1.0, 0.0),
}
NOT_EVERYWHERE = {
    "precharge_open", "precharge_complete", "bms_permits_charge", "bms_permits_discharge",
    "revert_timer_armed", "device_mode_off",
}  # fmt: skip
NEEDS_WRITING = {
    "contactor_open", "precharge_open", "setpoint_at_zero", "revert_timer_armed", "device_mode_off",
}  # fmt: skip
OF_BATTERY = {
    "connect_pack_voltage", "fresh_pack_voltage", "fresh_battery_current", "bms_permits_charge",
    "bms_permits_discharge",
}  # fmt: skip
WIDE = Envelope(min_w=-3000.0, max_w=4000.0, min_by="a", max_by="b")


def blocking(snapshot, site=None):
    return {block.row: block for block in InterlockManager(site or build_site()).assess(snapshot)}


def test_the_list_above_knows_every_row_but_the_one_that_the_relay_controller_judges():
    assert {row.id for row in INTERLOCKS if not row.judged_by_relays} == set(ROWS)
    (judged,) = (row for row in INTERLOCKS if row.judged_by_relays)
    assert (judged.id, judged.action) == ("contactor_under_load", Action.OPEN)


def test_which_rows_are_the_batterys_own_protection():
    assert {row.id for row in INTERLOCKS if row.of_battery} == OF_BATTERY
    for row in INTERLOCKS:
        assert row.of_battery is (SIGNALS[row.signal].producer is Role.BMS)


@pytest.mark.parametrize(
    "row", [row for row in INTERLOCKS if not row.judged_by_relays], ids=lambda row: row.id
)
def test_what_is_not_known_is_told_so_and_nothing_else_is_said_of_it(row):
    """A loop that was never read is not known to be open."""
    wrong = ROWS[row.id][3]
    if wrong is not ANY:
        assert blocking(snapshot_of({row.signal: wrong}))[row.id].text == row.text
    text = blocking(snapshot_of({row.signal: math.nan}))[row.id].text
    unknown = f"the {SIGNALS[row.signal].name} is not known"
    why = "the device says that it is not available"
    assert text == (row.text if row.wanted is None else f"{unknown}: {why}")
    if row.wanted is not None and not row.where_told:
        assert blocking(snapshot_of({row.signal: None}))[row.id].text == unknown


def test_a_healthy_site_at_rest_may_start_and_connect_and_one_that_is_connected_may_power():
    at_rest = {block.row: block.action for block in blocking(snapshot_of()).values()}
    assert at_rest == {"contactor_confirmed": Action.POWER}
    connected = snapshot_of({Signal.CONTACTOR_CLOSED: 1.0, Signal.INVERTER_ENABLED: 1.0})
    assert set(blocking(connected)) == {"contactor_open", "connect_power_stage_off"}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_silent_when_its_signal_is_as_wanted(row):
    _, signal, wanted, _ = ROWS[row]
    assert row not in blocking(snapshot_of({signal: wanted}))


HOW = ("wrong", "between", "missing", "nan", "stale", "future")


@pytest.mark.parametrize(
    ("row", "how"),
    [(row, how) for row, (*_, wrong) in ROWS.items() for how in (HOW[2:] if wrong is ANY else HOW)],
)
def test_a_row_blocks_when_its_signal_is_wrong_or_not_known(row, how):
    action, signal, wanted, wrong = ROWS[row]
    age_ns = {"stale": SIGNALS[signal].max_age_ns + 1, "future": -1}.get(how, 0)
    value = {"wrong": wrong, "between": 0.5, "missing": None, "nan": math.nan}.get(how, wanted)
    known = how in {"wrong", "between"}
    blocks = blocking(snapshot_of({signal: value}, now_ns=T0, sampled_ns=T0 - age_ns))
    if how == "missing" and row in NOT_EVERYWHERE:
        assert row not in blocks  # many have none; where one has it, its data are lost
        return
    block = blocks[row]
    assert block.action is action
    assert block.owner == (SITE if SIGNALS[signal].of_site else UNIT)
    assert block.text
    assert block.known is known
    assert block.of_battery is (row in OF_BATTERY)


@pytest.mark.parametrize("value", [0.0, 1.0, 37.5, 80.0])
@pytest.mark.parametrize("row", [row for row, (*_, wrong) in ROWS.items() if wrong is ANY])
def test_where_only_freshness_is_wanted_every_good_value_will_do(row, value):
    signal = ROWS[row][1]
    good = SIGNALS[signal].low <= value <= SIGNALS[signal].high
    assert (row in blocking(snapshot_of({signal: value}))) is not good


def test_the_revert_timer_must_be_armed_with_the_time_that_is_configured():
    site = build_site(unit_content(inverter_hardware={"revert_timeout_s": 12.4}))
    timer = Signal.REVERT_TIMEOUT_READBACK_S
    assert "revert_timer_armed" not in blocking(snapshot_of({timer: 12.0}), site)
    assert "revert_timer_armed" in blocking(snapshot_of({timer: 5.0}), site)


def test_a_site_that_only_observes_is_not_asked_for_what_it_cannot_bring_about():
    assert {row.id for row in INTERLOCKS if row.writes} == NEEDS_WRITING
    everything = set(ROWS) - NOT_EVERYWHERE
    assert set(blocking(snapshot_of(healthy=False))) == everything
    rows = set(blocking(snapshot_of(healthy=False), build_site(authority="observe")))
    assert rows == everything - NEEDS_WRITING


def test_each_unit_is_judged_by_its_own_contactor_and_the_site_once():
    site = build_site(unit_content("left"), unit_content("right"))
    manager = InterlockManager(site)

    store = healthy_store(site.unit_names)
    put(store, "left", Signal.CONTACTOR_CLOSED, 1.0, T0)
    put(store, SITE, Signal.WATCHDOG_ARMED, 0.0, T0)
    blocks = [(block.owner, block.row) for block in manager.assess(freeze(store.image(), T0))]
    assert sorted(blocks) == [
        ("left", "contactor_open"),
        ("right", "contactor_confirmed"),
        ("site", "watchdog_armed"),
    ]


WITHOUT = {"relays": {"none": "the inverter has its own"}}


def test_what_concerns_a_contactor_is_not_asked_of_a_unit_that_has_none_of_ours():
    nothing = freeze(DataStore((UNIT,)).image(), T0)
    with_contactor = set(blocking(nothing))
    without = set(blocking(nothing, build_site(unit_content() | WITHOUT)))
    assert with_contactor - without == {
        "contactor_open", "contactor_confirmed", "connect_emergency_loop",
        "connect_power_stage_off", "connect_pack_voltage",
    }  # fmt: skip
    assert without <= with_contactor


def test_where_one_of_two_units_has_a_contactor_its_rows_hold_and_the_sites_too():
    site = build_site(unit_content("first") | WITHOUT, unit_content("second"))
    blocks = InterlockManager(site).assess(freeze(DataStore(site.unit_names).image(), T0))
    of_contactor = [(b.owner, b.row) for b in blocks if "connect" in b.row or "contactor" in b.row]
    assert of_contactor == [
        ("second", "contactor_open"),
        ("site", "connect_emergency_loop"),
        ("second", "connect_power_stage_off"),
        ("second", "connect_pack_voltage"),
        ("second", "contactor_confirmed"),
    ]


def test_a_block_of_which_nothing_is_said_is_seen_to_be_wrong_and_not_the_batterys_own():
    block = Block(owner=UNIT, row="row", action=Action.POWER, text="")
    assert (block.known, block.of_battery) == (True, False)


# What a block takes from an envelope. ------------------------------------------------------------


def block_of(action, *, known=True, of_battery=False):
    return Block(
        owner=UNIT, row="the_row", action=action, text="", known=known, of_battery=of_battery
    )


@pytest.mark.parametrize("islanded", [False, True])
@pytest.mark.parametrize(
    ("action", "left", "by"),
    [
        (Action.START, (-3000.0, 4000.0), ("a", "b")),
        (Action.CONNECT, (-3000.0, 4000.0), ("a", "b")),
        (Action.POWER, (0.0, 0.0), ("the_row", "the_row")),
        (Action.CHARGE, (-3000.0, 0.0), ("a", "the_row")),
        (Action.DISCHARGE, (0.0, 4000.0), ("the_row", "b")),
        (Action.OPEN, (-3000.0, 4000.0), ("a", "b")),
    ],
)
def test_what_a_block_takes_and_the_name_that_it_leaves(action, left, by, islanded):
    envelope = block_of(action).narrow(WIDE, islanded=islanded)
    assert (envelope.min_w, envelope.max_w) == left
    assert (envelope.min_by, envelope.max_by) == by


@pytest.mark.parametrize("action", [Action.POWER, Action.DISCHARGE])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("of_battery", [False, True])
@pytest.mark.parametrize("islanded", [False, True])
def test_on_an_island_what_cannot_be_seen_drops_no_load_unless_it_protects_the_battery(
    action, known, of_battery, islanded
):
    block = block_of(action, known=known, of_battery=of_battery)
    envelope = block.narrow(WIDE, islanded=islanded)
    goes_on = islanded and not known and not of_battery
    assert envelope.min_w == (-3000.0 if goes_on else 0.0)
    assert envelope.min_by == ("a" if goes_on else "the_row")
    assert envelope.max_w == (0.0 if action is Action.POWER else 4000.0)


@given(
    envelope=ENVELOPES,
    action=st.sampled_from(Action),
    known=st.booleans(),
    of_battery=st.booleans(),
    islanded=st.booleans(),
)
def test_no_block_ever_widens_an_envelope_or_takes_zero_from_it(
    envelope, action, known, of_battery, islanded
):
    after = block_of(action, known=known, of_battery=of_battery).narrow(envelope, islanded=islanded)
    assert envelope.min_w <= after.min_w <= 0.0 <= after.max_w <= envelope.max_w
