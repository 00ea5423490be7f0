"""A release is one file: the wheels of Holdfast and all that it needs, each locked by its hash."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from holdfast.deployment.release.facts import (
    FACTS_NAME,
    LOCK_NAME,
    ReleaseError,
    ReleaseFacts,
    decode_facts,
    encode_facts,
)

WHEELS = "wheels"
SBOM = "sbom"
_CHUNK_BYTES = 1 << 20


def write_bundle(
    facts: ReleaseFacts, wheels: Sequence[Path], into: Path, *, sboms: Sequence[Path] = ()
) -> Path:
    """Writes a release into the folder ``into``; wheels of two versions of a thing are refused."""
    names = [_named(wheel) for wheel in wheels]
    if len({name for name, _ in names}) != len(names):
        raise ReleaseError("there are two wheels of the same distribution")
    if ("holdfast", Version(facts.version)) not in names:
        raise ReleaseError(f"there is no wheel of holdfast {facts.version}")
    lock = "".join(
        f"{name}=={version} --hash=sha256:{_sha256(wheel)}\n"
        for (name, version), wheel in zip(names, wheels, strict=True)
    )
    target = into / facts.name
    into.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # wheels are compressed
        archive.writestr(FACTS_NAME, json.dumps(encode_facts(facts), indent=1))
        archive.writestr(LOCK_NAME, lock)
        for wheel in wheels:
            archive.write(wheel, f"{WHEELS}/{wheel.name}")
        for sbom in sboms:
            archive.write(sbom, f"{SBOM}/{sbom.name}")
    return target


def read_facts(bundle: Path) -> ReleaseFacts:
    """Returns the facts of a release. Raises ReleaseError."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            content = json.loads(archive.read(FACTS_NAME))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ReleaseError(f"{bundle} is no release: {error}") from error
    return decode_facts(content)


def unpack(bundle: Path, into: Path) -> Path:
    """Puts wheels and lock into ``into``; returns the lock. The file was verified before.

    Raises ReleaseError, OSError.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            for name in _inner(archive):
                with archive.open(name) as source, (into / Path(name).name).open("wb") as target:
                    while chunk := source.read(_CHUNK_BYTES):
                        target.write(chunk)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ReleaseError(f"{bundle} is no release: {error}") from error
    return into / LOCK_NAME


def _inner(archive: zipfile.ZipFile) -> Iterator[str]:
    yield LOCK_NAME
    for name in archive.namelist():
        folder, _, file = name.partition("/")
        if folder == WHEELS and file and file == Path(file).name:
            yield name


def _named(wheel: Path) -> tuple[str, Version]:
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise ReleaseError(f"{wheel} is no wheel") from error
    return name, version


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
