"""Whoever stands before a fault finds what it means and what to do, for every row there is."""

import pytest

from holdfast.core.signals import PRODUCERS
from holdfast.monitoring.language import Language
from holdfast.monitoring.recovery import steps as s
from holdfast.monitoring.recovery.latched import latched_faults
from holdfast.monitoring.recovery.meaning import steps_for, what_is
from holdfast.monitoring.recovery.rows import DEVICES, EMERGENCY_STOP, ROWS, UNKNOWN
from holdfast.safety.clearing import SERVICE_ONLY
from holdfast.safety.faults import FAULTS, Clearing, names_of
from holdfast.safety.finding import Level
from holdfast.safety.limits import ALL_LIMITS
from holdfast.safety.trend_analyzer import PREDICTIONS, TRENDS
from tests.monitoring.statuses import power, status

LATCHING = {
    *(row for row, fault in FAULTS.items() if fault.clearing is not Clearing.BY_ITSELF),
    *(limit.id for limit in ALL_LIMITS if limit.clearing is not Clearing.BY_ITSELF),
    *(trend.id for trend in TRENDS if trend.levels[0][0] is Level.TRIP),
}
OTHERS = {
    *FAULTS,
    *(limit.id for limit in ALL_LIMITS),
    *(trend.id for trend in TRENDS),
    *(row.id for row in PREDICTIONS),
}


def test_every_row_of_the_tables_has_its_steps_and_no_other() -> None:
    assert ROWS.keys() == OTHERS | {EMERGENCY_STOP}
    assert set(PRODUCERS) == DEVICES.keys()


@pytest.mark.parametrize("row", sorted(LATCHING))
def test_the_steps_of_what_latches_end_with_who_may_reset_it(row: str) -> None:
    steps = ROWS[row].steps
    if row in SERVICE_ONLY:
        assert steps[-2:] == (s.CALL, s.SERVICE_RESET)
        assert s.RESET not in steps
    else:
        assert steps[-2] is s.RESET
        assert steps[-1] in {s.AGAIN, s.BALANCE}
        assert s.SERVICE_RESET not in steps


@pytest.mark.parametrize("row", sorted(OTHERS - LATCHING))
def test_what_ends_by_itself_asks_for_no_reset(row: str) -> None:
    assert not {s.RESET, s.SERVICE_RESET} & set(ROWS[row].steps)


@pytest.mark.parametrize(
    "row",
    ["cell_heating", "cell_temperature_high", "cell_voltage_high", "charge_current_high",
     "bms_protection"],
)  # fmt: skip
def test_what_may_burn_says_first_to_look_from_a_distance(row: str) -> None:
    assert ROWS[row].steps[0] is s.SMELL


def test_every_step_is_said_in_both_languages_and_stands_in_a_row() -> None:
    named = {name: step for name, step in vars(s).items() if name.isupper()}
    used = {step for row in (*ROWS.values(), UNKNOWN) for step in row.steps}
    assert {name for name, step in named.items() if step not in used} == set()
    for step in named.values():
        assert step.en != step.de
        assert min(len(step.en), len(step.de)) > 20


def test_a_row_is_told_with_its_device_and_its_owner() -> None:
    for row in FAULTS:
        for name in names_of(row):
            told = what_is("battery", name)
            assert UNKNOWN.what.en not in told, name
            assert told.startswith("battery")
    assert what_is("site", "meter_data_gone") == "grid meter: it has been silent for too long"
    assert what_is("site", "pv_meter_data_gone").startswith("PV meter: ")


def test_what_is_latched_comes_with_who_clears_it_the_stop_first() -> None:
    stopped = status(
        emergency_stop_latched=True,
        latched_faults=("battery/cell_voltage_high", "battery/insulation_low", "x/not_known"),
    )
    found = latched_faults(stopped)
    assert [(one.row, one.cleared_by) for one in found] == [
        ("site/emergency_stop", "operator"),
        ("battery/cell_voltage_high", "operator"),
        ("battery/insulation_low", "service"),
        ("x/not_known", "service"),
    ]
    assert all(one.steps for one in found)
    assert latched_faults(status()) == ()


def test_a_latch_that_no_table_knows_is_for_service_and_told_as_such() -> None:
    fault, _ = latched_faults(status(latched_faults=("battery/fault_of_tomorrow", "no owner")))
    assert fault.cleared_by == "service"
    assert "does not know" in fault.text
    assert "call service" in " ".join(fault.steps).lower()


def test_steps_come_in_the_language_that_is_asked_for() -> None:
    assert steps_for("cell_heating", Language.DE)[0].startswith("Zuerst aus der Ferne")
    assert steps_for("cell_heating")[0].startswith("First from a distance")


def test_the_owner_is_told_where_there_is_more_than_one() -> None:
    latched = ("battery/wrong_sign",)
    (alone,) = latched_faults(status(latched_faults=latched))
    assert alone.text == "power flowed the wrong way"
    two = status(latched_faults=latched, quantities=(power(0.0), power(0.0, "shed")))
    (named,) = latched_faults(two)
    assert named.text == "battery: power flowed the wrong way"
    (brief,) = latched_faults(status(latched_faults=latched, quantities=()))
    assert brief.text == named.text
