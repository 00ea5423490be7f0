"""The set-up code: who reads it on the site's computer makes the first admin, once and in time."""

import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.api.access import UserRole
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.setup_code import LASTS, SetupCode
from holdfast.core.errors import AccountsCorrupt, ConfigError
from tests.api.auth.bench import Clock
from tests.api.auth.test_account_store import an_account


class Setup:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.store = AccountStore(folder)
        self.code = SetupCode(folder, self.store, self.clock)

    def shown(self) -> str:
        code = self.code.shown()
        assert code is not None
        return code


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path / "accounts")


def test_it_makes_the_first_admin_once(setup: Setup) -> None:
    code = setup.shown()
    assert setup.code.is_needed()
    setup.code.make_admin(code, an_account())
    assert not setup.code.is_needed()
    assert setup.code.shown() is None
    with pytest.raises(AuthRefused, match="set up already"):
        setup.code.make_admin(code, an_account("mallory"))
    assert [account.name for account in setup.store.read().users] == ["anna"]
    # Nor does the old one count if the last admin is gone.
    setup.store.change(lambda accounts: accounts.without("anna"))
    with pytest.raises(AuthRefused, match="no longer valid"):
        setup.code.make_admin(code, an_account("mallory"))


def test_it_can_be_typed_as_people_type(setup: Setup) -> None:
    code = setup.shown()
    assert re.fullmatch(r"([2-9A-HJ-NP-TV-Z]{4}-){2}[2-9A-HJ-NP-TV-Z]{4}", code)
    setup.code.make_admin(f" {code.lower().replace('-', ' ')} ", an_account())
    assert setup.store.read().has_admin


@pytest.mark.parametrize(
    "change", [lambda c: "", lambda c: c[:-1], lambda c: c + "2", lambda c: "é"]
)
def test_a_wrong_one_makes_nobody(setup: Setup, change: object) -> None:
    code = setup.shown()
    with pytest.raises(AuthRefused, match=r"code: is wrong.*holdfast users setup-code") as refused:
        setup.code.make_admin(change(code), an_account())  # type: ignore[operator]
    assert refused.value.status == 403
    assert setup.store.read().users == ()
    setup.code.make_admin(code, an_account())


def test_it_is_the_same_for_who_looks_again_and_another_one_a_day_later(setup: Setup) -> None:
    code = setup.shown()
    assert setup.shown() == code
    assert SetupCode(setup.folder, setup.store, setup.clock).shown() == code
    setup.clock.utc += LASTS
    with pytest.raises(AuthRefused, match="no longer valid"):
        setup.code.make_admin(code, an_account())
    assert setup.shown() != code


def test_it_is_for_who_may_read_the_state_alone(setup: Setup) -> None:
    setup.shown()
    mode = (setup.folder / "setup_code.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "", "{", '{"text": "2222-2222-2222"}',
        '{"text": "2222-2222-2222", "expires": "2999-01-01T00:00:00Z"}',
        '{"text": "2222-2222-2222", "expires": "2026-11-29T20:00:00"}',
        '{"text": "", "expires": "2026-11-29T20:00:00Z"}',
        '{"text": "2222", "expires": "2026-11-29T20:00:00Z"}',
    ],
)  # fmt: skip
def test_what_somebody_else_wrote_there_is_no_code(setup: Setup, content: str) -> None:
    setup.shown()
    (setup.folder / "setup_code.json").write_text(content)
    for typed in ("2222-2222-2222", "2222", ""):
        with pytest.raises(AuthRefused):
            setup.code.make_admin(typed, an_account())
    assert len(setup.shown()) == 14


def test_where_the_accounts_cannot_be_trusted_there_is_no_way_around_them(setup: Setup) -> None:
    code = setup.shown()
    (setup.folder / "accounts.json").write_bytes(b"torn")
    for asked in (setup.code.is_needed, setup.code.shown):
        with pytest.raises(AccountsCorrupt):
            asked()
    with pytest.raises(AccountsCorrupt):
        setup.code.make_admin(code, an_account())


def test_others_do_not_make_it_superfluous_nor_lose_their_names(setup: Setup) -> None:
    viewer = an_account("anna", UserRole.VIEWER)
    setup.store.change(lambda accounts: accounts.having(viewer))
    code = setup.shown()
    with pytest.raises(AuthRefused, match="there is a anna already"):
        setup.code.make_admin(code, an_account("anna"))
    setup.code.make_admin(code, replace(viewer, name="owner", role=UserRole.ADMIN))
    assert setup.store.read().named("anna") == viewer


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "accounts"
    with pytest.raises((ConfigError, AccountsCorrupt), match="accounts"):
        SetupCode(folder, AccountStore(folder)).shown()
