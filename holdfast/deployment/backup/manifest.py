"""A manifest tells what is in a backup, by which release, and what each file is known by."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final, Literal

from packaging.version import InvalidVersion, Version
from pydantic import TypeAdapter

from holdfast import __version__
from holdfast.core.errors import HoldfastError

NAME: Final = "manifest.json"
MAX_BYTES: Final = 8_000_000
FORMAT: Final = 1
MAX_FILES: Final = 100_000


class BackupError(HoldfastError):
    """A backup cannot be made, or cannot be trusted; the text says why. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """Describes a file in a backup."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Describes a backup."""

    format: int
    holdfast: str
    """Is the release that has made it."""
    site: str
    made: datetime
    config: str
    """Names the site.yaml."""
    state: str
    """Names the state_dir."""
    files: tuple[BackedUp, ...]
    missing: tuple[str, ...] = ()
    """Tells which files site.yaml names, and were not there."""
    kind: Literal["holdfast backup"] = "holdfast backup"


_MANIFEST: Final = TypeAdapter(Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    """Returns what is written."""
    return _MANIFEST.dump_json(manifest, indent=1)


def decode_manifest(content: bytes) -> Manifest:
    """Reverses it. Raises BackupError for what is none, or what a newer release has written."""
    try:
        manifest = _MANIFEST.validate_json(content)
        is_newer = Version(manifest.holdfast) > Version(__version__)
    except (ValueError, InvalidVersion) as error:
        raise BackupError("it is no backup of Holdfast, or its manifest is damaged") from error
    if is_newer or manifest.format > FORMAT:
        raise BackupError(
            f"it was made by Holdfast {manifest.holdfast}, and this is {__version__}: "
            "install that release or a newer one first"
        )
    if len(manifest.files) > MAX_FILES:
        raise BackupError(f"it has more than {MAX_FILES} files")
    for name in (manifest.config, manifest.state, *(file.name for file in manifest.files)):
        _check_name(name)
    return manifest


def _check_name(name: str) -> None:
    """Refuses a name that would lead out of the folder into which it is put back."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\0" in name:
        raise BackupError(f"the name {name!r} leads out of the folder")
