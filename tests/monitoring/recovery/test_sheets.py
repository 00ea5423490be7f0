"""One sheet has all of a fault, and says the same as the tables it is made of."""

import pytest

from holdfast.core.errors import ConfigError
from holdfast.monitoring.recovery.rows import ROWS
from holdfast.monitoring.recovery.sheets import fault_sheets, sheet_of
from holdfast.monitoring.recovery.symptoms import SYMPTOMS
from holdfast.safety.clearing import is_for_service


def test_every_row_has_a_sheet_in_its_order() -> None:
    assert [sheet.row for sheet in fault_sheets()] == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_who_ends_it_is_who_may_clear_it(row: str) -> None:
    sheet = sheet_of(row)
    service = sheet.latches and is_for_service(f"site/{row}") and row != "emergency_stop"
    assert ("--service" in sheet.ends) == service
    assert bool(sheet.for_service) == service
    assert sheet.ends.startswith("by itself") != sheet.latches


def test_levels_and_hold_times_are_told() -> None:
    assert "no charging; beyond: a trip" in sheet_of("cell_voltage_high").follows
    assert sheet_of("data_lost").ends == (
        "by itself, once its cause has been gone for 1 s (of a BMS: 30 s)"
    )
    assert "faster: a trip" in sheet_of("cell_heating").follows
    assert sheet_of("predicted_cell_voltage_high").follows.startswith("less charging,")


def test_it_is_found_by_any_name_that_people_see() -> None:
    for name in ("data_gone", "meter_data_gone", "site/meter_data_gone"):
        assert sheet_of(name).row == "data_gone"
    with pytest.raises(ConfigError, match="no fault called 'x/nothing'"):
        sheet_of("x/nothing")


def test_each_symptom_says_what_to_do() -> None:
    seen = [symptom.seen for symptom in SYMPTOMS]
    assert len(set(seen)) == len(seen)
    assert all(symptom.why and symptom.steps for symptom in SYMPTOMS)
