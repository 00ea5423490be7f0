"""The hazard analysis leaves out no fault and no limit, and names nothing that is not there."""

from pathlib import Path

import pytest

from holdfast.safety.faults import FAULTS
from holdfast.safety.limits import ALL_LIMITS
from tests.evidence import is_there
from tests.hazards.hazard import FailureMode, Hazard
from tests.hazards.page import INJECTION_TEST, injections, page, proofs_of
from tests.hazards.proof_names import is_proof
from tests.hazards.table import FAILURE_MODES, HAZARDS

PAGE = Path(__file__).parents[2] / "docs" / "hazards.md"


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.hazards.page > docs/hazards.md"


def test_every_row_of_the_fault_table_is_a_failure_mode_once() -> None:
    assert sorted(mode.row for mode in FAILURE_MODES) == sorted(FAULTS)


def test_every_row_of_the_limit_table_works_against_a_hazard() -> None:
    named = {limit for hazard in HAZARDS for limit in hazard.limits}
    assert named == {row.id for row in ALL_LIMITS}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.id)
def test_whatever_a_hazard_names_is_there(hazard: Hazard) -> None:
    assert [name for name in hazard.tests if not is_there(name)] == []
    assert [name for name in hazard.proofs if not is_proof(name)] == []
    assert hazard.tests
    assert hazard.last_line


@pytest.mark.parametrize("mode", FAILURE_MODES, ids=lambda mode: mode.row)
def test_whatever_a_failure_mode_names_is_there(mode: FailureMode) -> None:
    assert set(mode.hazards) <= {hazard.id for hazard in HAZARDS}
    assert mode.hazards
    assert [name for name in mode.tests if not is_there(name)] == []
    assert mode.tests or injections(mode.row)
    assert [name for name in proofs_of(mode.row) if not is_proof(name)] == []


def test_the_injections_have_a_test_that_runs_them() -> None:
    assert is_there(INJECTION_TEST)


def test_a_proof_that_is_not_there_is_found_out() -> None:
    assert is_proof("ramp.inside")
    assert is_proof("finding.narrow.trip")
    assert not is_proof("ramp.outside")
    assert not is_proof("finding.narrow.nothing")
    assert not is_proof("limit.of_nothing.")


def test_it_claims_no_level_and_says_who_is_the_last_line() -> None:
    text = PAGE.read_text("utf-8")
    assert "claims no SIL and no PL" in text
    assert "not the last line" in text
    assert all(word in text for word in ("BMS", "fuses", "residual current", "hard-wired"))
