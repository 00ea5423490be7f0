"""Tokens: never more than their owner may now, and not for ever."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from holdfast.api.access import Right, UserRole, rights_without_a_person
from holdfast.api.auth.accounts import Account, Accounts, ApiToken
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.tokens import (
    EACH,
    LONGEST,
    TokenIndex,
    make_token,
    rights_of_token,
)
from tests.api.auth.bench import NOON
from tests.api.auth.test_account_store import an_account

DAY = timedelta(days=1)


def make(
    account: Account,
    role: UserRole = UserRole.VIEWER,
    rights: tuple[Right, ...] | None = None,
    expires: datetime = NOON + DAY,
    name: str = "meter reader",
) -> tuple[str, ApiToken]:
    return make_token(account, name=name, role=role, rights=rights, expires=expires, now=NOON)


@pytest.mark.parametrize("owner", UserRole)
@pytest.mark.parametrize("role", UserRole)
def test_its_role_is_not_above_that_of_who_makes_it(owner: UserRole, role: UserRole) -> None:
    account = an_account(role=owner)
    if role.rank <= owner.rank:
        _, token = make(account, role)
        assert rights_of_token(account, token) == rights_without_a_person(role)
    else:
        with pytest.raises(AuthRefused, match=f"role: {role} is above yours") as refused:
            make(account, role)
        assert refused.value.status == 403


@pytest.mark.parametrize("role", UserRole)
def test_who_loses_a_role_loses_it_for_his_tokens(role: UserRole) -> None:
    _, token = make(an_account(), UserRole.ADMIN)
    now = an_account(role=role)
    assert rights_of_token(now, token) == rights_without_a_person(role)


def test_a_list_of_rights_narrows_and_never_widens() -> None:
    account = an_account(role=UserRole.OPERATOR)
    _, token = make(account, UserRole.OPERATOR, (Right.SITE_READ, Right.PLAN_OVERRIDE))
    assert rights_of_token(account, token) == {Right.SITE_READ, Right.PLAN_OVERRIDE}
    forged = replace(token, rights=(Right.CONFIG_WRITE, Right.SITE_READ, Right.USERS_MANAGE))
    assert rights_of_token(account, forged) == {Right.SITE_READ}


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"rights": (Right.CONFIG_WRITE,)}, 409, "a token of a viewer cannot have config.write"),
        ({"rights": (Right.OWN_ACCOUNT,)}, 409, "cannot have own.account"),
        ({"rights": ()}, 409, "leave them out"),
        ({"expires": NOON}, 409, "must lie ahead"),
        ({"expires": NOON - DAY}, 409, "must lie ahead"),
        ({"expires": NOON + LONGEST + DAY}, 409, "within 3650 days"),
        ({"name": "old"}, 409, "there is a token old already"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_what_would_be_right(
    change: dict[str, Any], status: int, words: str
) -> None:
    account = an_account()
    account = replace(account, tokens=(make(account, name="old")[1],))
    with pytest.raises(AuthRefused, match=words) as refused:
        make(account, **change)
    assert refused.value.status == status


def test_nobody_has_more_than_there_is_room_for() -> None:
    account = an_account()
    tokens = tuple(make(account, name=f"t{number}")[1] for number in range(EACH))
    with pytest.raises(AuthRefused, match="take one back"):
        make(replace(account, tokens=tokens))


def test_it_is_found_by_its_secret_alone_and_kept_as_a_hash() -> None:
    account = an_account()
    secret, token = make(account)
    account = replace(account, tokens=(token,))
    accounts, index = Accounts(users=(account,)), TokenIndex()
    assert secret.startswith("hf_")
    assert len(secret) > 40
    assert secret not in repr(accounts)
    for _ in range(2):
        assert index.find(accounts, secret) == (account, token)
    for other in ("", token.id, token.hash, secret[:-1], secret.upper()):
        assert index.find(accounts, other) is None
    assert index.find(Accounts(), secret) is None
