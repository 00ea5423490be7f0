"""What people do at a site is told to the controller, which alone writes the audit log.

Nobody waits for it: whoever tells goes on, also when no controller is there to hear it.
"""

import logging
import math
import threading
import time
from collections import deque
from dataclasses import replace

from holdfast.client.control import ControlClient
from holdfast.client.messages import Act, OperatorMessage, Reply
from holdfast.core.errors import NotRunning
from holdfast.core.texts import MAX_NAME, MAX_REASON, shown
from holdfast.site.files import SiteFiles

ANSWER_S = 1.0
"""Longer nobody waits for the controller."""
TRY_EVERY_S = 1.0
REFUSED_EVERY_S = 1.0
"""Of what is refused again and again one note of a kind is told in that time; the rest is counted
in it."""
KEPT = 200
"""So many notes wait for a controller; then the oldest are forgotten."""
_log = logging.getLogger(__name__)


def note(
    who: str, how: str, what: Act, detail: str = "", *, accepted: bool = True
) -> OperatorMessage:
    """Returns the message, with each text as far as it can be shown."""
    return OperatorMessage(
        who=shown(who, MAX_NAME),
        how=shown(how, MAX_NAME),
        what=what,
        detail=shown(detail, MAX_REASON),
        accepted=accepted,
    )


def tell(files: SiteFiles, message: OperatorMessage) -> str | None:
    """Tells the controller of a site, and waits a second at most; raises nothing.

    Returns why it is not on record; None if it is.
    """
    try:
        reply = _ask(files, message)
    except (NotRunning, ValueError) as error:
        return str(error)
    return None if reply.accepted else reply.reason


def _ask(files: SiteFiles, message: OperatorMessage) -> Reply:
    with ControlClient(files.control_socket, timeout_s=ANSWER_S) as client:
        return client.send(message)


class OperatorNotes:
    """Tells the controller of a site in a thread, in order; what it did not hear, again."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._waiting: deque[OperatorMessage] = deque(maxlen=KEPT)
        self._refused: dict[Act, tuple[float, int]] = {}
        """Tells when a refusal of that kind was told last, and how many were not since then."""
        self._wake = threading.Condition()
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="operator-notes", daemon=True)
        self._thread.start()

    def add(self, message: OperatorMessage) -> None:
        """Has ``message`` told."""
        with self._wake:
            if not message.accepted:
                told = self._in_turn(message)
                if told is None:
                    return
                message = told
            if len(self._waiting) == KEPT:
                _log.error("%s is not in the audit log: no controller hears it", self._waiting[0])
            self._waiting.append(message)
            self._wake.notify()

    def _in_turn(self, refused: OperatorMessage) -> OperatorMessage | None:
        """Returns the message with the number of those before it; None if it is not its turn."""
        now_s = time.monotonic()
        told_s, left_out = self._refused.get(refused.what, (-math.inf, 0))
        if now_s - told_s < REFUSED_EVERY_S:
            self._refused[refused.what] = told_s, left_out + 1
            return None
        self._refused[refused.what] = now_s, 0
        if not left_out:
            return refused
        return replace(
            refused, detail=shown(f"({left_out} more before) {refused.detail}", MAX_REASON)
        )

    def close(self) -> None:
        """Tells once more what waits, and ends."""
        with self._wake:
            self._ends = True
            self._wake.notify()
        self._thread.join(2 * ANSWER_S)

    def _run(self) -> None:
        while not self._ends:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._ends)
            if not self._told():
                with self._wake:
                    self._wake.wait_for(lambda: self._ends, TRY_EVERY_S)
        self._told()

    def _told(self) -> bool:
        """Tells what waits, one after the other; False if somebody did not hear."""
        while self._waiting:
            message = self._waiting[0]
            try:
                reply = _ask(self._files, message)
            except (NotRunning, ValueError):
                return False
            if not reply.accepted:
                _log.error("%s is not in the audit log: %s", message, reply.reason)
            with self._wake:
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
        return True
