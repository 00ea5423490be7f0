"""The start of the plain pages takes two steps: a page that says what it does, and a login."""

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from holdfast.client.control import ControlClient
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.units import ns_from_s
from holdfast.site.files import SiteFiles

_log = logging.getLogger(__name__)

FORM_LIVES_S = 120.0
"""A form that was opened longer ago shows a site as it is no more."""
AT_ONCE = 4
"""So many logins wait for the one that is looked at."""


class Gatekeeper(Protocol):
    """Knows who may do what."""

    def why_not(self, name: str, password: str, code: str, address: str) -> str | None:
        """Tells why ``name``, who asks from ``address``, may not start the site; None if he may.
        ``code`` may be empty."""
        ...


class Forms:
    """Makes forms that can be sent once, and not much later. Needs no memory of those it made."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._sent_ns: dict[str, int] = {}

    def make(self) -> str:
        """Returns the mark of a new form."""
        content = f"{time.monotonic_ns()}:{secrets.token_hex(8)}"
        return f"{content}:{self._seal(content)}"

    def take(self, mark: str) -> bool:
        """Says whether a form with this mark may be acted on: it is ours, new, and not sent yet."""
        content, _, seal = mark.rpartition(":")
        if not hmac.compare_digest(self._seal(content).encode(), seal.encode()):
            return False
        oldest_ns = time.monotonic_ns() - ns_from_s(FORM_LIVES_S)
        made_ns = int(content.partition(":")[0])
        if made_ns < oldest_ns or content in self._sent_ns:
            return False
        self._sent_ns = {one: at for one, at in self._sent_ns.items() if at >= oldest_ns}
        self._sent_ns[content] = made_ns
        return True

    def _seal(self, content: str) -> str:
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAnswer:
    """Holds what became of a start."""

    started: bool
    reason: str
    """Tells why not, or what the controller said."""


class Starter:
    """Asks who it is, then the controller; one at a time, and only few wait."""

    def __init__(self, files: SiteFiles, gatekeeper: Gatekeeper) -> None:
        self._files, self._gatekeeper = files, gatekeeper
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="start")
        self._waiting = 0

    @property
    def is_busy(self) -> bool:
        """Says whether no more can wait."""
        return self._waiting >= AT_ONCE

    async def start(self, name: str, password: str, code: str, address: str) -> StartAnswer:
        """Starts the site if the gatekeeper lets ``name``, and the controller agrees."""
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._thread, self._ask, name, password, code, address
            )
        finally:
            self._waiting -= 1

    def _ask(self, name: str, password: str, code: str, address: str) -> StartAnswer:
        why_not = self._gatekeeper.why_not(name, password, code, address)
        if why_not is not None:
            _log.warning("start refused to %r: %s", name, why_not)
            return StartAnswer(started=False, reason=why_not)
        _log.warning("start asked for by %r", name)
        try:
            with ControlClient(self._files.control_socket) as client:
                reply = client.command(Command.START)
        except (NotRunning, ValueError) as error:
            return StartAnswer(started=False, reason=str(error))
        return StartAnswer(started=reply.accepted, reason=reply.reason)

    def close(self) -> None:
        """Lets go of the thread."""
        self._thread.shutdown(wait=False)
