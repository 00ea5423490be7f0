"""The page of requirements says what the tables say, and names nothing that is not there."""

import re
from pathlib import Path

import pytest

from tests.evidence import is_there
from tests.security.page import TABLES, page
from tests.security.requirement import Answer, Requirement

ROWS = [row for table in TABLES.values() for row in table]
PAGE = Path(__file__).parents[2] / "docs" / "security-requirements.md"


def test_the_page_is_what_the_tables_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "run: python -m tests.security.page > docs/security-requirements.md"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_whatever_a_row_names_is_there(row: Requirement) -> None:
    assert [name for name in row.evidence if not is_there(name)] == []


def test_what_is_met_is_shown_and_what_is_not_says_why() -> None:
    assert [row.id for row in ROWS if row.answer is Answer.MET and not row.evidence] == []
    assert [row.id for row in ROWS if not row.how] == []


def test_no_requirement_stands_twice_and_none_of_62443_is_left_out() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    numbers = {re.sub(r"[A-Z]+ ", "", row.id) for row in TABLES["IEC 62443-4-2"]}
    counts = {1: 14, 2: 13, 3: 14, 4: 3, 5: 4, 6: 2, 7: 8}
    assert numbers == {f"{part}.{n}" for part, count in counts.items() for n in range(1, count + 1)}


def test_evidence_that_is_not_there_is_found_out() -> None:
    assert is_there("security/test_page.py::test_evidence_that_is_not_there_is_found_out")
    assert is_there("SECURITY.md")
    assert not is_there("security/test_page.py::test_of_nothing")
    assert not is_there("security/test_nothing.py")
