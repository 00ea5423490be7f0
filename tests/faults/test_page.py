"""docs/faults.md is what the table says, and each test that it names is there."""

import re
from pathlib import Path

import pytest

from holdfast.safety.faults import FAULTS as FAULT_ROWS
from holdfast.safety.faults import names_of
from holdfast.safety.limits import ALL_LIMITS
from holdfast.safety.trend_analyzer import TRENDS
from holdfast.testing.faults.table import FAULTS
from tests.faults.elsewhere import ELSEWHERE, NOT_HERE
from tests.faults.page import page

TESTS = Path(__file__).parent.parent


def test_the_page_is_what_the_table_says() -> None:
    written = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m tests.faults.page > docs/faults.md"


@pytest.mark.parametrize("name", sorted({name for row in ELSEWHERE for name in row.tests}))
def test_a_test_that_is_named_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    text = (TESTS / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {test}\(", text, re.M), name


def test_no_fault_has_two_rows() -> None:
    names = [row.name for table in (FAULTS, ELSEWHERE, NOT_HERE) for row in table]
    assert len(set(names)) == len(names)


def test_what_is_found_is_a_row_of_the_tables() -> None:
    known = {row.id for row in ALL_LIMITS} | {row.id for row in TRENDS}
    known |= {name for row in FAULT_ROWS for name in names_of(row)}
    assert {fault.finding for fault in FAULTS} - {""} <= known
