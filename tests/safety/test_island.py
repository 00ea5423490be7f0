"""Island rules: only the battery's own protection and the emergency stop end a discharge."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import PRODUCERS, SIGNALS, SITE, Signal
from holdfast.safety.derating import DERATINGS
from holdfast.safety.envelope import Envelope
from holdfast.safety.faults import FAULTS, Guards, finding
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.island import (
    ON_ISLAND,
    any_islanded,
    contradicted,
    is_grid_alive,
    is_islanded,
    on_island,
)
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, build_limits
from holdfast.safety.trend_analyzer import PREDICTIONS, TRENDS
from tests.builders import T0, UNIT, Bench, build_site, healthy_store, put, snapshot_of

WIDE = Envelope(min_w=-3000.0, max_w=4000.0, min_by="a", max_by="b")
_R = Reaction
# What becomes of a reaction that does not protect the battery, from the design.
BECOMES = {
    _R.LOG: _R.LOG, _R.HOLD: _R.BLOCK_CHARGE, _R.DERATE: _R.BLOCK_CHARGE,
    _R.BLOCK_CHARGE: _R.BLOCK_CHARGE, _R.BLOCK_DISCHARGE: _R.LOG,
    _R.RAMP_TO_ZERO: _R.BLOCK_CHARGE, _R.TRIP: _R.BLOCK_CHARGE,
    _R.EMERGENCY_STOP: _R.EMERGENCY_STOP,
}  # fmt: skip


def found(reaction, *, holds=False):
    return Finding(
        owner=UNIT,
        row="row",
        level=Level.ALARM,
        reaction=reaction,
        since_ns=T0,
        text="why",
        holds_on_island=holds,
    )


# Whether it is one. -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "age_ns", "islanded"),
    [
        (1.0, 0, True),
        (1.0, SIGNALS[Signal.ISLANDED].max_age_ns, True),
        (1.0, SIGNALS[Signal.ISLANDED].max_age_ns + 1, False),
        (1.0, -1, False),
        (0.0, 0, False),
        (0.5, 0, False),
        (2.0, 0, False),
        (math.nan, 0, False),
        (None, 0, False),
    ],
)
def test_what_is_not_known_is_no_island(value, age_ns, islanded):
    values = {Signal.ISLANDED: value, Signal.GRID_VOLTAGE_V: 0.0}
    snapshot = snapshot_of(values, sampled_ns=T0 - age_ns)
    assert is_islanded(UNIT, snapshot) is islanded


@pytest.mark.parametrize(
    ("voltage_v", "grid_w", "alive"),
    [
        (230.0, 0.0, True), (50.0, 0.0, True), (49.9, 0.0, False), (0.0, 0.0, False),
        (0.0, 3000.0, False), (49.9, -3000.0, False),  # who tells a voltage is asked for that alone
        (None, 50.0, True), (None, -50.0, True), (None, 49.9, False), (None, -49.9, False),
        (None, 0.0, False), (None, 5000.0, True),
        (230.0, None, False), (None, None, False),  # it may have gone out with the grid
        (math.nan, 3000.0, True), (math.nan, 0.0, False), (230.0, math.nan, False),
    ],
)  # fmt: skip
def test_a_meter_that_sees_a_living_grid_denies_an_island(voltage_v, grid_w, alive):
    values = {Signal.GRID_VOLTAGE_V: voltage_v, Signal.GRID_POWER_W: grid_w, Signal.ISLANDED: 1.0}
    snapshot = snapshot_of(values)
    assert is_grid_alive(snapshot) is alive
    assert is_islanded(UNIT, snapshot) is not alive
    told = contradicted((UNIT,), snapshot)
    assert [(new.key, new.since_ns) for new in told] == (
        [(f"{UNIT}/island_contradicted", T0)] if alive else []
    )
    if alive:
        assert told[0].text.endswith(": the meter sees a living grid")


@pytest.mark.parametrize("signal", [Signal.GRID_POWER_W, Signal.GRID_VOLTAGE_V])
def test_a_meter_whose_word_is_old_denies_nothing(signal):
    """Where the voltage alone is old the power answers for it."""
    old_ns = T0 - SIGNALS[signal].max_age_ns - 1
    store = DataStore((UNIT,))
    for told, value in ((Signal.GRID_POWER_W, 49.0), (Signal.GRID_VOLTAGE_V, 230.0)):
        put(store, SITE, told, value, old_ns if told is signal else T0)
    put(store, UNIT, Signal.ISLANDED, 1.0, T0)
    assert is_islanded(UNIT, freeze(store.image(), T0))


def test_one_unit_that_feeds_the_site_alone_makes_it_an_island():
    store = DataStore(("left", "right"))
    put(store, SITE, Signal.GRID_VOLTAGE_V, 0.0, T0)
    for unit in ("left", "right"):
        put(store, unit, Signal.ISLANDED, 0.0, T0)
    assert not any_islanded(("left", "right"), freeze(store.image(), T0))
    put(store, "right", Signal.ISLANDED, 1.0, T0)
    assert any_islanded(("left", "right"), freeze(store.image(), T0))


def test_only_the_units_that_tell_of_an_island_are_contradicted():
    units = ("left", "middle", "right")
    store = healthy_store(units)
    put(store, "middle", Signal.ISLANDED, 1.0, T0 + 1)
    put(store, "right", Signal.ISLANDED, math.nan, T0 + 1)
    (told,) = contradicted(units, freeze(store.image(), T0 + 1))
    assert (told.owner, told.since_ns, told.reaction) == ("middle", T0 + 1, Reaction.LOG)


@pytest.mark.parametrize("healthy", [True, False])
def test_a_flag_that_is_not_set_or_not_known_contradicts_nothing(healthy):
    grid = {Signal.GRID_POWER_W: 0.0, Signal.GRID_VOLTAGE_V: 230.0}
    assert contradicted((UNIT,), snapshot_of(grid, healthy=healthy)) == ()


def test_a_flag_that_is_stuck_on_a_living_grid_switches_no_protection_off():
    """Without the meter's word a loss of the watchdog would not keep it from discharging."""
    for voltage_v, trips in ((230.0, True), (0.0, False)):
        bench = Bench()
        bench.start()
        bench.set(Signal.ISLANDED, 1.0)
        bench.set(Signal.GRID_VOLTAGE_V, voltage_v)
        bench.set(Signal.WATCHDOG_ARMED, 0.0)
        record = bench.run(2.0)
        assert (record.permits[UNIT].envelope.min_w == 0.0) is trips
        told = {found.row for found in record.assessment.findings}
        assert ("island_contradicted" in told) is trips


# What a finding becomes. --------------------------------------------------------------------------


@pytest.mark.parametrize("reaction", list(Reaction))
def test_what_does_not_protect_the_battery_blocks_charging_at_most(reaction):
    after = on_island(found(reaction))
    assert after.reaction is BECOMES[reaction] is ON_ISLAND[reaction]
    same = BECOMES[reaction] is reaction
    assert after.text == ("why" if same else "why; on an island this ends no discharge")
    assert (after.key, after.level, after.since_ns) == (f"{UNIT}/row", Level.ALARM, T0)


@pytest.mark.parametrize("reaction", list(Reaction))
def test_what_protects_the_battery_stays_as_it_is(reaction):
    protects = found(reaction, holds=True)
    assert on_island(protects) is protects


def test_a_finding_protects_the_battery_unless_its_table_says_otherwise():
    plain = Finding(
        owner=UNIT, row="row", level=Level.ALARM, reaction=Reaction.TRIP, since_ns=T0, text=""
    )
    assert plain.holds_on_island


@given(reaction=st.sampled_from(Reaction), after_ns=st.integers(-(10**10), 10**10))
def test_an_island_is_never_stricter_in_discharge_nor_weaker_in_charge(reaction, after_ns):
    on_grid = found(reaction).narrow(WIDE, T0 + after_ns)
    alone = on_island(found(reaction)).narrow(WIDE, T0 + after_ns)
    assert alone.max_w <= on_grid.max_w
    if reaction is not Reaction.EMERGENCY_STOP:
        assert alone.min_w == WIDE.min_w


# Which rows hold there. ---------------------------------------------------------------------------

NOT_THE_BATTERYS = {
    "soc_high", "soc_low",  # the owner's wishes
    "inverter_temperature_high", "inverter_fault", "power_mismatch_high",
}  # fmt: skip


def test_of_the_limits_those_of_the_battery_hold_and_the_owners_wishes_do_not():
    assert {row.id for row in UNIT_LIMITS if not row.of_battery} == NOT_THE_BATTERYS
    assert not any(row.of_battery for row in SITE_LIMITS)


@pytest.mark.parametrize(
    ("signal", "value", "row", "holds"),
    [
        (Signal.BMS_PROTECTION, 1.0, "bms_protection", True),
        (Signal.SOC_PCT, 5.0, "soc_low", False),
        (Signal.WATCHDOG_ARMED, 0.0, "watchdog_lost", False),
    ],
)
def test_a_finding_bears_what_its_limit_says(signal, value, row, holds):
    monitor = LimitMonitor(build_limits(build_site()))
    findings, _ = monitor.assess(snapshot_of({signal: value}), {})
    assert {finding.row: finding.holds_on_island for finding in findings} == {row: holds}


def test_of_the_curves_those_of_the_inverter_do_not_hold():
    assert {row.id for row in DERATINGS if not row.of_battery} == {
        "inverter_temperature_charge",
        "inverter_temperature_discharge",
    }


def test_all_trends_are_of_the_battery():
    """A row that is none needs findings that say so, and predictions that leave discharge."""
    assert all(SIGNALS[row.signal].of_battery for row in TRENDS)
    assert {row.trend for row in PREDICTIONS} <= {row.id for row in TRENDS}


GUARDS = {
    Guards.DEVICE: {
        "data_old", "data_missing", "data_lost", "data_bad", "data_frozen", "data_slow",
        "data_gone",
    },
    Guards.BATTERY: {
        "contactor_stuck", "contactor_welded", "precharge_failed", "contactor_worn",
        "soc_understated", "soc_overstated", "voltage_stuck", "repeated_fault", "precharge_waits",
        "wear_unknown", "resistance_rising", "resistance_doubled", "power_unseen",
        "contactor_dropped",
    },
    Guards.SITE: {
        "command_held",
        "cycle_gap", "setpoint_ignored", "setpoint_overwritten", "second_writer",
        "under_delivery", "over_delivery", "wrong_sign", "crash_loop", "latch_file_corrupt",
        "control_exception", "write_budget", "setpoint_oscillation", "meter_sign_wrong",
        "repeated_near_limit", "load_silent", "export_limit_ignored", "island_contradicted",
        "pv_switch_ignored", "import_missed", "export_missed", "mean_import_missed",
        "phases_unseen", "operator_unheard", "operator_limits",
    },
}  # fmt: skip


def test_every_fault_says_whom_it_guards():
    assert [guards.value for guards in Guards] == ["battery", "site", "device"]  # as printed
    assert {
        guards: {row for row, fault in FAULTS.items() if fault.guards is guards}
        for guards in Guards
    } == GUARDS


@pytest.mark.parametrize("device", [None, *PRODUCERS])
@pytest.mark.parametrize("row", sorted(FAULTS))
def test_lost_data_hold_where_they_are_the_bmss_or_those_of_the_emergency_stop(row, device):
    holds = row in GUARDS[Guards.BATTERY] or (
        row in GUARDS[Guards.DEVICE] and device in {Role.BMS, Role.EMERGENCY_INPUT}
    )
    assert finding(row, UNIT, T0, "", device=device).holds_on_island is holds
