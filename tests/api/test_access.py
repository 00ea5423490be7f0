"""The one table of rights: who may do what, told the same everywhere."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.api.access import (
    ACCESS,
    Right,
    UserRole,
    access_table,
    access_to,
    rights_of,
    rights_without_a_person,
)

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def test_the_page_has_the_table() -> None:
    assert access_table() in PAGE.read_text("utf-8"), "run: python -m tests.api.test_access"


def test_the_table_has_a_row_for_each_right_with_a_text_of_its_own() -> None:
    assert [row.right for row in ACCESS] == list(Right)
    assert len({row.text for row in ACCESS}) == len(ACCESS)
    assert all(access_to(right).right is right for right in Right)


def test_whoever_has_a_role_may_do_what_those_before_it_may() -> None:
    rights = [rights_of(None), *map(rights_of, UserRole)]
    assert all(less < more for less, more in pairwise(rights))
    assert rights[-1] == frozenset(Right)


def test_anybody_may_stop_and_nothing_else() -> None:
    assert rights_of(None) == {Right.SITE_STOP}


def test_a_viewer_changes_nothing_of_the_site() -> None:
    assert rights_of(UserRole.VIEWER) == {
        Right.SITE_READ, Right.SITE_STOP, Right.HISTORY_EXPORT, Right.OWN_ACCOUNT,
    }  # fmt: skip


@pytest.mark.parametrize("right", [Right.CONFIG_WRITE, Right.USERS_MANAGE])
def test_only_an_admin_decides_who_else_may_do_what(right: Right) -> None:
    """site.yaml says who has which role by single sign-on."""
    assert [role for role in UserRole if right in rights_of(role)] == [UserRole.ADMIN]


def test_no_token_makes_tokens_or_accounts() -> None:
    for role in UserRole:
        assert not rights_without_a_person(role) & {Right.OWN_ACCOUNT, Right.USERS_MANAGE}


if __name__ == "__main__":
    sys.stdout.write(access_table() + "\n")
