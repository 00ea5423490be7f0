"""Auth joins what tells who asks, and decides what he may do by the one table of rights."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from holdfast.api.access import (
    Principal,
    Right,
    UserRole,
    access_to,
    rights_of,
    rights_without_a_person,
)
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.attempt_limit import LoginLimits
from holdfast.api.auth.challenges import Challenges
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.login import LoginDesk
from holdfast.api.auth.passkeys import PasskeyDesk
from holdfast.api.auth.passwords import PasswordDesk
from holdfast.api.auth.request_origin import (
    client_address,
    is_cross_site,
    is_local,
    own_origin,
)
from holdfast.api.auth.sessions import Session, SessionBook, utc_now
from holdfast.api.auth.setup_code import SetupCode
from holdfast.api.auth.tokens import TokenIndex, rights_of_token
from holdfast.api.freshness import CommandFreshness
from holdfast.client.messages import Act
from holdfast.client.operator_note import OperatorNotes, note
from holdfast.core.config.api import Api, Oidc
from holdfast.core.errors import AccountsCorrupt
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf

if TYPE_CHECKING:
    from holdfast.api.auth.oidc import SingleSignOn

COOKIE = "holdfast_session"
HEADER = "X-Holdfast"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_NOBODY = rights_of(None)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTotp:
    """Holds a secret that somebody's app has been shown, and has not proved to know."""

    account: str
    secret: str


class Auth:
    """Knows who may do what at one site."""

    def __init__(
        self,
        api: Api,
        files: SiteFiles,
        site_name: str,
        *,
        oidc_secret: str = "",
        now: Callable[[], datetime] = utc_now,
        passwords: PasswordDesk | None = None,
    ) -> None:
        """``oidc_secret`` is what stands in the environment as api.oidc.client_secret_env."""
        folder = files.accounts
        self.api = api
        self.site_name = site_name
        self.now = now
        self.store = AccountStore(folder)
        self.sessions = SessionBook(folder, now)
        self.push_shelf = PushShelf(files.web_push)
        self.passwords = passwords or PasswordDesk()
        self.setup = SetupCode(folder, self.store, now)
        self.passkeys = PasskeyDesk()
        self.pending_totp: Challenges[PendingTotp] = Challenges()
        self.freshness = CommandFreshness(now)
        self.sso = None if api.oidc is None else _single_sign_on(api.oidc, oidc_secret)
        self._notes = OperatorNotes(files)
        self._tokens = TokenIndex()
        self.login = LoginDesk(
            store=self.store,
            sessions=self.sessions,
            passwords=self.passwords,
            setup=self.setup,
            limits=LoginLimits(),
            passkeys=self.passkeys,
            tell=self.record,
            now=now,
        )

    async def admitted(self, connection: HTTPConnection, right: Right) -> Principal:
        """Does as :meth:`admit`, for a route; what is in use is kept now and then."""
        principal = self.admit(connection, right)
        if self.sessions.has_to_save():
            await run_in_threadpool(self.sessions.save)
        return principal

    def admit(self, connection: HTTPConnection, right: Right) -> Principal:
        """Returns who asks, if he may. Raises AuthRefused (401, 403), AccountsCorrupt."""
        changes = connection.scope["type"] == "websocket" or (
            connection.scope.get("method") not in _READS
        )
        if changes:
            self.check_own_page(connection)
        if access_to(right).least is None:
            # A stop asks for nothing: whatever is wrong with who asks, it is taken.
            with suppress(AuthRefused, AccountsCorrupt):
                return self.principal(connection)
            return self._anybody(connection)
        principal = self.principal(connection)
        if right not in principal.rights:
            self._refuse(principal, right)
        if principal.session is not None and connection.scope.get("method", "GET") not in _READS:
            _check_header(connection)
        return principal

    def principal(self, connection: HTTPConnection) -> Principal:
        """Returns who asks. Raises AuthRefused (401) for a token that is none, AccountsCorrupt."""
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":  # a proxy may hand on something else
            return self._program(connection, token.strip())
        secret = connection.cookies.get(COOKIE)
        if secret:
            person = self.person(connection, secret)
            if person is not None:
                return person
        return self._anybody(connection)

    def session_of(self, secret: str) -> Session | None:
        """Returns the session of a cookie; None if it has ended, or its account has changed."""
        session = self.sessions.find(secret)
        if session is None:
            return None
        account = self.store.read().named(session.account)
        if account is None or account.stamp != session.stamp:
            self.sessions.drop(session)
            return None
        return session

    def check_own_page(self, connection: HTTPConnection) -> None:
        """Raises AuthRefused (403) if another site's page asks."""
        if is_cross_site(connection, self.api.public_url):
            _log.warning("a page of %s asked", connection.headers.get("origin", "another site"))
            raise AuthRefused(
                403,
                "a page of another site has asked for this. If a proxy stands before, write the "
                "address that people see into site.yaml: api.public_url",
            )

    def check_reset(self, connection: HTTPConnection, *, emergency_stop_latched: bool) -> None:
        """Raises AuthRefused (403) for a reset after an emergency stop that is asked from afar."""
        if emergency_stop_latched and not self.is_local(connection):
            raise AuthRefused(
                403,
                "after an emergency stop somebody has to look before power flows again: reset on "
                "site, with `holdfast reset` on the site's computer",
            )

    def is_local(self, connection: HTTPConnection) -> bool:
        """Says whether somebody at this very computer asks."""
        return is_local(connection, self.api.public_url)

    def origin(self, connection: HTTPConnection) -> str:
        """Returns the origin of our pages, as the browser of who asks knows them."""
        return own_origin(connection, self.api.public_url)

    def tell(
        self, principal: Principal, what: Act, detail: str = "", *, accepted: bool = True
    ) -> None:
        """Puts on record what somebody did, or was refused; nobody waits for it."""
        self.record(principal.name, principal.told, what, detail, accepted=accepted)

    def record(
        self, who: str, how: str, what: Act, detail: str = "", *, accepted: bool = True
    ) -> None:
        """Puts on record what somebody did who has no principal yet."""
        self._notes.add(note(who, how, what, detail, accepted=accepted))

    def close(self) -> None:
        """Keeps what is in use, and tells what waits to be told."""
        self.sessions.save()
        self.passwords.close()
        self._notes.close()

    def _program(self, connection: HTTPConnection, secret: str) -> Principal:
        found = self._tokens.find(self.store.read(), secret)
        if found is None or found[1].expires <= self.now():
            raise AuthRefused(
                401, "the token is not known, or has ended", {"WWW-Authenticate": "Bearer"}
            )
        account, token = found
        self.sessions.token_used(token.id)
        return Principal(
            account=account.name,
            role=min(account.role, token.role, key=lambda role: role.rank),
            rights=rights_of_token(account, token),
            how=f"token {token.name}",
            address=client_address(connection),
            sender=f"token {token.id}",
        )

    def person(self, connection: HTTPConnection, secret: str) -> Principal | None:
        """Returns who has the session of that secret; None if it has ended."""
        session = self.session_of(secret)
        account = None if session is None else self.store.read().named(session.account)
        if session is None or account is None:
            return None
        return Principal(
            account=account.name,
            role=account.role,
            rights=rights_of(account.role),
            how="session",
            address=client_address(connection),
            sender=f"session {session.id}",
            session=session.id,
        )

    def _anybody(self, connection: HTTPConnection) -> Principal:
        may_look = self.api.open_to_view
        return Principal(
            account=None,
            role=UserRole.VIEWER if may_look else None,
            rights=rights_without_a_person(UserRole.VIEWER) if may_look else _NOBODY,
            how="no login",
            address=client_address(connection),
            sender="anybody",
        )

    def _refuse(self, principal: Principal, right: Right) -> None:
        if principal.account is None:
            raise AuthRefused(401, "log in first, or send a token", {"WWW-Authenticate": "Bearer"})
        row = access_to(right)
        text = f"to {row.text} takes the role {row.least}; {principal.name} is {principal.role}"
        if principal.role is not None and right in rights_of(principal.role):
            text = f"to {row.text} is not among the rights of this {principal.how}"
        self.tell(principal, Act.ACCESS, text, accepted=False)
        raise AuthRefused(403, text)


def _check_header(connection: HTTPConnection) -> None:
    if connection.headers.get(HEADER) != "1":
        raise AuthRefused(403, f"the header {HEADER}: 1 is missing, which only our own pages send")


def _single_sign_on(oidc: Oidc, secret: str) -> "SingleSignOn":
    """Returns who asks the provider; few sites have one, and it takes 7 MB."""
    from holdfast.api.auth.oidc import SingleSignOn
    from holdfast.api.auth.oidc_provider import ProviderDesk

    return SingleSignOn(oidc, ProviderDesk(oidc, secret))
