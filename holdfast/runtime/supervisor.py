"""The supervisor: starts the four processes, restarts those that end, stops them in order."""

import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from holdfast.runtime.files import SiteFiles
from holdfast.runtime.messages import MAX_NOTE, ProcessMessage
from holdfast.runtime.notices import Notices

_log = logging.getLogger(__name__)

PROCESSES = ("watchdog", "controller", "planner", "gateway")
"""In the order in which they start; they stop in the reverse order."""
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
CRASHES, CRASH_WINDOW_S = 5, 600.0
"""A process that ends this often within the window is not started again."""
STOP_S = 8.0


class Child:
    """One process, and how often it has ended. ``note`` gets its starts and ends."""

    def __init__(
        self, name: str, config: Path, files: SiteFiles, note: Callable[[ProcessMessage], None]
    ) -> None:
        self.name = name
        self._note = note
        self._starts = 0
        self._command = [
            sys.executable,
            "-m",
            f"holdfast.runtime.{name}",
            "--config",
            str(config),
            "--supervised",
            str(os.getpid()),
        ]
        self._errors = files.logs / f"{name}.err"
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_s: deque[float] = deque(maxlen=CRASHES)
        self._restart_s = 0.0
        self.given_up = False

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Start it. What it prints is kept until it is started again."""
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                start_new_session=True,  # Ctrl-C reaches the supervisor, which stops them in order
            )  # fmt: skip
        self._starts += 1
        self._tell_of(self._process.pid)

    def look(self, now_s: float, tell: Callable[[str], None]) -> None:
        """Notice that it has ended; start it again when its time has come."""
        if self._process is not None and self._process.poll() is not None:
            code, pid, self._process = self._process.returncode, self._process.pid, None
            self._ended_s.append(now_s)
            crashes = sum(now_s - ended_s < CRASH_WINDOW_S for ended_s in self._ended_s)
            self.given_up = crashes >= CRASHES
            wait_s = BACKOFF_S[min(crashes, len(BACKOFF_S)) - 1]
            self._restart_s = now_s + wait_s
            then = "given up" if self.given_up else f"again in {wait_s:g} s"
            then += self._last_words()
            tell(f"{self.name} ended with code {code}; {then}")
            self._tell_of(pid, code, then)
        if self._process is None and not self.given_up and now_s >= self._restart_s:
            self.start()

    def stop(self) -> int | None:
        """Ask it to end, wait, insist. Gives its exit code."""
        if self._process is None:
            return None
        code = self._process.poll()
        asked = code is None
        if code is None:
            code = self._end(self._process)
        self._tell_of(self._process.pid, code, asked=asked)
        return code

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        process.terminate()
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            _log.critical("%s does not end and is killed", self.name)
            process.kill()
            return process.wait()

    def _tell_of(
        self, pid: int, code: int | None = None, then: str = "", *, asked: bool = False
    ) -> None:
        self._note(
            ProcessMessage(
                process=self.name, pid=pid, utc=datetime.now(UTC), starts=self._starts,
                code=code, note=then[:MAX_NOTE], asked=asked,
            )
        )  # fmt: skip

    def _last_words(self) -> str:
        try:
            text = self._errors.read_text(errors="replace").strip()
        except OSError:
            return ""
        return f": {text.splitlines()[-1]}" if text else ""


class Supervisor:
    """All four of them. ``tell`` gets a line whenever something happens to one."""

    def __init__(self, config: Path, files: SiteFiles, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._notices = Notices(files.control_socket)
        self.children = {name: Child(name, config, files, self._notices.add) for name in PROCESSES}

    def start(self) -> None:
        """Start all."""
        for child in self.children.values():
            child.start()

    def look(self) -> None:
        """To be called a few times a second."""
        now_s = time.monotonic()
        for child in self.children.values():
            child.look(now_s, self._tell)
        self._notices.deliver(now_s)

    @property
    def lost(self) -> str | None:
        """Name of a process without which nothing goes on and that was given up."""
        given_up = [child.name for child in self.children.values() if child.given_up]
        vital = [name for name in given_up if name in {"controller", "watchdog"}]
        return vital[0] if vital else None

    def stop(self) -> bool:
        """Stop all; True if the controller came to rest by itself."""
        codes: dict[str, int | None] = {}
        for name in reversed(PROCESSES):
            # What is to be on record has to be told while the controller is there to hear it.
            self._notices.deliver(time.monotonic())
            codes[name] = self.children[name].stop()
        return codes["controller"] == 0
