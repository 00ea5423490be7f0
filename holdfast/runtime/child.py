"""A child process answers questions: it may hang or die, and whoever asks goes on.

Solvers and learners are native code: a crash takes its process with it, and no exception ends a
loop in it. Both ends of the pipe are ours and it is inherited, so what goes through it is pickled.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar

from holdfast.core.errors import HoldfastError

Question = TypeVar("Question")
Answer = TypeVar("Answer")

_NOTHING: Mapping[str, str] = MappingProxyType({})
_DYING_S = 10.0
"""So long may pass from the end of a child's pipe to that of its process; a large one is slow."""


class ChildFailed(HoldfastError):
    """A child gave no answer; the text says why."""


class Child(Generic[Question, Answer]):
    """Answers one question after the other; its process is started when it is needed."""

    def __init__(
        self,
        name: str,
        begin: Callable[[], Callable[[Question], Answer]],
        *,
        timeout_s: float,
        environment: Mapping[str, str] = _NOTHING,
    ) -> None:
        """``begin`` goes to the child, and gives there what answers; ``name`` is what ``ps`` shows.

        ``environment`` is added to ours.
        """
        self._name = name
        self._begin = begin
        self._timeout_s = timeout_s
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._has_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Returns the id of the child's process; None while there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Starts the process, unless there is one. Raises ChildFailed."""
        if self._process is not None:
            return
        ours, theirs = Pipe()
        number = theirs.fileno()
        command = [sys.executable, "-m", "holdfast.runtime.child", self._name, str(number)]
        environment = os.environ | self._environment
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, pass_fds=(number,)
                )
        except OSError as error:
            ours.close()
            raise ChildFailed(f"its process cannot begin: {error}") from error
        self._connection, self._has_begun = ours, False

    def ask(self, question: Question) -> Answer:
        """Returns the child's answer. Raises the HoldfastError that it raised.

        Raises ChildFailed if it died or took too long; the next question then goes to a new one.
        """
        self.start()
        process, connection = self._process, self._connection
        assert process is not None
        assert connection is not None
        # One that stands still takes no question, or gives no answer, or half of one: its end
        # wakes whoever waits at the pipe, wherever that is.
        with _killed_after(self._timeout_s, process) as late:
            try:
                if not self._has_begun:
                    connection.send(self._begin)
                    self._has_begun = True
                connection.send(question)
                answer: Answer | HoldfastError = connection.recv()
            except (OSError, EOFError) as error:
                ending = _ending(process)
                self.close()
                if late.is_set():
                    raise ChildFailed(f"no answer within {self._timeout_s:g} s") from error
                raise ChildFailed(f"its process ended: {ending}") from error
        if late.is_set():  # just after it had answered
            self.close()
        if isinstance(answer, HoldfastError):
            raise answer
        return answer

    def kill(self) -> None:
        """Ends the process. Another thread that waits for its answer hears of it at once."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Ends the process, and forgets it; not while another thread waits for its answer."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait()


@contextmanager
def _killed_after(
    timeout_s: float, process: "subprocess.Popen[bytes]"
) -> Iterator[threading.Event]:
    """Ends ``process`` if the body takes too long; the event tells that this was done."""
    late = threading.Event()

    def expire() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout_s, expire)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def _ending(process: "subprocess.Popen[bytes]") -> str:
    try:
        code = process.wait(_DYING_S)
    except subprocess.TimeoutExpired:
        return "it hung up"
    return f"exit code {code}" if code >= 0 else signal.strsignal(-code) or f"signal {-code}"


def _questions(connection: "Connection[Any, Any]") -> Iterator[Any]:
    """Yields questions until whoever asks is gone."""
    with suppress(EOFError, OSError):
        while True:
            yield connection.recv()


def _answer_all(connection: "Connection[Any, Any]") -> None:
    questions = _questions(connection)
    for begin in questions:
        answer_to = begin()
        for question in questions:
            try:
                answer = answer_to(question)
            except HoldfastError as error:
                answer = error
            with suppress(BrokenPipeError):
                connection.send(answer)


def main() -> int:
    """Runs the child; the last argument is the number of the pipe's descriptor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks
    with Connection(int(sys.argv[-1])) as connection:
        _answer_all(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main())
