"""The files of a running site lie in its ``state_dir`` and in RAM; here they are written safely."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from holdfast.core.errors import ConfigError
from holdfast.site.memory_folder import memory_folder
from holdfast.site.own_folder import check_own_folder

if TYPE_CHECKING:  # a stop waits for no model of the whole configuration
    from holdfast.core.config import Site

_log = logging.getLogger(__name__)

_MAX_SOCKET_PATH = 100  # Linux permits 107 bytes


Stamp = tuple[int, int, int]


def file_stamp(path: Path) -> Stamp | None:
    """Returns what changes whenever the file does; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """Tells where the processes of one site meet."""

    state_dir: Path

    @classmethod
    def of(cls, site: "Site") -> Self:
        """Returns the files of ``site``."""
        return cls(state_dir=Path(site.state_dir))

    @property
    def latches(self) -> Path:
        """Returns the file of latched faults and emergency stop, which survives a restart."""
        return self.state_dir / "latches.json"

    @property
    def traces(self) -> tuple[Path, ...]:
        """Returns files that only a controller makes, after its latch file: where one of them is
        and no latches are, somebody has taken the latches away."""
        return (self.starts, self.wear, self.audit / "audit.head")

    @property
    def starts(self) -> Path:
        """Returns the file of the starts of the controller that did not end cleanly."""
        return self.state_dir / "starts.json"

    @property
    def running(self) -> Path:
        """Returns the file that tells whether the site was RUNNING when its controller ended."""
        return self.state_dir / "running.json"

    @property
    def wear(self) -> Path:
        """Returns the file of what the contactors have been through in their whole life."""
        return self.state_dir / "wear.json"

    @property
    def proofs(self) -> Path:
        """Returns the folder of what inverters were seen to do, by storage unit."""
        return self.state_dir / "proofs"

    @property
    def release(self) -> Path:
        """Returns the file that says for which authority the site was released, and by whom."""
        return self.state_dir / "release.json"

    @property
    def signatures(self) -> Path:
        """Returns the file of what people have seen on the site, and signed."""
        return self.state_dir / "signatures.json"

    @property
    def taken_over(self) -> Path:
        """Returns the folder of what inverters held before Holdfast first wrote to them, by storage
        unit."""
        return self.state_dir / "taken_over"

    @property
    def plan(self) -> Path:
        """Returns the file of what the planner last did."""
        return self.state_dir / "plan.json.gz"

    @property
    def manual(self) -> Path:
        """Returns the file of what people ask of the batteries, in place of the plan."""
        return self.state_dir / "manual.json"

    @property
    def signals(self) -> Path:
        """Returns the file of signals that others set for the rules."""
        return self.state_dir / "signals.json"

    @property
    def notices(self) -> Path:
        """Returns the file of what people were told last."""
        return self.state_dir / "notices.json"

    @property
    def notice_memory(self) -> Path:
        """Returns the file of what is told as it stands: after a restart nothing is told again."""
        return self.state_dir / "notice-memory.json"

    @property
    def notice_ledgers(self) -> Path:
        """Returns the folder of what each recipient was told and is to be told."""
        return self.state_dir / "notifications"

    def notice_ledger(self, recipient: str) -> Path:
        """Returns the file of what one recipient was told and is to be told."""
        return self.notice_ledgers / f"{recipient}.json"

    @property
    def web_push(self) -> Path:
        """Returns the file of the key by which push services know the site, and of the browsers
        that are told."""
        return self.state_dir / "web-push.json"

    @property
    def acknowledgement(self) -> Path:
        """Returns the file of who last said that he has seen the alarms."""
        return self.state_dir / "acknowledged.json"

    @property
    def rule_report(self) -> Path:
        """Returns the file that tells how the rules stand."""
        return self.state_dir / "rules.json"

    @property
    def judgement(self) -> Path:
        """Returns the file that tells whether plans or self-consumption lead, and why."""
        return self.state_dir / "judgement.json"

    @property
    def forecast(self) -> Path:
        """Returns the file of the forecast that the last plan rests on."""
        return self.state_dir / "forecast.json.gz"

    @property
    def prices(self) -> Path:
        """Returns the folder of the last complete answer of each source of prices."""
        return self.state_dir / "prices"

    @property
    def weather(self) -> Path:
        """Returns the file of the last good weather forecast."""
        return self.state_dir / "weather.packed"

    @property
    def history(self) -> Path:
        """Returns the file of what was measured and published, for the forecasts."""
        return self.state_dir / "history.packed"

    @property
    def history_db(self) -> Path:
        """Returns the database of the history, unless it is elsewhere; what belongs to it lies
        beside it."""
        return self.state_dir / "history.db"

    @property
    def history_state(self) -> Path:
        """Returns the file of how the history fares, in shared memory: a full disk is told, too."""
        return memory_folder(self.state_dir) / "history.shm"

    @property
    def planner_memory(self) -> Path:
        """Returns the file of what loads had in their windows, rooms' temperatures, and the highest
        import so far."""
        return self.state_dir / "desk.json"

    @property
    def old_history(self) -> Path:
        """Returns the history of releases that kept eight days; read once, if there is no other."""
        return self.state_dir / "history.json"

    @property
    def accounts(self) -> Path:
        """Returns the folder of who may log in, of sessions, and of a self-made certificate."""
        return self.state_dir / "accounts"

    @property
    def models(self) -> Path:
        """Returns the folder of the learned models."""
        return self.state_dir / "models"

    @property
    def control_socket(self) -> Path:
        """Commands and plans go in here."""
        return self.state_dir / "control.sock"

    @property
    def stop_socket(self) -> Path:
        """Stops go in here, and nothing else: whoever floods the other one holds up none."""
        return self.state_dir / "stop.sock"

    @property
    def status(self) -> Path:
        """Returns the file of the controller's status, in shared memory."""
        return memory_folder(self.state_dir) / "status.shm"

    @property
    def heartbeat(self) -> Path:
        """Returns the file of the controller's heartbeat, in shared memory."""
        return memory_folder(self.state_dir) / "heartbeat.shm"

    @property
    def watchdog(self) -> Path:
        """Returns the file of the watchdog's heartbeat, in shared memory."""
        return memory_folder(self.state_dir) / "watchdog.shm"

    @property
    def config_history(self) -> Path:
        """Returns the folder of the versions of site.yaml that were written or found."""
        return self.state_dir / "config-history"

    @property
    def apply(self) -> Path:
        """Returns the file with which the API asks the supervisor to start all processes anew."""
        return self.state_dir / "apply.json"

    def lock(self, name: str) -> Path:
        """Returns the file that the one process ``name`` of this site holds while it runs."""
        return self.state_dir / f"{name}.lock"

    @property
    def audit(self) -> Path:
        """Returns the folder of the audit log and its head."""
        return self.state_dir / "audit"

    @property
    def incidents(self) -> Path:
        """Returns the folder of recordings: the cycles around what stopped the site."""
        return self.state_dir / "incidents"

    @property
    def logs(self) -> Path:
        """Returns the folder of the log files."""
        return self.state_dir / "log"

    def create(self) -> None:
        """Makes the folders, for their owner only. Raises ConfigError if that cannot be, or they
        are not its own."""
        if len(os.fsencode(self.control_socket)) > _MAX_SOCKET_PATH:
            raise ConfigError(
                f"state_dir: {self.state_dir} is too long for a Unix socket; "
                f"the whole path may have {_MAX_SOCKET_PATH} bytes"
            )
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            check_own_folder(self.state_dir)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"state_dir: cannot be made: {error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Writes ``content`` so that after a power cut ``path`` holds the old or the new, never a mix.

    On return the new content is on the disk. Raises OSError.
    """
    temporary = path.with_name(path.name + ".new")
    if temporary.is_symlink():
        temporary.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, 0o600)
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
    """Copies a file that cannot be trusted to ``.corrupt``, for whoever looks into it."""
    try:
        path.with_suffix(".corrupt").write_bytes(path.read_bytes())
    except OSError as error:
        _log.error("%s cannot be kept: %s", path, error)
