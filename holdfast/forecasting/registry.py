"""Released models are kept on disk: numbered, checked, few, and each can be taken back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import HoldfastError
from holdfast.forecasting.array_file import ArrayFile

_log = logging.getLogger(__name__)

KEPT = 5
"""So many versions of each model are kept."""
_SUFFIX = ".model"


class RegistryError(HoldfastError):
    """A model could not be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version is a released model."""

    kind: str
    number: int
    content: ArrayFile


class ModelRegistry:
    """Keeps the versions of all models of a site in one folder."""

    def __init__(self, folder: Path, write: Callable[[Path, bytes], None]) -> None:
        """``write`` replaces a file as a whole or not at all, and raises OSError."""
        self._folder = folder
        self._write = write

    def release(self, kind: str, content: ArrayFile) -> Version:
        """Stores a new newest version; old ones go. Raises RegistryError."""
        numbers = self._numbers(kind)
        number = max(numbers, default=0) + 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write(self._path(kind, number), content.to_bytes())
            for old in numbers[: -(KEPT - 1)]:
                self._path(kind, old).unlink(missing_ok=True)
        except OSError as error:
            raise RegistryError(f"{kind}: the model is not on disk: {error}") from error
        return Version(kind=kind, number=number, content=content)

    def versions(self, kind: str) -> list[Version]:
        """Returns every version that can be read, newest first; a damaged one is skipped."""
        found = []
        for number in reversed(self._numbers(kind)):
            try:
                content = ArrayFile.from_bytes(self._path(kind, number).read_bytes())
            except (OSError, ValueError) as error:
                _log.warning("model %s %d is skipped: %s", kind, number, error)
                continue
            found.append(Version(kind=kind, number=number, content=content))
        return found

    def withdraw(self, version: Version) -> None:
        """Takes a version back: the one before is the newest again."""
        try:
            self._path(version.kind, version.number).unlink(missing_ok=True)
        except OSError as error:
            _log.error("model %s %d stays: %s", version.kind, version.number, error)

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number:06d}{_SUFFIX}"

    def _numbers(self, kind: str) -> list[int]:
        names = [path.stem for path in self._folder.glob(f"{kind}-*{_SUFFIX}")]
        texts = [name.removeprefix(f"{kind}-") for name in names]
        return sorted(int(text) for text in texts if text.isdecimal())
