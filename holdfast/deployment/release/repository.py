"""A repository of releases is a folder that any web server or stick serves, signed by TUF's rules.

Keys of the root are somebody's, apart from each other and from any computer that is online: two of
them have to sign which keys count. The others sign what there is now.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import StorageError, UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from holdfast.deployment.release.bundle import read_facts
from holdfast.deployment.release.facts import ReleaseError, ReleaseFacts, decode_facts, encode_facts
from holdfast.site.files import write_atomically

ROOT_KEYS: Final = ("root-1", "root-2", "root-3")
THRESHOLD: Final = 2
ONLINE: Final = ("targets", "snapshot", "timestamp")
DAYS: Final = {"root": 3 * 365, "targets": 365, "snapshot": 30, "timestamp": 14}
"""So long each is believed; a site that hears of nothing newer stops updating then, and goes on."""
METADATA, TARGETS = "metadata", "targets"
_NEXT_ROOT = "next-root.json"
_Role = TypeVar("_Role", Root, Snapshot, Targets, Timestamp)


def make_keys(folder: Path) -> list[Path]:
    """Makes all keys, each in a file for its owner only. Raises ReleaseError if one is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [folder / f"{name}.pem" for name in (*ROOT_KEYS, *ONLINE)]
    for path in paths:
        if path.exists():
            raise ReleaseError(f"{path} is there already")
    for path in paths:
        key = Ed25519PrivateKey.generate()
        write_atomically(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def begin_root(keys: Path, repository: Path, now: datetime) -> Path:
    """Writes which keys count, unsigned: :func:`sign_root` makes it count. Returns its file."""
    before = _latest(repository, Root)
    root = Root(
        version=1 if before is None else before.signed.version + 1,
        expires=_expires("root", now),
        consistent_snapshot=True,
    )
    for name in ROOT_KEYS:
        root.add_key(_signer(keys, name).public_key, "root")
    root.roles["root"].threshold = THRESHOLD
    for role in ONLINE:
        root.add_key(_signer(keys, role).public_key, role)
    (repository / METADATA).mkdir(parents=True, exist_ok=True)
    (repository / TARGETS).mkdir(exist_ok=True)
    path = repository / _NEXT_ROOT
    Metadata(root).to_file(str(path), JSONSerializer())
    return path


def sign_root(key: Path, repository: Path) -> Path | None:
    """Adds a signature; when there are enough, by the keys of before, too, the root counts.

    Returns its file then; None: more have to sign.
    """
    path = repository / _NEXT_ROOT
    try:
        new: Metadata[Root] = Metadata.from_file(str(path))
    except StorageError as error:
        raise ReleaseError(f"there is no {path}; `root` makes it") from error
    new.sign(_read_key(key), append=True)
    new.to_file(str(path), JSONSerializer())
    before = _latest(repository, Root)
    try:
        for judge in (before, new):
            if judge is not None:
                judge.signed.verify_delegate("root", new.signed_bytes, new.signatures)
    except UnsignedMetadataError:
        return None
    _write(repository, new)
    path.unlink()
    return repository / METADATA / f"{new.signed.version}.root.json"


def publish(
    bundles: Sequence[Path], keys: Path, repository: Path, now: datetime
) -> Mapping[str, ReleaseFacts]:
    """Adds releases, and signs anew what there is; without ``bundles`` only that it still holds.

    Raises ReleaseError for a release from which there would be no way back to the one before.
    """
    if _latest(repository, Root) is None:
        raise ReleaseError(f"{repository} has no root yet: `root`, and two keys `sign` it")
    targets = _next(repository, Targets, now)
    for bundle in bundles:
        facts = read_facts(bundle)
        _check(facts, published(repository).values())
        file = TargetFile.from_file(facts.name, str(bundle), ["sha256"])
        file.unrecognized_fields["custom"] = encode_facts(facts)
        targets.signed.targets[facts.name] = file
        place = repository / TARGETS / f"{file.hashes['sha256']}.{facts.name}"
        write_atomically(place, bundle.read_bytes())
    snapshot, timestamp = _next(repository, Snapshot, now), _next(repository, Timestamp, now)
    snapshot.signed.meta["targets.json"] = MetaFile(version=targets.signed.version)
    timestamp.signed.snapshot_meta = MetaFile(version=snapshot.signed.version)
    # Readers begin with the timestamp: it comes last.
    roles: tuple[Metadata[Any], ...] = (targets, snapshot, timestamp)
    for name, metadata in zip(ONLINE, roles, strict=True):
        metadata.sign(_signer(keys, name))
        _write(repository, metadata)
    return published(repository)


def published(repository: Path) -> Mapping[str, ReleaseFacts]:
    """Returns the releases that are there, by the names of their files."""
    targets = _latest(repository, Targets)
    files = {} if targets is None else targets.signed.targets
    return {name: decode_facts(file.custom) for name, file in files.items()}


def _check(facts: ReleaseFacts, others: Iterable[ReleaseFacts]) -> None:
    same = [other for other in others if other.platform == facts.platform]
    before = max(same, key=lambda other: (other.history_layout, other.config_version), default=None)
    if before is None:
        return
    why = facts.why_no_way_back(before, before.history_layout)
    if why:
        raise ReleaseError(why)


def _next(repository: Path, kind: type[_Role], now: datetime) -> Metadata[_Role]:
    """Returns what is there of a role with the next number, unsigned."""
    found = _latest(repository, kind)
    metadata = Metadata(kind()) if found is None else found
    metadata.signed.version += found is not None
    metadata.signed.expires = _expires(kind.type, now)
    metadata.signatures.clear()
    return metadata


def _expires(role: str, now: datetime) -> datetime:
    return (now + timedelta(days=DAYS[role])).astimezone(UTC).replace(microsecond=0)


def _latest(repository: Path, kind: type[_Role]) -> Metadata[_Role] | None:
    folder = repository / METADATA
    numbered = {int(path.name.split(".")[0]): path for path in folder.glob(f"*.{kind.type}.json")}
    path = numbered[max(numbered)] if numbered else folder / f"{kind.type}.json"
    return Metadata[_Role].from_file(str(path)) if path.exists() else None


def _write(repository: Path, metadata: Metadata[_Role]) -> None:
    signed = metadata.signed
    number = "" if signed.type == Timestamp.type else f"{signed.version}."
    content = metadata.to_bytes(JSONSerializer())
    path = repository / METADATA / f"{number}{signed.type}.json"
    write_atomically(path, content)
    path.chmod(0o644)


def _signer(keys: Path, name: str) -> CryptoSigner:
    return _read_key(keys / f"{name}.pem")


def _read_key(path: Path) -> CryptoSigner:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ReleaseError(f"{path} is no key that can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(f"{path} is no Ed25519 key")
    return CryptoSigner(key)
