"""The files of a running site, all in its ``state_dir``, and how they are written safely."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import ConfigError

_log = logging.getLogger(__name__)

_MAX_SOCKET_PATH = 100  # Linux permits 107 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """Where the processes of one site meet."""

    state_dir: Path

    @property
    def latches(self) -> Path:
        """Latched faults and emergency stop; survives a restart."""
        return self.state_dir / "latches.json"

    @property
    def starts(self) -> Path:
        """Starts of the controller that did not end cleanly."""
        return self.state_dir / "starts.json"

    @property
    def wear(self) -> Path:
        """What the contactors have been through in their whole life."""
        return self.state_dir / "wear.json"

    @property
    def plan(self) -> Path:
        """What the planner last did."""
        return self.state_dir / "plan.json"

    @property
    def prices(self) -> Path:
        """Folder of the last complete answer of each source of prices."""
        return self.state_dir / "prices"

    @property
    def weather(self) -> Path:
        """The last good weather forecast."""
        return self.state_dir / "weather.packed"

    @property
    def history(self) -> Path:
        """What was measured and published, for the forecasts."""
        return self.state_dir / "history.packed"

    @property
    def desk(self) -> Path:
        """What loads had in their windows, rooms' temperatures, and the highest import so far."""
        return self.state_dir / "desk.json"

    @property
    def old_history(self) -> Path:
        """The history of releases that kept eight days; read once, if there is no other."""
        return self.state_dir / "history.json"

    @property
    def models(self) -> Path:
        """Folder of the learned models."""
        return self.state_dir / "models"

    @property
    def control_socket(self) -> Path:
        """Commands and plans go in here."""
        return self.state_dir / "control.sock"

    @property
    def status(self) -> Path:
        """The controller's status, in shared memory."""
        return self.state_dir / "status.shm"

    @property
    def heartbeat(self) -> Path:
        """The controller's heartbeat, in shared memory."""
        return self.state_dir / "heartbeat.shm"

    @property
    def watchdog(self) -> Path:
        """The watchdog's heartbeat, in shared memory."""
        return self.state_dir / "watchdog.shm"

    def lock(self, name: str) -> Path:
        """Held by the one process ``name`` of this site while it runs."""
        return self.state_dir / f"{name}.lock"

    @property
    def audit(self) -> Path:
        """Folder of the audit log and its head."""
        return self.state_dir / "audit"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.state_dir / "log"

    def create(self) -> None:
        """Make the folders, for their owner only. Raises ConfigError if that cannot be."""
        if len(os.fsencode(self.control_socket)) > _MAX_SOCKET_PATH:
            raise ConfigError(
                f"state_dir: {self.state_dir} is too long for a Unix socket; "
                f"the whole path may have {_MAX_SOCKET_PATH} bytes"
            )
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"state_dir: cannot be made: {error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` so that after a power cut ``path`` holds the old or the new, never a mix.

    On return the new content is on the disk. Raises OSError.
    """
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a disk that is nearly full takes a part, and reports no error
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keep_corrupt(path: Path) -> None:
    """Copy a file that cannot be trusted to ``.corrupt``, for whoever looks into it."""
    try:
        path.with_suffix(".corrupt").write_bytes(path.read_bytes())
    except OSError as error:
        _log.error("%s cannot be kept: %s", path, error)
