"""Who may clear a latched trip: an operator where the tables say so, and else service alone."""

from dataclasses import replace

import pytest

from holdfast.core.latches import CONTROL_EXCEPTION, CRASH_LOOP, LATCH_FILE_CORRUPT
from holdfast.core.signals import PRODUCERS, SITE
from holdfast.safety import clearing
from holdfast.safety.clearing import SERVICE_ONLY, is_for_service, why_service
from holdfast.safety.faults import FAULTS, Clearing, finding
from holdfast.safety.limits import ALL_LIMITS, SITE_LIMITS, UNIT_LIMITS
from holdfast.safety.trend_analyzer import TRENDS
from tests.builders import T0, UNIT

FOR_SERVICE = {
    "cell_voltage_low", "pack_voltage_low", "cell_temperature_high", "insulation_low",
    "cell_heating", "contactor_welded", "latch_file_corrupt",
}  # fmt: skip
FOR_OPERATORS = {
    "cell_voltage_high", "pack_voltage_high", "charge_current_high", "discharge_current_high",
    "cycle_gap", "setpoint_ignored", "over_delivery", "wrong_sign", "contactor_stuck",
    "precharge_failed", "repeated_fault", "crash_loop", "control_exception",
    "second_writer", "data_gone", "power_unseen", "contactor_dropped",
}  # fmt: skip


def test_the_tables_say_it_row_by_row():
    rows = {name: row.clearing for name, row in FAULTS.items()}
    rows |= {row.id: row.clearing for row in ALL_LIMITS}
    assert (*UNIT_LIMITS, *SITE_LIMITS) == ALL_LIMITS
    marked = {name for name, who in rows.items() if who is Clearing.SERVICE}
    assert marked == FOR_SERVICE - {"cell_heating"}  # trends have no column
    assert {name for name, who in rows.items() if who is Clearing.OPERATOR} == FOR_OPERATORS
    assert SERVICE_ONLY.keys() == FOR_SERVICE


@pytest.mark.parametrize("row", sorted(FOR_SERVICE))
@pytest.mark.parametrize("owner", [UNIT, "left", SITE])
def test_what_is_for_service_says_why(owner, row):
    assert is_for_service(f"{owner}/{row}")
    assert why_service(f"{owner}/{row}") == f"{owner}/{row} ({SERVICE_ONLY[row]})"


@pytest.mark.parametrize("row", sorted(FOR_OPERATORS))
def test_the_other_trips_are_for_operators(row):
    assert not is_for_service(f"{UNIT}/{row}")


@pytest.mark.parametrize("device", PRODUCERS)
def test_a_fault_of_a_device_is_known_by_its_name_with_the_device(device):
    welded = finding("contactor_welded", UNIT, T0, "", device=device).key
    assert is_for_service(welded)
    assert why_service(welded) == f"{welded} ({SERVICE_ONLY['contactor_welded']})"
    assert not is_for_service(finding("setpoint_ignored", UNIT, T0, "", device=device).key)


@pytest.mark.parametrize(
    "unknown",
    ["battery/no_such_row", "cycle_gap", "", "/", "battery/", "battery/cycle_gap/x",
     "battery/soc_low", "battery/data_lost", "battery/robot_cycle_gap", "cycle_gap/battery"],
)  # fmt: skip
def test_what_no_table_lets_an_operator_clear_is_for_service(unknown):
    """A row that never trips cannot have been latched: what was, is not known."""
    assert is_for_service(unknown)
    assert why_service(unknown) == f"{unknown} (no row of the tables is called so)"


def test_what_is_latched_without_a_finding_has_its_row():
    assert not is_for_service(CRASH_LOOP)
    assert not is_for_service(CONTROL_EXCEPTION)
    # It may have held anything: who corrupts the file must not clear what was for service.
    assert is_for_service(LATCH_FILE_CORRUPT)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SERVICE_ONLY", {k: v for k, v in SERVICE_ONLY.items() if k != "contactor_welded"}),
        ("SERVICE_ONLY", {k: v for k, v in SERVICE_ONLY.items() if k != "insulation_low"}),
        ("SERVICE_ONLY", {k: v for k, v in SERVICE_ONLY.items() if k != "cell_heating"}),
        ("SERVICE_ONLY", {**SERVICE_ONLY, "soc_high": "why not"}),
        ("TRENDS", tuple(replace(row, levels=row.levels[-1:]) for row in TRENDS)),
    ],
)
def test_a_row_for_service_without_a_reason_is_refused(name, wrong, monkeypatch):
    monkeypatch.setattr(clearing, name, wrong)
    with pytest.raises(AssertionError, match="each row for service has its reason, and no other"):
        clearing._check_tables()


def test_a_name_that_both_may_clear_is_refused(monkeypatch):
    monkeypatch.setattr(clearing, "_OPERATORS", frozenset({"relays_contactor_welded"}))
    with pytest.raises(AssertionError, match="is called like one for operators"):
        clearing._check_tables()
