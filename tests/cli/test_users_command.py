"""``holdfast users``: who may log in, without the web, and beside an API that runs."""

import getpass
import io
import json
from pathlib import Path

import pytest
import yaml

from holdfast.api.access import UserRole
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.passwords import PasswordDesk
from holdfast.api.auth.setup_code import SetupCode
from holdfast.api.auth.tokens import make_token
from holdfast.cli import users
from holdfast.cli.main import main
from holdfast.client.messages import Act, OperatorMessage
from holdfast.core.config.api import Api
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import with_browser
from holdfast.testing.sites import example_content
from tests.api.auth.bench import NOON, PASSWORD, QUICK, Clock
from tests.api.auth.test_account_store import FULL
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.runtime.notification.push_service import Telephone


class Desk:
    """The command line of somebody at the site's computer."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = folder / "site.yaml"
        content = example_content(folder)
        self.config.write_text(yaml.safe_dump(content))
        self.files = SiteFiles(state_dir=folder / content["state_dir"])
        self.files.create()
        self._monkeypatch = monkeypatch
        self.told: list[OperatorMessage] = []
        monkeypatch.setattr(users, "PasswordDesk", lambda: PasswordDesk(QUICK))
        monkeypatch.setattr(users, "tell", lambda _, message: self.told.append(message))

    def run(self, *words: str, typed: str = "", terminal: bool = False) -> int:
        stdin = io.StringIO(typed)
        stdin.isatty = lambda: terminal  # type: ignore[method-assign]
        self._monkeypatch.setattr("sys.stdin", stdin)
        return main(["users", *words, "--config", str(self.config)])

    def auth(self) -> Auth:
        """What the API beside it knows."""
        return Auth(Api(), self.files, "house", now=Clock(), passwords=PasswordDesk(QUICK))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_an_account_that_is_added_here_counts_at_once_there(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = desk.auth()
    assert auth.setup.is_needed()
    assert desk.run("add", "Anna", "--role", "admin", typed=f"{PASSWORD}\n") == 0
    assert "anna added as admin" in capsys.readouterr().out
    assert not auth.setup.is_needed()
    logged_in = auth.login.with_password("anna", PASSWORD, "", "192.0.2.1")
    assert auth.session_of(logged_in.secret) is not None
    assert desk.run("role", "anna", "--role", "viewer") == 2  # the last admin
    assert desk.run("add", "otto", "--role", "admin", typed=PASSWORD) == 0
    assert desk.run("role", "anna", "--role", "viewer") == 0
    account = auth.store.read().named("anna")
    assert account is not None
    assert account.role is UserRole.VIEWER
    assert auth.session_of(logged_in.secret) is not None
    assert desk.run("password", "anna", typed="another good one\n") == 0
    assert auth.session_of(logged_in.secret) is None
    auth.login.with_password("anna", "another good one", "", "192.0.2.1")
    browser = Telephone(endpoint="https://web.push.apple.com/x").of("anna")
    auth.push_shelf.change(lambda book: with_browser(book, browser))
    assert desk.run("remove", "anna") == 0
    assert auth.store.read().named("anna") is None
    assert auth.push_shelf.read().browsers == ()
    auth.close()
    assert [message.detail for message in desk.told] == [
        "anna added as admin", "otto added as admin", "anna has the role viewer",
        "anna has a new password", "anna removed",
    ]  # fmt: skip
    assert {(m.who, m.how, m.what) for m in desk.told} == {
        (getpass.getuser(), "command line", Act.ACCOUNT)
    }


def test_who_has_lost_telephone_and_password_gets_in_again(desk: Desk) -> None:
    auth = desk.auth()
    auth.store.change(lambda _: FULL)
    words = ("password", "anna", "--without-second-factor")
    assert desk.run(*words, typed="another good one") == 0
    auth.login.with_password("anna", "another good one", "", "192.0.2.1")
    account = auth.store.read().named("anna")
    assert account is not None
    assert (account.totp, account.passkeys) == (None, ())
    auth.close()


def test_the_setup_code_is_the_one_that_the_api_takes(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run("setup-code") == 0
    code = capsys.readouterr().out.strip()
    assert desk.run("setup-code", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"code": code}
    store = AccountStore(desk.files.accounts)
    setup = SetupCode(desk.files.accounts, store)
    assert setup.shown() == code
    setup.make_admin(code, Account(name="anna", role=UserRole.ADMIN, made=NOON))
    assert desk.run("setup-code") == 1
    assert "the site is set up" in capsys.readouterr().out


def test_tokens_are_shown_and_taken_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    auth = desk.auth()
    account = Account(name="anna", role=UserRole.ADMIN, made=NOON)
    expires = NOON.replace(year=2030)
    secret, token = make_token(
        account, name="reader", role=UserRole.VIEWER, rights=None, expires=expires, now=NOON
    )
    auth.store.change(
        lambda accounts: accounts.having(
            Account(name="anna", role=UserRole.ADMIN, made=NOON, tokens=(token,))
        )
    )
    assert desk.run("tokens") == 0
    out = capsys.readouterr().out
    assert out.split()[5:] == ["anna", token.id, "reader", "viewer", "2030-11-29"]
    assert secret not in out
    assert desk.run("tokens", "otto") == 2
    assert desk.run("tokens", "--revoke", "unknown") == 2
    assert desk.run("tokens", "--revoke", token.id) == 0
    assert list(auth.store.read().tokens()) == []
    auth.close()


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("add",), "", "NAME is missing"),
        (("remove",), "", "NAME is missing"),
        (("add", "otto"), PASSWORD, "--role is missing: viewer, operator, service, admin"),
        (("add", "ot to", "--role", "admin"), PASSWORD, "letters from a to z"),
        (("add", "anna", "--role", "admin"), PASSWORD, "there is an account anna already"),
        (("add", "otto", "--role", "admin"), "short", "10 are the least"),
        (("add", "otto", "--role", "admin"), "", "has 0 characters"),
        (("remove", "nobody"), "", "there is no account nobody"),
        (("remove", "anna"), "", "is the last admin"),
        (("role", "nobody", "--role", "viewer"), "", "there is no account nobody"),
        (("role", "anna"), "", "--role is missing"),
        (("password", "nobody"), PASSWORD, "there is no account nobody"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_changes(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    typed: str,
    said: str,
) -> None:
    assert desk.run("add", "anna", "--role", "admin", typed=PASSWORD) == 0
    path = desk.files.accounts / "accounts.json"
    before = path.read_bytes()
    capsys.readouterr()
    assert desk.run(*words, typed=typed) == 2
    found = capsys.readouterr()
    assert (found.out, said in found.err) == ("", True), found.err
    assert path.read_bytes() == before


def test_a_damaged_file_is_told_with_the_way_out_and_left_as_it_is(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run("add", "anna", "--role", "admin", typed=PASSWORD)
    path = desk.files.accounts / "accounts.json"
    path.write_bytes(b"torn")
    for words in (
        ("list",), ("setup-code",), ("tokens",), ("remove", "anna"),
        ("add", "otto", "--role", "admin"), ("password", "anna"),
    ):  # fmt: skip
        capsys.readouterr()
        assert desk.run(*words, typed=PASSWORD) == 2
        assert "put a copy of it back, or move it away" in capsys.readouterr().err
    assert path.read_bytes() == b"torn"
    path.rename(path.with_suffix(".torn"))
    assert desk.run("setup-code") == 0


def test_a_list_for_people_and_one_for_programs(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run("list") == 0
    assert "holdfast users setup-code" in capsys.readouterr().out
    desk.auth().store.change(lambda _: FULL)
    assert desk.run("list") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["name", "role", "since", "logs", "in", "by", "tokens"]
    assert rows[1].split() == [
        "anna", "admin", "2026-11-29", "password", "and", "app,", "passkey", "1",
    ]  # fmt: skip
    assert rows[2].split() == ["sso:otto", "viewer", "2026-11-29", "single", "sign-on", "0"]
    for name in ("list", "setup-code", "tokens"):
        code = desk.run(name, "--json")
        found = json.loads(capsys.readouterr().out)
        assert list(complaints(shape(OUTPUTS[f"users {name}"]), found)) == []
        assert code == (1 if name == "setup-code" else 0)


def test_a_password_is_typed_twice_at_a_terminal_and_shown_nowhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter([PASSWORD, "another one", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert desk.run("add", "anna", "--role", "admin", terminal=True) == 2
    assert "not the same; nothing was changed" in capsys.readouterr().err
    assert desk.run("add", "anna", "--role", "admin", terminal=True) == 0
    assert PASSWORD not in "".join(capsys.readouterr())


def test_what_is_not_on_record_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(users, "tell", lambda *_: "no controller answers")
    assert desk.run("add", "anna", "--role", "admin", typed=PASSWORD) == 0
    assert "not in the audit log: no controller answers" in capsys.readouterr().err
