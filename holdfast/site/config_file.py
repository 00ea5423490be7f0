"""The site.yaml as API and command line change it: checked, whole at any time, each version kept.

Text stays as it was written, comments included. What runs goes on with what it has read until the
site is started anew.
"""

import difflib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.site.examination import Examination, examine
from holdfast.site.files import write_atomically
from holdfast.site.site_file import parse_site

KEPT: Final = 100
"""So many versions are kept; the oldest goes."""
_BY_HAND: Final = "somebody at the computer"
_NAME: Final = re.compile(r"([0-9]{6,9})\.json")


class ConfigChanged(HoldfastError):
    """The file is no longer the one that was edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigText:
    """Holds what site.yaml says, and what that is known by."""

    yaml: str
    digest: str
    """Is the SHA-256 of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigVersion:
    """Holds one version of site.yaml."""

    id: int
    utc: datetime
    """Tells when it was written, or found."""
    by: str
    digest: str
    yaml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCheck:
    """Tells what a text would be as site.yaml."""

    problems: tuple[str, ...]
    """Tells what is wrong, a mistake each; empty: the site can be run with it."""
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]
    diff: str
    """Is a unified diff from what stands in the file now; empty: they are the same."""

    @property
    def ok(self) -> bool:
        """Says whether the site can be run with it."""
        return not self.problems


_VERSION: Final = TypeAdapter(ConfigVersion)


class ConfigFile:
    """Reads and changes one site.yaml; threads and processes may share it."""

    def __init__(self, path: Path, kept: Path) -> None:
        """``kept`` is the folder of the versions."""
        self._path, self._kept = path, kept

    def read(self) -> ConfigText:
        """Returns what the file says. Raises ConfigError."""
        try:
            content = self._path.read_bytes()
            text = content.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._path.name}: cannot be read: {error}") from error
        return ConfigText(yaml=text, digest=_digest(content))

    def check(self, yaml: str) -> ConfigCheck:
        """Tells what ``yaml`` would be, as ``holdfast check`` does."""
        diff = _diff(self.read().yaml, yaml)
        try:
            found = self.examine(yaml)
        except ConfigError as error:
            return ConfigCheck(problems=_lines(error), doubts=(), warnings=(), diff=diff)
        warnings = (*found.warnings, *found.idle_limits)
        return ConfigCheck(problems=(), doubts=found.doubts, warnings=warnings, diff=diff)

    def examine(self, yaml: str) -> Examination:
        """Returns what is to be told of a site that ``yaml`` describes. Raises ConfigError."""
        return examine(self.parse(yaml))

    def parse(self, yaml: str) -> Site:
        """Returns the site that ``yaml`` describes. Raises ConfigError."""
        return parse_site(yaml, source=self._path.name, folder=self._path.parent)

    def write(self, yaml: str, *, edited: str, by: str) -> ConfigText:
        """Puts ``yaml`` in the place of the file whose digest is ``edited``.

        Raises ConfigError if the site could not be run with it, ConfigChanged, OSError.
        """
        self.examine(yaml)
        content = yaml.encode()
        with self._alone():
            before = self.read()
            if before.digest != edited:
                raise ConfigChanged(
                    "site.yaml was changed since; read it again, and make the change in that"
                )
            if before.yaml != yaml:
                self._keep_found(before)
                self._keep(ConfigText(yaml=yaml, digest=_digest(content)), by)
                place = self._path.resolve()  # a link stays one
                mode = place.stat().st_mode & 0o777
                write_atomically(place, content)
                place.chmod(mode)
            return self.read()

    def keep_present(self) -> None:
        """Keeps what the file says now, if somebody has edited it by hand. Raises OSError."""
        with self._alone():
            self._keep_found(self.read())

    def diff(self, before: str, after: str | None = None) -> str:
        """Returns a unified diff from ``before`` to ``after``; None: to what the file says now."""
        return _diff(before, self.read().yaml if after is None else after)

    def versions(self) -> tuple[ConfigVersion, ...]:
        """Returns the versions that are kept, newest first."""
        found = (self._version(path) for path in reversed(self._files()))
        return tuple(version for version in found if version is not None)

    def version(self, number: int) -> ConfigVersion | None:
        """Returns one of them; None if it is not kept."""
        return self._version(self._place(number))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the file, nor its versions, within the block."""
        self._kept.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._kept, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _keep_found(self, text: ConfigText) -> None:
        newest = next(iter(self.versions()), None)
        if newest is None or newest.digest != text.digest:
            self._keep(text, _BY_HAND)

    def _keep(self, text: ConfigText, by: str) -> None:
        files = self._files()
        number = 1 + (int(files[-1].stem) if files else 0)
        version = ConfigVersion(
            id=number, utc=datetime.now(UTC), by=by, digest=text.digest, yaml=text.yaml
        )
        write_atomically(self._place(number), to_json(version))
        for old in self._files()[:-KEPT]:
            old.unlink(missing_ok=True)

    def _place(self, number: int) -> Path:
        return self._kept / f"{number:06d}.json"

    def _files(self) -> list[Path]:
        """Returns the files of the versions, oldest first."""
        found = [path for path in self._kept.glob("*.json") if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(path.stem))

    @staticmethod
    def _version(path: Path) -> ConfigVersion | None:
        try:
            return _VERSION.validate_json(path.read_bytes())
        except (OSError, ValueError):
            return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), "now", "then"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _lines(error: ConfigError) -> tuple[str, ...]:
    """Returns a mistake a line, without the line that counts them."""
    first, *rest = str(error).splitlines()
    return tuple(line.strip() for line in rest) or (first,)
