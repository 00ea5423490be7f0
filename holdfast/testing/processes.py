"""Processes are gone in the end: with who holds them, and with who started the tests."""

import ctypes
import os
import signal
import subprocess
import sys
import uuid
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_MARK = "HOLDFAST_STARTED_BY"
_OURS = uuid.uuid4().hex
"""The marks of all that this process starts begin with it."""
END_S = 12.0
"""So long an orderly end may take."""


class Process:
    """Runs Python with some arguments, in a session of its own.

    All that it starts, and what that starts in turn, bears its mark and ends with it.
    """

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        self._mark = f"{_OURS}-{uuid.uuid4().hex}"
        _guard()
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=os.environ | {_MARK: self._mark},
                preexec_fn=partial(_prepare, os.getpid()),
            )

    @property
    def pid(self) -> int:
        """Returns its process id, also when it has ended."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Says whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """Returns all that it has printed."""
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def wait(self, timeout_s: float = END_S) -> int:
        """Returns its exit code, when it has ended. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """Asks, waits, insists; with all that it has started, however it has ended itself."""
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.wait()
        kill_marked(self._mark)
        self.wait()


@cache
def _guard() -> subprocess.Popen[bytes]:
    """Starts who ends all of ours when we are killed: a watchdog whose site is gone stays."""
    command = [sys.executable, "-m", __name__, _OURS]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def kill_marked(mark: str) -> None:
    """Kills all processes whose mark begins with ``mark``, until none is left."""
    while left := marked(mark):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _prepare(parent: int) -> None:
    """Sees in the new process that it is killed when ``parent`` ends, even if it stands still."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    # Whoever started the tests may ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def marked(mark: str) -> list[int]:
    """Returns the ids of the living processes whose mark begins with ``mark``."""
    wanted = f"{_MARK}={mark}".encode()
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/environ")
        if any(entry.startswith(wanted) for entry in _environment(path))
        and is_alive(int(path.parent.name))
    ]


def _environment(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return []


def command_of(pid: int) -> bytes:
    """Returns the words with which a process was started; none if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    """Says whether the process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    """Returns the ids of the processes that ``pid`` has started."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def descendants(pid: int) -> list[int]:
    """Returns the ids of all processes below ``pid``."""
    children = children_of(pid)
    return children + [below for child in children for below in descendants(child)]


if __name__ == "__main__":
    sys.stdin.read()  # until who started us has ended
    kill_marked(sys.argv[1])
