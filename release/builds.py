"""The wheel and the source distribution of a commit: the same bytes, whenever they are built."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PAGES = "holdfast/ui/static/built-from.txt"
_LAST_LINES = 15


class CannotRelease(Exception):
    """There can be no release; the text says why, and what would be right."""


def commit_of(root: Path) -> str:
    """Returns the commit that lies in ``root``. Raises CannotRelease if files differ from it."""
    if changed := git(root, "status", "--porcelain"):
        raise CannotRelease(f"what is released is a commit, and these are in none:\n{changed}")
    return git(root, "rev-parse", "HEAD")


def time_of(root: Path, commit: str) -> int:
    """Returns when the commit was made, in seconds since 1970: a build has that time."""
    return int(git(root, "show", "--no-patch", "--format=%ct", commit))


def git(root: Path, *words: str) -> str:
    """Returns what git says. Raises CannotRelease."""
    return run(["git", "-C", str(root), *words]).decode().strip()


def build(root: Path, commit: str, epoch_s: int, work: Path) -> tuple[Path, Path]:
    """Builds in the empty folder ``work``, from what git has of the commit and nothing else.

    Returns the wheel and the source distribution. Raises CannotRelease.
    """
    source, out = work / "source", work / "out"
    source.mkdir()
    packed = run(["git", "-C", str(root), "archive", "--format=tar", commit])
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(source, filter="data")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch_s), "PYTHONHASHSEED": "0"}
    run([sys.executable, "build_backend/pages_build.py"], cwd=source, env=environment)
    run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        env=environment,
    )
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    if _PAGES not in zipfile.ZipFile(wheel).namelist():
        raise CannotRelease("the wheel has no pages: they are built by Node.js")
    settle(sdist, epoch_s)
    return wheel, sdist


def settle(sdist: Path, epoch_s: int) -> None:
    """Packs a source distribution anew, so that its bytes tell of its content alone.

    setuptools takes times, order and owner from the disk, and gzip the time of the packing.
    """
    packed = io.BytesIO()
    with (
        tarfile.open(sdist) as old,
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=epoch_s, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            content = old.extractfile(member) if member.isfile() else None
            new.addfile(_settled(member, epoch_s), content)
    sdist.write_bytes(packed.getvalue())


def _settled(member: tarfile.TarInfo, epoch_s: int) -> tarfile.TarInfo:
    settled = tarfile.TarInfo(member.name)
    settled.size, settled.type, settled.linkname = member.size, member.type, member.linkname
    settled.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    settled.mtime = epoch_s
    return settled


def sha256(path: Path) -> str:
    """Returns the digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> bytes:
    """Runs a program, and returns what it printed. Raises CannotRelease with the end of that."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
        last = "\n".join(said[-_LAST_LINES:])
        raise CannotRelease(f"`{' '.join(command)}` ended with {done.returncode}:\n{last}")
    return done.stdout
