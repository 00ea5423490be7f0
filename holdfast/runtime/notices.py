"""This module keeps what the supervisor has to tell the controller until the controller listens."""

from collections import deque
from pathlib import Path

from holdfast.client.control import ControlClient
from holdfast.client.messages import ProcessMessage
from holdfast.core.errors import NotRunning

KEPT = 100
"""This is more than five processes of a crash loop have to tell; the oldest are forgotten."""
ANSWER_S = 0.2
"""Longer nobody waits: meanwhile the other processes are not looked after."""
TRY_EVERY_S = 1.0


class Notices:
    """Delivers in order, each notice at least once."""

    def __init__(self, control_socket: Path) -> None:
        self._control_socket = control_socket
        self._waiting: deque[ProcessMessage] = deque(maxlen=KEPT)
        self._try_s = 0.0

    def add(self, message: ProcessMessage) -> None:
        """Has ``message`` told."""
        self._waiting.append(message)

    def deliver(self, now_s: float) -> None:
        """Tells what waits, if there is somebody to hear it."""
        if not self._waiting or now_s < self._try_s:
            return
        try:
            with ControlClient(self._control_socket, timeout_s=ANSWER_S) as client:
                while self._waiting:
                    client.send(self._waiting[0])
                    self._waiting.popleft()
        except (NotRunning, ValueError):
            self._try_s = now_s + TRY_EVERY_S
