"""A slot is built beside the one that runs, from the wheels of a release and nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from holdfast.deployment.release.bundle import unpack
from holdfast.deployment.release.facts import ReleaseError, ReleaseFacts
from holdfast.deployment.update.prefix import Prefix

_LEAVE_FREE_BYTES = 100_000_000
_GROWS = 5
"""So many times as large as its wheels is what they unpack to, at most."""
_PIP = (
    "install", "--quiet", "--isolated", "--no-index", "--require-hashes", "--no-cache-dir",
    "--disable-pip-version-check", "--no-warn-script-location",
)  # fmt: skip


def build(prefix: Prefix, slot: str, bundle: Path, facts: ReleaseFacts) -> None:
    """Builds the release ``bundle`` in ``slot``, which does not run. Raises ReleaseError.

    Until all of it is on the disk the slot is marked as unfinished, and nothing starts it.
    """
    place, wheels, builder = prefix.folder / slot, prefix.room / "wheels", prefix.room / "builder"
    try:
        _remove(place)
        shutil.rmtree(wheels, ignore_errors=True)
        _check_room(prefix.folder, bundle)
        wheels.mkdir(mode=0o700)
        place.mkdir(mode=0o755)
        prefix.unfinished(slot).touch()
        _sync(place)
        _run("venv", [sys.executable, "-m", "venv", "--without-pip", str(place)])
        lock = unpack(bundle, wheels)
        # Python brings a pip, for a builder apart: a slot holds what runs, and no pip.
        _run("venv", [sys.executable, "-m", "venv", "--clear", str(builder)])
        pip = [str(builder / "bin" / "python"), "-m", "pip", "--python", str(prefix.python(slot))]
        # pip compiles what it installs.
        _run("pip", [*pip, *_PIP, "--find-links", str(wheels), "--requirement", str(lock)])
        shutil.rmtree(wheels)
        shutil.rmtree(builder)
        os.sync()
        prefix.unfinished(slot).unlink()
        _sync(place)
    except OSError as error:
        raise ReleaseError(f"slot {slot} cannot be built: {error}") from error
    found = prefix.version(slot)
    if found != facts.version:
        prefix.unfinished(slot).touch()
        raise ReleaseError(f"the release says {facts.version}, and holds {found}")


def _remove(place: Path) -> None:
    """Takes a slot away at once: half of one must not look like a whole one."""
    gone = place.with_name(f"{place.name}.old")
    shutil.rmtree(gone, ignore_errors=True)
    if place.exists():
        place.replace(gone)
        shutil.rmtree(gone)


def _check_room(folder: Path, bundle: Path) -> None:
    needed = _GROWS * bundle.stat().st_size + _LEAVE_FREE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ReleaseError(
            f"{folder} has {free / 1e6:.0f} MB free, and {needed / 1e6:.0f} MB are needed to build "
            "a release beside the one that runs"
        )


def _run(what: str, command: Sequence[str]) -> None:
    """Runs a program that knows of nothing but its arguments."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))
    } | {"PIP_CONFIG_FILE": os.devnull, "PYTHONSAFEPATH": "1"}
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd="/"
    )
    if ended.returncode:
        last = "; ".join(ended.stderr.strip().splitlines()[-3:])
        raise ReleaseError(f"{what} ended with {ended.returncode}: {last}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
