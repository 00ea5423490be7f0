"""Who may do what: one table, which the API, the pages and docs/access.md follow.

Whoever has a role may do what the roles before it may.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast, get_args

from starlette.requests import HTTPConnection

from holdfast.core.config.api import RoleName


class UserRole(StrEnum):
    """Names what somebody is at a site; each may do what those before it may."""

    VIEWER = "viewer"
    """Looks."""
    OPERATOR = "operator"
    """Runs the site day by day."""
    SERVICE = "service"
    """Can judge a battery after a fault."""
    ADMIN = "admin"
    """Decides how the site is set up, and who else has access."""

    @property
    def rank(self) -> int:
        """Returns 0 for the least of them, and more for each that may do more."""
        return tuple(UserRole).index(self)


class Right(StrEnum):
    """Names what somebody may do."""

    SITE_READ = "site.read"
    SITE_STOP = "site.stop"
    SITE_START = "site.start"
    SITE_RESET = "site.reset"
    SITE_SERVICE_RESET = "site.service_reset"
    PLAN_OVERRIDE = "plan.override"
    PRICES_REFRESH = "prices.refresh"
    HISTORY_EXPORT = "history.export"
    AUDIT_READ = "audit.read"
    CONFIG_READ = "config.read"
    CONFIG_WRITE = "config.write"
    USERS_MANAGE = "users.manage"
    OWN_ACCOUNT = "own.account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Tells who has a right."""

    right: Right
    least: UserRole | None
    """Names the least role that has it; None: whoever can reach the site, without logging in."""
    text: str
    by_token: bool = True
    """Says whether a program with a token may have it; False: only a person who has logged in."""


def _row(right: Right, least: UserRole | None, text: str, *, by_token: bool = True) -> Access:
    return Access(right=right, least=least, text=text, by_token=by_token)


_R, _U = Right, UserRole
ACCESS = (
    _row(_R.SITE_READ, _U.VIEWER, "see status, plan, prices, history, findings and incidents"),
    _row(_R.SITE_STOP, None, "stop, and stop in an emergency"),
    _row(_R.SITE_START, _U.OPERATOR, "let power flow"),
    _row(_R.SITE_RESET, _U.OPERATOR, "reset after a fault; after an emergency stop only on site"),
    _row(_R.SITE_SERVICE_RESET, _U.SERVICE, "reset, after an inspection, what is latched for service"),
    _row(_R.PLAN_OVERRIDE, _U.OPERATOR, "put a mode or a power of one's own in the place of the plan"),
    _row(_R.PRICES_REFRESH, _U.OPERATOR, "have prices asked for anew"),
    _row(_R.HISTORY_EXPORT, _U.VIEWER, "take history and reports along as files"),
    _row(_R.AUDIT_READ, _U.OPERATOR, "read the audit log, which names persons, and verify it"),
    _row(_R.CONFIG_READ, _U.SERVICE, "read site.yaml and its history"),
    # Whoever may write `api.oidc` there can make anybody an admin.
    _row(_R.CONFIG_WRITE, _U.ADMIN, "change site.yaml, and take a change back"),
    _row(_R.USERS_MANAGE, _U.ADMIN, "add and remove accounts, and change their roles", by_token=False),
    _row(_R.OWN_ACCOUNT, _U.VIEWER, "change one's own password, sessions, tokens, second factors, and which browsers are told", by_token=False),
)  # fmt: skip
assert tuple(row.right for row in ACCESS) == tuple(Right)
assert get_args(RoleName) == tuple(UserRole)


def access_to(right: Right) -> Access:
    """Returns the row of ``right``."""
    return ACCESS[tuple(Right).index(right)]


def rights_of(role: UserRole | None) -> frozenset[Right]:
    """Returns what a person of ``role`` may do; None: who has not logged in."""
    rank = -1 if role is None else role.rank
    return frozenset(row.right for row in ACCESS if row.least is None or row.least.rank <= rank)


def rights_without_a_person(role: UserRole) -> frozenset[Right]:
    """Returns what a token of ``role`` may do, or who may look without logging in."""
    return frozenset(right for right in rights_of(role) if access_to(right).by_token)


def access_table() -> str:
    """Returns the table in Markdown, as docs/access.md has it."""
    head = ["right", "what it is", "without login", *UserRole, "by token"]
    lines = [head, ["---"] * len(head)]
    for row in ACCESS:
        marks = ["yes" if row.right in rights_of(role) else "" for role in (None, *UserRole)]
        lines.append([f"`{row.right}`", row.text, *marks, "yes" if row.by_token else ""])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Tells who asks, and what he may do: a person, a program with a token, or anybody."""

    account: str | None
    """Names his account; None: he has not logged in."""
    role: UserRole | None
    """None: he has not logged in, and may not look."""
    rights: frozenset[Right]
    how: str
    """Tells by what he is known: ``session``, ``token`` and its name, or ``no login``."""
    address: str
    sender: str
    """Names the session or token, in which the sequence of commands grows."""
    session: str | None = None
    """Tells the id of his session; None: he has none."""

    @property
    def name(self) -> str:
        """Returns the account's name, or ``anybody``."""
        return self.account or "anybody"

    @property
    def told(self) -> str:
        """Returns how he is known and from where he comes, for the audit log."""
        return f"{self.how} from {self.address}"


class Admits(Protocol):
    """Knows who asks; ``app.state.auth`` is one (:class:`holdfast.api.auth.auth.Auth`)."""

    async def admitted(self, connection: HTTPConnection, right: Right) -> Principal:
        """Returns who asks, if he has ``right``; raises what becomes 401, 403 or 503."""


def needs(right: Right) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """Returns the dependency of a route that returns who asks, if he has ``right``."""

    async def admitted(connection: HTTPConnection) -> Principal:
        return await cast("Admits", connection.app.state.auth).admitted(connection, right)

    return admitted
