"""The prefix is the folder that Holdfast is installed in: two slots, and which of them runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from holdfast.core.errors import AlreadyRunning
from holdfast.deployment.release.facts import ReleaseError
from holdfast.site.files import write_atomically

DEFAULT: Final = Path("/opt/holdfast")
_SLOTS: Final = ("a", "b")
_UNFINISHED: Final = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Tells which release is being tried."""

    version: str
    attempts_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """Tells what is where below the prefix; ``holdfast-slot`` says what the files mean."""

    folder: Path

    @property
    def program(self) -> Path:
        """Returns what switches slots, and goes back."""
        return self.folder / "bin" / "holdfast-slot"

    @property
    def root_of_trust(self) -> Path:
        """Returns the file of the keys that count, as it was installed."""
        return self.folder / "root.json"

    @property
    def room(self) -> Path:
        """Returns the folder of what an update needs: downloads, backups, what is known."""
        return self.folder / "update"

    @property
    def before(self) -> Path:
        """Returns the file of how the sites were before a switch."""
        return self.room / "before.json"

    @property
    def current(self) -> str:
        """Returns the slot that runs. Raises ReleaseError."""
        try:
            name = str((self.folder / "current").readlink())
        except OSError as error:
            raise ReleaseError(
                f"{self.folder} is no installation that can be updated: it has no slot `current`"
            ) from error
        if name not in _SLOTS:
            raise ReleaseError(f"{self.folder / 'current'} leads to {name}, which is no slot")
        return name

    @property
    def other(self) -> str:
        """Returns the slot that does not run."""
        return next(slot for slot in _SLOTS if slot != self.current)

    def python(self, slot: str) -> Path:
        """Returns the Python of a slot."""
        return self.folder / slot / "bin" / "python"

    def unfinished(self, slot: str) -> Path:
        """Returns the file that is there as long as a slot is not whole."""
        return self.folder / slot / _UNFINISHED

    def version(self, slot: str) -> str | None:
        """Returns the release in a slot; None if it has none that is whole."""
        if self.unfinished(slot).exists() or not self.python(slot).exists():
            return None
        places = [str(path) for path in (self.folder / slot).glob("lib/python3*/site-packages")]
        found = (one.version for one in distributions(name="holdfast", path=places))
        return next(found, None)

    @property
    def trial(self) -> Trial | None:
        """Returns what is being tried; None if nothing is."""
        try:
            words = (self.folder / "trial").read_text().split()
            return Trial(version=words[3], attempts_left=int(words[2]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, IndexError) as error:
            raise ReleaseError(f"{self.folder / 'trial'} cannot be read: {error}") from error

    @property
    def failed(self) -> tuple[str, ...]:
        """Returns the versions that are not tried again."""
        try:
            return tuple((self.folder / "failed").read_text().split())
        except FileNotFoundError:
            return ()

    def forgive(self, version: str) -> None:
        """Lets a version be tried again that has failed. Raises OSError."""
        rest = "".join(f"{one}\n" for one in self.failed if one != version)
        write_atomically(self.folder / "failed", rest.encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else updates within the block. Raises AlreadyRunning, ReleaseError."""
        try:
            self.room.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.room / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ReleaseError(
                f"{self.folder} cannot be written: {error.strerror}; run it as root"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise AlreadyRunning(f"another update of {self.folder} runs") from None
        finally:
            os.close(descriptor)
