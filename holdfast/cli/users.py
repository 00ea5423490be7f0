"""``holdfast users`` manages who may log in; it needs no page, and no running site."""

import argparse
import getpass
import sys
from datetime import UTC, datetime
from functools import partial

from holdfast.api.access import UserRole
from holdfast.api.auth.account_edits import (
    added,
    as_name,
    named,
    removed,
    with_password,
    with_role,
    without_second_factor,
    without_token,
)
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account, Accounts, ApiToken
from holdfast.api.auth.passwords import PasswordDesk, check_new_password
from holdfast.api.auth.setup_code import SetupCode
from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.client.messages import Act
from holdfast.client.operator_note import note, tell
from holdfast.core.errors import ConfigError
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf, without_account
from holdfast.site.site_file import load_site

DESCRIPTION = """\
list        print the accounts.
add         add the account NAME with --role; its password is asked for, or read from standard
            input: never an argument, which others could see.
remove      remove the account NAME, with its sessions, its tokens, and the browsers that are told.
role        give the account NAME another --role; it holds at once.
password    give the account NAME another password; all its sessions end. With
            --without-second-factor its authenticator app and passkeys are gone as well: for who
            has lost them.
setup-code  print the code with which the first admin is made on the page; 1 if there is one.
tokens      print the tokens of programs, or those of NAME; --revoke ID takes one back.

It may be used by the owner of state_dir, whether the site runs or not.
"""
_NAMELESS = frozenset({"list", "setup-code", "tokens"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=tuple(_DO))
    parser.add_argument("name", nargs="?", metavar="NAME", help="whose account")
    add_config(parser)
    add_json(parser)
    parser.add_argument("--role", choices=tuple(UserRole), help="add, role: what it may do")
    parser.add_argument(
        "--without-second-factor", action="store_true", help="password: these are gone as well"
    )
    parser.add_argument("--revoke", metavar="ID", help="tokens: take this one back")


def execute(options: argparse.Namespace) -> int:
    """Does what is asked; 1 if there is no set-up code to show."""
    if options.name is None and options.what not in _NAMELESS:
        raise ConfigError(f"{options.what}: NAME is missing: whose account is it?")
    files = SiteFiles.of(load_site(options.config))
    files.create()
    return _DO[options.what](_Desk(files), options)


class _Desk:
    """Holds the accounts of a site, and puts on record what is done to them."""

    def __init__(self, files: SiteFiles) -> None:
        self.files = files
        self.store = AccountStore(files.accounts)

    def tell(self, what: Act, detail: str) -> None:
        """Prints what was done, and tells the controller."""
        print(detail)
        why_not = tell(self.files, note(getpass.getuser(), "command line", what, detail))
        if why_not is not None:
            print(f"This is not in the audit log: {why_not}", file=sys.stderr)


def _list(desk: _Desk, options: argparse.Namespace) -> int:
    accounts = desk.store.read().users
    if options.json:
        print_json([_as_json(account) for account in accounts])
    elif not accounts:
        print("nobody has an account; `holdfast users setup-code` shows how to get in")
    else:
        head = ("name", "role", "since", "logs in by", "tokens")
        print_columns([head, *map(_row, accounts)])
    return 0


def _row(account: Account) -> tuple[str, ...]:
    ways = _ways(account)
    since = f"{account.made:%Y-%m-%d}"
    return account.name, account.role, since, ", ".join(ways) or "-", str(len(account.tokens))


def _ways(account: Account) -> list[str]:
    with_app = "password and app" if account.totp is not None else "password"
    return [
        *(["single sign-on"] if account.subject is not None else []),
        *([with_app] if account.password_hash is not None else []),
        *(["passkey"] if account.passkeys else []),
    ]


def _as_json(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "made": account.made,
        "single_sign_on": account.subject is not None,
        "password": account.password_hash is not None,
        "totp": account.totp is not None,
        "passkeys": len(account.passkeys),
        "tokens": len(account.tokens),
    }


def _token_json(account: Account, token: ApiToken) -> dict[str, object]:
    return {
        "account": account.name,
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "rights": token.rights,
        "made": token.made,
        "expires": token.expires,
    }


def _add(desk: _Desk, options: argparse.Namespace) -> int:
    name, role = as_name(options.name), _role(options)
    if desk.store.read().named(name) is not None:
        raise ConfigError(f"there is an account {name} already")
    account = Account(
        name=name, role=role, made=datetime.now(UTC), password_hash=_new_password_hash(name)
    )
    desk.store.change(lambda accounts: added(accounts, account))
    desk.tell(Act.ACCOUNT, f"{name} added as {role}")
    return 0


def _remove(desk: _Desk, options: argparse.Namespace) -> int:
    desk.store.change(lambda accounts: removed(accounts, options.name))
    PushShelf(desk.files.web_push).change(partial(without_account, account=options.name))
    desk.tell(Act.ACCOUNT, f"{options.name} removed")
    return 0


def _change_role(desk: _Desk, options: argparse.Namespace) -> int:
    role = _role(options)
    desk.store.change(lambda accounts: with_role(accounts, options.name, role))
    desk.tell(Act.ACCOUNT, f"{options.name} has the role {role}")
    return 0


def _change_password(desk: _Desk, options: argparse.Namespace) -> int:
    named(desk.store.read(), options.name)
    new_hash = _new_password_hash(options.name)

    def edit(accounts: Accounts) -> Accounts:
        accounts = with_password(accounts, options.name, new_hash)
        if options.without_second_factor:
            accounts = without_second_factor(accounts, options.name)
        return accounts

    desk.store.change(edit)
    factors = ", without second factor" if options.without_second_factor else ""
    desk.tell(Act.ACCOUNT, f"{options.name} has a new password{factors}")
    return 0


def _show_setup_code(desk: _Desk, options: argparse.Namespace) -> int:
    code = SetupCode(desk.files.accounts, desk.store).shown()
    if options.json:
        print_json({"code": code})
    elif code is None:
        print("the site is set up: an admin adds accounts, or `holdfast users add`")
    else:
        print(code)
    return 1 if code is None else 0


def _tokens(desk: _Desk, options: argparse.Namespace) -> int:
    accounts = desk.store.read()
    if options.name is not None:
        named(accounts, options.name)
    found = [
        (account, token)
        for account, token in accounts.tokens()
        if options.name in {None, account.name}
    ]
    if options.revoke is not None:
        owners = [account.name for account, token in found if token.id == options.revoke]
        return _revoke(desk, options.revoke, owners)
    if options.json:
        print_json([_token_json(account, token) for account, token in found])
        return 0
    rows = [
        (account.name, token.id, token.name, token.role, f"{token.expires:%Y-%m-%d}")
        for account, token in found
    ]
    print_columns([("account", "id", "name", "role", "until"), *rows])
    return 0


def _revoke(desk: _Desk, token_id: str, owners: list[str]) -> int:
    if not owners:
        raise ConfigError(f"there is no token {token_id}; `holdfast users tokens` lists them")
    desk.store.change(lambda accounts: without_token(accounts, owners[0], token_id))
    desk.tell(Act.TOKEN, f"token {token_id} of {owners[0]} taken back")
    return 0


def _role(options: argparse.Namespace) -> UserRole:
    if options.role is None:
        raise ConfigError(f"--role is missing: {', '.join(UserRole)}")
    return UserRole(options.role)


def _new_password_hash(name: str) -> str:
    password = _typed_password(name)
    check_new_password(name, password)
    desk = PasswordDesk()
    try:
        return desk.hash(password)
    finally:
        desk.close()


def _typed_password(name: str) -> str:
    """Reads it from a terminal, twice; from anything else one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"New password for {name}: ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigError("the two are not the same; nothing was changed")
    return password


_DO = {
    "list": _list,
    "add": _add,
    "remove": _remove,
    "role": _change_role,
    "password": _change_password,
    "setup-code": _show_setup_code,
    "tokens": _tokens,
}
