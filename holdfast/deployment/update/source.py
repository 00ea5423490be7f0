"""Where releases come from: a folder or a web server, of which only what is signed is believed."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.version import Version
from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from holdfast.deployment.release.facts import ReleaseError, ReleaseFacts, decode_facts
from holdfast.deployment.update.prefix import Prefix

_CHUNK_BYTES: Final = 1 << 20
_EXPIRED: Final = (
    "what it says has expired: nothing newer was signed for long, or somebody keeps it back, or "
    "this computer's clock is wrong (it says {now}). Nothing is updated; the sites go on"
)
_REPLACED: Final = "a file is not the one that was signed: damaged, or replaced"
_WORDS: Final[Sequence[tuple[type[Exception], str]]] = (
    (tuf.ExpiredMetadataError, _EXPIRED),
    (tuf.BadVersionNumberError, "it is older than what was seen already: somebody plays it back"),
    (tuf.UnsignedMetadataError, "it is not signed by the keys that this computer trusts"),
    (tuf.LengthOrHashMismatchError, _REPLACED),
    (tuf.DownloadLengthMismatchError, _REPLACED),
    (tuf.DownloadHTTPError, "there is no repository of releases, or a file of it is missing"),
    (tuf.DownloadError, "it cannot be reached"),
    (tuf.RepositoryError, "it is no repository of releases as this computer knows them"),
)
"""Tells what each error means, the special ones first."""


class FolderFetcher(FetcherInterface):
    """Reads what is in a folder as others fetch it from a web server."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(unquote(urlsplit(url).path))
        if not path.is_file():
            raise tuf.DownloadHTTPError(f"there is no {path}", 404)
        return self._chunks(path)

    @staticmethod
    def _chunks(path: Path) -> Iterator[bytes]:
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk


class Source:
    """Holds what a repository offers, verified."""

    def __init__(self, prefix: Prefix, where: str) -> None:
        """Asks it. Raises ReleaseError."""
        self._where = where
        self._folder = prefix.room / "repository"
        self._downloads = prefix.room / "downloads"
        is_url = urlsplit(where).scheme in {"http", "https"}
        base = where.rstrip("/") if is_url else Path(where).absolute().as_uri()
        with self._in_words():
            for folder in (self._folder, self._downloads):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._updater = Updater(
                str(self._folder),
                f"{base}/metadata/",
                str(self._downloads),
                f"{base}/targets/",
                fetcher=None if is_url else FolderFetcher(),
                config=UpdaterConfig(app_user_agent="holdfast"),
                bootstrap=_root(prefix),
            )
            self._updater.refresh()
            targets = Metadata[Targets].from_file(str(self._folder / "targets.json"))
        self.releases = tuple(decode_facts(file.custom) for file in targets.signed.targets.values())

    def fetch(self, facts: ReleaseFacts) -> Path:
        """Returns the file of a release, verified. What is here already is not fetched again."""
        with self._in_words():
            target = self._target(facts)
            found = self._updater.find_cached_target(target)
            if found is not None:
                return Path(found)
            with _room(self._downloads):
                return Path(self._updater.download_target(target))

    def _target(self, facts: ReleaseFacts) -> TargetFile:
        target = self._updater.get_targetinfo(facts.name)
        if target is None:
            raise ReleaseError(f"{self._where}: {facts.name} is not there")
        return target

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (tuf.RepositoryError, tuf.DownloadError) as error:
            words = next(words for kind, words in _WORDS if isinstance(error, kind))
            text = words.format(now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
            raise ReleaseError(f"{self._where}: {text} ({error})") from error
        except OSError as error:
            raise ReleaseError(f"{self._where}: {error}") from error


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Has files on their way lie in ``folder``: a release is too large for a /tmp in RAM."""
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _root(prefix: Prefix) -> bytes:
    try:
        return prefix.root_of_trust.read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{prefix.root_of_trust} cannot be read: without it no release can be trusted"
        ) from error


def choose(
    releases: Sequence[ReleaseFacts], *, installed: str, platform: str, failed: Sequence[str]
) -> ReleaseFacts | None:
    """Returns the newest release to go to; None if the one that is installed is the newest.

    Raises ReleaseError if there is a newer one, and no way to it.
    """
    fitting = [facts for facts in releases if facts.platform == platform]
    if not fitting:
        others = ", ".join(sorted({facts.platform for facts in releases})) or "nothing"
        raise ReleaseError(f"there is no release for {platform}; there is {others}")
    present = Version(installed)
    newer = sorted(
        (facts for facts in fitting if Version(facts.version) > present),
        key=lambda facts: Version(facts.version),
        reverse=True,
    )
    untried = [facts for facts in newer if facts.version not in failed]
    near = [facts for facts in untried if Version(facts.min_version) <= present]
    if near:
        return near[0]
    if untried:
        raise ReleaseError(
            f"{untried[0].version} follows {untried[0].min_version} or newer, and {installed} is "
            f"installed; no release between them is there"
        )
    if newer:
        raise ReleaseError(
            f"{newer[0].version} was tried here and is not tried again (--again tries it); "
            "no other newer release is there"
        )
    return None
