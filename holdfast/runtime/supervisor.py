"""The supervisor: starts the four processes, restarts those that end, stops them in order."""

import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from holdfast.runtime.files import SiteFiles

_log = logging.getLogger(__name__)

PROCESSES = ("watchdog", "controller", "planner", "gateway")
"""In the order in which they start; they stop in the reverse order."""
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
CRASHES, CRASH_WINDOW_S = 5, 600.0
"""A process that ends this often within the window is not started again."""
STOP_S = 8.0


class Child:
    """One process, and how often it has ended."""

    def __init__(self, name: str, config: Path, files: SiteFiles) -> None:
        self.name = name
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

    def look(self, now_s: float, tell: Callable[[str], None]) -> None:
        """Notice that it has ended; start it again when its time has come."""
        if self._process is not None and self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            self._ended_s.append(now_s)
            crashes = sum(now_s - ended_s < CRASH_WINDOW_S for ended_s in self._ended_s)
            self.given_up = crashes >= CRASHES
            wait_s = BACKOFF_S[min(crashes, len(BACKOFF_S)) - 1]
            self._restart_s = now_s + wait_s
            then = "given up" if self.given_up else f"again in {wait_s:g} s"
            tell(f"{self.name} ended with code {code}; {then}{self._last_words()}")
        if self._process is None and not self.given_up and now_s >= self._restart_s:
            self.start()

    def stop(self) -> int | None:
        """Ask it to end, wait, insist. Gives its exit code."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            _log.critical("%s does not end and is killed", self.name)
            self._process.kill()
            return self._process.wait()

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
        self.children = {name: Child(name, config, files) for name in PROCESSES}

    def start(self) -> None:
        """Start all."""
        for child in self.children.values():
            child.start()

    def look(self) -> None:
        """To be called a few times a second."""
        now_s = time.monotonic()
        for child in self.children.values():
            child.look(now_s, self._tell)

    @property
    def lost(self) -> str | None:
        """Name of a process without which nothing goes on and that was given up."""
        given_up = [child.name for child in self.children.values() if child.given_up]
        vital = [name for name in given_up if name in {"controller", "watchdog"}]
        return vital[0] if vital else None

    def stop(self) -> bool:
        """Stop all; True if the controller came to rest by itself."""
        codes = {name: self.children[name].stop() for name in reversed(PROCESSES)}
        return codes["controller"] == 0
