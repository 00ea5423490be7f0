"""The supervisor starts the five processes, restarts those that end, stops them in order.

One that hangs is ended, and started again as any other; and where controller and watchdog have
read different configurations, the one that was started earlier is started anew.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from holdfast.client.messages import ProcessMessage
from holdfast.client.status_outline import OutlineReader
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_NAME, MAX_REASON, shown
from holdfast.runtime.notices import Notices
from holdfast.runtime.pulse import Pulse
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import Beat

_log = logging.getLogger(__name__)

PROCESSES = ("watchdog", "controller", "planner", "gateway", "api")
"""The processes start in this order; they stop in the reverse order."""
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
VITAL = frozenset({"controller", "watchdog"})
"""Without one of them nothing goes on."""
CRASHES, CRASH_WINDOW_S = 5, 600.0
"""A vital process that ends this often within the window is not started again."""
LATER_S = 120.0
"""Another one is tried again after this long: the network that it listens on may be slower to come
back after a power cut than the computer."""
STOP_S = 8.0
HANGS_S = 5.0
"""One that beats and then does not for so long is ended; the watchdog acted long before."""
BEGINS_S = 60.0
"""So long the first beat may take; a small computer that boots is slow."""
DIFFERENT_S = 5.0
"""Controller and watchdog may run different configurations for so long."""
_LOOK_S = 0.5
"""A look counts for so long at most: who did not look himself does not know who hangs."""


class LifeSign:
    """Tells how long a process has not beaten, in time in which it was looked at."""

    def __init__(self, path: Path) -> None:
        self._pulse = Pulse(path)
        self._last = Beat()
        self._begun = False
        self._silent_s = self._look_s = 0.0

    @property
    def digest(self) -> int:
        """Returns the digest of what it runs; 0 before its first beat."""
        return self._last.digest if self._begun else 0

    def started(self) -> None:
        """Begins anew, with a new process."""
        self._last, self._begun = self._pulse.last(), False
        self._silent_s, self._look_s = 0.0, 0.0

    def hangs(self, now_s: float) -> float | None:
        """Returns for how long it has been silent, in s, if that is too long; else None."""
        passed_s = min(now_s - self._look_s, _LOOK_S) if self._look_s else 0.0
        self._look_s = now_s
        beat = self._pulse.last()
        if beat != self._last:
            self._last, self._begun, self._silent_s = beat, True, 0.0
        else:
            self._silent_s += passed_s
        longest_s = HANGS_S if self._begun else BEGINS_S
        return self._silent_s if self._silent_s > longest_s else None


class SupervisedProcess:
    """Runs one process, and counts how often it has ended. ``note`` gets its starts and ends."""

    def __init__(
        self, name: str, config: Path, files: SiteFiles, note: Callable[[ProcessMessage], None]
    ) -> None:
        self.name = name
        beats = {"controller": files.heartbeat, "watchdog": files.watchdog}
        self.life = LifeSign(beats[name]) if name in beats else None
        self.started_s = 0.0
        """Tells when it was started last."""
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
        """Returns the process id while it runs; else None."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Starts it. What it prints is kept until it is started again."""
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,  # Ctrl-C reaches the supervisor, which stops them in order
            )
        self._starts += 1
        self.started_s = time.monotonic()
        if self.life is not None:
            self.life.started()
        self._tell_of(self._process.pid)

    def look(self, now_s: float, tell: Callable[[str], None]) -> None:
        """Notices that it has ended, and ends it if it hangs; starts it again in time."""
        self._end_if_it_hangs(now_s, tell)
        if self._process is not None and self._process.poll() is not None:
            code, pid, self._process = self._process.returncode, self._process.pid, None
            self._ended_s.append(now_s)
            crashes = sum(now_s - ended_s < CRASH_WINDOW_S for ended_s in self._ended_s)
            self.given_up = crashes >= CRASHES and self.name in VITAL
            wait_s = LATER_S if crashes >= CRASHES else BACKOFF_S[crashes - 1]
            self._restart_s = now_s + wait_s
            then = "given up" if self.given_up else f"again in {wait_s:g} s"
            then += self._last_words()
            tell(f"{self.name} ended with code {code}; {then}")
            self._tell_of(pid, code, then)
        if self._process is None and not self.given_up and now_s >= self._restart_s:
            self.start()

    def _end_if_it_hangs(self, now_s: float, tell: Callable[[str], None]) -> None:
        silent_s = None if self.life is None or self.pid is None else self.life.hangs(now_s)
        if silent_s is None or self._process is None:
            return
        tell(f"{self.name} hangs: no sign of life for {silent_s:.0f} s; it is killed")
        _log.critical("%s hangs and is killed", self.name)
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Stops it, and starts it anew."""
        self.stop()
        self.start()

    def stop(self) -> int | None:
        """Asks it to end, waits, insists. Gives its exit code."""
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
                process=self.name,
                pid=pid,
                utc=datetime.now(UTC),
                starts=self._starts,
                code=code,
                note=shown(then, MAX_REASON),
                asked=asked,
            )
        )

    def _last_words(self) -> str:
        try:
            text = self._errors.read_text(errors="replace").strip()
        except OSError:
            return ""
        return f": {text.splitlines()[-1]}" if text else ""


class ApplyRequest:
    """Looks for somebody's wish to have all started anew, with site.yaml as it is now."""

    def __init__(self, files: SiteFiles) -> None:
        """What was asked of a supervisor before this one is over."""
        self._path = files.apply
        self._status = OutlineReader(files)
        self._path.unlink(missing_ok=True)

    def taken(self) -> str | None:
        """Returns who asks, once, and not while the site is RUNNING; None if nobody does."""
        try:
            asked = json.loads(self._path.read_bytes())
            who = str(asked["by"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            who = None
        status = self._status.fresh()
        running = status is not None and status.state is State.RUNNING
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.error("%s stays: %s", self._path, error)
            return None  # it would be carried out again and again
        return None if running or who is None else shown(who, MAX_NAME)


class Supervisor:
    """Runs all of them. ``tell`` gets a line whenever something happens to one."""

    def __init__(self, config: Path, files: SiteFiles, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._apply = ApplyRequest(files)
        self._different_s: float | None = None
        """Tells since when controller and watchdog run different configurations."""
        self._notices = Notices(files.control_socket)
        self.children = {
            name: SupervisedProcess(name, config, files, self._notices.add) for name in PROCESSES
        }

    def start(self) -> None:
        """Starts all."""
        for child in self.children.values():
            child.start()

    def look(self) -> None:
        """Looks after all of them; this is to be called a few times a second."""
        now_s = time.monotonic()
        who = self._apply.taken()
        if who is not None:
            self._tell(f"{who} has site.yaml applied: all processes are started anew")
            self.stop()
            for child in self.children.values():
                child.given_up = False  # it may have been the file's fault
            self.start()
            return
        for child in self.children.values():
            child.look(now_s, self._tell)
        self._keep_to_one_configuration(now_s)
        self._notices.deliver(now_s)

    def _keep_to_one_configuration(self, now_s: float) -> None:
        """Starts controller or watchdog anew if one of them runs what site.yaml was before."""
        pair = [self.children["controller"], self.children["watchdog"]]
        digests = {child.life.digest for child in pair if child.life is not None and child.pid}
        if len(digests) < len(pair) or 0 in digests:
            self._different_s = None
            return
        if self._different_s is None:
            self._different_s = now_s
        if now_s - self._different_s < DIFFERENT_S:
            return
        older = min(pair, key=lambda child: child.started_s)
        self._tell(f"site.yaml was changed; the {older.name} is started anew with it")
        older.restart()
        self._different_s = None

    @property
    def lost(self) -> str | None:
        """Names a process that is vital and was given up; None if there is none."""
        given_up = [child.name for child in self.children.values() if child.given_up]
        vital = [name for name in given_up if name in VITAL]
        return vital[0] if vital else None

    def stop(self) -> bool:
        """Stops all; True if the controller came to rest by itself."""
        codes: dict[str, int | None] = {}
        for name in reversed(PROCESSES):
            # What is to be on record has to be told while the controller is there to hear it.
            self._notices.deliver(time.monotonic())
            codes[name] = self.children[name].stop()
        return codes["controller"] == 0
