"""The optimizer in a process of its own: it may hang or die, and the planner goes on.

A solver is native code: a crash takes its process with it, and no exception ends a loop in it.
"""

import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError, PlanFailed
from holdfast.core.plan import Plan

TIMEOUT_S = 30.0
"""Far above what any plan takes, the first one with its imports included."""


class PlanWorker:
    """Makes plans in a child process, which is started when it is needed."""

    def __init__(self, site: Site, timeout_s: float = TIMEOUT_S) -> None:
        self._site = site
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the child; None while there is none."""
        return None if self._process is None else self._process.pid

    def make_plan(self, **question: Any) -> Plan:
        """As :meth:`DailyScheduler.make_plan`. Raises PlanFailed if the child hangs or dies."""
        try:
            connection = self._connected()
            connection.send(question)
            answered = connection.poll(self._timeout_s)
            answer = connection.recv() if answered else None
        except (OSError, EOFError) as error:
            self.close()
            raise PlanFailed("its process ended") from error
        if answer is None:
            self.close()
            raise PlanFailed(f"no answer within {self._timeout_s:g} s")
        if isinstance(answer, HoldfastError):
            raise answer
        plan: Plan = answer
        return plan

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait()

    def _connected(self) -> "Connection[Any, Any]":
        if self._connection is None:
            ours, theirs = Pipe()
            with theirs:
                number = theirs.fileno()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "holdfast.runtime.optimizer", str(number)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(number,),
                )
            self._connection = ours
            ours.send(self._site)
        return self._connection
