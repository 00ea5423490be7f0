"""This module reads and commands a site over its API."""

import os
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter

from holdfast.client.messages import Reply
from holdfast.client.plan_report import PlanReport
from holdfast.core.commands import Command
from holdfast.core.errors import ConfigError, NotRunning, SiteRefused
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_NOTE, shown
from holdfast.monitoring.audit.events import AuditEvent
from holdfast.monitoring.explain.situation import Situation
from holdfast.monitoring.status.schema import Status

API: Final = "/api/v1"
TIMEOUT_S: Final = 10.0
PAGE: Final = 1000
"""So many lines of the audit log are asked for at once."""
_STOPS: Final = frozenset({Command.STOP, Command.EMERGENCY_STOP})
_UNAVAILABLE, _CONFLICT = 503, 409
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadAbout:
    """Tells of a load or room of the site."""

    name: str
    switched: bool
    """Says whether anything switches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAbout:
    """Tells which site it is, and how it is at a glance."""

    site: str
    version: str
    currency: str
    timezone: str
    authority: str
    fresh: bool
    """Says whether its controller runs."""
    age_s: float | None
    utc: datetime | None
    """Tells the time of its last status."""
    state: State | None
    loads: tuple[LoadAbout, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePlan:
    """Tells what the planner last did."""

    report: PlanReport | None
    age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Tells what is done, who asked for it, and why."""

    time: datetime
    sentences: tuple[str, ...]
    situation: Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLine:
    """Holds a line of the audit log."""

    sequence: int
    utc: str
    event: AuditEvent | None
    text: str

    @property
    def time(self) -> datetime:
        """Tells when it was made. Raises ValueError."""
        return datetime.fromisoformat(self.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    accepted: bool
    reason: str
    state: State


_ABOUT: Final = TypeAdapter(SiteAbout)
_STATUS: Final = TypeAdapter(Status)
_PLAN: Final = TypeAdapter(RemotePlan)
_EXPLAINED: Final = TypeAdapter(Explained)
_LINES: Final = TypeAdapter(tuple[RemoteLine, ...])
_ANSWER: Final = TypeAdapter(_Answer)


class RemoteSite:
    """Asks the API of one site.

    Each question raises NotRunning if the site, or its controller, does not answer, and SiteRefused
    if it may or can not be answered.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        certificate: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """``url`` is that of its pages. Of a site that made its own, ``certificate`` is the file.

        Raises ConfigError for what is no address, and for a certificate that cannot be read.
        """
        self._url = url.rstrip("/")
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            if not _is_address(url):
                raise ConfigError(f"{url}: is no address such as https://energy.example.org")
            self._client = httpx.Client(
                base_url=f"{self._url}{API}",
                headers=headers,
                timeout=timeout_s,
                verify=_trust(certificate),
            )
        except (httpx.InvalidURL, OSError, ValueError) as error:
            raise ConfigError(f"{url}: {error}") from error

    def about(self) -> SiteAbout:
        """Tells which site it is, also while its controller does not run."""
        return self._read(_ABOUT, "/status")

    def status(self) -> Status:
        """Returns all that the controller tells."""
        return self._read(_STATUS, "/snapshot")

    def plan(self) -> RemotePlan:
        """Returns what the planner last did."""
        return self._read(_PLAN, "/plan")

    def explain(self, at: datetime | None = None) -> Explained:
        """Tells why the site does this, or did at a moment on record."""
        return self._read(_EXPLAINED, "/explain", {} if at is None else {"at": at.isoformat()})

    def audit(self, last: int, before: int | None = None) -> tuple[RemoteLine, ...]:
        """Returns the last lines of the log, newest first; those below the number ``before``."""
        query = {"last": str(last)} | ({} if before is None else {"before": str(before)})
        return self._read(_LINES, "/audit", query)

    def audit_backwards(self) -> Iterator[RemoteLine]:
        """Yields the lines of the log, newest first."""
        page = self.audit(PAGE)
        while page:
            yield from page
            page = self.audit(PAGE, before=page[-1].sequence)

    def command(self, command: Command) -> Reply:
        """Asks for ``command``, as of somebody who sees the site now."""
        body = None if command in _STOPS else self._fresh()
        answer = self._ask("POST", f"/commands/{command}", json=body)
        if answer.status_code == _CONFLICT:
            state = self.about().state
            if state is None:
                raise NotRunning(_detail(answer))
            reason = _detail(answer).removesuffix(f"; the site is in {state.name}")
            return Reply(accepted=False, reason=reason, state=state)
        told = self._checked(_ANSWER, answer)
        return Reply(accepted=told.accepted, reason=told.reason, state=told.state)

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fresh(self) -> dict[str, object]:
        """Returns what makes a command one that is meant now. Raises NotRunning."""
        seen = self.about().utc
        if seen is None:
            raise NotRunning(f"no controller runs at {self._url}")
        return {
            "nonce": os.urandom(16).hex(),
            "sequence": time.time_ns() // 1000,  # it grows from one process to the next
            "seen": seen.isoformat(),
        }

    def _read(self, kind: TypeAdapter[T], path: str, query: Mapping[str, str] | None = None) -> T:
        return self._checked(kind, self._ask("GET", path, params=query))

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise NotRunning(f"{self._url} does not answer: {error}") from error

    def _checked(self, kind: TypeAdapter[T], answer: httpx.Response) -> T:
        if answer.status_code == _UNAVAILABLE:
            raise NotRunning(_detail(answer))
        if not answer.is_success:
            raise SiteRefused(f"{self._url}: {_detail(answer)}")
        try:
            return kind.validate_json(answer.content)
        except ValueError as error:
            raise SiteRefused(f"{self._url} answers as no site of this release does") from error


def _is_address(url: str) -> bool:
    """Raises ValueError for what is not even the form of one."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _trust(certificate: Path | None) -> ssl.SSLContext | bool:
    """Raises OSError for a certificate that cannot be read."""
    return True if certificate is None else ssl.create_default_context(cafile=str(certificate))


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"HTTP {answer.status_code}"
    return shown(str(detail), MAX_NOTE)
